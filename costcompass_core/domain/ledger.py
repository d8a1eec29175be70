"""Days across accounts: what is known of them, how they compare, and which were restated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from costcompass_core.domain.burn import History
from costcompass_core.domain.days import ONE_DAY, Month, each_day, missing
from costcompass_core.domain.money import CENT, ZERO, Usd
from costcompass_core.domain.notices import settled_at
from costcompass_core.domain.reports import share_of

USUAL_DAYS: Final = 7
"""Completed UTC days before a day that say what is usual for it."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Spend per UTC day and account (USD), for every account that an answer has to cover.

    `slow` ones know their newest days late: they count in sums, and no day waits for them.
    """

    accounts: tuple[str, ...]
    histories: Mapping[str, History]
    slow: frozenset[str] = frozenset()

    def prompt(self) -> Ledger:
        """Return what can be compared day by day: without the slow accounts, if there are others."""
        names = tuple(one for one in self.accounts if one not in self.slow)
        if not names or not self.slow:
            return self
        kept = {name: one for name, one in self.histories.items() if name not in self.slow}
        return Ledger(names, kept)

    def until(self, newest: date) -> Ledger:
        """Return it as if `newest` were the newest day there is."""
        return replace(
            self,
            histories={
                name: History(
                    {day: usd for day, usd in one.spent.items() if day <= newest},
                    one.began if one.began and one.began <= newest else None,
                    {day: usd for day, usd in one.once.items() if day <= newest},
                )
                for name, one in self.histories.items()
            },
        )

    def known(self) -> set[date]:
        """Return the days that every account was read for that is not slow."""
        waited = [name for name in self.accounts if name not in self.slow] or self.accounts
        read = [
            set(self.histories[name].spent) if name in self.histories else set[date]()
            for name in waited
        ]
        return read[0].intersection(*read[1:]) if read else set()

    def missing(self, first: date, last: date) -> tuple[date, ...]:
        """Return the days of the range that at least one account was never read for."""
        return missing(list(each_day(first, last)), self.known())

    def spent(self, first: date, last: date) -> Usd | None:
        """Return what is known of the range (USD), `None` where none of it was ever read."""
        found = [
            costs[day]
            for one in self.histories.values()
            for costs in (one.spent, one.once)
            for day in each_day(first, last)
            if day in costs
        ]
        return Usd.total(found) if found else None

    def usual_days(self, day: date) -> list[date]:
        """Return the known days of the week before `day`, from the first with any usage on."""
        began = min((one.began for one in self.histories.values() if one.began), default=day)
        known = self.known()
        week = each_day(max(day - USUAL_DAYS * ONE_DAY, began), day - ONE_DAY)
        return [one for one in week if one in known]


@dataclass(frozen=True, slots=True)
class Pace:
    """What the same number of days of another month came to (USD), by `through`.

    `change` is how much more it is now, as a share of that: 0.12 for 12 % more.
    """

    through: date
    usd: Usd
    change: Decimal


class DayChange(NamedTuple):
    """One change of what was stored for a day: its totals (USD) before and after, and when."""

    account: str
    day: date
    at: datetime
    before: Usd
    after: Usd


@dataclass(frozen=True, slots=True)
class Restated:
    """A day that was told before and has another total (USD) by now."""

    account: str
    day: date
    before: Usd
    after: Usd


def pace(ledger: Ledger, first: date, last: date) -> Pace | None:
    """Return what the same number of days of the month before came to, up to `last`.

    `None` unless all those days are known in both months, and where the month before is shorter.
    """
    before = Month.of(first).previous
    if last.day > before.days:
        return None
    return _against(ledger, (first, last), (before.first, before.first.replace(day=last.day)))


def whole_months(ledger: Ledger, month: Month) -> Pace | None:
    """Return the whole month before `month` for comparison, `None` unless both are known."""
    before = month.previous
    return _against(ledger, (month.first, month.last), (before.first, before.last))


def _against(ledger: Ledger, now: tuple[date, date], before: tuple[date, date]) -> Pace | None:
    if ledger.missing(*now) or ledger.missing(*before):
        return None
    usd, was = ledger.spent(*now) or ZERO, ledger.spent(*before) or ZERO
    return Pace(before[1], was, share_of(usd - was, was)) if was > ZERO else None


def restatements(changes: Iterable[DayChange]) -> tuple[Restated, ...]:
    """Return the days that changed, by a cent at least, after they counted as reported."""
    days: dict[tuple[date, str], list[DayChange]] = {}
    for one in sorted(changes, key=lambda one: one.at):
        if one.at >= settled_at(one.day):
            days.setdefault((one.day, one.account), []).append(one)
    found = [
        Restated(account, day, some[0].before, some[-1].after)
        for (day, account), some in sorted(days.items())
    ]
    return tuple(one for one in found if abs((one.after - one.before).amount) >= CENT.amount)
