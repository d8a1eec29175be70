"""What a provider is: a value made of functions. A new one is one file and one registry entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Protocol

from costcompass_core.domain.catalogue import PriceList
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, ApiKey, Balance, SoFar


@dataclass(frozen=True, slots=True)
class Answer:
    """Decoded JSON of a good answer and the server's own clock (UTC), where it sent one."""

    body: Any
    server_time: datetime | None = None


class Client(Protocol):
    """Reads JSON below one base URL with one account's headers; see `providers.http`."""

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET `path` and decode it.

        Raises `KeyRejected`, `WrongKeyType`, `Unavailable` or `UnreadableAnswer`; never an
        exception of the HTTP library, whose messages can hold the key.
        """

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """POST `body` as JSON to `path` and decode the answer, asking again as `get` does.

        Only for questions that change nothing, for one may arrive twice. Raises as `get` does.
        """


class KeyType(Enum):
    """What a key can do, by the provider's own word."""

    MANAGEMENT = "management"
    INFERENCE = "inference"


@dataclass(frozen=True, slots=True)
class Analytics:
    """A second way to usage, beside the rows of completed days: today's, and older days.

    Rows come under the provider's own label of a model, which stands in `model` and `permaslug`.
    """

    read_today: Callable[[Client, date, datetime], SoFar]
    """`(client, today, now)`: the current UTC day by model and host."""
    read_past: Callable[[Client, date, date], Activity]
    """`(client, first, last)`: these UTC days, both included, by model; hosts are not told."""
    read_labels: Callable[[Client], Mapping[str, str]]
    """Which model each label of the catalogue stands for."""
    days_back: int
    """How many completed UTC days are on offer."""
    per_minute: int
    """How many requests a minute are allowed."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `check_form` refuses, before any call, text that cannot be its key.

    It returns whether the key has the documented form and raises `WrongKeyType` for another
    vendor's key. `identify` asks the provider itself. `require_type` raises `WrongKeyType`, naming
    the place to make the right key, unless the type can read spend.
    """

    name: str
    title: str
    base_url: str
    credits_url: str
    """Where people top up a balance."""
    check_form: Callable[[Secret], bool]
    authorize: Callable[[Secret], Mapping[str, str]]
    identify: Callable[[Client], KeyType]
    require_type: Callable[[KeyType], None]
    read_balance: Callable[[Client], Balance]
    read_activity: Callable[[Client, Collection[date] | None, date], Activity]
    """`(client, days, today)`: asks one call a day, or, with `None`, everything on offer at once."""
    list_keys: Callable[[Client], tuple[ApiKey, ...]]
    read_key_activity: Callable[[Client, str, Collection[date] | None, date], Activity]
    """The same as `read_activity` for one `ApiKey.ident`."""
    window_days: int
    """How many completed UTC days are on offer."""
    analytics: Analytics | None = None
    """Where the provider has it."""
    read_models: Callable[[Client], PriceList] | None = None
    """Reads the price list, where the provider has one."""
