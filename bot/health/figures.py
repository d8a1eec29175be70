"""What is spent, left, expected and how old that is, as metric families. Pure.

Names end in their base unit. Amounts in other currencies than USD have metrics of their own, so
that no sum adds euros to dollars.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal

from prometheus_client.core import Metric

from bot.health.costs import bounded
from bot.health.gauge import Samples, Value, gauge
from costcompass_core.domain.days import ONE_DAY, midnight
from costcompass_core.domain.forecast import ForecastReport, Runway
from costcompass_core.domain.usage import USD
from costcompass_core.usecases.measures import Measures, PartCost


def figures(known: Measures, accounts: Collection[str]) -> Iterator[Metric]:
    """Yield what the database says; `accounts` are those that are configured."""
    every = {(one, USD) for one in (*known.sold_by, *accounts)}
    every |= {(one.account, one.currency) for one in known.day}
    yield from _costs("month_to_date", "in this UTC month up to yesterday", known.month, every)
    day = "on the newest completed UTC day that is known of the account"
    read = {(one, USD) for one in known.through}
    yield from _costs("newest_day", day, known.day, read)
    yield from _balances(known.forecast)
    yield from _expected(known.forecast)
    yield from _subscriptions(known)
    yield from _budgets(known.forecast)
    yield from _ages(known)


def _costs(
    name: str, when: str, parts: Iterable[PartCost], always: Iterable[tuple[str, str]]
) -> Iterator[Metric]:
    costs = list(bounded(parts, always))
    yield gauge(
        f"{name}_cost_usd",
        f"Spent {when}; the cheaper models of an account are added up as other.",
        ("account", "model"),
        [((one.account, one.model), one.cost) for one in costs if one.currency == USD],
    )
    yield gauge(
        f"{name}_foreign_cost",
        f"Spent {when} in another currency, in its major unit; in no dollar figure.",
        ("account", "model", "currency"),
        [
            ((one.account, one.model, one.currency), one.cost)
            for one in costs
            if one.currency != USD
        ],
    )


def _balances(report: ForecastReport) -> Iterator[Metric]:
    foreign = [one for plan in report.currencies for one in plan.balances]
    yield gauge(
        "balance_usd",
        "Prepaid balance by its newest reading.",
        ("account",),
        [((one.account,), one.left) for one in report.balances],
    )
    yield gauge(
        "foreign_balance",
        "Prepaid balance in another currency, in its major unit.",
        ("account", "currency"),
        [((one.account, one.currency), one.left) for one in foreign],
    )
    yield gauge(
        "balance_reading_timestamp_seconds",
        "When the balance was read.",
        ("account", "currency"),
        [((one.account, one.currency), one.at) for one in (*report.balances, *foreign)],
    )
    yield gauge(
        "runway_seconds",
        "How long the balance lasts from its reading on, by what is expected of the days ahead.",
        ("account", "currency"),
        [
            *((((one.account, USD), _lasts(one))) for one in report.runways),
            *(
                (((one.account, plan.currency), _lasts(one)))
                for plan in report.currencies
                for one in plan.runways
            ),
        ],
    )


def _lasts(one: Runway) -> Decimal:
    return one.days * 86_400


def _expected(report: ForecastReport) -> Iterator[Metric]:
    this, following = report.this_month, report.next_month
    for name, says, value in (
        ("this_month_landing_usd", "What this UTC month should end at, usage alone.", this.total),
        ("this_month_landing_low_usd", "It ends above this nine times out of ten.", this.low),
        ("this_month_landing_high_usd", "It ends below this nine times out of ten.", this.high),
        (
            "next_month_forecast_usd",
            "Next UTC month at the rate of the 7 newest completed days, subscriptions included.",
            following.total,
        ),
    ):
        yield gauge(name, says, (), _one(value))
    yield gauge(
        "next_month_foreign_forecast",
        "The same of what is paid in another currency, in its major unit.",
        ("currency",),
        [((plan.currency,), plan.plan.total) for plan in report.currencies],
    )


def _one(value: Value) -> Samples:
    return [((), value)]


def _subscriptions(known: Measures) -> Iterator[Metric]:
    due = known.subscriptions
    says = "Fixed costs that are due for this UTC month"
    yield gauge("subscriptions_usd", f"{says}.", (), _one(due.get(USD)))
    yield gauge(
        "foreign_subscriptions",
        f"{says} in another currency, in its major unit.",
        ("currency",),
        [((currency,), amount) for currency, amount in due.items() if currency != USD],
    )


def _budgets(report: ForecastReport) -> Iterator[Metric]:
    for name, says in (
        ("limit", "What a budget allows in its UTC month or year."),
        ("spent", "What is spent of it, today by the balance included."),
        ("landing", "What its period should end at."),
    ):
        yield gauge(
            f"budget_{name}_usd",
            says,
            ("budget", "per"),
            [
                (
                    (one.budget.name, one.budget.per),
                    {"limit": one.budget.amount, "spent": one.spent, "landing": one.landing}[name],
                )
                for one in report.budgets
            ],
        )


def _ages(known: Measures) -> Iterator[Metric]:
    yield gauge(
        "newest_day_end_timestamp_seconds",
        "When the newest completed UTC day ended that is known of the account.",
        ("account",),
        [((account,), midnight(day + ONE_DAY)) for account, day in known.through.items()],
    )
    yield gauge(
        "last_good_refresh_timestamp_seconds",
        "When a part of the account, its balance or its activity, was last read well.",
        ("account", "part"),
        [(key, one.succeeded_at) for key, one in known.attempts.items()],
    )
    yield gauge(
        "refresh_failures",
        "How often a part of the account failed in a row; 0 after it was read well.",
        ("account", "part"),
        [(key, one.failures) for key, one in known.attempts.items()],
    )
