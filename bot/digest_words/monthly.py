"""The monthly report in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from bot import summary, words
from bot.digest_words.pieces import plan_figure, restated_lines, versus
from bot.words import Figure
from costcompass_core.domain.days import MONTH_NAMES
from costcompass_core.domain.digest import MonthlyReport
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import known_at, known_through


def headline(report: MonthlyReport, quote: summary.Quote = words.clean) -> str:
    """Return the month's total against the one before, as one sentence."""
    least = "at least " if report.missing_days else ""
    told = f"{report.month.label} came to {least}{words.usd(report.total)}"
    if report.against is not None:
        told += f", {versus(report.against)}"
    if not report.total or not report.rows:
        return f"{told}."
    top = report.rows[0]
    return f"{told}; most on {quote(top.name)} ({words.percent(top.share)})."


def title(report: MonthlyReport) -> str:
    """Return the month's total in a few words."""
    least = "At least " if report.missing_days else ""
    return f"{least}{words.usd(report.total)} · {report.month.label}"


def figures(report: MonthlyReport) -> Iterator[Figure]:
    """Yield the figures of a month that is over."""
    against = report.against
    change = f"{versus(against)} ({words.usd(against.usd)})" if against else ""
    yield Figure("usage", words.usd(report.total), change)
    if report.subscriptions:
        yield Figure("subscriptions", words.usd(report.subscriptions), "active in the month")
        yield Figure("together", words.usd(report.total + report.subscriptions), "")
    if report.byok:
        byok = "under your own upstream keys, not from the balance"
        yield Figure("own keys", words.usd(report.byok), byok)
    if len(report.days) > 1:
        yield from _days(report.days)
    if (plan := plan_figure(report.outlook, report.foreign_subscriptions)) is not None:
        yield plan


def _days(days: Sequence[tuple[date, Usd]]) -> Iterator[Figure]:
    """Yield what a day cost on average and at most, and a picture of all of them."""
    spent = [usd for _, usd in days]
    mean = Usd.of_ratio(Usd.total(spent).ratio() / len(spent))
    dearest, most = max(days, key=lambda one: one[1])
    yield Figure("a day", words.usd(mean), f"on average, {words.usd(most)} on {words.day(dearest)}")


def movers_title(report: MonthlyReport) -> str:
    """Return what the models under it are compared with."""
    return f"Changed most against {MONTH_NAMES[report.month.previous.number - 1]}"


def notes(report: MonthlyReport) -> list[str]:
    """Return what is missing in the month, what was restated, and what no total includes."""
    found = []
    if late := report.missing_days:
        found.append(
            f"Not included, never read: {words.days(late)} ({words.plural(len(late), 'day')})."
        )
    found += restated_lines(report.restated, several=len(report.health) > 1)
    found += summary.foreign(report.foreign_subscriptions)
    return found


def footer(report: MonthlyReport, now: datetime) -> str:
    """Return what the figures are."""
    through, read = known_through(report.health), known_at(report.health)
    source = summary.source_line(report.health, through, read, now)
    return f"Report of {report.month.label} (UTC days). {source}"
