"""Balance readings as a time series."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from costcompass_core.domain.days import utc_day
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.usage import Balance
from costcompass_core.storage.codec import moment_of, moment_text, usd_of

NEAR: Final = timedelta(minutes=15)
"""How far from the edge of a period a reading may lie to stand for it: three default intervals."""

_FOREVER: Final = datetime.max.replace(tzinfo=UTC)


class Counter(NamedTuple):
    """A reading's moment (UTC) and its lifetime counters in USD.

    `used` is what usage took by then, `gone` all that left the balance, lost credits included.
    """

    at: datetime
    used: Usd
    gone: Usd


def add_balance(tx: sqlite3.Connection, account: str, balance: Balance, at: datetime) -> None:
    """Store one reading.

    `withdrawn` accumulates every fall of the purchased total (a refund, expired credits), so that
    what was lost between any two readings is one subtraction.
    """
    before = tx.execute(
        "SELECT purchased, withdrawn FROM balance WHERE account = ? AND at <= ?"
        " ORDER BY at DESC LIMIT 1",
        (account, moment_text(at)),
    ).fetchone()
    withdrawn = usd_of(before[1]) if before else ZERO
    if before and before[0] is not None and balance.purchased is not None:
        withdrawn += max(usd_of(before[0]) - balance.purchased, ZERO)
    tx.execute(
        "INSERT OR REPLACE INTO balance VALUES (?, ?, ?, ?, ?, ?)",
        (
            account,
            moment_text(at),
            balance.left.text(),
            _text(balance.purchased),
            _text(balance.used),
            withdrawn.text(),
        ),
    )


def _text(amount: Usd | None) -> str | None:
    return None if amount is None else amount.text()


def newest_balances(tx: sqlite3.Connection) -> list[AccountBalance]:
    """Return the newest reading of each account."""
    found = tx.execute(
        "SELECT name, (SELECT max(at) FROM balance WHERE account = name) AS newest FROM account"
        " WHERE newest IS NOT NULL ORDER BY name"
    ).fetchall()
    return [_balance(tx, account, at) for account, at in found]


def _balance(tx: sqlite3.Connection, account: str, at: str) -> AccountBalance:
    [left] = tx.execute(
        "SELECT remaining FROM balance WHERE account = ? AND at = ?", (account, at)
    ).fetchone()
    return AccountBalance(account, usd_of(left), datetime.fromisoformat(at))


def counter_near(tx: sqlite3.Connection, account: str, moment: datetime) -> Counter | None:
    """Return the reading closest to `moment`, `None` when none lies within `NEAR` of it."""
    found = tx.execute(
        "SELECT at, used, withdrawn FROM balance"
        " WHERE account = ? AND at BETWEEN ? AND ? AND used IS NOT NULL",
        (account, moment_text(moment - NEAR), moment_text(moment + NEAR)),
    )
    readings = [_counter(*row) for row in found]
    return min(readings, key=lambda one: abs(one.at - moment), default=None)


def first_counter(tx: sqlite3.Connection, account: str, since: datetime) -> Counter | None:
    """Return the first reading with a usage counter from `since` on."""
    found = tx.execute(
        "SELECT at, used, withdrawn FROM balance"
        " WHERE account = ? AND at >= ? AND used IS NOT NULL ORDER BY at LIMIT 1",
        (account, moment_text(since)),
    ).fetchone()
    return _counter(*found) if found else None


def newest_counter(
    tx: sqlite3.Connection, account: str, until: datetime = _FOREVER
) -> Counter | None:
    """Return the newest reading up to `until` that has a usage counter."""
    found = tx.execute(
        "SELECT at, used, withdrawn FROM balance"
        " WHERE account = ? AND at <= ? AND used IS NOT NULL ORDER BY at DESC LIMIT 1",
        (account, moment_text(until)),
    ).fetchone()
    return _counter(*found) if found else None


def _counter(at: str, used: str, withdrawn: str) -> Counter:
    taken = usd_of(used)
    return Counter(datetime.fromisoformat(at), taken, taken + usd_of(withdrawn))


def first_read_on(tx: sqlite3.Connection, account: str) -> date | None:
    """Return the UTC day of the first reading of an account's balance, `None` without any.

    Where a provider tells no balance, it is that of the oldest reading of its days.
    """
    [first] = tx.execute(
        "SELECT coalesce((SELECT min(at) FROM balance WHERE account = ?1),"
        " (SELECT min(read_at) FROM usage_day JOIN account ON name = account"
        " WHERE account = ?1 AND slow))",
        (account,),
    ).fetchone()
    at = moment_of(first)
    return None if at is None else utc_day(at)
