"""How good forecasts were: the measures, and the plain band that ours is measured against."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal
from random import Random
from statistics import fmean
from typing import Final

_PATHS: Final = 200
_BLOCK: Final = 7


def wape_ratio(
    judged: Iterable[tuple[Hashable, Decimal, Decimal, Decimal]],
) -> tuple[float, float]:
    """Return two methods' WAPE, each the geometric mean over series.

    `judged` holds the series, what both expected, and what came. WAPE: the sum of absolute errors
    over the sum of what came (Kolassa and Schütz, Foresight 6, 2007). A series in which one of the
    methods was right to the cent has no ratio and is left out.
    """
    sums: defaultdict[Hashable, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for series, ours, theirs, actual in judged:
        sums[series][0] += float(abs(ours - actual))
        sums[series][1] += float(abs(theirs - actual))
        sums[series][2] += float(actual)
    kept = [(a / actual, b / actual) for a, b, actual in sums.values() if min(a, b, actual) > 0]
    return _geometric([one for one, _ in kept]), _geometric([one for _, one in kept])


def _geometric(values: Sequence[float]) -> float:
    return math.exp(fmean(math.log(value) for value in values)) if values else math.nan


def interval_score(low: float, high: float, actual: float) -> float:
    """Return the width of an 80 % band plus ten times what the truth missed it by.

    Gneiting and Raftery, Journal of the American Statistical Association 102, 2007: 2/α times the
    miss, at α = 0.2. Smaller is better.
    """
    return high - low + 10 * (max(low - actual, 0) + max(actual - high, 0))


def bootstrap(past: Sequence[Decimal], days: int, seed: int) -> tuple[float, float]:
    """Return the 10th and 90th percentile of sums of `days` days put together of random weeks.

    The weeks are drawn from the last 28 days: what a textbook would do without knowing growth.
    """
    chance, recent = Random(seed), [float(cost) for cost in past[-28:]]
    starts = len(recent) - _BLOCK + 1
    whole = [sum(recent[start : start + _BLOCK]) for start in range(starts)]
    weeks, rest = divmod(days, _BLOCK)
    part = [sum(recent[start : start + rest]) for start in range(starts)]
    sums = sorted(
        sum(whole[int(chance.random() * starts)] for _ in range(weeks))
        + part[int(chance.random() * starts)]
        for _ in range(_PATHS)
    )
    return sums[_PATHS // 10 - 1], sums[_PATHS * 9 // 10 - 1]


def by_series(told: Iterable[tuple[Hashable, float]]) -> float:
    """Return the mean over series of each one's mean, so that long ones count no more."""
    values: defaultdict[Hashable, list[float]] = defaultdict(list)
    for series, value in told:
        values[series].append(value)
    return fmean(fmean(of_one) for of_one in values.values()) if values else math.nan


def days_until(left: Decimal, costs: Sequence[Decimal]) -> float | None:
    """Return after how many days the costs have used `left` up, `None` if they don't."""
    for day, cost in enumerate(costs):
        if cost > 0 and cost >= left:
            return day + float(left / cost)
        left -= cost
    return None
