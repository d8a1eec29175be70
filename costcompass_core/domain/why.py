"""Why spend changed: the words after `why`, the period before, and the report."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from costcompass_core.domain.attribution import Attribution
from costcompass_core.domain.days import ONE_DAY, Period
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.query import SpendQuery, parse_spend
from costcompass_core.domain.reports import Health
from costcompass_core.domain.stack import Caveat

DEFAULT_DAYS: Final = 7
DEFAULT_PERIOD: Final = f"{DEFAULT_DAYS}d"
"""The period that `why` is about where the words name none."""
_USAGE: Final = "use why [PERIOD] [MODEL…], for example `why 7d claude`"


@dataclass(frozen=True, slots=True)
class HostSplit:
    """The same split by host, of the one model whose cost changed most."""

    model: str
    found: Attribution


@dataclass(frozen=True, slots=True)
class WhyReport:
    """Two periods of the same number of UTC days, and why the newer one cost more or less.

    `missing_days` are days of either that were never read: then the costs are those of the known
    days and the effects compare unlike things (`comparable`). `hosts` is `None` where the biggest
    mover ran on one host only, or where the periods are not comparable. `meant` is a name that a
    filter without any match nearly is. `not_yet` is yesterday where it was left out as not known yet.
    """

    query: SpendQuery
    before: Period
    found: Attribution
    hosts: HostSplit | None
    missing_days: tuple[date, ...]
    data_through: date | None
    refreshed_at: datetime | None
    health: tuple[Health, ...]
    meant: str | None = None
    not_yet: date | None = None
    left_out: tuple[Caveat, ...] = ()
    """Slow accounts that are not wholly known in both periods: no figure here includes them."""

    @property
    def comparable(self) -> bool:
        """Whether every day of both periods is known."""
        return not self.missing_days

    def unknown(self, period: Period) -> tuple[date, ...]:
        """Return the days of one of the two periods that were never read."""
        days = set(period.days())
        return tuple(day for day in self.missing_days if day in days)


def days_until(end: date) -> str:
    """Return as many days as `why` is about where the words name none, but up to `end`."""
    return f"{end - (DEFAULT_DAYS - 1) * ONE_DAY}..{end}"


def parse_why(
    words: str,
    *,
    today: date,
    first_day: date | None,
    models: Callable[[], Collection[str]],
    default: str = DEFAULT_PERIOD,
) -> SpendQuery:
    """Return the question that `words` ask, without `why` itself: `[PERIOD] [MODEL…]`.

    Its period has at least one completed day. Raises `UsageError` for words that make no sense,
    and for periods that nothing can be compared with.
    """
    left = words.lower().split()
    if "by" in left:
        raise UsageError("`why` is always told by model", _USAGE)
    if "all" in left:
        raise UsageError("nothing comes before `all`", "use a period such as `30d` or `ytd`")
    query = parse_spend(words, today=today, first_day=first_day, models=models, default=default)
    if query.period.today:
        raise UsageError(
            "what today costs is reported once the UTC day is over", "use `yesterday` or `7d`"
        )
    if query.period.end is None:
        raise UsageError(
            f"no day of {query.period.label} is completed yet", "use `last month` or `7d`"
        )
    return query


def period_before(period: Period) -> Period:
    """Return the period of as many UTC days that ends the day before `period` begins.

    Of a calendar month too: a month of 31 days is compared with 31 days, not with one of 30.
    Raises `UsageError` where the calendar does not reach back that far.
    """
    days = sum(1 for _ in period.days())
    try:
        start = period.start - days * ONE_DAY
    except OverflowError:
        raise UsageError(f"nothing comes before {period.label}", _USAGE) from None
    label = "the day before" if days == 1 else f"the {days} days before"
    return Period(label, start, period.start - ONE_DAY)
