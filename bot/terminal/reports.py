"""`spend` and `forecast` as a terminal shows them: the sentence first, a ranked table with bars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from decimal import Decimal

from bot import forecast_words, summary, words
from bot.terminal.figures import figure_line
from bot.terminal.paint import Paint, fit, wrapped
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.reports import SpendReport, SpendRow, tokens_of

_NAME, _COST, _SHARE, _COUNT, _BAR = 30, 11, 8, 8, 10
"""Columns of a table; with margins and gaps they add up to `WIDTH`."""


def spend_text(report: SpendReport, now: datetime, paint: Paint) -> str:
    """Return the answer to `spend` in at most 80 columns."""
    parts = [paint(wrapped(summary.spend_headline(report), ""), "bold"), ""]
    if report.rows:
        parts += [*_table(report, paint), ""]
    parts += [wrapped(note) for note in summary.spend_notes(report, now)]
    source = summary.spend_source(report, now)
    parts.append(paint(wrapped(source), "dim"))
    return "\n".join(parts) + "\n"


def _table(report: SpendReport, paint: Paint) -> list[str]:
    rows = report.rows
    if report.query.by == "day":  # ranked in JSON; a calendar reads better in its own order
        rows = tuple(sorted(rows, key=lambda one: one.name))
    widest = max(len(words.usd(one)) for one in (report.total, *(row.cost for row in rows)))
    cost = max(_COST, widest + 1)
    name = _NAME + _COST - cost  # millions take their room from the names
    head = (
        f"  {fit(report.query.by, name)}{'cost':>{cost}}{'share':>{_SHARE}}"
        f"{'requests':>{_COUNT + 1}}{'tokens':>{_COUNT}}"
    )
    top = max(one.share for one in rows)
    return [
        paint(head, "dim"),
        *(_line(one, name, cost, top, paint) for one in rows),
        paint(f"  {fit('total', name)}{words.usd(report.total):>{cost}}", "bold"),
    ]


def _line(row: SpendRow, name: int, cost: int, top: Decimal, paint: Paint) -> str:
    tokens = tokens_of(row.counts)
    return (
        f"  {fit(words.clean(row.name, 200), name)}"
        f"{paint(f'{words.usd(row.cost):>{cost}}', 'bold')}"
        f"{_share(row.share):>{_SHARE}}"
        f"{words.count(row.counts.requests):>{_COUNT + 1}}{words.count(tokens):>{_COUNT}}"
        f"  {paint(words.bar(row.share / top if top else Decimal(0), _BAR), 'cyan')}"
    ).rstrip()


def _share(share: Decimal) -> str:
    """Return a share that fits its column; beside negative rows it can be any number."""
    text = words.percent(share)
    return text if len(text) < _SHARE else ">999%" if share > 0 else "<-999%"


def forecast_text(report: ForecastReport, now: datetime, zone: tzinfo, paint: Paint) -> str:
    """Return the answer to `forecast` in at most 80 columns."""
    parts = [paint(wrapped(forecast_words.forecast_headline(report), ""), "bold"), ""]
    parts += [figure_line(*one, paint) for one in _figures(report, now, zone)]
    spread = forecast_words.runway_range(report.runway)
    notes = [
        *([f"Runway: {spread}."] if spread else []),
        *forecast_words.no_range(report),
        *summary.foreign(report.foreign_subscriptions),
        *summary.troubles(report.health, now),
    ]
    parts += ["", *(wrapped(note) for note in notes)] if notes else []
    return "\n".join(parts) + "\n"


def _figures(report: ForecastReport, now: datetime, zone: tzinfo) -> Iterator[tuple[str, str, str]]:
    """Yield each figure of a forecast: its label, the figure, what it rests on."""
    plan, month = report.next_month, report.this_month
    if plan.usage is not None and plan.total is not None:
        yield "usage", words.usd(plan.usage), forecast_words.burn_line(report)
        yield "subscriptions", words.usd(plan.subscriptions), "active next month"
        yield plan.month.label, words.usd(plan.total), "together"
    if month.so_far is not None and month.total is not None:
        yield "this month", words.usd(month.so_far), "so far, completed days"
        yield (
            f"by {words.day(month.month.last)}",
            words.usd(month.total),
            forecast_words.landing_range(month) or "expected, by recent days and weekdays",
        )
    for one in report.balances:
        name = "balance" if len(report.balances) == 1 else f"balance {one.account}"
        aged = f"{words.moment(one.at, zone)}, {words.ago(one.at, now)}"
        yield name, words.usd(one.left), aged
    if report.runway is not None:
        until = report.runway.empty_on
        when = f", empty on {words.day(until, year=True)} (UTC)" if until else ""
        yield "runway", f"{report.runway.days} days", f"as expected{when}"
    if picture := forecast_words.recent_line(report):
        yield f"last {len(report.recent)} days", "", picture
