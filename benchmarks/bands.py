"""How often the real sum lies in the band that is told around the expected one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Final

from benchmarks.daily import LLM
from benchmarks.judged import Judged
from benchmarks.judging import bootstrap, by_series, interval_score
from benchmarks.origins import AHEAD
from benchmarks.table import Figure, Goal

_LANDINGS: Final = (3, 7, 14, 21)
"""Days left of a month where its landing is judged."""


def bands(group: str, judged: Sequence[Judged]) -> Iterator[Figure]:
    """What the 80 % band holds, and whether it is sharp."""
    goal = Goal("≥", 0.70, 0.90) if group == LLM else Goal("≥", 0.72)
    for days in (*_LANDINGS, AHEAD):
        told = [(one, *limits) for one in judged if (limits := _limits(one, days))]
        if not told:
            return
        spot = [(one.series, low, high, float(one.origin.actual(days))) for one, low, high in told]
        n, what = len(told), f"{days} days' band" if days == AHEAD else f"last {days} days' band"
        holds = by_series((series, low <= real <= high) for series, low, high, real in spot)
        yield Figure(f"{group}: {what} holds", n, "", holds, None, goal)
        if days == AHEAD:
            below = by_series((series, real < low) for series, low, _, real in spot)
            above = by_series((series, real > high) for series, _, high, real in spot)
            yield Figure(f"{group}: {what}, truth below", n, "", below)
            yield Figure(f"{group}: {what}, truth above", n, "", above)
            yield _score(group, told)


def _limits(one: Judged, days: int) -> tuple[float, float] | None:
    band = one.outlook.band(days)
    if band is None:
        return None
    expected = one.outlook.over(one.origin.first, days)
    return float(expected * band.low), float(expected * band.high)


def _score(group: str, told: Sequence[tuple[Judged, float, float]]) -> Figure:
    """The interval score in units of what the series' 30 days cost on average."""
    usual: dict[str, list[float]] = {}
    for one, _, _ in told:
        usual.setdefault(one.origin.series, []).append(float(one.origin.actual(AHEAD)))
    unit = {series: fmean(costs) for series, costs in usual.items()}
    ours, plain = [], []
    for place, (one, low, high) in enumerate(told):
        real, scale = float(one.origin.actual(AHEAD)), unit[one.origin.series]
        if not scale:
            continue
        costs = [cost for _, cost in one.origin.past]
        ours.append((one.series, interval_score(low, high, real) / scale))
        drawn = bootstrap(costs, AHEAD, place)
        plain.append((one.series, interval_score(*drawn, real) / scale))
    what = f"{group}: band score ÷ bootstrap's"
    return Figure(what, len(ours), "", by_series(ours), by_series(plain), Goal("≤", 1.15))
