"""Reading usage for reports: whole months from the rollup, the days at the edges from the rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from costcompass_core.domain.burn import History
from costcompass_core.domain.days import ONE_DAY, Month, missing
from costcompass_core.domain.money import Usd, exact_sum
from costcompass_core.domain.purses import UNATTRIBUTED
from costcompass_core.domain.query import Dimension
from costcompass_core.domain.reports import BETWEEN, Amounts
from costcompass_core.domain.usage import USD
from costcompass_core.storage.accounts import slow_spans
from costcompass_core.storage.codec import day_of, sum_of, usd_of
from costcompass_core.storage.usage import AMOUNTS, COUNTS, DECLARED, SUMS

Grouping = Dimension | Literal["offer", "part"]
"""What rows can be grouped by; an offer is a model as one provider sells it, a part as one account uses it."""
PROVIDER: Final = "(SELECT provider FROM account WHERE name = account)"
NAMES: Final[dict[Grouping, str]] = {
    "model": "model",
    "host": "host",
    "day": "day",
    "account": "account",
    "provider": PROVIDER,
    "service": f"CASE {PROVIDER} WHEN 'openrouter' THEN 'OpenRouter' ELSE host END",
    "offer": f"{PROVIDER} || '{BETWEEN}' || model",
    "part": f"account || '{BETWEEN}' || model",
    "key": "''",  # rows do not know their key; `storage.keys` does
}
"""What each dimension groups rows by, as SQL."""
IN_DOLLARS: Final = (
    "d.rows > 0 AND EXISTS (SELECT 1 FROM usage u WHERE u.account = d.account AND u.day = d.day)"
)
"""Whether a day `d` of `usage_day` has rows in USD."""


_COUNTS_OF_ROW: Final = ", ".join(f"c.{name}" for name in COUNTS.split(", "))


class _Source(NamedTuple):
    """A table, the column its time is in, and the range of it to read (both included)."""

    table: str
    column: str
    first: str
    last: str


def amounts(
    tx: sqlite3.Connection, first: date, last: date, by: Grouping, models: str | None
) -> list[Amounts]:
    """Return the accounts' usage in USD from `first` to `last`, grouped by a dimension.

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
    tx: sqlite3.Connection, first: date, last: date, by: Grouping, models: str | None
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
    tx: sqlite3.Connection, first: date, last: date, by: Grouping, models: str | None
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
    """Return each account's spend per final UTC day since `since`, and the day it all began.

    What happens once stands apart: it says nothing of the days to come. Nor does a day, wherefore it
    is left out, that ends a time in which nobody looked at a balance: what it cost is not known. A
    slow account that never cost a dollar has no history in dollars.
    """
    began = {
        account: day_of(first)
        for account, first in tx.execute(
            f"SELECT name, (SELECT day FROM usage_day d WHERE account = name AND {IN_DOLLARS}"
            " ORDER BY day LIMIT 1) FROM account"
        )
    }
    spent: dict[str, dict[date, Usd]] = {}
    apart: dict[str, dict[date, Usd]] = {}
    for account, day, cost, once in tx.execute(
        "SELECT account, day, cost, once FROM usage_day WHERE final AND day >= ?"
        " AND account IN (SELECT name FROM account WHERE name != ? AND NOT (slow AND NOT EXISTS"
        " (SELECT 1 FROM usage u WHERE u.account = name)))",
        (since.isoformat(), DECLARED),
    ):
        usual = usd_of(cost)
        if once != "0":
            usual -= usd_of(once)
            apart.setdefault(account, {})[date.fromisoformat(day)] = usd_of(once)
        spent.setdefault(account, {})[date.fromisoformat(day)] = usual
    for account, day, currency in unseen(tx, since):
        if currency == USD and account in spent:
            spent[account].pop(day, None)
    return {
        account: History(days, began.get(account), apart.get(account, {}))
        for account, days in spent.items()
    }


def unseen(tx: sqlite3.Connection, since: date) -> set[tuple[str, date, str]]:
    """Return account, UTC day and currency of what a balance lost while nobody looked for days."""
    found = tx.execute(
        "SELECT account, day, currency FROM cost WHERE account IN"
        " (SELECT name FROM account a WHERE EXISTS (SELECT 1 FROM purse p WHERE p.account = a.name))"
        " AND day >= ? AND endpoint = ?",
        (since.isoformat(), UNATTRIBUTED),
    )
    return {(account, date.fromisoformat(day), currency) for account, day, currency in found}


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
    """Return those of `days`, in order, that at least one of the accounts was never read for.

    Of a slow account, only gaps between its first and its newest day count.
    """
    if not days:
        return ()
    first, last, unread = min(days), max(days), set()
    slow = slow_spans(tx)
    for account in accounts:
        read = read_days(tx, account, first, last)
        since, until = slow.get(account, (first, last))
        unread |= {day for day in missing(days, read) if since <= day <= until}
    return tuple(sorted(unread))


def day_cost(tx: sqlite3.Connection, account: str, day: date) -> Usd | None:
    """Return what an account's rows of a UTC day add up to (USD), `None` where it was never read."""
    found = tx.execute(
        "SELECT cost FROM usage_day WHERE account = ? AND day = ?", (account, day.isoformat())
    ).fetchone()
    return usd_of(found[0]) if found else None


def first_day(tx: sqlite3.Connection) -> date | None:
    """Return the first UTC day that was ever read.

    Days without rows that only analytics or slow providers speak of do not count before the first
    with rows: they may be from before the account was opened.
    """
    own = "SELECT day FROM usage_day WHERE account = name"
    [found] = tx.execute(
        f"SELECT coalesce(min(({own} AND (rows > 0 OR (source = 'activity' AND NOT slow))"
        f" ORDER BY day LIMIT 1)), min(({own} ORDER BY day LIMIT 1))) FROM account"
    ).fetchone()
    return day_of(found)


def day_costs(tx: sqlite3.Connection, account: str, day: date) -> list[tuple[str, str, Decimal]]:
    """Return model, currency and cost (major units) of an account's rows of a UTC day."""
    found = tx.execute(
        "SELECT model, currency, group_concat(cost, ' ') FROM cost WHERE account = ? AND day = ?"
        " GROUP BY model, currency",
        (account, day.isoformat()),
    )
    return [(model, currency, sum_of(costs)) for model, currency, costs in found]


def spent_between(tx: sqlite3.Connection, account: str, first: date, last: date) -> Usd:
    """Return the USD that an account's rows add up to from `first` to `last`."""
    [joined] = tx.execute(
        "SELECT group_concat(cost, ' ') FROM usage_day WHERE account = ? AND day BETWEEN ? AND ?",
        (account, first.isoformat(), last.isoformat()),
    ).fetchone()
    return Usd(sum_of(joined))


def every_row(tx: sqlite3.Connection, first: str, last: str) -> Iterator[tuple[object, ...]]:
    """Return all stored rows of the range of ISO days, in order, amounts as reported.

    The amount in USD is `NULL` for a row in another currency; the one in its own comes after.
    """
    # no generator: one that is left halfway would close its cursor after the connection is gone
    return tx.execute(
        "SELECT c.day, c.account, coalesce(provider, ''), model, permaslug, endpoint, host,"
        f" {_COUNTS_OF_ROW}, CASE WHEN currency = 'USD' THEN c.cost END, c.byok_cost, c.cost,"
        " currency, basis, coalesce(d.final, 1), c.once, coalesce(raw, c.cost), quantity, unit,"
        " cache_write_tokens, CASE WHEN c.source = '' THEN coalesce(d.source, '') ELSE c.source END"
        " FROM cost c LEFT JOIN account a ON a.name = c.account"
        " LEFT JOIN usage_day d ON d.account = c.account AND d.day = c.day"
        " WHERE c.day BETWEEN ? AND ?"
        " ORDER BY c.day, c.account, model, permaslug, endpoint, currency, c.source",
        (first, last),
    )
