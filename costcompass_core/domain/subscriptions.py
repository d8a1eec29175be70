"""Fixed costs that no API reports: declared by the user, never mixed into usage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple

from costcompass_core.domain.days import Month, each_day
from costcompass_core.domain.money import Usd
from costcompass_core.domain.usage import USD


class Change(NamedTuple):
    """Another price of a subscription, from a UTC day on."""

    start: date
    amount: Usd


@dataclass(frozen=True, slots=True)
class Subscription:
    """`amount` of `currency` per month or year, from and until a UTC day (both included)."""

    name: str
    amount: Usd
    per: Literal["month", "year"] = "month"
    currency: str = "USD"
    start: date | None = None
    until: date | None = None

    changes: tuple[Change, ...] = ()
    """Other prices, each from a UTC day on, in order of time."""

    def share_of(self, month: Month) -> Fraction:
        """Return what `month` costs while it is active, exactly."""
        days = [self.on(day).ratio() for day in each_day(month.first, month.last)]
        same = all(one == days[0] for one in days)
        whole = days[0] if same else sum(days, Fraction(0)) / month.days
        return whole / 12 if self.per == "year" else whole

    def on(self, day: date) -> Usd:
        """Return the price that holds on a UTC day."""
        begun = [one.amount for one in self.changes if one.start <= day]
        return begun[-1] if begun else self.amount

    def active_in(self, month: Month) -> bool:
        """Return whether it runs on any day of `month`."""
        started = self.start is None or self.start <= month.last
        return started and (self.until is None or self.until >= month.first)


def due_in(month: Month, subscriptions: Iterable[Subscription], currency: str = USD) -> Usd:
    """Return what is due for `month`: every active subscription in full, a yearly one a twelfth.

    Where a price changes within the month, each counts for its days. What has to be divided is added
    up before, so that at most one rounding happens. The amount is of `currency`.
    """
    active = [one for one in subscriptions if one.currency == currency and one.active_in(month)]
    plain = [one.amount for one in active if one.per == "month" and not one.changes]
    divided = [one for one in active if one.per == "year" or one.changes]
    rest = sum((one.share_of(month) for one in divided), Fraction(0))
    return Usd.total(plain) + Usd.of_ratio(rest) if rest else Usd.total(plain)


def in_other_currencies(month: Month, subscriptions: Iterable[Subscription]) -> list[Subscription]:
    """Return the active subscriptions that no dollar total may include."""
    return [one for one in subscriptions if one.currency != "USD" and one.active_in(month)]
