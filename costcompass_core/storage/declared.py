"""Costs that people declare themselves: recurring ones beside `[[subscription]]`, one-off ones as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from costcompass_core.domain.declared import Declared
from costcompass_core.domain.money import Usd, plain
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.domain.usage import Usage
from costcompass_core.storage.codec import day_of, moment_text
from costcompass_core.storage.usage import DECLARED, remember_account, replace_days

_COLUMNS: Final = "id, name, amount, currency, per, start, until, provider"


def declare(tx: sqlite3.Connection, cost: Declared, at: datetime) -> int:
    """Store a declared cost and return its number."""
    cursor = tx.execute(
        "INSERT INTO declared (name, amount, currency, per, start, until, provider, added_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            cost.name,
            plain(cost.amount.amount),
            cost.currency,
            cost.per,
            cost.start.isoformat(),
            None if cost.until is None else cost.until.isoformat(),
            cost.provider,
            moment_text(at),
        ),
    )
    _rebuild(tx, cost.start, at)
    return int(cursor.lastrowid or 0)


def withdraw(tx: sqlite3.Connection, number: int, at: datetime) -> Declared | None:
    """Take out a declared cost and return what it was, `None` where there is none of that number."""
    found = next((one for one in declared(tx) if one.number == number), None)
    if found is not None:
        tx.execute("DELETE FROM declared WHERE id = ?", (number,))
        _rebuild(tx, found.start, at)
    return found


def declared(tx: sqlite3.Connection) -> list[Declared]:
    """Return every declared cost in the order they begin."""
    found = tx.execute(f"SELECT {_COLUMNS} FROM declared ORDER BY start, id")
    return [
        Declared(
            name,
            Usd(Decimal(amount)),
            currency,
            per,
            date.fromisoformat(start),
            day_of(until),
            provider,
            number,
        )
        for number, name, amount, currency, per, start, until, provider in found
    ]


def every_subscription(
    tx: sqlite3.Connection, configured: Sequence[Subscription]
) -> list[Subscription]:
    """Return the configured subscriptions and the recurring costs that were declared."""
    return [*configured, *(one.subscription() for one in declared(tx) if one.per != "once")]


def _rebuild(tx: sqlite3.Connection, day: date, at: datetime) -> None:
    """Write the rows of a day anew from the one-off costs that are declared for it."""
    remember_account(tx, DECLARED, DECLARED, "Declared costs", slow=True)
    rows = [
        Usage(
            day,
            one.name,
            one.name,
            f"declared cost {one.number}",
            one.provider or one.name,
            *(None,) * 5,
            cost=one.amount.amount,
            currency=one.currency,
            basis="declared",
            once=True,
        )
        for one in declared(tx)
        if one.per == "once" and one.start == day
    ]
    replace_days(tx, DECLARED, {day: rows}, at)
    if not rows:
        tx.execute(
            "DELETE FROM usage_day WHERE account = ? AND day = ?", (DECLARED, day.isoformat())
        )
