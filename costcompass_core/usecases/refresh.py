"""Refresh one account: plan from what is stored, read, then commit it in one transaction.

The network comes before the transaction and nobody here holds a key: `client` is made by whoever
opened the vault. A refresh that cannot be read whole changes nothing that was stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from costcompass_core.domain.accounts import Account
from costcompass_core.domain.days import ONE_DAY, utc_day
from costcompass_core.domain.errors import CostCompassError, StorageError
from costcompass_core.domain.money import Usd
from costcompass_core.domain.notices import (
    CreditsMove,
    Notice,
    credits_moved,
    new_model,
    restated,
    unexplained,
)
from costcompass_core.domain.reread import Verdict, days_to_ask, growing, judge, same_rows
from costcompass_core.domain.usage import USD, Activity, Balance, Purse, Reading, Usage
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.storage import usage as usage_queries
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.notice_views import (
    day_losses,
    first_uses,
    previous_credits,
    settled_days,
)
from costcompass_core.storage.refreshes import Part, note_failure, note_success
from costcompass_core.storage.store import Store
from costcompass_core.usecases.derive import store_purses
from costcompass_core.usecases.extras import read_extras
from costcompass_core.usecases.source import Outcome, Progress, Restated, Source
from costcompass_core.usecases.watch import Watch, look

BOTH: tuple[Part, ...] = ("balance", "activity")
LOSS_DAYS = 3
"""Newest UTC days that are looked at for losses which their usage does not explain."""


class NotStored(StorageError):
    """A reading came home and the database refused it; nothing of it is stored."""

    def __init__(self, error: StorageError, reading: Reading) -> None:
        """Keep the `reading`, for a balance that runs dry has to be told all the same."""
        super().__init__(error.what, error.mend)
        self.reading = reading


def refresh_account(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    parts: Collection[Part] = BOTH,
    progress: Progress = lambda _: None,
    *,
    watch: Watch | None = None,
) -> Outcome:
    """Read the account's `parts` and store them whole, or nothing of them.

    What `watch` is to be told of goes into the outbox in the same transaction. Raises what the
    provider's client raises (`KeyRejected`, `WrongKeyType`, `Unavailable`, `UnreadableAnswer`),
    `NotStored`, and `StorageError` before anything was read.
    """
    reading = _read(source, store, now, parts, progress)
    try:
        outcome = commit(source.account, store, reading, watch)
    except StorageError as error:
        raise NotStored(error, reading) from error
    read_extras(source, store, now, outcome, parts=parts, progress=progress)
    return outcome


@contextmanager
def failure_noted(
    account: Account,
    store: Store,
    now: Callable[[], datetime],
    parts: Collection[Part],
    watch: Watch | None = None,
) -> Iterator[None]:
    """Note in the store whatever error ends the block, and let it go on."""
    try:
        yield
    except StorageError:
        raise  # where nothing can be written, no failure can be noted either
    except CostCompassError as error:
        with store.writing() as tx:
            _remember(tx, account)
            for part in parts:
                note_failure(tx, account.name, part, now(), error)
            if watch is not None:
                look(tx, watch, now())
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
    activity: Activity | None = None
    if "activity" in parts and provider.read_activity is not None:
        progress("activity")
        today = utc_day(now())
        with store.reading() as tx:
            read = usage_queries.day_states(tx, source.account.name)
        days = days_to_ask(read, today, provider.window_days, provider.reread_days)
        activity = provider.read_activity(client, days, today)
        if days is None and not any(activity.days.values()):
            # A glitch looks like an empty account; a first read believes it only twice.
            activity = provider.read_activity(client, days, today)
    balance: Balance | None = None
    purses: tuple[Purse, ...] = ()
    unpaid = False
    if "balance" in parts:
        progress("balance")
        if provider.read_balance is not None:
            balance = provider.read_balance(client)
            unpaid = balance is None
        if provider.read_purses is not None:
            purses = provider.read_purses(client)
    return Reading(now(), balance, activity, purses, unpaid)


def commit(
    account: Account,
    store: Store,
    reading: Reading,
    watch: Watch | None = None,
) -> Outcome:
    """Store what was read and what follows from it, in one transaction. Raises `StorageError`."""
    provider = PROVIDERS[account.provider]
    outcome = Outcome(account.name, reading.balance, purses=reading.purses, slow=provider.slow)
    with store.writing() as tx:
        _remember(tx, account)
        if reading.activity is not None:
            outcome.notes.extend(reading.activity.notes)
            _store_activity(tx, reading.activity, reading.at, outcome, provider.final_after)
            note_success(tx, account.name, "activity", reading.at)
        notices: list[Notice | None] = []
        if reading.balance is not None:
            if watch is not None:
                notices.append(_credits(tx, account.name, reading.balance, reading.at, watch))
            add_balance(tx, account.name, reading.balance, reading.at)
            note_success(tx, account.name, "balance", reading.at)
        if reading.unpaid:
            note_success(tx, account.name, "balance", reading.at)
        if reading.purses:
            store_purses(tx, account.name, provider.title, reading, outcome)
        if watch is not None:
            notices += _history(tx, outcome, reading, watch)
            just_read = account.name if outcome.new_days or outcome.restated else None
            look(tx, watch, reading.at, [one for one in notices if one], just_read)
    return outcome


def _remember(tx: sqlite3.Connection, account: Account) -> None:
    provider = PROVIDERS[account.provider]
    title, slow = provider.title, provider.slow
    usage_queries.remember_account(tx, account.name, account.provider, title, slow=slow)


def _credits(
    tx: sqlite3.Connection, account: str, balance: Balance, at: datetime, watch: Watch
) -> Notice | None:
    before = previous_credits(tx, account, at)
    if before is None or balance.purchased is None:
        return None
    move = CreditsMove(account, before, balance.purchased, balance.left, at)
    return credits_moved(move, watch.limits.notice_above)


def _history(
    tx: sqlite3.Connection, outcome: Outcome, reading: Reading, watch: Watch
) -> list[Notice | None]:
    """Return days restated or with a loss that their rows don't explain, and new models."""
    if reading.activity is None:
        return []
    account, floor, at = outcome.account, watch.limits.notice_above, reading.at
    since = utc_day(at) - LOSS_DAYS * ONE_DAY
    return [
        restated(account, one.day, before=one.before, after=one.after, at=at, floor=floor)
        for one in outcome.restated
        if one.settled
    ] + [
        *(unexplained(loss, at, floor) for loss in day_losses(tx, account, since)),
        *(new_model(one, at, floor) for one in first_uses(tx, account, at)),
    ]


def _store_activity(
    tx: sqlite3.Connection,
    activity: Activity,
    at: datetime,
    outcome: Outcome,
    final_after: timedelta,
) -> None:
    account = outcome.account
    states = usage_queries.day_states(tx, account)
    settled = settled_days(tx, account, min(activity.days, default=utc_day(at)))
    replace: dict[date, Sequence[Usage]] = {}
    same: list[date] = []
    for day, rows in activity.days.items():
        state = states.get(day)
        stored = None if state is None else usage_queries.day_rows(tx, account, day)
        emptied = state is not None and state.emptied
        verdict = judge(day, rows, stored, emptied_before=emptied, now=at, final_after=final_after)
        if verdict is Verdict.REPLACE:
            replace[day] = rows
            if stored is None:
                outcome.new_days += 1
            else:
                _restate(tx, outcome, day, stored=stored, rows=rows, at=at, settled=day in settled)
        elif verdict is Verdict.SAME:
            same.append(day)
        elif verdict is Verdict.DOUBT:
            usage_queries.mark_emptied(tx, account, day, at)
            outcome.notes.append(f"{day} came back without its rows; kept until it does so again")
        else:
            outcome.notes.append(f"{day} has no rows yet; it stays unknown until it settles")
    later = growing(activity.days, at, final_after)
    usage_queries.replace_days(tx, account, replace, at, growing=later)
    usage_queries.mark_read(tx, account, same, at, later)
    outcome.rows = sum(len(rows) for rows in activity.days.values())


def _restate(
    tx: sqlite3.Connection,
    outcome: Outcome,
    day: date,
    *,
    stored: Sequence[Usage],
    rows: Sequence[Usage],
    at: datetime,
    settled: bool,
) -> None:
    if same_rows(stored, rows):
        return
    usage_queries.record_change(
        tx,
        outcome.account,
        day,
        before=stored,
        after=rows,
        at=at,
        settled=settled or not outcome.slow,
    )
    before, after = (
        Usd.total(Usd(row.cost) for row in each if row.currency == USD) for each in (stored, rows)
    )
    outcome.restated.append(Restated(day, before, after, settled))
