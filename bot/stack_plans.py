"""What several providers and currencies bring to a forecast, as figures and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from bot import words
from bot.stack_words import listed
from bot.words import Figure
from costcompass_core.domain.forecast import CurrencyPlan, ForecastReport, ProviderPlan, Runway


def plan_figures(report: ForecastReport) -> list[Figure]:
    """Return what each provider adds to next month, by which days that is expected."""
    return [_plan(one, report) for one in report.providers]


def _plan(one: ProviderPlan, report: ForecastReport) -> Figure:
    burn = one.plan.burn
    if burn is None or one.plan.usage is None or one.plan.burn_per_day is None:
        return Figure(one.title, "not known", "no final day yet")
    told = f"{words.usd(one.plan.burn_per_day)} a day"
    whole = report.next_month.burn
    if whole is None or (burn.start, burn.end) != (whole.start, whole.end):
        told += f", by {words.span(burn.start, burn.end)}"
    return Figure(words.clean(one.title), words.usd(one.plan.usage), told)


def currency_figures(report: ForecastReport) -> Iterator[Figure]:
    """Yield what is expected and left in other currencies."""
    for one in report.currencies:
        if one.plan.total is not None:
            yield Figure(
                f"{one.plan.month.label[:3]} in {one.currency}",
                words.money(one.plan.total.amount, one.currency),
                _makeup(one),
            )
        for left in one.balances:
            name = f"balance {words.clean(left.account)}"
            yield Figure(name, words.money(left.left.amount, one.currency), "", left.at)
        yield from map(runway_figure, one.runways)


def _makeup(one: CurrencyPlan) -> str:
    per_day = one.plan.burn_per_day
    told = "" if per_day is None else f"{words.money(per_day.amount, one.currency)} a day"
    if one.plan.subscriptions:
        due = words.money(one.plan.subscriptions.amount, one.currency)
        told += f" + {due} subscriptions" if told else f"{due} subscriptions"
    return told


def runway_figure(one: Runway) -> Figure:
    """Return how long one prepaid account lasts."""
    name = f"runway {words.clean(one.account)}"
    if one.days <= 0:
        return Figure(name, "none", "used up: requests may be refused")
    until = (
        f"empty on {words.day(one.empty_on, year=True)} (UTC)" if one.empty_on else "as expected"
    )
    return Figure(name, f"{one.days} days", until)


def expected_by(plans: Sequence[ProviderPlan], newest: date) -> list[str]:
    """Return which providers are expected by older days than the others."""
    late: dict[date, list[str]] = {}
    for one in plans:
        if one.plan.burn is not None and one.plan.burn.end < newest:
            late.setdefault(one.plan.burn.end, []).append(words.clean(one.title))
    return [
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} expected by days through"
        f" {words.day(day)}, the newest that are final."
        for day, names in sorted(late.items(), reverse=True)
    ]
