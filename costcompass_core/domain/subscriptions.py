"""Fixed costs that no API reports: declared by the user, never mixed into usage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from costcompass_core.domain.days import Month
from costcompass_core.domain.money import Usd


@dataclass(frozen=True, slots=True)
class Subscription:
    """`amount` of `currency` per month or year, from and until a UTC day (both included)."""

    name: str
    amount: Usd
    per: Literal["month", "year"] = "month"
    currency: str = "USD"
    start: date | None = None
    until: date | None = None

    def active_in(self, month: Month) -> bool:
        """Return whether it runs on any day of `month`."""
        started = self.start is None or self.start <= month.last
        return started and (self.until is None or self.until >= month.first)


def due_in(month: Month, subscriptions: Iterable[Subscription]) -> Usd:
    """Return the USD due for `month`: every active subscription in full, a yearly one a twelfth.

    The yearly ones are added up before they are divided, so that at most one rounding happens.
    """
    active = [one for one in subscriptions if one.currency == "USD" and one.active_in(month)]
    monthly = Usd.total(one.amount for one in active if one.per == "month")
    yearly = Usd.total(one.amount for one in active if one.per == "year")
    return monthly + Usd.of_ratio(yearly.ratio() / 12) if yearly else monthly


def in_other_currencies(month: Month, subscriptions: Iterable[Subscription]) -> list[Subscription]:
    """Return the active subscriptions that no dollar total may include."""
    return [one for one in subscriptions if one.currency != "USD" and one.active_in(month)]
