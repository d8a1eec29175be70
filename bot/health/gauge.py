"""One metric family from plain values. Here, and nowhere else, an amount becomes a float."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from bot.meters import Durations
from bot.words import clean
from costcompass_core.domain.money import Usd

PREFIX: Final = "costcompass_"
_WIDEST: Final = 200
"""Characters of a label's value."""

Value = Usd | Decimal | datetime | timedelta | int | None
Samples = Iterable[tuple[tuple[str, ...], Value]]
"""The labels' values beside the value, `None` where it is not known."""


def label(text: str) -> str:
    """Return a stranger's text as a label's value: one line, without control and direction marks."""
    return clean(text, _WIDEST)


def gauge(name: str, says: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    """Return a gauge of the samples whose value is known."""
    family = GaugeMetricFamily(PREFIX + name, says, labels=labels)
    for names, value in samples:
        if value is not None:
            family.add_metric([label(one) if one else "" for one in names], number(value))
    return family


def counter(
    name: str, says: str, labels: tuple[str, ...], samples: Mapping[tuple[str, str], int]
) -> Metric:
    """Return a counter; its exposed name ends in `_total`."""
    family = CounterMetricFamily(PREFIX + name, says, labels=labels)
    for names, value in samples.items():
        family.add_metric([label(one) for one in names], value)
    return family


def histogram(name: str, says: str, key: str, samples: Mapping[str, Durations]) -> Metric:
    """Return a histogram of durations in seconds with one label."""
    family = HistogramMetricFamily(PREFIX + name, says, labels=[key])
    for one, took in samples.items():
        bounds = [*map(str, took.bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(took.counts), strict=True))
        family.add_metric([label(one)], buckets, took.seconds)
    return family


def number(value: Usd | Decimal | datetime | timedelta | int) -> float:
    """Return a value as a double, the one kind of number that Prometheus knows.

    Figures here are for graphs and thresholds, and 15 digits are kept. Whoever needs every digit
    asks `costcompass spend --json`.
    """
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value.amount if isinstance(value, Usd) else value)
