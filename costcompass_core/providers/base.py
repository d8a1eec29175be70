"""What a provider is: a value made of functions. A new one is one file and one registry entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, Protocol

from costcompass_core.domain.bill import FileRead
from costcompass_core.domain.catalogue import PriceList
from costcompass_core.domain.errors import WrongKeyType
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, ApiKey, Balance, Purse, SoFar

Params = Mapping[str, str | Sequence[str]]
"""Fields of a query; one with several values comes that often."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Decoded JSON of a good answer and the server's own clock (UTC), where it sent one."""

    body: Any
    server_time: datetime | None = None


class Client(Protocol):
    """Reads JSON below one base URL with one account's headers; see `providers.http`."""

    @property
    def options(self) -> Mapping[str, str]:
        """What the account's configuration says beside its name: see `Provider.options`."""

    @property
    def server_time(self) -> datetime | None:
        """The server's own clock (UTC) as of its newest good answer, where it sent one."""

    def get(self, path: str, params: Params | None = None) -> Answer:
        """GET `path` and decode it.

        Raises `KeyRejected`, `WrongKeyType`, `Unavailable` or `UnreadableAnswer`; never an
        exception of the HTTP library, whose messages can hold the key.
        """

    def get_lines(self, path: str, params: Params | None = None) -> Answer:
        """GET `path` and decode each line of the answer; its body is a list. Raises as `get` does."""

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """POST `body` as JSON to `path` and decode the answer, asking again as `get` does.

        Only for questions that change nothing, for one may arrive twice. Raises as `get` does.
        """

    def post_form(self, path: str, fields: Mapping[str, str]) -> Answer:
        """POST `fields` as a form, likewise; what is in them is not hidden from error texts."""


class KeyType(Enum):
    """What a key can do, by the provider's own word."""

    MANAGEMENT = "management"
    INFERENCE = "inference"
    ORDINARY = "ordinary"
    """The only type there is, which can read what we ask for."""


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
class Option:
    """Something an account needs beside its key: a key of its table in the configuration.

    `what` follows "needs"; `pattern` is what a value has to match whole.
    """

    name: str
    what: str
    example: str
    pattern: str = r"[^\x00-\x1f\x7f]{1,200}"
    required: bool = True


@dataclass(frozen=True, slots=True)
class Refusals:
    """How a provider says no.

    `wrong_type` is a pattern, in any case of letters, of the words with which it turns down a key of
    a type that cannot read spend; `mend` says what key can.
    """

    wrong_type: str
    mend: str


def no_key(_: object) -> NoReturn:
    """Stand for what only providers with keys do."""
    raise WrongKeyType("this provider reads files and takes no key", "give it a `folder`")


def bearer(key: Secret) -> Mapping[str, str]:
    """Return the headers that carry `key` as most providers want it."""
    return {"Authorization": f"Bearer {key.expose()}"}


def any_type(_: KeyType) -> None:
    """Take every key that passed `identify`, where nothing else can."""


FOLDER: Final = Option("folder", "the folder that its files are in", "/var/lib/bills")
"""What every provider of files needs."""
Dial = Callable[[str, Mapping[str, str]], Client]
"""`(base_url, headers)`: a client for another address, to fetch a token with; closed with the rest."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `check_form` refuses, before any call, text that cannot be its key.

    It returns whether the key has the documented form and raises `WrongKeyType` for another
    vendor's key. `authorize` gives the headers that carry the key; where it has to be exchanged for
    a token first, `sign_in` does. `identify` asks the provider itself what the key is, and raises
    `WrongKeyType` or `KeyRejected` where it is told. `require_type` raises `WrongKeyType`, naming the
    place to make the right key, unless the type can read spend.
    """

    name: str
    title: str
    base_url: str = ""
    check_form: Callable[[Secret], bool] = no_key
    authorize: Callable[[Secret], Mapping[str, str]] = bearer
    identify: Callable[[Client], KeyType] = no_key
    require_type: Callable[[KeyType], None] = any_type
    refusals: Refusals = Refusals("", "")
    key_words: str = ""
    """What key is the right one and where it is made, for people; empty where none is needed."""
    read_file: Callable[[Path], FileRead] | None = None
    """Reads one file of the account's `folder`, where a provider is one of files, not of calls."""
    read_activity: Callable[[Client, Collection[date] | None, date], Activity] | None = None
    """`(client, days, today)`: rows of completed UTC days; `None` asks for everything on offer."""
    window_days: int = 30
    """How many completed UTC days are on offer, or are asked for at first."""
    reread_days: int = 3
    """Newest completed UTC days that every refresh asks for again."""
    final_after: timedelta = timedelta(0)
    """How long after its end (UTC) a day's rows may still grow; until then it is not final."""
    read_balance: Callable[[Client], Balance | None] | None = None
    """Reads prepaid credits in USD; `None` for an account that is billed afterwards."""
    read_purses: Callable[[Client], tuple[Purse, ...]] | None = None
    """Reads prepaid money whose fall is all that tells what was spent."""
    credits_url: str = ""
    """Where people top up a balance."""
    list_keys: Callable[[Client], tuple[ApiKey, ...]] | None = None
    read_key_activity: Callable[[Client, str, Collection[date] | None, date], Activity] | None = (
        None
    )
    """The same as `read_activity` for one `ApiKey.ident`."""
    analytics: Analytics | None = None
    """Where the provider has it."""
    read_models: Callable[[Client], PriceList] | None = None
    """Reads the price list, where the provider has one."""
    sign_in: Callable[[Secret, Dial, datetime], Mapping[str, str]] | None = None
    """`(key, dial, now)`: headers made of a token that the key was exchanged for."""
    options: tuple[Option, ...] = ()

    @property
    def slow(self) -> bool:
        """Whether its days come late by nature, or begin when it was connected."""
        late = self.final_after > timedelta(0)
        return late or self.read_purses is not None or self.read_file is not None

    @property
    def parts(self) -> tuple[Literal["balance", "activity"], ...]:
        """What can be read here."""
        balance = self.read_balance is not None or self.read_purses is not None
        rows = self.read_activity is not None or self.read_file is not None
        return (*(("balance",) if balance else ()), *(("activity",) if rows else ()))
