"""Usage of single inference keys, read beside the account's own rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from costcompass_core.domain.money import plain
from costcompass_core.domain.reports import Amounts, grouped
from costcompass_core.domain.usage import Activity, ApiKey


def days_without_keys(tx: sqlite3.Connection, account: str, since: date) -> list[date]:
    """Return the stored UTC days since `since` whose split by key is not read yet."""
    found = tx.execute(
        "SELECT day FROM usage_day WHERE account = ? AND day >= ? AND NOT keyed ORDER BY day",
        (account, since.isoformat()),
    )
    return [date.fromisoformat(row[0]) for row in found]


def store_keys(
    tx: sqlite3.Connection,
    account: str,
    keys: Iterable[ApiKey],
    by_key: Mapping[str, Activity],
    days: Iterable[date],
) -> None:
    """Store the names of `keys` and what each used on `days`, which then count as split.

    A day that `by_key` does not speak of stays for the next time.
    """
    tx.executemany(
        "INSERT OR REPLACE INTO api_key VALUES (?, ?, ?)",
        [(account, key.ident, key.name) for key in keys],
    )
    for day in days:
        if not all(day in activity.days for activity in by_key.values()):
            continue
        for ident, activity in by_key.items():
            rows = activity.days[day]
            amounts = (Amounts(row.model, row.cost, row.byok_cost, *row[5:10]) for row in rows)
            _replace_day(tx, account, ident, day, grouped(amounts))
        tx.execute(
            "UPDATE usage_day SET keyed = 1 WHERE account = ? AND day = ?",
            (account, day.isoformat()),
        )


def _replace_day(
    tx: sqlite3.Connection, account: str, ident: str, day: date, rows: Iterable[Amounts]
) -> None:
    place = (account, day.isoformat(), ident)
    tx.execute("DELETE FROM key_usage WHERE account = ? AND day = ? AND key = ?", place)
    tx.executemany(
        "INSERT INTO key_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*place, row.name, *row[3:8], plain(row.cost), plain(row.byok_cost)) for row in rows],
    )


def key_amounts(
    tx: sqlite3.Connection, first: date, last: date, models: str | None
) -> list[Amounts]:
    """Return what each key used from `first` to `last`, under its display name.

    `models` is a JSON array of the model names to keep (`None`: all). Two keys of one name get
    their account and a piece of their hash beside it, so that neither hides the other.
    """
    found = tx.execute(
        "SELECT u.account, u.key, coalesce(k.name, ''), u.cost, u.byok_cost, requests,"
        " prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens"
        " FROM key_usage u LEFT JOIN api_key k ON k.account = u.account AND k.key = u.key"
        " WHERE u.account IN (SELECT name FROM account) AND day BETWEEN ? AND ? AND (?3 IS NULL OR model IN (SELECT value FROM json_each(?3)))",
        (first.isoformat(), last.isoformat(), models),
    ).fetchall()
    owners: dict[str, set[tuple[str, str]]] = {}
    for account, key, name, *_ in found:
        owners.setdefault(name, set()).add((account, key))
    return [
        Amounts(
            name if name and len(owners[name]) == 1 else f"{name or 'key'} ({account} {key[:6]})",
            Decimal(cost),
            Decimal(byok),
            *counts,
        )
        for account, key, name, cost, byok, *counts in found
    ]
