"""What a provider reports: rows of cost, a prepaid balance, the keys of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from costcompass_core.domain.money import Usd

Basis = Literal["reported", "derived", "declared"]
"""How a cost is known: by the provider's word, by the fall of a balance, by the user's word."""
USD: Final = "USD"


class Usage(NamedTuple):
    """One row of cost of any provider: what one UTC day took, exactly as reported.

    `model` is the model, or the service where the provider bills no models; `host` who served it
    (OpenRouter's upstream) or the service it is billed under; `endpoint` the finest thing that is
    billed by itself (an endpoint, a line item, a kind of token), `permaslug` the exact version of
    the model, the same as `model` where there is none. Day, model, permaslug, endpoint and currency
    tell the rows of one source apart.

    `cost` is in major units of `currency`; `raw` is the amount as the provider wrote it, `None`
    where that is the same text. `byok_cost` is an estimate (USD) of what was paid elsewhere under
    the user's own upstream keys, which is shown and never added. What happens `once` (a purchase, a
    tax, a credit) counts as spend but says nothing of the days to come.

    Counts that were not reported are `None`. Whether cached tokens are part of the prompt's differs
    by provider, and live rows break even that, so none is ever added to another or checked.
    `quantity` is of `unit`, where the provider bills by something else than tokens or beside them.

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
    byok_cost: Decimal = Decimal(0)
    cache_write_tokens: int | None = None
    currency: str = USD
    raw: str | None = None
    basis: Basis = "reported"
    once: bool = False
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Purse:
    """What is left of prepaid money in one currency (major units, may be negative).

    `granted` is the part that was given and may expire, `topped_up` the part that was paid.
    """

    currency: str
    total: Decimal
    granted: Decimal
    topped_up: Decimal


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
    purses: tuple[Purse, ...] = ()
    unpaid: bool = False
    """Whether a balance was asked for and the account has none: it is billed afterwards."""
