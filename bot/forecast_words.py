"""The forecast in sentences: the number first, then what it rests on and how far off it may be."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from bot import words
from costcompass_core.domain.burn import BURN_DAYS
from costcompass_core.domain.forecast import AccountBalance, ForecastReport, Runway, ThisMonth
from costcompass_core.domain.outlook import BAND_DAYS

_OLD = timedelta(hours=1)


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


def recent_line(report: ForecastReport) -> str:
    """Return the newest days as a picture, with the words for who does not see it."""
    if len(report.recent) < 2:
        return ""
    spent = [one for _, one in report.recent]
    picture = words.sparkline([one.amount for one in spent])
    return f"{picture}  {words.usd(min(spent))} to {words.usd(max(spent))} a day"


def balance_line(balance: AccountBalance, zone: tzinfo, now: datetime, *, several: bool) -> str:
    """Return one account's balance with the moment it was read."""
    name = f" of {balance.account}" if several else ""
    aged = words.moment(balance.at, zone)
    old = now - balance.at > timedelta(hours=1)
    return f"Balance{name}: {words.usd(balance.left)} at {aged}" + (
        f" ({words.ago(balance.at, now)})" if old else ""
    )


def runway_line(runway: Runway | None, *, several: bool) -> str:
    """Return how long the balance is expected to last, with its date."""
    if runway is None:
        return "Runway: not known, for nothing burned or no balance was read."
    if runway.days <= 0:
        return f"Runway: none, the balance{_of(runway, several)} is used up."
    when = f", empty on {words.day(runway.empty_on, year=True)}" if runway.empty_on else ""
    return f"Runway{_of(runway, several)}: about {runway.days} days{when} (UTC)."


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


def _of(runway: Runway, several: bool) -> str:
    return f" of {runway.account}" if several else ""


def this_month_line(report: ForecastReport) -> str:
    """Return where this month is expected to land, and how far off that may be."""
    month = report.this_month
    if month.so_far is None or month.total is None:
        return f"{month.month.label}: not known yet."
    return (
        f"{month.month.label}: {words.usd(month.so_far)} so far,"
        f" about {words.usd(month.total)} by its end{_between(month, ', ')}."
    )


def landing_range(month: ThisMonth) -> str:
    """Return between what this month ends four times out of five, empty where nobody knows."""
    return _between(month, "")


def _between(month: ThisMonth, before: str) -> str:
    if month.low is None or month.high is None or month.low == month.high:
        return ""
    return f"{before}four times out of five {words.usd(month.low)} to {words.usd(month.high)}"


def no_range(report: ForecastReport) -> list[str]:
    """Return why no ranges are told, nothing where they are."""
    known = report.known_days
    if not 0 < known < BAND_DAYS:
        return []
    return [f"Ranges are told from {BAND_DAYS} days of history on; there are {known}."]
