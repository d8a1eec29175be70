"""Watch: ask the rules inside a transaction that changes the ledger, and write down what follows.

Reading, incidents and outgoing letters are committed together: nothing that was stored can be
forgotten to be told, and nothing is told that was not stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.errors import StorageError
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.incidents import TOP_UP_MENDS, Change, Incident
from costcompass_core.domain.money import Usd
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.reconcile import reconcile
from costcompass_core.domain.rules import findings
from costcompass_core.domain.rules.balance import balance_low, runway_short
from costcompass_core.domain.rules.views import AccountView, Finding, Key, Limits, SystemView, Today
from costcompass_core.domain.usage import Balance
from costcompass_core.storage.balance import newest_counter
from costcompass_core.storage.budget_views import budget_views
from costcompass_core.storage.incidents import keep, open_incidents, record
from costcompass_core.storage.outbox import Via, put
from costcompass_core.storage.store import Store
from costcompass_core.storage.views import account_views


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, since when, and by which ways people are told.

    `running` says that a daemon watches, which knows about the vault: `locked_since` is since when
    it has been waiting for the passphrase. A command beside it says nothing of the installation.
    """

    accounts: tuple[str, ...]
    since: datetime
    limits: Limits = field(default_factory=Limits)
    budgets: tuple[Budget, ...] = ()
    repeat_every: timedelta = timedelta(days=1)
    ways: tuple[Via, ...] = ("slack",)
    running: bool = False
    locked_since: datetime | None = None


def look(
    tx: sqlite3.Connection,
    watch: Watch,
    now: datetime,
    notices: Sequence[Notice] = (),
    just_read: str | None = None,
) -> None:
    """Ask every rule at `now`, reconcile the open incidents, and put what changed in the outbox.

    A top-up that ends an incident is told with its end, not beside it. Rules about models judge the
    account whose usage was `just_read`; nothing else changes what they find.
    """
    found = findings(
        account_views(tx, watch.accounts, now, watch.since, just_read),
        budget_views(tx, watch.budgets, watch.accounts, now),
        SystemView(now, watch.locked_since) if watch.running else None,
        watch.limits,
    )
    topped_up = {one.account: one.facts["amount"] for one in notices if one.rule == "top_up"}
    relieved = set()
    for change in reconcile(open_incidents(tx), found, now, watch.repeat_every, topped_up):
        rule, account, _ = change.incident.key
        if change.what == "noted":
            keep(tx, change.incident)
            continue
        if change.what == "resolved" and rule in TOP_UP_MENDS and account in topped_up:
            relieved.add(account)
            facts = {**change.incident.facts, "topped_up": topped_up[account]}
            change = replace(change, incident=replace(change.incident, facts=facts))  # noqa: PLW2901 - the same change, with its cause
        write_change(tx, change, now, watch.ways)
    for notice in notices:
        if not (notice.rule == "top_up" and notice.account in relieved):
            write_notice(tx, notice, watch.ways)


def write_change(
    tx: sqlite3.Connection, change: Change, now: datetime, ways: Sequence[Via]
) -> Incident:
    """Store what happened to an incident and put it into the outbox."""
    incident = record(tx, change, now)
    for via in ways:
        put(
            tx,
            via,
            f"incident:{incident.ident}:{incident.seq}",
            "incident",
            now,
            incident=incident.ident,
            seq=incident.seq,
            what=change.what,
        )
    return incident


def write_notice(tx: sqlite3.Connection, notice: Notice, ways: Sequence[Via]) -> None:
    """Put a notice into the outbox, once however often it is seen."""
    for via in ways:
        put(tx, via, notice.name, "notice", notice.at, notice=notice)


class Unrecorded(NamedTuple):
    """What a rule found in a reading that the database refused."""

    key: Key
    finding: Finding


def unrecorded(
    store: Store, watch: Watch, account: str, balance: Balance, now: datetime
) -> list[Unrecorded]:
    """Return the balance alerts of a reading that could not be stored, where they are news.

    What is stored still says what was told before; where it can't be read, nothing was.
    """
    reading = AccountBalance(account, balance.left, now)
    view, told = AccountView(account, now, watch.since, reading), dict[Key, int]()
    try:
        with store.reading() as tx:
            [stored] = account_views(tx, [account], now, watch.since)
            told = {one.key: one.level for one in open_incidents(tx)}
            today = _today_with(tx, stored.today, account, balance.used)
            view = replace(stored, balance=reading, today=today)
    except StorageError:
        pass
    found = [
        (Key(rule.__name__, account), rule(view, watch.limits))
        for rule in (balance_low, runway_short)
    ]
    return [Unrecorded(key, one) for key, one in found if one and one.level > told.get(key, 0)]


def _today_with(
    tx: sqlite3.Connection, today: Today | None, account: str, used: Usd | None
) -> Today | None:
    """Return today's spend with what was used since the newest stored reading."""
    newest = newest_counter(tx, account)
    if today is None or newest is None or used is None:
        return today
    return replace(today, spent=today.spent + (used - newest.used))
