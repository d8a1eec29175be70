"""Reading usage for reports: whole months from the rollup, the days at the edges from the rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from costcompass_core.domain.burn import History
from costcompass_core.domain.days import ONE_DAY, Month, missing
from costcompass_core.domain.money import Usd, exact_sum
from costcompass_core.domain.query import Dimension
from costcompass_core.domain.reports import Amounts
from costcompass_core.storage.codec import day_of, sum_of, usd_of
from costcompass_core.storage.usage import AMOUNTS, COUNTS, SUMS

NAMES: Final[dict[Dimension, str]] = {
    "model": "model",
    "host": "host",
    "day": "day",
    "account": "account",
    "provider": "(SELECT provider FROM account WHERE name = account)",
    "key": "''",  # rows do not know their key; `storage.keys` does
}
"""What each dimension groups rows by, as SQL."""


class _Source(NamedTuple):
    """A table, the column its time is in, and the range of it to read (both included)."""

    table: str
    column: str
    first: str
    last: str


def amounts(
    tx: sqlite3.Connection, first: date, last: date, by: Dimension, models: str | None
) -> list[Amounts]:
    """Return the account's reported usage from `first` to `last`, grouped by a dimension.

    `models` is a JSON array of the model names to keep (`None`: all). A name can come more than
    once, from different months: `domain.reports.grouped` adds them up.
    """
    return [
        Amounts(row[0] or "", sum_of(row[6]), sum_of(row[7]), *row[1:6])
        for source in _sources(tx, first, last, by, models)
        for row in tx.execute(
            f"SELECT {NAMES[by]} AS name, {SUMS}, {AMOUNTS} FROM {source.table}"
            f" WHERE account IN (SELECT name FROM account) AND {source.column} BETWEEN ?1 AND ?2"
            + ("" if models is None else " AND model IN (SELECT value FROM json_each(?3))")
            + " GROUP BY name",
            (source.first, source.last, *(() if models is None else (models,))),
        )
    ]


def _sources(
    tx: sqlite3.Connection, first: date, last: date, by: Dimension, models: str | None
) -> Iterator[_Source]:
    """Yield the tables that cover the range, each row of usage once."""
    if by == "day":
        table = "usage_day" if models is None else "usage"
        yield _Source(table, "day", first.isoformat(), last.isoformat())
        return
    [newest] = tx.execute("SELECT max(day) FROM usage_day").fetchone()
    reaches_all = newest is None or last.isoformat() >= newest
    start = Month.of(first) if first.day == 1 else Month.of(first).next
    end = Month.of(last) if reaches_all or last == Month.of(last).last else Month.of(last).previous
    if start > end:
        yield _Source("usage", "day", first.isoformat(), last.isoformat())
        return
    yield _Source("usage_month", "month", start.text(), end.text())
    if first < start.first:
        yield _Source("usage", "day", first.isoformat(), (start.first - ONE_DAY).isoformat())
    if last > end.last:
        yield _Source("usage", "day", (end.last + ONE_DAY).isoformat(), last.isoformat())


def costs(
    tx: sqlite3.Connection, first: date, last: date, by: Dimension, models: str | None
) -> dict[str, Usd]:
    """Return what `amounts` does, but only the USD under each name."""
    found: dict[str, Usd] = {}
    for source in _sources(tx, first, last, by, models):
        for name, joined in tx.execute(
            f"SELECT {NAMES[by]} AS name, group_concat(cost, ' ') FROM {source.table}"
            f" WHERE account IN (SELECT name FROM account) AND {source.column} BETWEEN ?1 AND ?2"
            + ("" if models is None else " AND model IN (SELECT value FROM json_each(?3))")
            + " GROUP BY name",
            (source.first, source.last, *(() if models is None else (models,))),
        ):
            cost = Usd(sum_of(joined))
            found[name or ""] = found[name or ""] + cost if name in found else cost
    return found


def spent_by_day(
    tx: sqlite3.Connection, first: date, last: date, models: str | None
) -> dict[date, Usd]:
    """Return what was spent on each UTC day with rows (USD); `models` as for `amounts`."""
    spent = amounts(tx, first, last, "day", models)
    return {date.fromisoformat(one.name): Usd(one.cost) for one in spent}


def spent_by_month(
    tx: sqlite3.Connection, first: date, last: date, models: str | None
) -> dict[date, Usd]:
    """Return what was spent in each calendar month (USD) under its first day of the range."""
    costs: dict[date, list[Decimal]] = {}
    for source in _sources(tx, first, last, "model", models):
        for name, joined in tx.execute(
            f"SELECT substr({source.column}, 1, 7) AS name, group_concat(cost, ' ')"
            f" FROM {source.table}"
            f" WHERE account IN (SELECT name FROM account) AND {source.column} BETWEEN ?1 AND ?2"
            + ("" if models is None else " AND model IN (SELECT value FROM json_each(?3))")
            + " GROUP BY name",
            (source.first, source.last, *(() if models is None else (models,))),
        ):
            begun = max(date.fromisoformat(f"{name}-01"), first)
            costs.setdefault(begun, []).append(sum_of(joined))
    return {month: Usd(exact_sum(some)) for month, some in costs.items()}


def host_amounts(tx: sqlite3.Connection, first: date, last: date) -> dict[str, list[Amounts]]:
    """Return the usage of each model from `first` to `last` by host, under the hosts' names."""
    found: dict[str, list[Amounts]] = {}
    for model, host, *counts, cost, byok in tx.execute(
        f"SELECT model, host, {SUMS}, {AMOUNTS} FROM usage"
        " WHERE account IN (SELECT name FROM account) AND day BETWEEN ? AND ?"
        " GROUP BY model, host",
        (first.isoformat(), last.isoformat()),
    ):
        amount = Amounts(host, sum_of(cost), sum_of(byok), *counts)
        found.setdefault(model, []).append(amount)
    return found


def model_names(tx: sqlite3.Connection) -> list[str]:
    """Return every model that was ever used."""
    found = tx.execute(
        "SELECT DISTINCT model FROM usage_month WHERE account IN (SELECT name FROM account)"
    )
    return [row[0] for row in found]


def models_json(names: list[str]) -> str:
    """Return the JSON array that the queries here take as a set of models."""
    return json.dumps(names)


def histories(tx: sqlite3.Connection, since: date) -> dict[str, History]:
    """Return each account's spend per read UTC day since `since`, and the day it all began."""
    began = {
        account: day_of(first)
        for account, first in tx.execute(
            "SELECT account, min(day) FROM usage_day WHERE rows > 0 GROUP BY account"
        )
    }
    spent: dict[str, dict[date, Usd]] = {}
    for account, day, cost in tx.execute(
        "SELECT account, day, cost FROM usage_day"
        " WHERE account IN (SELECT name FROM account) AND day >= ?",
        (since.isoformat(),),
    ):
        spent.setdefault(account, {})[date.fromisoformat(day)] = usd_of(cost)
    return {account: History(days, began.get(account)) for account, days in spent.items()}


def read_days(tx: sqlite3.Connection, account: str, first: date, last: date) -> set[date]:
    """Return the UTC days of the range that were read for the account."""
    found = tx.execute(
        "SELECT day FROM usage_day WHERE account = ? AND day BETWEEN ? AND ?",
        (account, first.isoformat(), last.isoformat()),
    )
    return {date.fromisoformat(row[0]) for row in found}


def unread_days(
    tx: sqlite3.Connection, days: Sequence[date], accounts: Iterable[str]
) -> tuple[date, ...]:
    """Return those of `days`, in order, that at least one of the accounts was never read for."""
    if not days:
        return ()
    unread = {
        day
        for account in accounts
        for day in missing(days, read_days(tx, account, min(days), max(days)))
    }
    return tuple(sorted(unread))


def day_cost(tx: sqlite3.Connection, account: str, day: date) -> Usd | None:
    """Return what an account's rows of a UTC day add up to (USD), `None` where it was never read."""
    found = tx.execute(
        "SELECT cost FROM usage_day WHERE account = ? AND day = ?", (account, day.isoformat())
    ).fetchone()
    return usd_of(found[0]) if found else None


def first_day(tx: sqlite3.Connection) -> date | None:
    """Return the first UTC day that was ever read.

    Days without rows that only analytics speak of do not count before the first with rows: they
    may be from before the account was opened.
    """
    [found] = tx.execute(
        "SELECT coalesce(min(day) FILTER (WHERE rows > 0 OR source = 'activity'), min(day))"
        " FROM usage_day"
    ).fetchone()
    return day_of(found)


def spent_between(tx: sqlite3.Connection, account: str, first: date, last: date) -> Usd:
    """Return the USD that an account's rows add up to from `first` to `last`."""
    [joined] = tx.execute(
        "SELECT group_concat(cost, ' ') FROM usage_day WHERE account = ? AND day BETWEEN ? AND ?",
        (account, first.isoformat(), last.isoformat()),
    ).fetchone()
    return Usd(sum_of(joined))


def every_row(tx: sqlite3.Connection, first: str, last: str) -> Iterator[tuple[object, ...]]:
    """Yield all stored rows of the range of ISO days, in order, amounts as reported."""
    yield from tx.execute(
        f"SELECT day, account, coalesce(provider, ''), model, permaslug, endpoint, host, {COUNTS},"
        " cost, byok_cost FROM usage LEFT JOIN account a ON a.name = account"
        " WHERE day BETWEEN ? AND ? ORDER BY day, account, model, permaslug, endpoint",
        (first, last),
    )
