"""The digest in sentences: the state and the numbers first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from bot import forecast_words, stack_plans, stack_words, summary, words
from bot.digest_words.pieces import plan_figure, restated_lines, versus
from bot.words import Figure
from costcompass_core.domain.days import ONE_DAY
from costcompass_core.domain.digest import DigestReport
from costcompass_core.domain.incidents import TOP_UP_MENDS
from costcompass_core.domain.money import ZERO, Usd

PRICES_TITLE: Final = "Prices and models that you use"
"""What stands over changes of the price list."""
_FRESH: Final = timedelta(hours=1)
"""Age up to which a balance is told without its age."""


def headline(report: DigestReport) -> str:
    """Return the state, if there is one to worry about, and the numbers as one sentence."""
    told = ", ".join([_yesterday(report), *_this_month(report), *_balance(report)])
    if (ended := report.ended) is not None and ended.total is not None:
        least = "at least " if report.missing_days else ""
        change = f", {versus(ended.against)}" if ended.against else ""
        told = f"{ended.month.label} came to {least}{words.usd(ended.total)}{change}; {told}"
    state = _state(report)
    sentence = f"{state}: {told}." if state else f"{told}."
    return sentence[:1].upper() + sentence[1:]


def title(report: DigestReport) -> str:
    """Return the state and the newest day's figure in a few words."""
    state = _state(report) or "Nothing to worry about"
    state = state[:1].upper() + state[1:]
    told = _yesterday(report)
    if (ended := report.ended) is not None and ended.total is not None:
        told = f"{words.usd(ended.total)} in {ended.month.label}"
    return f"{state} · {told}"


def _state(report: DigestReport) -> str:
    """Return what to worry about, empty where there is nothing."""
    critical = sum(one.critical for one in report.incidents)
    found = []
    if report.incidents:
        found.append(words.plural(len(report.incidents), "open alert"))
    if critical:
        found.append(f"{critical} critical")
    if report.behind:
        found.append("data not up to date")
    return ", ".join(found)


def _yesterday(report: DigestReport) -> str:
    if report.yesterday is None:
        return f"{words.day(report.newest)} not known yet"
    least = "at least " if report.waits_for_data else ""
    return f"{least}{words.usd(report.yesterday)} {_newest(report, 'on ')}"


def _newest(report: DigestReport, before_day: str = "") -> str:
    """Return "yesterday" only where the newest UTC day is that for who reads it."""
    yesterday = report.newest == report.day - ONE_DAY
    return "yesterday" if yesterday else f"{before_day}{words.day(report.newest)}"


def _this_month(report: DigestReport) -> Iterator[str]:
    if report.ended is None and report.so_far is not None:
        partly = report.waits_for_data and report.yesterday is not None
        least = "at least " if partly or report.overdue_days else ""
        yield f"{least}{words.usd(report.so_far)} this month"


def _balance(report: DigestReport) -> Iterator[str]:
    balances, runway = report.outlook.balances, report.outlook.runway
    if not balances:
        return
    left, read = Usd.total(one.left for one in balances), min(one.at for one in balances)
    if report.at - read > _FRESH:
        yield f"balance {words.usd(left)} {words.ago(read, report.at)}"
    elif left <= ZERO:
        yield f"balance used up ({words.usd(left)})"
    elif runway is None or _runs_down(report):
        yield f"balance {words.usd(left)}"
    elif len(balances) == 1:
        yield f"balance {words.usd(left)} for about {runway.days} days"
    else:
        yield f"balances {words.usd(left)}, {runway.account} for about {runway.days} days"


def _runs_down(report: DigestReport) -> bool:
    """Return whether an open alert says how long a balance lasts; it counts today, the mean does not."""
    return any(one.key.rule in TOP_UP_MENDS for one in report.incidents)


def figures(report: DigestReport) -> Iterator[Figure]:
    """Yield the figures of a digest."""
    if report.ended is not None:
        yield _ended_figure(report)
    yield _yesterday_figure(report)
    if report.ended is None:
        yield _month_figure(report)
    if (today := report.today) is not None and today.spent > ZERO:
        since = f"by the balance since {words.moment(today.since, UTC)}"
        yield Figure("today so far", words.usd(today.spent), since)
    if (landing := _landing(report)) is not None:
        yield landing
    outlook = report.outlook
    if (plan := plan_figure(outlook.next_month, outlook.foreign_subscriptions)) is not None:
        yield plan
    yield from _balance_figures(report)
    yield from stack_plans.currency_figures(outlook)


def _ended_figure(report: DigestReport) -> Figure:
    ended = report.ended
    if ended is None or ended.total is None:
        return Figure(report.month.previous.label, "not known", "none of its days was ever read")
    against = ended.against
    return Figure(
        ended.month.label,
        words.usd(ended.total),
        f"{versus(against)} ({words.usd(against.usd)})" if against else "",
    )


def _yesterday_figure(report: DigestReport) -> Figure:
    day = f"{words.day(report.newest)} (UTC)"
    label = _newest(report)
    if report.yesterday is None:
        return Figure(label, "not known", f"{day} was not read yet")
    usual = "" if report.usual is None else f", usually {words.usd(report.usual)} a day"
    partly = ", not read for every account yet" if report.waits_for_data else ""
    return Figure(label, words.usd(report.yesterday), f"{day}{usual}{partly}")


def _month_figure(report: DigestReport) -> Figure:
    if report.so_far is None:
        return Figure("this month", "not known", "none of its days was read yet")
    told = []
    if report.through is not None and (report.pace is None or report.through < report.newest):
        told.append(f"through {words.day(report.through)}")
    if (pace := report.pace) is not None:
        change = _compared(report, versus(pace, "'s pace"))
        told.append(f"{change} ({words.usd(pace.usd)} by {words.day(pace.through)})")
    return Figure("this month", words.usd(report.so_far), ", ".join(told))


def _compared(report: DigestReport, change: str) -> str:
    """Return a comparison, and whose it is where slow providers have no part in it."""
    if not any(one.slow for one in report.health):
        return change
    daily = sorted(
        {words.clean(one.title or one.provider) for one in report.health if not one.slow}
    )
    return f"{', '.join(daily)} {change}" if daily else change


def _landing(report: DigestReport) -> Figure | None:
    """Return where the current month is expected to end."""
    month, known = report.outlook.this_month, report.outlook.known_days
    if month.total is None:
        return None
    spread = forecast_words.landing_range(month)
    rests_on = spread or f"expected, by {words.plural(known, 'known day')}"
    return Figure(f"by {words.day(month.month.last)}", words.usd(month.total), rests_on)


def _balance_figures(report: DigestReport) -> Iterator[Figure]:
    balances, runway = report.outlook.balances, report.outlook.runway
    several = len(balances) > 1
    for one in balances:
        name = f"balance {one.account}" if several else "balance"
        yield Figure(name, words.usd(one.left), words.ago(one.at, report.at), one.at)
    if runway is not None:
        whose = f"of {runway.account}, " if several else ""
        end = f"empty on {words.day(runway.empty_on, year=True)} (UTC)" if runway.empty_on else ""
        rests_on = f"{whose}as expected, {end or 'no end in sight'}"
        yield Figure("runway", f"{runway.days} days", rests_on)


def movers_title(report: DigestReport) -> str:
    """Return what the models under it are compared with."""
    return f"Moved most on {words.day(report.newest)}, against the mean of the week before"


def notes(report: DigestReport) -> list[str]:
    """Return what is missing, what was restated, and what fails."""
    found = []
    late = report.overdue_days
    if late:
        found.append(
            f"Not included, never read: {words.days(late)} ({words.plural(len(late), 'day')})."
        )
    if report.waits_for_data and report.newest not in late:
        found.append(f"{words.day(report.newest)} is over since 00:00 UTC and not reported yet.")
    found += stack_words.lagging(report.lagging)
    found += restated_lines(report.restated, several=len(report.health) > 1)
    if report.late:
        found += summary.troubles(report.late, report.at)
    return found


def footer(report: DigestReport, now: datetime, zone: tzinfo) -> str:
    """Return which digest it is, as of when, and what its figures are."""
    local = report.at.astimezone(zone)
    on_its_day = local.date() == report.day
    as_of = f"{local:%H:%M} {local.tzname()}" if on_its_day else words.moment(report.at, zone)
    return f"{name(report)}, as of {as_of}. {source(report, now)}"


def name(report: DigestReport) -> str:
    """Return which digest it is."""
    return f"Digest of {words.day(report.day, year=True)}"


def source(report: DigestReport, now: datetime) -> str:
    """Return what the figures are."""
    return summary.source_line(report.health, report.data_through, report.refreshed_at, now)


def empty_line(report: DigestReport) -> str:
    """Return why there is no digest, in one sentence."""
    day = words.day(report.day, year=True)
    if not report.health:
        return f"No digest of {day}: nothing has been read yet, run `costcompass refresh`."
    return (
        f"No digest of {day}: nothing was spent in {report.month.label}, nothing is open,"
        " late or missing."
    )
