"""`spend` and `forecast` as a terminal shows them: the sentence first, a ranked table with bars."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

from bot import forecast_words, summary, words
from bot.terminal.figures import figure_line, shown
from bot.terminal.paint import WIDTH, Paint, fit, wrapped
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.reports import SpendReport, SpendRow, tokens_of
from costcompass_core.domain.timeline import Timeline, daily

_COST, _SHARE, _TOKENS, _RATE, _TREND, _BAR = 10, 7, 8, 9, 9, 6
"""Columns of a table; the name takes what they leave of `WIDTH`."""
_MARGIN = 2


def spend_text(report: SpendReport, now: datetime, paint: Paint) -> str:
    """Return the answer to `spend` in at most 80 columns."""
    parts = [paint(wrapped(summary.spend_headline(report), ""), "bold"), ""]
    if picture := timeline_line(report.timeline, paint):
        parts += [picture, ""]
    if report.rows:
        parts += [*_table(report, paint), ""]
    parts += [wrapped(note) for note in summary.spend_notes(report, now)]
    told = " · ".join(
        one for one in (summary.spend_source(report, now), summary.gap(report)) if one
    )
    parts.append(paint(wrapped(told), "dim"))
    return "\n".join(parts) + "\n"


def timeline_line(timeline: Timeline | None, paint: Paint) -> str:
    """Return spend over time as a line of bars with its range, empty where there is none."""
    if timeline is None or len(timeline.slots) < 2 or not any(timeline.known):
        return ""
    known = timeline.known
    picture = words.sparkline([one.amount for one in known])
    first, last = timeline.slots[0].span, timeline.slots[-1].span
    unit = "" if timeline.unit == "months" else f" a {timeline.unit}"
    span = f"{words.spell(*first)} to {words.spell(*last)}"
    told = f"{span}: {words.usd(min(known))} to {words.usd(max(known))}{unit}"
    if unread := len(timeline.slots) - len(known):
        told += f", {unread} not read"
    return f"  {paint(picture, 'cyan')}  {told}"


def _table(report: SpendReport, paint: Paint) -> list[str]:
    rows = report.rows
    if report.query.by == "day":  # ranked in JSON; a calendar reads better in its own order
        rows = tuple(sorted(rows, key=lambda one: one.name))
    trends = report.before is not None and report.query.by != "day"
    widest = max(len(words.usd(one)) for one in (report.total, *(row.cost for row in rows)))
    cost = max(_COST, widest + 1)
    taken = cost + _SHARE + _TOKENS + _RATE + (_TREND if trends else 0) + _BAR + 2
    name = WIDTH - _MARGIN - taken  # millions take their room from the names
    head = (
        f"  {fit(report.query.by, name)}{'cost':>{cost}}{'share':>{_SHARE}}{'tokens':>{_TOKENS}}"
        f"{'per 1M':>{_RATE}}{'trend' if trends else '':>{_TREND if trends else 0}}"
    )
    top = max(one.share for one in rows)
    return [
        paint(head, "dim"),
        *(_line(report, one, _Room(name, cost, top, trends), paint) for one in rows),
        paint(f"  {fit('total', name)}{words.usd(report.total):>{cost}}", "bold"),
    ]


class _Room(NamedTuple):
    """Columns of the name and the cost, the largest share, and whether trends are told."""

    name: int
    cost: int
    top: Decimal
    trends: bool


def _line(report: SpendReport, row: SpendRow, room: _Room, paint: Paint) -> str:
    rate = "–" if row.per_million is None else words.usd(row.per_million)
    trend = f"{summary.row_trend(report, row):>{_TREND}}" if room.trends else ""
    return (
        f"  {fit(words.clean(row.name, 200), room.name)}"
        f"{paint(f'{words.usd(row.cost):>{room.cost}}', 'bold')}"
        f"{_share(row.share):>{_SHARE}}{words.count(tokens_of(row.counts)):>{_TOKENS}}"
        f"{_short(rate):>{_RATE}}{trend}"
        f"  {paint(words.bar(row.share / room.top if room.top else Decimal(0), _BAR), 'cyan')}"
    ).rstrip()


def _short(rate: str) -> str:
    """Return a rate that fits its column; what a million tokens cost can be any number."""
    return rate if len(rate) < _RATE else ">$9,999"


def _share(share: Decimal) -> str:
    """Return a share that fits its column; beside negative rows it can be any number."""
    text = words.percent(share)
    return text if len(text) < _SHARE else ">999%" if share > 0 else "<-999%"


def forecast_text(report: ForecastReport, now: datetime, zone: tzinfo, paint: Paint) -> str:
    """Return the answer to `forecast` in at most 80 columns."""
    parts = [paint(wrapped(forecast_words.forecast_headline(report), ""), "bold"), ""]
    every = [*forecast_words.makeup(report), *forecast_words.figures(report, now)]
    parts += [shown(one, zone, paint) for one in every]
    if picture := timeline_line(daily(report.recent), paint):
        parts += ["", picture]
    parts += _budgets(report, paint)
    spread = forecast_words.runway_range(report.runway)
    notes = [
        *([f"Runway: {spread}."] if spread else []),
        *forecast_words.no_runway(report),
        *forecast_words.no_range(report),
        *summary.foreign(report.foreign_subscriptions),
        *summary.troubles(report.health, now),
    ]
    parts += ["", *(wrapped(note) for note in notes)] if notes else []
    return "\n".join(parts) + "\n"


def _budgets(report: ForecastReport, paint: Paint) -> list[str]:
    lines = [
        figure_line(one.budget.name, words.gauge(one.share), forecast_words.budget_line(one), paint)
        for one in report.budgets
    ]
    return ["", paint("  Budgets", "dim"), *lines] if lines else []
