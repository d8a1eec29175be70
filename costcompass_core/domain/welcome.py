"""What a first start has found: accounts with their balances, and how much history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import Health


@dataclass(frozen=True, slots=True)
class WelcomeReport:
    """`total` is what was spent on the `days` UTC days that are known, from `first` on, by `models`."""

    health: tuple[Health, ...]
    balances: tuple[AccountBalance, ...]
    total: Usd
    days: int
    models: int
    first: date | None
