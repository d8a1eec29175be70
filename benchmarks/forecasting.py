"""How good the forecast is on series that it has not seen, beside simpler and heavier methods.

Rolling origins: at many moments of a series' past the product forecasts from 14, 30 or 60 days of
history, and what then came judges it. README.md beside this tells what each figure means.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from time import process_time
from typing import Final

from benchmarks.alarms import alarms
from benchmarks.bands import bands
from benchmarks.daily import LLM, daily_series
from benchmarks.judged import Judged, history_of, outlook_at, plain
from benchmarks.judging import wape_ratio
from benchmarks.llm_series import Series
from benchmarks.origins import AHEAD, FAR, Origin, origins
from benchmarks.rival_venv import NoRivals, Rivals, rivals
from benchmarks.runways import runways
from benchmarks.table import Figure, Goal
from costcompass_core.domain.burn import History
from costcompass_core.domain.money import Usd
from costcompass_core.domain.outlook import outlook_of
from costcompass_core.domain.runway import walk

_RIVALS_EVERY: Final = 3
_WAPE_GOALS: Final = {LLM: 0.96, "retail": 0.80, "dense": 0.90}
_RIVAL_GOALS: Final = {"AutoETS": 0.85, "AutoTheta": 0.80}
_CPU_GOAL: Final = Goal("≤", 0.01)


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
    judged = [Judged(one, outlook_at(one), means.get(id(one), {})) for one in asked]
    for group in groups:
        ours = [one for one in judged if one.origin.group == group]
        if not ours:
            print(f"{group}: no series of 44 days or more", file=sys.stderr)
            continue
        yield from _points(group, ours)
        yield from runways(group, ours)
        yield from bands(group, ours)
    yield from alarms(_values(groups))
    yield from _costs(asked, against)


def _values(groups: dict[str, dict[str, Series]]) -> dict[str, list[list[Decimal]]]:
    """Return each group's costs at $10 a day on average, so that the dollar floors matter little."""
    return {
        group: [_scaled([cost for _, cost in one]) for one in members.values()]
        for group, members in groups.items()
    }


def _scaled(costs: Sequence[Decimal]) -> list[Decimal]:
    whole = sum(costs, Decimal(0))
    return [cost * 10 * len(costs) / whole if whole else cost for cost in costs]


def _means(beaten: Sequence[Origin], against: Rivals | None) -> dict[int, dict[str, list[Decimal]]]:
    if against is None:
        return {}
    told: dict[int, dict[str, list[Decimal]]] = {}
    for name, answers in against.means.items():
        for one, days in zip(beaten, answers, strict=True):
            if days is not None:
                told.setdefault(id(one), {})[name] = days
    return told


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

    by_rule = [(one, plain(one.origin) * AHEAD) for one in judged]
    yield ratio("plain rule's", _WAPE_GOALS.get(group), by_rule)
    for name, bound in _RIVAL_GOALS.items():
        kept = [
            (one, sum(one.rivals[name][:AHEAD], Decimal(0))) for one in judged if name in one.rivals
        ]
        if kept:
            yield ratio(f"{name}'s", bound if group == LLM else None, kept)


def _costs(asked: Sequence[Origin], against: Rivals | None) -> Iterator[Figure]:
    """CPU of everything that one forecast needs."""
    histories = [(one, history_of(one)) for one in asked[::7]]
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
