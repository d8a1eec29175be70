"""Where an account is read, and what reading it changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from costcompass_core.domain.accounts import Account
from costcompass_core.domain.money import Usd
from costcompass_core.domain.usage import Balance, Purse
from costcompass_core.providers.base import Client, Provider


@dataclass(frozen=True, slots=True)
class Source:
    """Where one account is read: its provider and a client that carries its key."""

    account: Account
    provider: Provider
    client: Client


@dataclass(frozen=True, slots=True)
class Restated:
    """A completed UTC day whose reported total changed after it was stored (USD).

    `settled` says that what it said before was read when late rows were no longer expected.
    """

    day: date
    before: Usd
    after: Usd
    settled: bool = False


@dataclass(slots=True)
class Outcome:
    """What a refresh changed: days stored for the first time, restated days, rows, remarks."""

    account: str
    balance: Balance | None = None
    new_days: int = 0
    rows: int = 0
    restated: list[Restated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    purses: tuple[Purse, ...] = ()
    slow: bool = False
    """Whether days that are not final yet may grow, which is no correction."""


Progress = Callable[[str], None]
"""Told what is being read, for people who watch."""
