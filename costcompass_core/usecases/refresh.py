"""Refresh one account: plan from what is stored, read, then commit it in one transaction.

The network comes before the transaction and nobody here holds a key: `client` is made by whoever
opened the vault. A refresh that cannot be read whole changes nothing that was stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from costcompass_core.domain.accounts import Account
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reread import Verdict, days_to_ask, judge
from costcompass_core.domain.usage import Activity, Balance, Reading, Usage
from costcompass_core.providers.base import Client, Provider
from costcompass_core.storage import keys as key_queries
from costcompass_core.storage import usage as usage_queries
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.refreshes import Part, note_failure, note_success
from costcompass_core.storage.store import Store

BOTH: tuple[Part, ...] = ("balance", "activity")
_MANY_DAYS = 10
"""From this many days on, one call for everything on offer is kinder than one call a day."""


@dataclass(frozen=True, slots=True)
class Restated:
    """A completed UTC day whose reported total changed after it was stored (USD)."""

    day: date
    before: Usd
    after: Usd


@dataclass(slots=True)
class Outcome:
    """What a refresh changed: days stored for the first time, restated days, rows, remarks."""

    account: str
    balance: Balance | None = None
    new_days: int = 0
    rows: int = 0
    restated: list[Restated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """Where one account is read: its provider and a client that carries its key."""

    account: Account
    provider: Provider
    client: Client


Progress = Callable[[str], None]
"""Told what is being read, for people who watch."""


def refresh_account(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    parts: Collection[Part] = BOTH,
    progress: Progress = lambda _: None,
) -> Outcome:
    """Read the account's `parts` and store them whole, or nothing of them.

    Raises what the provider's client raises (`KeyRejected`, `WrongKeyType`, `Unavailable`,
    `UnreadableAnswer`) and `StorageError`.
    """
    outcome = commit(source.account, store, _read(source, store, now, parts, progress))
    if "activity" in parts:
        _split_by_key(source, store, now, outcome, progress)
    return outcome


@contextmanager
def failure_noted(
    account: Account, store: Store, now: Callable[[], datetime], parts: Collection[Part]
) -> Iterator[None]:
    """Note in the store whatever error ends the block, and let it go on."""
    try:
        yield
    except CostCompassError as error:
        with store.writing() as tx:
            usage_queries.remember_account(tx, account.name, account.provider)
            for part in parts:
                note_failure(tx, account.name, part, now(), str(error), permanent=error.permanent)
        raise


def _read(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    parts: Collection[Part],
    progress: Progress,
) -> Reading:
    """Ask the provider; the key's type comes first, because a wrong one answers with zeros."""
    provider, client = source.provider, source.client
    progress("key")
    provider.require_type(provider.identify(client))
    activity = None
    if "activity" in parts:
        progress("activity")
        today = utc_day(now())
        with store.reading() as tx:
            read = usage_queries.day_states(tx, source.account.name)
        days = days_to_ask(read, today, provider.window_days)
        activity = provider.read_activity(client, days, today)
        if days is None and not any(activity.days.values()):
            # A glitch looks like an empty account; a first read believes it only twice.
            activity = provider.read_activity(client, days, today)
    balance = None
    if "balance" in parts:
        progress("balance")
        balance = provider.read_balance(client)
    return Reading(now(), balance, activity)


def commit(account: Account, store: Store, reading: Reading) -> Outcome:
    """Store what was read, in one transaction. Raises `StorageError`."""
    outcome = Outcome(account.name, reading.balance)
    with store.writing() as tx:
        usage_queries.remember_account(tx, account.name, account.provider)
        if reading.activity is not None:
            outcome.notes.extend(reading.activity.notes)
            _store_activity(tx, reading.activity, reading.at, outcome)
            note_success(tx, account.name, "activity", reading.at)
        if reading.balance is not None:
            add_balance(tx, account.name, reading.balance, reading.at)
            note_success(tx, account.name, "balance", reading.at)
    return outcome


def _store_activity(
    tx: sqlite3.Connection, activity: Activity, at: datetime, outcome: Outcome
) -> None:
    account = outcome.account
    states = usage_queries.day_states(tx, account)
    replace: dict[date, Sequence[Usage]] = {}
    same: list[date] = []
    for day, rows in activity.days.items():
        state = states.get(day)
        stored = None if state is None else usage_queries.day_rows(tx, account, day)
        emptied = state is not None and state.emptied
        verdict = judge(day, rows, stored, emptied_before=emptied, now=at)
        if verdict is Verdict.REPLACE:
            replace[day] = rows
            if stored is None:
                outcome.new_days += 1
            else:
                _restate(tx, outcome, day, stored=stored, rows=rows, at=at)
        elif verdict is Verdict.SAME:
            same.append(day)
        elif verdict is Verdict.DOUBT:
            usage_queries.mark_emptied(tx, account, day, at)
            outcome.notes.append(f"{day} came back without its rows; kept until it does so again")
        else:
            outcome.notes.append(f"{day} has no rows yet; it stays unknown until it settles")
    usage_queries.replace_days(tx, account, replace, at)
    usage_queries.mark_read(tx, account, same, at)
    outcome.rows = sum(len(rows) for rows in activity.days.values())


def _restate(
    tx: sqlite3.Connection,
    outcome: Outcome,
    day: date,
    *,
    stored: Sequence[Usage],
    rows: Sequence[Usage],
    at: datetime,
) -> None:
    if sorted(stored) == sorted(rows):
        return
    usage_queries.record_change(tx, outcome.account, day, before=stored, after=rows, at=at)
    before, after = (Usd.total(Usd(row.cost) for row in each) for each in (stored, rows))
    outcome.restated.append(Restated(day, before, after))


def _split_by_key(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    outcome: Outcome,
    progress: Progress,
) -> None:
    """Read what each key used on the days whose split is not known yet.

    A failure here is a remark, not a failed refresh: the account's own rows are complete without
    it, and the days stay marked for the next time.
    """
    account, provider, today = source.account.name, source.provider, utc_day(now())
    with store.reading() as tx:
        since = today - timedelta(days=provider.window_days)
        days = key_queries.days_without_keys(tx, account, since)
    if not days:
        return
    progress("keys")
    asked = None if len(days) >= _MANY_DAYS else days
    try:
        keys = provider.list_keys(source.client)
        by_key = {
            key.ident: provider.read_key_activity(source.client, key.ident, asked, today)
            for key in keys
            if key.used
        }
    except CostCompassError as error:
        outcome.notes.append(f"usage by key was not read: {error}")
        return
    with store.writing() as tx:
        key_queries.store_keys(tx, account, keys, by_key, days)
