"""A cost that no provider reports and a person declares: once, or every month or year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from costcompass_core.domain.money import Usd
from costcompass_core.domain.subscriptions import Subscription

Per = Literal["once", "month", "year"]


@dataclass(frozen=True, slots=True)
class Declared:
    """`amount` of `currency` on the UTC day `start`, or every month or year from then on.

    A recurring one runs `until` a day (included) and is told like a subscription. `provider` is who
    is paid, where that is not the name itself; `number` is given by the ledger.
    """

    name: str
    amount: Usd
    currency: str
    per: Per
    start: date
    until: date | None = None
    provider: str = ""
    number: int = 0

    def subscription(self) -> Subscription:
        """Return a recurring cost as a subscription."""
        per: Literal["month", "year"] = "year" if self.per == "year" else "month"
        return Subscription(self.name, self.amount, per, self.currency, self.start, self.until)
