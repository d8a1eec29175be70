"""Spend over time and shares of a whole as charts: pure, with labels that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot import words
from bot.slack.pieces import Chart, Point
from bot.slack.words import bare
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.reports import SpendRow
from costcompass_core.domain.timeline import Timeline

_SLICES: Final = 5
"""Slices of their own; all others are one more, and six is the most that Slack is sure to take."""
_ROOM: Final = 20
"""Characters of a label."""


def over_time(timeline: Timeline | None) -> Chart | None:
    """Return what each slot cost as bars; `None` where there is nothing to see."""
    if timeline is None or len(timeline.slots) < 2 or not any(timeline.known):
        return None
    points = [
        Point(
            words.spell(*one.span),
            None if one.cost is None else one.cost.amount,
            "not read" if one.cost is None else words.usd(one.cost),
        )
        for one in timeline.slots
    ]
    unit = timeline.unit
    series = "USD" if unit == "months" else f"USD a {unit}"
    title = f"Spend, {points[0].label} to {points[-1].label}"
    if not timeline.whole:
        title = f"Spend, newest {len(points)} days"
    return Chart(f"{title} (UTC)", series, _told_apart(points))


def shares(title: str, rows: Sequence[SpendRow]) -> Chart | None:
    """Return what each row took of the whole as slices; `None` where there is no whole."""
    some = [one for one in rows if one.cost > ZERO]
    if len(some) < 2:
        return None
    first = some if len(some) <= _SLICES + 1 else some[:_SLICES]
    points = [Point(short(one.name), one.cost.amount, words.usd(one.cost)) for one in first]
    if rest := some[len(first) :]:
        together = Usd.total(one.cost for one in rest)
        points.append(Point(f"{len(rest)} others", together.amount, words.usd(together)))
    return Chart(title, "USD", _told_apart(points), pie=True)


def short(name: str) -> str:
    """Return a model's name without its author, cut to fit a label."""
    told = bare(name).rpartition("/")[2] or bare(name)
    return told if len(told) <= _ROOM else f"{told[: _ROOM - 1]}…"


def _told_apart(points: Sequence[Point]) -> tuple[Point, ...]:
    """Number labels that are the same once they are cut: Slack takes each only once."""
    seen: dict[str, int] = {}
    apart = []
    for one in points:
        times = seen[one.label] = seen.get(one.label, 0) + 1
        mark = f" {times}" if times > 1 else ""
        label = one.label[: _ROOM - len(mark)] + mark
        apart.append(Point(label, one.value, one.text))
    return tuple(apart)
