"""`spend` and `forecast` as a terminal shows them: the sentence first, a ranked table with bars."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal

from bot import forecast_words, summary, words
from bot.terminal.figures import figure_line, shown
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
    every = [*forecast_words.makeup(report), *forecast_words.figures(report, now)]
    parts += [shown(one, zone, paint) for one in every]
    if picture := forecast_words.recent_line(report):
        parts.append(figure_line(f"last {len(report.recent)} days", "", picture, paint))
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
