"""How good the forecast is on series that it has not seen, beside simpler and heavier methods.

Rolling origins: at many moments of a series' past the product forecasts from 14, 30 or 60 days of
history, and what then came judges it. README.md beside this tells what each figure means.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from math import log
from statistics import fmean
from time import process_time
from typing import Final

from benchmarks.daily import LLM, daily_series
from benchmarks.judging import bootstrap, by_series, days_until, interval_score, wape_ratio
from benchmarks.llm_series import Series
from benchmarks.origins import AHEAD, FAR, Origin, origins
from benchmarks.rival_venv import NoRivals, Rivals, rivals
from benchmarks.table import Figure, Goal
from costcompass_core.domain.burn import History
from costcompass_core.domain.money import Usd
from costcompass_core.domain.outlook import Outlook, Walk, outlook_of, walk

_BALANCES: Final = (7, 14, 30)
"""Days of the mean spend that a balance is worth where the runway is judged."""
_LANDINGS: Final = (3, 7, 14, 21)
"""Days left of a month where its landing is judged."""
_RIVALS_EVERY: Final = 3
_WAPE_GOALS: Final = {LLM: 0.96, "retail": 0.80, "dense": 0.90}
_RUNWAY_GOALS: Final = {LLM: 0.85, "retail": 0.78, "dense": 0.97}
_RIVAL_GOALS: Final = {"AutoETS": 0.85, "AutoTheta": 0.80}
_CPU_GOAL: Final = Goal("≤", 0.01)


@dataclass(frozen=True, slots=True)
class Judged:
    """One origin with the product's outlook and, where they were asked, the rivals' days."""

    origin: Origin
    outlook: Outlook
    rivals: dict[str, list[Decimal]]

    @property
    def series(self) -> tuple[str, int]:
        """What a series' errors are summed by: its name and the length of history."""
        return self.origin.series, len(self.origin.past)


def forecast() -> Iterator[Figure]:
    """Measure errors, runways, bands and CPU per group of series."""
    groups = daily_series()
    asked = origins(groups)
    beaten = [one for one in asked if one.turn % _RIVALS_EVERY == 0]
    against: Rivals | None = None
    try:
        against = rivals([[cost for _, cost in one.past] for one in beaten], FAR)
    except (NoRivals, OSError) as error:
        print(f"without AutoETS and AutoTheta: {error}", file=sys.stderr)
    means = _means(beaten, against)
    judged = [Judged(one, _outlook(one), means.get(id(one), {})) for one in asked]
    for group in groups:
        ours = [one for one in judged if one.origin.group == group]
        if not ours:
            print(f"{group}: no series of 44 days or more", file=sys.stderr)
            continue
        yield from _points(group, ours)
        yield from _runways(group, ours)
        yield from _bands(group, ours)
    # yield from alarms(_values(groups))  # noqa: ERA001 - when benchmarks.alarms is there
    yield from _costs(asked, against)


def _values(groups: dict[str, dict[str, Series]]) -> dict[str, list[list[Decimal]]]:
    """Return each group's costs without their names and days."""
    return {
        group: [[cost for _, cost in one] for one in members.values()]
        for group, members in groups.items()
    }


def _means(beaten: Sequence[Origin], against: Rivals | None) -> dict[int, dict[str, list[Decimal]]]:
    if against is None:
        return {}
    told: dict[int, dict[str, list[Decimal]]] = {}
    for name, answers in against.means.items():
        for one, days in zip(beaten, answers, strict=True):
            if days is not None:
                told.setdefault(id(one), {})[name] = days
    return told


def _history(origin: Origin) -> History:
    return History({day: Usd(cost) for day, cost in origin.past}, origin.past[0][0])


def _outlook(origin: Origin) -> Outlook:
    outlook = outlook_of(_history(origin))
    assert outlook is not None  # there is a history
    return outlook


def _points(group: str, judged: Sequence[Judged]) -> Iterator[Figure]:
    """Errors of the next 30 days' total."""

    def ratio(against: str, goal: float | None, kept: list[tuple[Judged, Decimal]]) -> Figure:
        ours, theirs = wape_ratio(
            (
                one.series,
                one.outlook.over(one.origin.first, AHEAD),
                expected,
                one.origin.actual(AHEAD),
            )
            for one, expected in kept
        )
        bound = None if goal is None else Goal("≤", goal)
        return Figure(f"{group}: WAPE ÷ {against}", len(kept), "", ours, theirs, bound)

    plain = [(one, _plain(one.origin) * AHEAD) for one in judged]
    yield ratio("plain rule's", _WAPE_GOALS.get(group), plain)
    for name, bound in _RIVAL_GOALS.items():
        kept = [
            (one, sum(one.rivals[name][:AHEAD], Decimal(0))) for one in judged if name in one.rivals
        ]
        if kept:
            yield ratio(f"{name}'s", bound if group == LLM else None, kept)


def _plain(origin: Origin) -> Decimal:
    """Return the plain rule's burn (USD a day)."""
    return sum((cost for _, cost in origin.past[-7:]), Decimal(0)) / 7


@dataclass(frozen=True, slots=True)
class Run:
    """One balance that did run out: after how many days, and when it was expected to."""

    real: float
    walk: Walk | None
    plain: float
    ets: float | None

    @property
    def ours(self) -> float:
        """The product's days."""
        return float(FAR) if self.walk is None else min(float(self.walk.days), FAR)


def _runways(group: str, judged: Sequence[Judged]) -> Iterator[Figure]:
    """Errors of the day on which a balance is used up, and what its range of days holds.

    Nobody knows at what hour of a day it was spent, so that less than a day counts as one.
    """
    runs = [run for one in judged for run in _runs(one)]
    if not runs:
        return

    def off(days: Iterable[tuple[float, float]]) -> float:
        return fmean(abs(log(max(told, 1) / max(real, 1))) for told, real in days)

    goal = Goal("≤", _RUNWAY_GOALS[group]) if group in _RUNWAY_GOALS else None
    ours = off((run.ours, run.real) for run in runs)
    plain = off((run.plain, run.real) for run in runs)
    yield Figure(f"{group}: runway |ln err| ÷ plain's", len(runs), "", ours, plain, goal)
    beaten = [(run, run.ets) for run in runs if run.ets is not None]
    if beaten:
        ours = off((run.ours, run.real) for run, _ in beaten)
        ets = off((told, run.real) for run, told in beaten)
        goal = Goal("≤", 0.92) if group == LLM else None
        yield Figure(f"{group}: runway |ln err| ÷ AutoETS's", len(beaten), "", ours, ets, goal)
    ranges = [
        (int(run.real), int(run.walk.early), int(run.walk.late or 10 * FAR))
        for run in runs
        if run.walk is not None and run.walk.early is not None
    ]
    if ranges:
        n = len(ranges)
        before = 100 * fmean(real < early for real, early, _ in ranges)
        within = 100 * fmean(early <= real <= late for real, early, late in ranges)
        yield Figure(f"{group}: empty before earliest day", n, "%", before, None, Goal("≤", 12))
        yield Figure(f"{group}: empty within its range", n, "%", within)


def _runs(one: Judged) -> Iterator[Run]:
    origin, plain = one.origin, _plain(one.origin)
    midnight = datetime.combine(origin.first, time(), UTC)
    for days in _BALANCES:
        left = origin.mean * days
        real = days_until(left, origin.future)
        if real is None:
            continue
        ets = days_until(left, one.rivals["AutoETS"]) if "AutoETS" in one.rivals else None
        yield Run(
            real,
            walk(one.outlook, Usd(left), midnight),
            min(float(left / plain), FAR) if plain else float(FAR),
            (float(FAR) if ets is None else ets) if "AutoETS" in one.rivals else None,
        )


def _bands(group: str, judged: Sequence[Judged]) -> Iterator[Figure]:
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


def _costs(asked: Sequence[Origin], against: Rivals | None) -> Iterator[Figure]:
    """CPU of everything that one forecast needs."""
    histories = [(one, _history(one)) for one in asked[::7]]
    start = process_time()
    for one, history in histories:
        _whole(history, one)
    each = (process_time() - start) / len(histories) * 1000
    if against is None:
        yield Figure("CPU of one forecast", len(histories), "ms", each)
        return
    ets = against.cpu_each["AutoETS"] * 1000
    yield Figure("CPU of one forecast ÷ AutoETS", len(histories), "ms", each, ets, _CPU_GOAL)
    yield Figure("import of statsforecast", 1, "ms", against.import_seconds * 1000)
    yield Figure("memory that the import adds", 1, "MB", against.resident)


def _whole(history: History, origin: Origin) -> None:
    outlook = outlook_of(history)
    assert outlook is not None
    outlook.over(origin.first, AHEAD)
    outlook.band(AHEAD)
    walk(outlook, Usd(origin.mean * 14), datetime.combine(origin.first, time(), UTC))
