"""Writing usage: whole days replaced at once, rollups rebuilt beside them, changes kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

from costcompass_core.domain.money import exact_sum, plain
from costcompass_core.domain.reports import sum_counts
from costcompass_core.domain.usage import Usage
from costcompass_core.storage.codec import moment_text, sum_of

_COUNT_NAMES: Final = (
    "requests", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens",
)  # fmt: skip
COUNTS: Final = ", ".join(_COUNT_NAMES)


def sum_if_known(count: str) -> str:
    """Return the SQL of a sum of counts; one over anything unreported is itself unknown."""
    return f"CASE WHEN COUNT({count}) = COUNT(*) THEN SUM({count}) END"


SUMS: Final = ", ".join(map(sum_if_known, _COUNT_NAMES))
AMOUNTS: Final = "group_concat(cost, ' '), group_concat(nullif(byok_cost, '0'), ' ')"
"""Amounts leave SQL as joined text, because only Python adds them without rounding."""


Source = Literal["activity", "analytics"]
"""Which of a provider's two ways to completed days gave one; `activity` wins."""


@dataclass(frozen=True, slots=True)
class DayState:
    """What is stored of one UTC day: how many rows, and whether it came back empty since."""

    rows: int
    emptied: bool


def remember_account(tx: sqlite3.Connection, account: str, provider: str) -> None:
    """Note which provider an account belongs to."""
    tx.execute("INSERT OR REPLACE INTO account VALUES (?, ?)", (account, provider))


def keep_only_accounts(tx: sqlite3.Connection, names: Sequence[str]) -> None:
    """Let accounts that are no longer configured leave every answer; their rows stay stored.

    Otherwise one that nobody refreshes any more would hold all totals back at its last day.
    """
    marks = ", ".join("?" * len(names))
    tx.execute(f"DELETE FROM account WHERE name NOT IN ({marks})", tuple(names))


def day_states(tx: sqlite3.Connection, account: str) -> dict[date, DayState]:
    """Return every UTC day that the activity feed ever gave for the account."""
    found = tx.execute(
        "SELECT day, rows, emptied_at IS NOT NULL FROM usage_day"
        " WHERE account = ? AND source = 'activity'",
        (account,),
    )
    return {date.fromisoformat(day): DayState(rows, bool(gone)) for day, rows, gone in found}


def day_rows(tx: sqlite3.Connection, account: str, day: date) -> list[Usage]:
    """Return the stored rows of one UTC day."""
    found = tx.execute(
        f"SELECT model, permaslug, endpoint, host, {COUNTS}, cost, byok_cost"
        " FROM usage WHERE account = ? AND day = ?",
        (account, day.isoformat()),
    )
    return [Usage._make((day, *row[:9], Decimal(row[9]), Decimal(row[10]))) for row in found]


def replace_days(
    tx: sqlite3.Connection,
    account: str,
    days: Mapping[date, Sequence[Usage]],
    at: datetime,
    source: Source = "activity",
) -> None:
    """Store each day's rows in place of what was there, with day and month rollups.

    What its keys used is forgotten with them, for it was a split of those rows. Keys are only
    asked about days of the activity feed.
    """
    for table in ("usage", "key_usage"):
        tx.executemany(
            f"DELETE FROM {table} WHERE account = ? AND day = ?",
            [(account, day.isoformat()) for day in days],
        )
    read_at = moment_text(at)

    def keyed(rows: Sequence[Usage]) -> bool:
        return not rows or source != "activity"

    for day, rows in days.items():
        _insert_day(tx, account, day.isoformat(), rows)
        tx.execute(
            f"INSERT OR REPLACE INTO usage_day VALUES (?, ?, ?, NULL, ?, ?, {_marks(7)}, ?)",
            (account, day.isoformat(), read_at, len(rows), keyed(rows), *_sums(rows), source),
        )
    for month in {day.isoformat()[:7] for day in days}:
        _rebuild_month(tx, account, month)


def add_past(
    tx: sqlite3.Connection, account: str, days: Mapping[date, Sequence[Usage]], at: datetime
) -> tuple[date, ...]:
    """Store days that analytics gave and return which; what the activity feed gave stays."""
    fed = day_states(tx, account)
    fresh = {day: rows for day, rows in days.items() if day not in fed}
    replace_days(tx, account, fresh, at, "analytics")
    return tuple(fresh)


def labels(tx: sqlite3.Connection, account: str) -> dict[str, str]:
    """Return which model each dated name (permaslug) of the account's activity stands for."""
    found = tx.execute(
        "SELECT permaslug, min(model) FROM usage JOIN usage_day d USING (account, day)"
        " WHERE account = ? AND d.source = 'activity' GROUP BY permaslug"
        " HAVING count(DISTINCT model) = 1",
        (account,),
    )
    return dict(found.fetchall())


def mark_read(tx: sqlite3.Connection, account: str, days: Iterable[date], at: datetime) -> None:
    """Note that the days were read again and said the same."""
    tx.executemany(
        "UPDATE usage_day SET read_at = ? WHERE account = ? AND day = ?",
        [(moment_text(at), account, day.isoformat()) for day in days],
    )


def mark_emptied(tx: sqlite3.Connection, account: str, day: date, at: datetime) -> None:
    """Note that a day with rows came back empty, once; its rows stay."""
    tx.execute(
        "UPDATE usage_day SET emptied_at = ? WHERE account = ? AND day = ?",
        (moment_text(at), account, day.isoformat()),
    )


def record_change(
    tx: sqlite3.Connection,
    account: str,
    day: date,
    *,
    before: Sequence[Usage],
    after: Sequence[Usage],
    at: datetime,
) -> None:
    """Keep what a restated day said before, row by row, beside both totals (USD)."""
    rows = [[*row[1:10], plain(row[10]), plain(row[11])] for row in before]
    tx.execute(
        "INSERT INTO usage_change (account, day, changed_at, cost_before, cost_after, rows_before)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            account,
            day.isoformat(),
            moment_text(at),
            _sums(before)[5],
            _sums(after)[5],
            json.dumps(rows, ensure_ascii=False),
        ),
    )


def _insert_day(tx: sqlite3.Connection, account: str, day: str, rows: Sequence[Usage]) -> None:
    """Insert column by column, which spares a first read of thousands of rows a third of its time."""
    columns = tuple(zip(*rows, strict=True))
    amounts = (map(plain, column) for column in columns[10:])
    tx.executemany(
        f"INSERT INTO usage VALUES ({_marks(13)})",
        [(account, day, *row) for row in zip(*columns[1:10], *amounts, strict=True)],
    )


def _sums(rows: Sequence[Usage]) -> tuple[int | str | None, ...]:
    """Return the column values of `rows` added up: five counts, cost, BYOK cost."""
    if not rows:
        return (0, 0, 0, 0, 0, "0", "0")
    *counts, costs, byok_costs = tuple(zip(*rows, strict=True))[5:]
    return (*map(sum_counts, counts), plain(exact_sum(costs)), plain(exact_sum(byok_costs)))


def _rebuild_month(tx: sqlite3.Connection, account: str, month: str) -> None:
    found = tx.execute(
        f"SELECT model, host, {SUMS}, {AMOUNTS} FROM usage"
        " WHERE account = ? AND day BETWEEN ? AND ? GROUP BY model, host",
        (account, f"{month}-01", f"{month}-31"),
    )
    rows = [
        (account, month, *row[:7], plain(sum_of(row[7])), plain(sum_of(row[8]))) for row in found
    ]
    tx.execute("DELETE FROM usage_month WHERE account = ? AND month = ?", (account, month))
    tx.executemany(f"INSERT INTO usage_month VALUES ({_marks(11)})", rows)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
