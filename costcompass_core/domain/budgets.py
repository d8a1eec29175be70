"""Budgets: what the user wants to spend at most in a UTC month or year, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal

from costcompass_core.domain.days import Month
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import share_of


@dataclass(frozen=True, slots=True)
class Budget:
    """`amount` USD a month or year for the usage that matches, and the percentages to tell of.

    `account` and `provider` are names, `model` one with `*` for any characters; `None` matches
    everything. Subscriptions and what is paid in other currencies count against no budget.
    """

    name: str
    amount: Usd
    per: Literal["month", "year"] = "month"
    percents: tuple[Decimal, ...] = ()
    account: str | None = None
    model: str | None = None
    provider: str | None = None

    def span(self, today: date) -> tuple[date, date]:
        """Return the first and the last UTC day of the period that `today` is in."""
        if self.per == "year":
            return date(today.year, 1, 1), date(today.year, 12, 31)
        month = Month.of(today)
        return month.first, month.last

    def covers_account(self, account: str, provider: str = "") -> bool:
        """Return whether usage of the account, which is one of `provider`, counts."""
        if self.account not in {None, account}:
            return False
        return self.provider is None or self.provider.lower() == provider.lower()

    def covers_model(self, model: str) -> bool:
        """Return whether usage of the model counts, in any case of letters."""
        return self.model is None or fnmatchcase(model.lower(), self.model.lower())


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a budget stands in its period (UTC days): spent so far, and where it lands (USD).

    `landing` is `None` while that can't be expected yet; `complete` unless a day of it is not known.
    """

    budget: Budget
    spent: Usd
    span: tuple[date, date]
    landing: Usd | None
    complete: bool

    @property
    def share(self) -> Decimal:
        """What is spent as a share of the amount."""
        return share_of(self.spent, self.budget.amount)

    @property
    def lands_over(self) -> bool:
        """Whether the period is expected to end above the amount."""
        return self.landing is not None and self.landing > self.budget.amount
