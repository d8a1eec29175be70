"""What days cost, and the burn rate: the mean of the 7 newest completed UTC days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from costcompass_core.domain.days import each_day
from costcompass_core.domain.money import ZERO, Usd

BURN_DAYS: Final = 7
"""Completed UTC days that the burn rate looks back on."""


@dataclass(frozen=True, slots=True)
class History:
    """Spend per UTC day (USD) over the days that were read, a day without rows being zero.

    `began` is the first day with any usage: the days before it are no history to average over.
    `once` is what happened once on these days (a purchase, a tax, a credit): it was spent, but it is
    no part of `spent`, for it says nothing of the days to come.
    """

    spent: Mapping[date, Usd]
    began: date | None
    once: Mapping[date, Usd] = field(default_factory=dict)

    @property
    def through(self) -> date | None:
        """The newest day that was read."""
        return max(self.spent, default=None)


@dataclass(frozen=True, slots=True)
class Burn:
    """The mean spend of `days` UTC days between `start` and `end`, as an exact sum and a count."""

    start: date
    end: date
    days: int
    spent: Usd

    def over(self, days: int | Fraction) -> Fraction:
        """Return the USD that `days` days at this rate cost."""
        return self.spent.ratio() * days / self.days


def burn_of(history: History) -> Burn | None:
    """Return the burn of the 7 newest completed days that are known, `None` without any.

    With fewer days of history, of the days there are. A day inside the window that was never read
    is left out rather than counted as zero.
    """
    newest = history.through
    if newest is None:
        return None
    start = newest - timedelta(days=BURN_DAYS - 1)
    if history.began is not None:
        start = min(max(start, history.began), newest)
    known = [day for day in each_day(start, newest) if day in history.spent]
    return Burn(start, newest, len(known), Usd.total(history.spent[day] for day in known))


def combined(histories: Sequence[History]) -> History:
    """Add up the accounts that have been read, on the days that all of them have been read for."""
    read = [one for one in histories if one.spent]
    if not read:
        return History({}, None)
    common = set(read[0].spent).intersection(*(one.spent for one in read[1:]))
    began = min((one.began for one in read if one.began), default=None)
    once: dict[date, Usd] = {}
    for day, cost in (pair for one in read for pair in one.once.items()):
        once[day] = once.get(day, ZERO) + cost
    return History({day: Usd.total(one.spent[day] for one in read) for day in common}, began, once)
