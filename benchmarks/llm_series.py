"""Made-up daily LLM spend: two mechanisms, tuned to what real accounts' spend looks like.

Real LLM spend can't be shipped, so its published moments stand in for it: a coefficient of variation
of 1.4 to 2.7, 29 to 44 % days without spend, a weekly rhythm, growth, frequent doublings, 71 to 271
days; the plain rule's error on the next 30 days is about 58 % of what they cost (WAPE), the median of
|ln(forecast / actual)| about .66 to .70, and a textbook 80 % band covers about a fifth. The generator
was tuned to these, never the product. Two mechanisms, so that no method wins by knowing one:

- `drifting`: a level that wanders as a random walk of its logarithm, with jumps; quiet days at random.
- `projects`: projects start, burn for some days or weeks at a rate of their own, and end.

Pure and seeded: the same numbers on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from statistics import NormalDist
from typing import Final

_BELL: Final = NormalDist()
_LENGTHS: Final = (71, 98, 120, 144, 168, 201, 236, 271)
"""Days; each family has one series of each length."""
_BEGUN: Final = date(2026, 1, 5)

Series = list[tuple[date, Decimal]]
"""Consecutive UTC days and what each cost (USD)."""


def llm_series(seed: int = 0) -> dict[str, Series]:
    """Return the made-up series of both families by name; each seed gives others."""
    made = {}
    for place, days in enumerate(_LENGTHS):
        begun = _BEGUN + timedelta(days=place)
        for number, (family, costs) in enumerate(_FAMILIES.items()):
            drawn = costs(Random(1_000 * seed + 10 * place + number), begun, days)
            made[f"{family}_{days}"] = [
                (begun + timedelta(days=age), Decimal(f"{cost:.4f}"))
                for age, cost in enumerate(drawn)
            ]
    return made


def _drifting(chance: Random, begun: date, days: int) -> Iterator[float]:
    """Yield a level's random walk with jumps, times a day's luck, with days off."""
    level, quiet, busy_weekend = _bell(chance), 0.1 + 0.12 * chance.random(), chance.random() < 0.3
    pause = 0
    for age in range(days):
        level += 0.02 + 0.045 * _bell(chance)
        if chance.random() < 1 / 28:
            level += 0.2 + 0.85 * _bell(chance)
        weekend = (begun + timedelta(days=age)).weekday() >= 5 and not busy_weekend
        pause = _pause(chance, pause)
        off = pause > 0 or chance.random() < quiet + (0.3 if weekend else 0)
        cost = 10 * math.exp(level + 0.8 * _bell(chance) - (0.4 if weekend else 0))
        yield 0.0 if off else cost


def _projects(chance: Random, begun: date, days: int) -> Iterator[float]:
    """Yield the sum of projects that come and go, each with a rate and a length of its own."""
    running: list[list[float]] = []
    weekends, pause = 0.15 + 0.3 * chance.random(), 0
    for age in range(days):
        if chance.random() < 1 / 9 or age == 0:
            rate = math.exp(2.6 * age / 120 + 0.4 * _bell(chance))
            running.append([rate, 2 - 34 * math.log(1 - chance.random())])
        pause = _pause(chance, pause)
        weekend = (begun + timedelta(days=age)).weekday() >= 5
        works = pause == 0 and (not weekend or chance.random() < weekends)
        cost = 0.0
        for project in running:
            project[1] -= 1
            if works and chance.random() < 0.55:
                cost += 10 * project[0] * math.exp(0.75 * _bell(chance))
        running = [project for project in running if project[1] > 0]
        yield cost


def _pause(chance: Random, left: int) -> int:
    """Return the days that a break still lasts; every few weeks one of some days begins."""
    if left > 0:
        return left - 1
    return 4 + int(8 * chance.random()) if chance.random() < 1 / 40 else 0


def _bell(chance: Random) -> float:
    """Return a draw of the standard normal, the same in every version of Python."""
    return _BELL.inv_cdf(min(max(chance.random(), 1e-12), 1 - 1e-12))


_FAMILIES: Final = {"drifting": _drifting, "projects": _projects}
