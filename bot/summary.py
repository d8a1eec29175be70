"""Reports in sentences: the state and the number first. Shared by Slack and the terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot import stack_words, words
from costcompass_core.domain.days import Period, newest_completed, utc_day
from costcompass_core.domain.money import CENT
from costcompass_core.domain.query import SpendQuery
from costcompass_core.domain.reports import Health, SpendReport, SpendRow
from costcompass_core.domain.subscriptions import Subscription

_OLD = timedelta(hours=1)
_MOST_NAMES = 3
"""Providers that the small print names one by one."""

Quote = Callable[[str], str]
"""How a stranger's name stands in a sentence: bare in a terminal, fenced in Slack."""


def spend_headline(report: SpendReport, quote: Quote = words.clean) -> str:
    """Return the answer as one sentence with its number."""
    if (unknown := _unknown(report)) is not None:
        return unknown
    period = report.query.period
    on = on_models(report.query, quote)
    least = "at least " if report.missing_days else ""
    total = f"{_capital(period.label)}: {least}{stack_words.totals(report)} spent{on}"
    if report.today_reported is not None:
        total = (
            f"Today: {words.usd(report.total)}{on} reported so far,"
            f" as of {report.today_reported:%H:%M} UTC"
        )
    told = ", ".join(one for one in (total, change_line(report), _leader(report, quote)) if one)
    return f"{told}."


def on_models(query: SpendQuery, quote: Quote) -> str:
    """Return which models a question is about, empty where it is about all."""
    if query.exactly:
        return f" on {quote(query.exactly)}"
    matching = " and ".join(quote(word) for word in query.filters)
    return f" on models matching {matching}" if matching else ""


def _leader(report: SpendReport, quote: Quote) -> str:
    """Return which row cost most."""
    if not report.rows or not report.total or report.query.exactly:
        return ""
    if report.stack is not None and report.stack.several and report.stack.sellers:
        most = report.stack.sellers[0]
        return f"most to {words.clean(most.title)} ({words.percent(most.share)})"
    top = report.rows[0]
    name = quote(stack_words.called(report, top.name))
    if len(report.rows) == 1:
        return f"all on {name}"
    return f"most on {name} ({words.percent(top.share)})"


def change_line(report: SpendReport) -> str:
    """Return how the total compares with the period before, empty where that is not known."""
    before = report.before
    if before is None:
        return ""
    if report.change is None:
        return "" if before.total or not report.total else f"after nothing {_during(before.period)}"
    return words.compared(report.change, f"{_during(before.period)} ({words.usd(before.total)})")


def _during(period: Period) -> str:
    """Return `on the day before` or `in the 7 days before`."""
    return f"{'on' if period.start == period.end else 'in'} {period.label}"


def lead(report: SpendReport, quote: Quote) -> str:
    """Return what stands under the total: the change, and which row cost most."""
    told = ", ".join(one for one in (change_line(report), _leader(report, quote)) if one)
    return _capital(f"{told}.") if told else ""


def nothing_before(report: SpendReport) -> str:
    """Return how much of the period is known, for when nothing can be compared."""
    if report.query.period.today:
        return "So far, as reported."
    known = sum(1 for _ in report.query.period.days()) - len(report.missing_days)
    return f"{words.plural(known, 'day')} known; nothing before to compare with."


def row_trend(report: SpendReport, row: SpendRow) -> str:
    """Return how a row compares with the period before: `▲ 12.3%`, or `new`."""
    before = report.before
    if before is not None and before.is_late(row):
        return words.trend(None)
    if before is not None and row.cost and not before.costs.get(row.key):
        return "new"
    return words.trend(report.change_of(row))


def gap(report: SpendReport) -> str:
    """Return what is missing, in a few words for the small print."""
    if report.missing_days:
        return f"{words.plural(len(report.missing_days), 'day')} of it never read"
    if any(one.error for one in report.health):
        return "the newest try failed"
    return "" if report.query.period.today or not report.health else "nothing missing"


def title(report: SpendReport, quote: Quote = words.clean) -> str:
    """Return the total and what it is the total of, in a few words; empty where nothing is known."""
    if _unknown(report) is not None:
        return ""
    period = report.query.period
    least = "At least " if report.missing_days else ""
    when = "Today so far" if report.today_reported else _capital(period.label)
    span = ""
    if period.end is not None and period.month is not None and not period.today:
        span = f", {words.span(period.start, period.end)}"
    on = [quote(report.query.exactly or word) for word in report.query.filters]
    return " · ".join([f"{least}{stack_words.totals(report)}", f"{when}{span}", *on])


def _unknown(report: SpendReport) -> str | None:
    """Return the sentence for a period that no activity row speaks of yet."""
    period = report.query.period
    if period.today:
        return None if report.today_reported else _today_headline(report)
    if period.end is None:
        before = (
            ""
            if report.last_month is None
            else f"Last month came to {words.usd(report.last_month)}; "
        )
        return _capital(f"{before}no day of {period.label} is completed yet.")
    if len(report.missing_days) == sum(1 for _ in period.days()):
        return f"What {period.label} cost is not known: none of its days was ever read."
    return None


def _today_headline(report: SpendReport) -> str:
    if report.today is None or report.today_since is None:
        return "Today's spend is not known yet: no two balance readings from 00:00 UTC on."
    least = "at least " if report.unattributed is None else ""
    return (
        f"Today so far: {least}{words.usd(report.today)}, by the balance since"
        f" {report.today_since:%H:%M} UTC."
    )


def spend_notes(report: SpendReport, now: datetime) -> list[str]:
    """Return what has to be known beside the total: other costs, gaps, troubles."""
    return [*spend_remarks(report, now), *troubles(report.health, now)]


def spend_remarks(report: SpendReport, now: datetime) -> list[str]:
    """Return the same without the troubles."""
    notes = [] if report.meant is None else [f"Did you mean `{words.clean(report.meant)}`?"]
    month = report.query.period.month
    if report.subscriptions and month is not None:
        due = words.usd(report.subscriptions)
        notes.append(f"Subscriptions on top: {due} for {month.label}.")
    notes.extend(foreign(report.foreign_subscriptions))
    if report.byok:
        notes.append(
            f"Paid under your own upstream keys, not from the balance: {words.usd(report.byok)}."
        )
    notes += stack_words.notes(report.stack)
    lost = report.unattributed
    if lost is not None and not report.query.period.today and abs(lost.amount) >= CENT.amount:
        notes.append(f"The balance lost {words.usd(lost)} beyond the reported usage.")
    if report.query.period.today:
        notes.append(_today_note(report))
        notes.extend(_today_gaps(report, now))
    if report.missing_days:
        notes.append(
            f"Not included, never read: {words.days(report.missing_days)}"
            f" ({words.plural(len(report.missing_days), 'day')})."
        )
    return notes


def _today_note(report: SpendReport) -> str:
    """Return what the balance says of today beside the rows, and how the two may differ."""
    if report.today_reported is None:
        return "Which model took it is reported once the UTC day is over."
    if report.today is None or report.today_since is None:
        return "What the balance lost today is not known yet, so usage may be missing here."
    balance = (
        f"By the balance, all models took {words.usd(report.today)}"
        f" since {report.today_since:%H:%M} UTC"
    )
    read = report.today_until
    if read is None or read <= report.today_reported:
        return f"{balance}."
    return (
        f"{balance}, as of {read:%H:%M} UTC; the rows are from {report.today_reported:%H:%M} UTC."
    )


def _today_gaps(report: SpendReport, now: datetime) -> list[str]:
    """Return what the rows of today lack: the last hours, or whole accounts."""
    gaps = []
    if report.today_reported is not None and now - report.today_reported >= _OLD:
        told = words.ago(report.today_reported, now)
        gaps.append(f"The rows were reported {told}: what was used since is not among them.")
    if report.today_silent:
        names = ", ".join(map(words.clean, report.today_silent))
        whose = words.plural(len(report.today_silent), "account")
        gaps.append(f"Not in the rows: {whose} whose usage of today is not reported: {names}.")
    return gaps


def foreign(subscriptions: tuple[Subscription, ...]) -> list[str]:
    """Return a sentence for each subscription that no dollar total includes."""
    return [
        f"Not in dollars, so in no total: {words.clean(one.name)},"
        f" {one.amount.text()} {one.currency} a {one.per}."
        for one in subscriptions
    ]


def troubles(health: tuple[Health, ...], now: datetime) -> list[str]:
    """Return a sentence for every account whose data is old, absent or failing."""
    found = []
    for one in health:
        if one.error:
            when = f" ({words.ago(one.failed_at, now)})" if one.failed_at else ""
            found.append(f"Account {one.account} could not be refreshed{when}: {one.error}.")
        elif one.data_through is None and one.slow and one.refreshed_at:
            if one.since is None:  # else it is named among those without a final day
                found.append(f"Account {one.account} was read and tells of no completed day yet.")
        elif one.data_through is None:
            found.append(f"Account {one.account} has not been read yet.")
        elif one.data_through < newest_completed(utc_day(now)) and not one.slow:
            found.append(
                f"Account {one.account} is only known through {words.day(one.data_through)}."
            )
    if not health:
        found.append("Nothing has been read yet: run `costcompass refresh`.")
    return found


def spend_source(report: SpendReport, now: datetime) -> str:
    """Return where the figures of a spend report are from, and how old they are."""
    if report.today_reported is None:
        return source_line(report.health, report.data_through, report.refreshed_at, now)
    told = [one for one in report.health if one.account not in report.today_silent]
    names = ", ".join(sorted({one.provider for one in told}))
    return f"Source: {names} analytics of today (UTC), {words.ago(report.today_reported, now)}"


def source_line(
    health: tuple[Health, ...], through: object, refreshed: datetime | None, now: datetime
) -> str:
    """Return what the figures are: source, newest completed day, age of the reading."""
    if refreshed is None:
        return "Source: nothing read yet"
    if through is None:
        return "Source: no completed day was read by then"
    names = sorted({words.clean(one.provider) for one in health})
    told = ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} providers'"
    return f"Source: {told} activity through {through} (UTC days), read {words.ago(refreshed, now)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
