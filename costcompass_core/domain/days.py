"""UTC days of spend and the periods people ask for."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

ONE_DAY: Final = timedelta(days=1)


class Month(NamedTuple):
    """A calendar month (UTC)."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month that `day` is in."""
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """The last day."""
        return date(self.year, self.number, self.days)

    @property
    def days(self) -> int:
        """How many days it has: 28 to 31."""
        return monthrange(self.year, self.number)[1]

    @property
    def next(self) -> Month:
        """The calendar month after."""
        return Month.of(self.last + ONE_DAY)

    @property
    def previous(self) -> Month:
        """The calendar month before."""
        return Month.of(self.first - ONE_DAY)

    @property
    def label(self) -> str:
        """Return `November 2026`."""
        return f"{MONTH_NAMES[self.number - 1]} {self.year}"

    def text(self) -> str:
        """Return `2026-11`."""
        return f"{self.year:04}-{self.number:02}"


MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """The UTC days `start` to `end`, both included; `end` is `None` where none is completed yet.

    `month` is set when the period stands for one calendar month, which subscriptions are due for.
    `today` marks the one period that no activity row covers: the current, uncompleted day.
    """

    label: str
    start: date
    end: date | None
    month: Month | None = None
    today: bool = False

    def days(self) -> Iterator[date]:
        """Yield each completed day of the period, oldest first."""
        if self.end is not None and not self.today:
            yield from each_day(self.start, self.end)


def each_day(start: date, end: date) -> Iterator[date]:
    """Yield `start` to `end`, both included; nothing when `end` is earlier."""
    for number in range(start.toordinal(), end.toordinal() + 1):
        yield date.fromordinal(number)


def utc_day(moment: datetime) -> date:
    """Return the UTC day that `moment` (timezone-aware) falls on."""
    return moment.astimezone(UTC).date()


def newest_completed(today: date) -> date:
    """Return the newest day that is over."""
    return today - ONE_DAY


def midnight(day: date) -> datetime:
    """Return the moment at which the UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def missing(days: Collection[date], read: Collection[date]) -> tuple[date, ...]:
    """Return the days that were never read, in order: unknown, which is not the same as zero."""
    known = frozenset(read)
    return tuple(sorted(day for day in days if day not in known))


def clipped(label: str, start: date, end: date, today: date, month: Month | None = None) -> Period:
    """Return the period without its uncompleted days (`end` is `None` when none is left)."""
    last = min(end, newest_completed(today))
    return Period(label, start, last if last >= start else None, month)
