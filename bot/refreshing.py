"""From an account's name to a finished refresh: reveal its key, make its client, run the use case.

Shared by the daemon and by the one-shot commands, which differ only in who waits and who watches.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

from bot import logs
from bot.config import Config
from bot.words import money, plural, usd
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.base import Client
from costcompass_core.providers.http import Http, Limits
from costcompass_core.providers.pace import Pace
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.storage.refreshes import Part
from costcompass_core.storage.store import Store, open_store
from costcompass_core.storage.usage import keep_only_accounts
from costcompass_core.usecases.backfill import Filled, backfill
from costcompass_core.usecases.folder import leave_out_keyed, read_folder
from costcompass_core.usecases.refresh import BOTH, failure_noted, refresh_account
from costcompass_core.usecases.source import Outcome, Progress, Source
from costcompass_core.usecases.watch import Watch

Result = TypeVar("Result")
Wait = Callable[[float], bool]
"""Pauses that many seconds; true when the program is stopping."""

_AT_ONCE: Final = 8
"""Accounts that are read at the same time."""
_LIMITS: Final = Limits()
_PACES: Final[dict[str, Pace]] = {}
"""By provider: all accounts of a process share one, for limits can be by address."""


@contextmanager
def connected(
    account: Account,
    key: Secret,
    wait: Wait,
    now: Callable[[], datetime],
    limits: Limits = _LIMITS,
) -> Iterator[Source]:
    """Give a source that reads `account` with `key`, closed afterwards.

    Raises `WrongKeyType` for what plainly is another vendor's key, before anything is sent.
    """
    provider = PROVIDERS[account.provider]
    provider.check_form(logs.hide(key))
    pace = None
    if provider.analytics is not None:
        pace = _PACES.setdefault(provider.name, Pace(provider.analytics.per_minute))
    with ExitStack() as open_clients:

        def dial(base_url: str, headers: Mapping[str, str]) -> Client:
            client = Http(
                base_url,
                headers,
                wait=wait,
                limits=limits,
                pace=pace,
                options=account.options,
                refusals=provider.refusals,
            )
            return open_clients.enter_context(client)

        if provider.sign_in is not None:
            headers = provider.sign_in(key, dial, now())
        else:
            headers = provider.authorize(key)
        yield Source(account, provider, dial(account.base_url, headers))


def named(accounts: Collection[Account], name: str) -> list[Account]:
    """Return the accounts that `name` means: the one it names, or those behind any provider."""
    exact = [one for one in accounts if one.name == name]
    return exact or [one for one in accounts if one.name.partition("/")[2] == name]


def backfilled(accounts: Sequence[Account], *, by_name: bool) -> list[Account]:
    """Return the accounts that a backfill reads: those that can, or exactly the one that was named."""
    return [one for one in accounts if by_name or PROVIDERS[one.provider].analytics is not None]


def side_by_side(
    accounts: Sequence[Account], refresh_one: Callable[[Account], Result]
) -> list[Result]:
    """Refresh accounts at the same time, for they cannot hurt each other; answer in their order."""
    if len(accounts) < 2:
        return [refresh_one(one) for one in accounts]
    with ThreadPoolExecutor(min(len(accounts), _AT_ONCE), "refresh") as pool:
        return list(pool.map(refresh_one, accounts))


def own_accounts(tx: sqlite3.Connection, accounts: Collection[Account]) -> None:
    """Let go of accounts that are not configured, and of what a file said of one read by key."""
    keep_only_accounts(tx, [account.name for account in accounts])
    leave_out_keyed(tx, _keyed(accounts))


def open_ledger(config: Config) -> Store:
    """Open the ledger for writing and let go of accounts that are no longer configured."""
    store = open_store(config.state_dir, config.backup.folder)
    try:
        with store.writing() as tx:
            own_accounts(tx, config.accounts)
    except BaseException:
        store.close()
        raise
    return store


def _keyed(accounts: Collection[Account]) -> list[Account]:
    """Return the accounts that are read by key, not from files."""
    return [one for one in accounts if PROVIDERS[one.provider].read_file is None]


def refresh(
    account: Account,
    reveal: Callable[[str], Secret],
    store: Store,
    now: Callable[[], datetime],
    *,
    wait: Wait,
    parts: Collection[Part] = BOTH,
    progress: Progress = lambda _: None,
    watch: Watch | None = None,
    beside: Collection[Account] = (),
) -> Outcome:
    """Refresh one account; whatever keeps it from being read is noted in the store and raised.

    `beside` are all accounts: what one of them reads by key is not taken from a file too.
    """
    provider = PROVIDERS[account.provider]
    parts = [one for one in parts if one in provider.parts]
    with failure_noted(account, store, now, parts, watch):
        if provider.read_file is not None:
            keyed = _keyed(beside)
            return read_folder(
                account, provider, store, now, keyed=keyed, progress=progress, watch=watch
            )
        with connected(account, reveal(account.secret_name), wait, now) as source:
            return refresh_account(source, store, now, parts, progress, watch=watch)


def fill(
    account: Account,
    reveal: Callable[[str], Secret],
    store: Store,
    now: Callable[[], datetime],
    *,
    days: int,
    wait: Wait,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Fill in old days of one account; return what was stored, and any error, as JSON values."""
    try:
        with connected(account, reveal(account.secret_name), wait, now) as source:
            return filled_shape(backfill(source, store, now, days, progress))
    except CostCompassError as error:
        return failure_shape(account.name, error)


def filled_line(filled: Filled) -> str:
    """Return what a backfill stored and where the rest comes from, in one line."""
    told = f"{plural(filled.days, 'day')} filled in from analytics"
    if filled.first and filled.last:
        told += f" ({filled.first} to {filled.last})"
    told += f": {plural(filled.rows, 'row')}, {usd(filled.cost)}"
    if filled.declined:
        told += f"; {filled.declined} is not on offer any more"
    if filled.known:
        told += f"; {plural(filled.known, 'day')} already known"
    return f"{told}; the newest {plural(filled.feed_days, 'day')} come from the activity feed"


def filled_shape(filled: Filled) -> dict[str, Any]:
    """Return what a backfill stored as JSON values; money is text with every digit."""
    shape: dict[str, Any] = {
        "account": filled.account,
        "ok": filled.error is None,
        "days": filled.days,
        "rows": filled.rows,
        "cost_usd": filled.cost.text(),
        "from": str(filled.first) if filled.first else None,
        "to": str(filled.last) if filled.last else None,
        "known_days": filled.known,
        "feed_days": filled.feed_days,
        "source": "analytics",
        "line": filled_line(filled),
        "error": None,
    }
    if filled.error is not None:
        kept = ""
        if filled.days:
            kept = f"; {plural(filled.days, 'day')} stored before that, run it again for the rest"
        shape |= {"error": str(filled.error) + kept, "exit": filled.error.exit_code}
    return shape


def outcome_line(outcome: Outcome) -> str:
    """Return what a refresh changed, in one line."""
    told = [f"{outcome.rows} rows", f"{outcome.new_days} new days"]
    told += [f"{one.day} restated {usd(one.before)} → {usd(one.after)}" for one in outcome.restated]
    if outcome.balance is not None:
        told.append(f"balance {usd(outcome.balance.left)}")
    told += [f"balance {money(one.total, one.currency)}" for one in outcome.purses]
    return ", ".join(told + outcome.notes)


def outcome_shape(outcome: Outcome) -> dict[str, Any]:
    """Return what a refresh changed as JSON values; money is text with every digit."""
    return {
        "account": outcome.account,
        "ok": True,
        "rows": outcome.rows,
        "new_days": outcome.new_days,
        "restated": [
            {"day": str(one.day), "before_usd": one.before.text(), "after_usd": one.after.text()}
            for one in outcome.restated
        ],
        "balance_usd": outcome.balance.left.text() if outcome.balance else None,
        "notes": outcome.notes,
        "line": outcome_line(outcome),
        "error": None,
    }


def failure_shape(account: str, error: CostCompassError) -> dict[str, Any]:
    """Return a failed refresh as JSON values; `exit` is what a command exits with for it."""
    return {"account": account, "ok": False, "error": str(error), "exit": error.exit_code}
