"""A made-up OpenRouter account: keys, activity rows by day, and the ledger behind the balance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from hashlib import sha256
from threading import RLock
from typing import Any, Final, Literal

from bot.sandbox.openrouter_rows import EXACT, Entry, activity_row, merged, total
from bot.sandbox.wire import Row

DEFAULT_WORKSPACE: Final = "0df9e665-d932-5740-b2c7-b52af166bc11"
_DAY_SECONDS: Final = 86_400
_CENT: Final = Decimal("0.01")
_NANO: Final = Decimal("1e-9")
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class StandInKey:
    """An API key of the account; `secret` has the real form and is good for nothing elsewhere.

    A `revoked` key is as unknown as one that never was; a `disabled` one is still listed.
    """

    name: str
    management: bool = False
    revoked: bool = False
    disabled: bool = False
    workspace_id: str = DEFAULT_WORKSPACE
    created: datetime = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    seed: str = "stand-in"
    secret: str = field(init=False, repr=False)
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        self.secret = "sk-or-v1-" + sha256(f"{self.seed}/{self.name}".encode()).hexdigest()
        self.hash = sha256(self.secret.encode()).hexdigest()

    @property
    def label(self) -> str:
        """The key as OpenRouter shows it."""
        return f"{self.secret[:12]}...{self.secret[-4:]}"


class StandInAccount:
    """One account, changed by tests and read by the server at the same time.

    Rows are kept per key, so that the rows of the keys add up to the rows of the account. Lifetime
    usage is `opening_usage` plus every row up to now, hidden or not, plus fees from the balance.
    """

    def __init__(
        self,
        keys: Iterable[StandInKey] = (),
        *,
        total_credits: Decimal | str | int = 100,
        opening_usage: Decimal | str | int = 0,
        organization_id: str | None = None,
    ) -> None:
        """Without `keys`: the management key "manager" and one inference key "default"."""
        self.keys = list(keys) or [StandInKey("manager", management=True), StandInKey("default")]
        self.organization_id = organization_id
        self._credits = Decimal(total_credits)
        self._charged = Decimal(opening_usage)
        self._entries: dict[date, list[Entry]] = {}
        self._hidden: dict[date, datetime] = {}
        self._held: tuple[datetime, tuple[Decimal, Decimal]] | None = None
        self._lock = RLock()

    def key(self, name: str) -> StandInKey:
        """Return the key called `name`."""
        return next(key for key in self.keys if key.name == name)

    @property
    def management_key(self) -> StandInKey:
        """The first management key."""
        return next(key for key in self.keys if key.management)

    @property
    def inference_keys(self) -> tuple[StandInKey, ...]:
        """The keys that spend, without deleted ones."""
        return tuple(key for key in self.keys if not (key.management or key.revoked))

    # -- what happens in the account ------------------------------------------------------------

    def set_day(
        self, day: date, rows: Iterable[Row], *, key: str = "", gradual: bool = False
    ) -> None:
        """Replace what the key called `key` (the first inference key by default) did on `day`."""
        ident = self._ident(key)
        with self._lock:
            kept = [entry for entry in self._entries.get(day, []) if entry.key != ident]
            self._entries[day] = kept + [Entry(ident, row, gradual) for row in rows]

    def spend(
        self,
        usd: Decimal | str | int,
        day: date,
        model: str = "openai/gpt-4.1",
        *,
        key: str = "",
        **fields: Any,
    ) -> None:
        """Spend `usd` at once on `day`: on the UTC day of now, only the balance shows it yet.

        `fields` are those of `activity_row`; spend of the same model and host becomes one row.
        """
        entry = Entry(self._ident(key), activity_row(day, model, usd, **fields))
        with self._lock:
            self._entries.setdefault(day, []).append(entry)

    def correct(self, day: date, model: str, **fields: Any) -> None:
        """Report other values (wire names) for every row of `model` on `day` from now on."""
        with self._lock:
            self._entries[day] = [
                entry._replace(row=entry.row | fields) if entry.row["model"] == model else entry
                for entry in self._entries.get(day, [])
            ]

    def hide_day(self, day: date, until: datetime | None = None) -> None:
        """Let the rows of `day` be late: reported only from `until` on, or after `show_day`."""
        self._hidden[day] = until or _NEVER

    def show_day(self, day: date) -> None:
        """Report the rows of `day` from now on."""
        self._hidden.pop(day, None)

    def top_up(
        self, usd: Decimal | str | int, fee: Literal["on_top", "from_balance"] = "on_top"
    ) -> None:
        """Buy credits, with OpenRouter's card fee of 5.5 %, at least $0.80.

        A fee on top of the purchase is seen by no API; one from the balance looks like usage.
        """
        amount = Decimal(usd)
        with self._lock:
            self._credits += amount
            if fee == "from_balance":
                share = (amount * Decimal("0.055")).quantize(_CENT, ROUND_HALF_UP)
                self._charged += max(share, Decimal("0.80"))

    def refund(self, usd: Decimal | str | int) -> None:
        """Take back bought credits."""
        with self._lock:
            self._credits -= Decimal(usd)

    def hold_credits(self, now: datetime, seconds: float) -> None:
        """Keep reporting the credits of `now` for that long, as a stale cache would."""
        self._held = (now + timedelta(seconds=seconds), self._ledger(now))

    # -- what the API can see -------------------------------------------------------------------

    def credits(self, now: datetime) -> tuple[Decimal, Decimal]:
        """Return the reported lifetime `(total_credits, total_usage)`."""
        if self._held and now < self._held[0]:
            return self._held[1]
        return self._ledger(now)

    def balance(self, now: datetime) -> Decimal:
        """Return what is really left, stale answers or not."""
        bought, used = self._ledger(now)
        return EXACT.subtract(bought, used)

    def rows(self, day: date, now: datetime, key_hash: str | None = None) -> list[Row]:
        """Return the reported rows of `day`, of one key or of the whole account."""
        if now < self._hidden.get(day, now):
            return []
        with self._lock:
            entries = [e for e in self._entries.get(day, []) if key_hash in (None, e.key)]
        return merged(entries)

    def rows_so_far(self, day: date, now: datetime) -> list[Row]:
        """Return the rows of `day` as analytics have them: of today, what happened by `now`."""
        if day > now.date():
            return []
        if day < now.date():
            return self.rows(day, now)
        with self._lock:
            entries = list(self._entries.get(day, []))
        money = ("usage", "byok_usage_inference")
        return merged(
            e._replace(row=e.row | {name: _so_far(e.row[name], now) for name in money})
            if e.gradual
            else e
            for e in entries
        )

    def used(
        self,
        now: datetime,
        *,
        key_hash: str | None = None,
        since: date = date.min,
        money: str = "usage",
    ) -> Decimal:
        """Return the USD of every row from `since` up to `now`."""
        today = now.date()
        with self._lock:
            chosen = [
                (day, entry)
                for day, entries in self._entries.items()
                if since <= day <= today
                for entry in entries
                if key_hash in (None, entry.key)
            ]
        settled = (e.row[money] for day, e in chosen if day < today or not e.gradual)
        building = (e.row[money] for day, e in chosen if day == today and e.gradual)
        return EXACT.add(total(settled), _so_far(total(building), now))

    def last_used(self, key_hash: str, now: datetime) -> datetime | None:
        """Return the end of the newest day on which the key did anything, at most `now`."""
        with self._lock:
            days = [
                day
                for day, entries in self._entries.items()
                if day <= now.date() and any(entry.key == key_hash for entry in entries)
            ]
        if not days:
            return None
        return min(now, datetime.combine(max(days) + timedelta(days=1), time(), UTC))

    def _ledger(self, now: datetime) -> tuple[Decimal, Decimal]:
        with self._lock:
            return self._credits, EXACT.add(self._charged, self.used(now))

    def _ident(self, name: str) -> str:
        return (self.key(name) if name else self.inference_keys[0]).hash


def _so_far(amount: Decimal, now: datetime) -> Decimal:
    """Return the share of a whole day's `amount` that is spent by `now`, to the nano-dollar."""
    seconds = Decimal(int((now - datetime.combine(now.date(), time(), UTC)).total_seconds()))
    return (amount * seconds / _DAY_SECONDS).quantize(_NANO, ROUND_DOWN)
