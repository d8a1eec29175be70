"""Spend told by the fall of a prepaid balance: the difference of two readings, and no more than that.

A provider that reports no cost (DeepSeek) still says what is left, in up to two parts: what was paid
in and what was granted, which is used first and may expire. Between two readings

- a fall of the paid part is spend;
- a rise of the paid part is a top-up, behind which spend can hide: what is known is a lower bound;
- a fall of the granted part is spend, unless it falls to nothing while the paid part stands still:
  spending would have gone on with that, so the grant has probably expired and is not counted;
- what goes between two readings with a whole UTC day between them belongs to no day.

What is found is marked `derived` and never told as if it had been reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from costcompass_core.domain.days import ONE_DAY, utc_day
from costcompass_core.domain.money import EXACT, exact_sum
from costcompass_core.domain.usage import Purse, Usage

DIFFERENCE: Final = "balance difference"
AT_LEAST: Final = "balance difference, at least"
"""The line of a day within which a top-up or a new grant can hide spend."""
UNATTRIBUTED: Final = "balance difference over several days"
"""The line of what went while nobody looked for a whole UTC day."""
_NONE: Final = Decimal(0)


class Sample(NamedTuple):
    """One reading of a purse at a moment (UTC)."""

    at: datetime
    purse: Purse


@dataclass(frozen=True, slots=True)
class Flow:
    """What happened between two readings (major units of one currency).

    `spent` is sure; `hidden` says that there may be more behind what came in. `expired` is what
    probably ran out of time instead of being spent.
    """

    since: datetime
    until: datetime
    spent: Decimal
    came_in: Decimal
    expired: Decimal

    @property
    def hidden(self) -> bool:
        """Whether money that came in can hide spend."""
        return self.came_in > 0

    @property
    def day(self) -> date:
        """The UTC day that it counts on: that of the later reading."""
        return utc_day(self.until)

    @property
    def over_days(self) -> bool:
        """Whether a whole UTC day lies between the two readings."""
        return self.day - utc_day(self.since) > ONE_DAY


def flows(samples: Sequence[Sample]) -> list[Flow]:
    """Return what happened between each two neighbours of readings in order of time."""
    return [_flow(before, after) for before, after in pairwise(samples)]


def _flow(before: Sample, after: Sample) -> Flow:
    paid = EXACT.subtract(after.purse.topped_up, before.purse.topped_up)
    granted = EXACT.subtract(after.purse.granted, before.purse.granted)
    lapsed = granted < 0 and after.purse.granted == 0 and paid >= 0
    spent = [-change for change in (paid, _NONE if lapsed else granted) if change < 0]
    came_in = [change for change in (paid, granted) if change > 0]
    return Flow(
        before.at,
        after.at,
        exact_sum(spent),
        exact_sum(came_in),
        -granted if lapsed else _NONE,
    )


def day_rows(day: date, service: str, found: Iterable[tuple[str, Flow]]) -> list[Usage]:
    """Return the rows of one completed UTC day from the flows (with their currency) that end on it."""
    rows: dict[tuple[str, str], list[Decimal]] = {}
    for currency, flow in found:
        line = UNATTRIBUTED if flow.over_days else DIFFERENCE
        rows.setdefault((currency, line), []).append(flow.spent)
        if flow.hidden and not flow.over_days:
            rows.setdefault((currency, AT_LEAST), [])
    return [
        _row(day, service, currency, line, exact_sum(spent))
        for (currency, line), spent in _marked(rows).items()
        if spent and any(spent)
    ]


def _marked(
    rows: dict[tuple[str, str], list[Decimal]],
) -> dict[tuple[str, str], list[Decimal]]:
    """Put a whole day under `AT_LEAST` where any of its flows may hide spend."""
    told: dict[tuple[str, str], list[Decimal]] = {}
    for (currency, line), spent in rows.items():
        known = line == UNATTRIBUTED or (currency, AT_LEAST) not in rows
        told.setdefault((currency, line if known else AT_LEAST), []).extend(spent)
    return told


def _row(day: date, service: str, currency: str, line: str, cost: Decimal) -> Usage:
    counts = (None, None, None, None, None)
    return Usage(
        day,
        service,
        service,
        line,
        service,
        *counts,
        cost=cost,
        currency=currency,
        basis="derived",
        once=line == UNATTRIBUTED,
    )
