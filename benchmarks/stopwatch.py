"""Timing that a busy machine disturbs little: subjects take turns, and medians are compared."""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median
from time import perf_counter


def alternate(rounds: int, *subjects: Callable[[], float]) -> tuple[list[float], ...]:
    """Run the subjects in turn after one round to warm up; return the seconds each one told."""
    for subject in subjects:
        subject()
    gc.collect()
    gc.freeze()  # no subject pays for what the benchmark itself keeps in memory
    taken = [[subject() for subject in subjects] for _ in range(rounds)]
    gc.unfreeze()
    return tuple(list(column) for column in zip(*taken, strict=True))


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    begin = perf_counter()
    work()
    return perf_counter() - begin


def median_ms(seconds: list[float]) -> float:
    """Return the middle of the values in milliseconds."""
    return 1000 * median(seconds)


def percentile(values: list[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]
