"""The forecast in sentences: the number first, then what it rests on and how far off it may be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot import stack_plans, words
from bot.words import Figure
from costcompass_core.domain.budgets import Standing
from costcompass_core.domain.burn import BURN_DAYS
from costcompass_core.domain.forecast import ForecastReport, Runway, ThisMonth
from costcompass_core.domain.outlook import BAND_DAYS


def forecast_headline(report: ForecastReport) -> str:
    """Return next month's figure and how it comes about, as one sentence."""
    plan = report.next_month
    if plan.burn is None or plan.total is None or plan.burn_per_day is None:
        return f"{plan.month.label} can't be forecast yet: no completed day has been read."
    return (
        f"{plan.month.label} will cost about {words.usd(plan.total)}:"
        f" {words.usd(plan.burn_per_day)} a day × {plan.month.days} days"
        + (f" + {words.usd(plan.subscriptions)} subscriptions." if plan.subscriptions else ".")
    )


def burn_line(report: ForecastReport) -> str:
    """Return which days the burn rate is the mean of."""
    burn = report.next_month.burn
    if burn is None:
        return ""
    span = words.span(burn.start, burn.end)
    if burn.days < BURN_DAYS:
        return f"mean of only {words.plural(burn.days, 'known day')}, {span} (UTC)"
    return f"mean of the {BURN_DAYS} newest completed UTC days, {span}"


def title(report: ForecastReport) -> str:
    """Return next month's figure in a few words, empty where it can't be known yet."""
    plan = report.next_month
    return "" if plan.total is None else f"About {words.usd(plan.total)} · {plan.month.label}"


def makeup(report: ForecastReport) -> Iterator[Figure]:
    """Yield how next month's figure comes about."""
    plan = report.next_month
    if plan.usage is not None and plan.total is not None:
        yield Figure("usage", words.usd(plan.usage), burn_line(report))
        yield Figure("subscriptions", words.usd(plan.subscriptions), "active next month")
        yield Figure(plan.month.label, words.usd(plan.total), "together")


def figures(report: ForecastReport, now: datetime) -> Iterator[Figure]:
    """Yield where this month lands, what is left, and for how long that lasts."""
    for one in standing_figures(report):
        yield one if one.at is None else one._replace(rests_on=words.ago(one.at, now))


def standing_figures(report: ForecastReport) -> Iterator[Figure]:
    """Yield the same without what the clock alone changes: the age of the balances."""
    month = report.this_month
    if month.so_far is not None and month.total is not None:
        yield Figure("this month", words.usd(month.so_far), "so far, completed days")
        yield Figure(
            f"by {words.day(month.month.last)}",
            words.usd(month.total),
            landing_range(month) or "expected, by recent days and weekdays",
        )
    for one in report.balances:
        name = "balance" if len(report.balances) == 1 else f"balance {one.account}"
        yield Figure(name, words.usd(one.left), "", one.at)
    yield from _runway(report)
    if len(report.runways) > 1:
        yield from map(stack_plans.runway_figure, report.runways[1:])
    yield from stack_plans.currency_figures(report)


def lagging(report: ForecastReport) -> list[str]:
    """Return which providers are expected by older days than the others."""
    burn = report.next_month.burn
    return [] if burn is None else stack_plans.expected_by(report.providers, burn.end)


def _runway(report: ForecastReport) -> Iterator[Figure]:
    runway = report.runway
    if runway is None:
        return
    whose = f"of {runway.account}, " if len(report.balances) > 1 else ""
    if runway.days <= 0:
        yield Figure("runway", "none", f"{whose}used up: requests may be refused")
        return
    until = runway.empty_on
    when = f", empty on {words.day(until, year=True)} (UTC)" if until else ""
    yield Figure("runway", f"{runway.days} days", f"{whose}as expected{when}")


def no_runway(report: ForecastReport) -> list[str]:
    """Return why no runway is told, nothing where one is."""
    if report.runway is not None:
        return []
    if not report.balances:
        return ["Runway: not known, for no balance was read."]
    return ["Runway: not known, for nothing burned."]


def budget_line(one: Standing) -> str:
    """Return where a budget stands and where it lands, in one line after its name."""
    budget, (_, end) = one.budget, one.span
    least = "" if one.complete else "at least "
    told = f"{least}{words.usd(one.spent)} of {words.usd(budget.amount)} a {budget.per}"
    if one.landing is None:
        return f"{words.percent(one.share)}, {told}"
    lands = f"about {words.usd(one.landing)} by {words.day(end)}"
    over = f", {words.usd(one.landing - budget.amount)} over" if one.lands_over else ""
    return f"{words.percent(one.share)}, {told}, {lands}{over}"


def runway_range(runway: Runway | None) -> str:
    """Return how much sooner or later a balance may be used up, empty where that is not known."""
    if runway is None or runway.days <= 0:
        return ""
    told = []
    if runway.early is not None and runway.late is not None:
        told.append(
            f"one time in ten it ends within {runway.early} days,"
            f" one in ten after more than {runway.late:,}"
        )
    if runway.at_pace is not None:
        told.append(f"at the pace of the newest days it lasts {runway.at_pace}")
    return "; ".join(told)


def landing_range(month: ThisMonth) -> str:
    """Return between what this month ends four times out of five, empty where nobody knows."""
    if month.low is None or month.high is None or month.low == month.high:
        return ""
    return f"four times out of five {words.usd(month.low)} to {words.usd(month.high)}"


def no_range(report: ForecastReport) -> list[str]:
    """Return why no ranges are told, nothing where they are."""
    known = report.known_days
    if not 0 < known < BAND_DAYS:
        return []
    if report.providers:
        return [f"Ranges are told once every provider has {BAND_DAYS} days of history."]
    return [f"Ranges are told from {BAND_DAYS} days of history on; there are {known}."]
