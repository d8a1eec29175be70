"""What a provider reports: rows of usage, a prepaid balance, the keys of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from costcompass_core.domain.money import Usd


class Usage(NamedTuple):
    """One activity row: a model on one endpoint (host) during one UTC day, exactly as reported.

    `cost` is USD taken from the prepaid balance; `byok_cost` is the provider's estimate, in USD, of
    what was paid elsewhere under the user's own upstream keys and never left this balance. Counts
    that were not reported are `None`. Reasoning tokens are usually part of completion tokens and
    cached tokens of prompt tokens, but live rows break both, so neither is ever added or checked.

    A named tuple in the order of the table's columns: a first read makes thousands of them.
    """

    day: date
    model: str
    permaslug: str
    endpoint: str
    host: str
    requests: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    cost: Decimal
    byok_cost: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """A prepaid balance at one moment, in USD.

    `left` may be negative. `purchased` and `used` are the lifetime counters behind it, where the
    provider has them.
    """

    left: Usd
    purchased: Usd | None = None
    used: Usd | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """The answer for a set of asked UTC days: every asked day is a key, `()` where it had no rows.

    `notes` are one-line remarks for people (a dropped duplicate, an unexpected day set aside).
    """

    days: Mapping[date, tuple[Usage, ...]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a provider reports of a UTC day that is not over; `at` is how old that is (UTC)."""

    rows: tuple[Usage, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One inference key of the account, as the provider lists it; never the key itself.

    `ident` is the provider's stable hash of the key; `used` the lifetime USD counter (own credits
    plus BYOK), which only serves to leave out keys that were never used.
    """

    ident: str
    name: str
    used: Usd


@dataclass(frozen=True, slots=True)
class Reading:
    """What one refresh brought home, not yet stored. `at` is when it was read (UTC)."""

    at: datetime
    balance: Balance | None = None
    activity: Activity | None = None
