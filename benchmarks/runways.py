"""How well the day is told on which a balance is used up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from math import log
from statistics import fmean
from typing import Final

from benchmarks.daily import LLM
from benchmarks.judged import Judged, plain
from benchmarks.judging import days_until
from benchmarks.origins import FAR
from benchmarks.table import Figure, Goal
from costcompass_core.domain.money import Usd
from costcompass_core.domain.runway import Walk, walk

_BALANCES: Final = (7, 14, 30)
"""Days of the mean spend that a balance is worth."""
_GOALS: Final = {LLM: 0.85, "retail": 0.78, "dense": 0.97}


@dataclass(frozen=True, slots=True)
class Run:
    """One balance that did run out: after how many days, and when it was expected to."""

    real: float
    walk: Walk | None
    burn: float
    ets: float | None

    @property
    def ours(self) -> float:
        """The product's days."""
        return float(FAR) if self.walk is None else min(float(self.walk.days), FAR)


def runways(group: str, judged: Sequence[Judged]) -> Iterator[Figure]:
    """Errors of the day on which a balance is used up, and what its range of days holds.

    Nobody knows at what hour of a day it was spent, so that less than a day counts as one.
    """
    runs = [run for one in judged for run in _runs(one)]
    if not runs:
        return

    def off(days: Iterable[tuple[float, float]]) -> float:
        return fmean(abs(log(max(told, 1) / max(real, 1))) for told, real in days)

    goal = Goal("≤", _GOALS[group]) if group in _GOALS else None
    ours = off((run.ours, run.real) for run in runs)
    rule = off((run.burn, run.real) for run in runs)
    yield Figure(f"{group}: runway |ln err| ÷ plain's", len(runs), "", ours, rule, goal)
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
    origin, burn = one.origin, plain(one.origin)
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
            min(float(left / burn), FAR) if burn else float(FAR),
            (float(FAR) if ets is None else ets) if "AutoETS" in one.rivals else None,
        )
