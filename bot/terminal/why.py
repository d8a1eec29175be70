"""`spend why` as a terminal shows it, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from bot import summary, why_words, words
from bot.terminal.paint import WIDTH, Paint, fit, wrapped
from bot.terminal.shapes import moment_shape
from costcompass_core.domain.attribution import Attribution, Effects, Shift
from costcompass_core.domain.days import Period
from costcompass_core.domain.money import Usd
from costcompass_core.domain.why import WhyReport

_HEADS: Final = ("before", "after", "change", "volume", "mix", "price")
_TAG: Final = 11
"""Columns of the tag, where there is any."""
_NAME: Final = 13
"""Columns that a name needs at least; amounts too wide for that are shortened."""


def why_text(report: WhyReport, now: datetime, paint: Paint) -> str:
    """Return the answer to `spend why` in at most 80 columns."""
    parts = [paint(wrapped(why_words.headline(report), ""), "bold")]
    parts += [wrapped(why_words.periods_line(report), ""), ""] if report.comparable else [""]
    if rows := shown(report.found):
        parts += [*_table("model", rows, report.found, paint, split=report.comparable), ""]
    if report.hosts is not None:
        parts.append(wrapped(why_words.hosts_line(report.hosts), ""))
        hosts = report.hosts.found
        parts += [*_table("host", hosts.shifts, hosts, paint, split=True), ""]
    parts += [wrapped(note) for note in why_words.notes(report, now)]
    if rows and report.comparable:
        parts.append(paint(wrapped(why_words.LEGEND), "dim"))
    source = summary.source_line(report.health, report.data_through, report.refreshed_at, now)
    parts.append(paint(wrapped(source), "dim"))
    return "\n".join(parts) + "\n"


def shown(found: Attribution) -> tuple[Shift, ...]:
    """Return the rows that hold any cost; what costs nothing is for the notes."""
    return tuple(one for one in found.shifts if one.before.cost or one.after.cost)


def _table(
    head: str, rows: Sequence[Shift], found: Attribution, paint: Paint, *, split: bool
) -> list[str]:
    """Return the rows and their total; `split` adds the effects and what is new or gone."""
    figures = [_figures(one.before.cost, one.after.cost, one.effects, split) for one in rows]
    figures.append(_figures(found.before, found.after, found.total, split))
    tag = _TAG if split and any(one.tag for one in rows) else 0
    cells, widths = _cells(figures, WIDTH - 2 - _NAME - tag)
    name = min(WIDTH - 2 - sum(widths) - tag, 36)
    lines = [
        f"  {fit(words.clean(one.name, 200), name)}{_row(line, widths)}"
        + (f"  {one.tag or ''}" if tag else "")
        for one, line in zip(rows, cells, strict=False)
    ]
    return [
        paint(f"  {fit(head, name)}{_row(_HEADS[: len(widths)], widths)}", "dim"),
        *(line.rstrip() for line in lines),
        paint(f"  {fit('total', name)}{_row(cells[-1], widths)}", "bold"),
    ]


def _figures(before: Usd, after: Usd, effects: Effects | None, split: bool) -> list[Usd | None]:
    if not split:
        return [before, after]
    if effects is None:
        return [before, after, after - before, None, None, None]
    return [before, after, after - before, effects.volume, effects.mix, effects.price]


def _cells(figures: Sequence[Sequence[Usd | None]], room: int) -> tuple[list[list[str]], list[int]]:
    """Return the figures as text and the columns' widths, shortened where `room` is too small."""
    for short in (False, True):
        cells = [[_cell(place, one, short) for place, one in enumerate(row)] for row in figures]
        widths = [
            max(len(head), *map(len, column)) + (1 if short else 2)
            for head, column in zip(_HEADS, zip(*cells, strict=True), strict=False)
        ]
        if sum(widths) <= room:
            break
    return cells, widths


def _cell(place: int, amount: Usd | None, short: bool) -> str:
    if amount is None:
        return "–"
    if short and abs(amount.amount) >= 10**4:
        size = abs(amount.amount)
        text = f"{size:.1E}" if size >= 10**21 else words.count(int(size))
        text = f"{'-' if amount.amount < 0 else ''}${text}"
        return f"+{text}" if place > 1 and amount.amount > 0 else text
    return why_words.plus(amount) if place > 1 else words.usd(amount)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def why_shape(report: WhyReport) -> dict[str, Any]:
    """Return the `spend why --json` object; with `missing_days` the effects are not comparable."""
    found, hosts = report.found, report.hosts
    return {
        "period": _period(report.query.period),
        "before": _period(report.before),
        "before_usd": found.before.text(),
        "after_usd": found.after.text(),
        "change_usd": found.change.text(),
        "total": _effects(found.total),
        "models": [_shift(one) for one in found.shifts],
        "hosts": hosts
        and {"model": hosts.model, "rows": [_shift(one) for one in hosts.found.shifts]},
        "missing_days": [str(day) for day in report.missing_days],
        "data_through": report.data_through and str(report.data_through),
        "refreshed_at": moment_shape(report.refreshed_at),
    }


def _period(period: Period) -> dict[str, Any]:
    return {"from": str(period.start), "to": period.end and str(period.end)}


def _effects(effects: Effects | None) -> dict[str, Any]:
    return {
        "volume_usd": effects and effects.volume.text(),
        "mix_usd": effects and effects.mix.text(),
        "price_usd": effects and effects.price.text(),
    }


def _shift(one: Shift) -> dict[str, Any]:
    return {
        "name": one.name,
        "before_usd": one.before.cost.text(),
        "after_usd": one.after.cost.text(),
        "change_usd": one.change.text(),
        **_effects(one.effects),
        "tag": one.tag,
    }
