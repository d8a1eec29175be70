"""`spend` and `forecast` as a terminal shows them: the sentence first, a ranked table with bars."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal

from bot import summary, words
from bot.terminal.paint import WIDTH, Paint, fit, wrapped
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.reports import SpendReport, SpendRow

_NAME, _COST, _SHARE, _COUNT, _BAR = 30, 11, 8, 8, 11


def spend_text(report: SpendReport, now: datetime, paint: Paint) -> str:
    """Return the answer to `spend` in at most 80 columns."""
    parts = [paint(wrapped(summary.spend_headline(report), ""), "bold"), ""]
    if report.rows:
        parts += [*_table(report, paint), ""]
    parts += [wrapped(note) for note in summary.spend_notes(report, now)]
    source = summary.source_line(report.health, report.data_through, report.refreshed_at, now)
    parts.append(paint(wrapped(source), "dim"))
    return "\n".join(parts) + "\n"


def _table(report: SpendReport, paint: Paint) -> list[str]:
    rows = report.rows
    if report.query.by == "day":  # ranked in JSON; a calendar reads better in its own order
        rows = tuple(sorted(rows, key=lambda one: one.name))
    head = (
        f"  {fit(report.query.by, _NAME)}{'cost':>{_COST}}{'share':>{_SHARE}}"
        f"{'requests':>{_COUNT + 1}}{'tokens':>{_COUNT}}"
    )
    top = max((one.share for one in rows), default=Decimal(0))
    return [paint(head, "dim"), *(_line(one, top, paint) for one in rows), _total(report, paint)]


def _line(row: SpendRow, top: Decimal, paint: Paint) -> str:
    tokens = None
    if row.counts.prompt_tokens is not None and row.counts.completion_tokens is not None:
        tokens = row.counts.prompt_tokens + row.counts.completion_tokens
    length = WIDTH - 2 - _NAME - _COST - _SHARE - 2 * _COUNT - 1 - 2
    return (
        f"  {fit(words.clean(row.name, 200), _NAME)}"
        f"{paint(f'{words.usd(row.cost):>{_COST}}', 'bold')}"
        f"{words.percent(row.share):>{_SHARE}}"
        f"{words.count(row.counts.requests):>{_COUNT + 1}}{words.count(tokens):>{_COUNT}}"
        f"  {paint(words.bar(row.share / top if top else Decimal(0), length), 'cyan')}"
    ).rstrip()


def _total(report: SpendReport, paint: Paint) -> str:
    return paint(f"  {fit('total', _NAME)}{words.usd(report.total):>{_COST}}", "bold")


def forecast_text(report: ForecastReport, now: datetime, zone: tzinfo, paint: Paint) -> str:
    """Return the answer to `forecast` in at most 80 columns."""
    several = len(report.balances) > 1
    lines = [
        summary.burn_line(report),
        summary.this_month_line(report),
        *(summary.balance_line(one, zone, now, several=several) + "." for one in report.balances),
        summary.runway_line(report.runway, several=several),
        *summary.foreign(report.foreign_subscriptions),
        *summary.troubles(report.health, now),
    ]
    headline = paint(wrapped(summary.forecast_headline(report), ""), "bold")
    body = [wrapped(line) for line in lines if line]
    return "\n".join([headline, "", *body]) + "\n"
