"""Spend over time: a period cut into at most twenty slots, each a day, a week or some months.

Twenty is what a chart in Slack takes (docs.slack.dev, data_visualization block), and about what an
eye takes in at a glance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

from costcompass_core.domain.days import ONE_DAY, Month, Period, each_day
from costcompass_core.domain.money import Usd

MOST: Final = 20
"""Slots of a timeline."""
_DAILY: Final = 31
"""Days up to which a slot is a day; of more than `MOST` days, the newest are shown."""
_WEEK: Final = timedelta(days=7)
_GROUPS: Final = (1, 3, 6, 12, 120)
"""Months of a slot, the fewest that give no more than `MOST` slots."""

Unit = Literal["day", "week", "months"]


class Span(NamedTuple):
    """UTC days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Slot:
    """What a span of UTC days cost; `None` where not a single day of it was ever read."""

    span: Span
    cost: Usd | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The slots of a period, oldest first; `whole` unless only its newest days are among them."""

    unit: Unit
    slots: tuple[Slot, ...]
    whole: bool = True

    @property
    def known(self) -> tuple[Usd, ...]:
        """What the slots cost of which anything is known."""
        return tuple(one.cost for one in self.slots if one.cost is not None)


class Cut(NamedTuple):
    """How a period is cut: the spans, oldest first, and whether they hold all of it."""

    unit: Unit
    spans: tuple[Span, ...]
    whole: bool


def cut(period: Period) -> Cut | None:
    """Return how to cut a period; `None` where there is no more than one completed day."""
    if period.today or period.end is None or period.end <= period.start:
        return None
    start, end = period.start, period.end
    days = (end - start).days + 1
    if days <= _DAILY:
        first = max(start, end - (MOST - 1) * ONE_DAY)
        spans = [Span(day, day) for day in each_day(first, end)]
        return Cut("day", tuple(spans), first == start)
    if days <= MOST * _WEEK.days:
        lasts = [end - number * _WEEK for number in range(-(-days // _WEEK.days))]
        weeks = [Span(max(start, last - _WEEK + ONE_DAY), last) for last in reversed(lasts)]
        return Cut("week", tuple(weeks), True)
    return Cut("months", tuple(_months(start, end)), True)


def _months(start: date, end: date) -> Iterable[Span]:
    """Yield spans of whole calendar months, the first and the last cut to the period."""
    begun, ended = (one.year * 12 + one.month - 1 for one in (start, end))
    size = next(one for one in _GROUPS if ended // one - begun // one < MOST)
    for group in range(begun // size, ended // size + 1):
        first, after = (divmod(number * size, 12) for number in (group, group + 1))
        last = Month(after[0], after[1] + 1).first - ONE_DAY
        yield Span(max(start, Month(first[0], first[1] + 1).first), min(end, last))


def timeline(
    how: Cut, spent: Mapping[date, Usd], unread: Collection[date] = frozenset()
) -> Timeline:
    """Return the slots of a period from what began on each day (USD).

    `spent` has each day, or under a month's first day of the period what that month cost. `unread`
    are the days that were never read.
    """
    costs: list[list[Usd]] = [[] for _ in how.spans]
    place = 0
    for day in sorted(spent):
        while place < len(how.spans) and how.spans[place].last < day:
            place += 1
        if place == len(how.spans):
            break
        if how.spans[place].first <= day:
            costs[place].append(spent[day])
    missed = frozenset(unread)
    slots = (
        Slot(span, None if _unknown(span, missed) else Usd.total(some))
        for span, some in zip(how.spans, costs, strict=True)
    )
    return Timeline(how.unit, tuple(slots), how.whole)


def _unknown(span: Span, unread: Collection[date]) -> bool:
    return bool(unread) and all(day in unread for day in each_day(*span))


def daily(spent: Sequence[tuple[date, Usd]]) -> Timeline:
    """Return a timeline of known days, of which no more than `MOST`."""
    return Timeline("day", tuple(Slot(Span(day, day), cost) for day, cost in spent[-MOST:]))
