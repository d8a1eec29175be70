"""Writing costs: whole days replaced at once, rollups rebuilt beside them, changes kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

from costcompass_core.domain.money import exact_sum, plain
from costcompass_core.domain.reports import sum_counts
from costcompass_core.domain.usage import USD, Usage
from costcompass_core.storage.codec import moment_text, sum_of

_COUNT_NAMES: Final = (
    "requests", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens",
)  # fmt: skip
COUNTS: Final = ", ".join(_COUNT_NAMES)


def sum_if_known(count: str) -> str:
    """Return the SQL of a sum of counts; one over anything unreported is itself unknown."""
    return f"CASE WHEN COUNT({count}) = COUNT(*) THEN SUM({count}) END"


SUMS: Final = ", ".join(map(sum_if_known, _COUNT_NAMES))
_MORE: Final = "cache_write_tokens, currency, raw, basis, once, quantity, unit"
"""The columns after `byok_cost`, in the order of `Usage`."""
_ROW: Final = f"model, permaslug, endpoint, host, {COUNTS}, cost, byok_cost, {_MORE}"
"""The columns of a row without its day, in the order of `Usage`."""
AMOUNTS: Final = "group_concat(cost, ' '), group_concat(nullif(byok_cost, '0'), ' ')"
"""Amounts leave SQL as joined text, because only Python adds them without rounding."""


DECLARED: Final = "declared"
"""The account of one-off costs that people declare themselves."""
Source = Literal["activity", "analytics"]
"""Which of a provider's two ways to completed days gave one; `activity` wins."""


@dataclass(frozen=True, slots=True)
class DayState:
    """What is stored of one UTC day: how many rows, and whether it came back empty since."""

    rows: int
    emptied: bool


def remember_account(
    tx: sqlite3.Connection,
    account: str,
    provider: str,
    title: str = "",
    *,
    slow: bool = False,
    part_of: str = "",
) -> None:
    """Note which provider an account belongs to, and what people call that provider.

    A `slow` one reports its newest days late by nature. `part_of` is the account of a folder in
    whose files this one was found.
    """
    tx.execute(
        "INSERT OR REPLACE INTO account (name, provider, title, slow, part_of)"
        " VALUES (?, ?, ?, ?, ?)",
        (account, provider, title, int(slow), part_of),
    )


def forget_account(tx: sqlite3.Connection, name: str) -> None:
    """Let an account leave every answer; its rows stay stored."""
    tx.execute("DELETE FROM account WHERE name = ?", (name,))


def keep_only_accounts(tx: sqlite3.Connection, names: Sequence[str]) -> None:
    """Let accounts that are no longer configured leave every answer; their rows stay stored.

    Otherwise one that nobody refreshes any more would hold all totals back at its last day. What
    was declared by hand or found in the files of a configured folder stays.
    """
    tx.execute(
        "DELETE FROM account WHERE name NOT IN (SELECT value FROM json_each(?1)) AND"
        " part_of NOT IN (SELECT value FROM json_each(?1))",
        (json.dumps([*names, DECLARED]),),
    )


def day_states(tx: sqlite3.Connection, account: str) -> dict[date, DayState]:
    """Return every UTC day that the activity feed ever gave for the account."""
    found = tx.execute(
        "SELECT day, rows, emptied_at IS NOT NULL FROM usage_day"
        " WHERE account = ? AND source = 'activity'",
        (account,),
    )
    return {date.fromisoformat(day): DayState(rows, bool(gone)) for day, rows, gone in found}


def day_rows(tx: sqlite3.Connection, account: str, day: date, source: str = "") -> list[Usage]:
    """Return the stored rows of one UTC day, of every currency."""
    found = tx.execute(
        f"SELECT {_ROW} FROM cost WHERE account = ? AND day = ? AND source = ?",
        (account, day.isoformat(), source),
    )
    rows = []
    for row in found:
        model, permaslug, endpoint, host, *counts, cost, byok = row[:11]
        requests, prompt, completion, reasoning, cached = counts
        written, currency, raw, basis, once, quantity, unit = row[11:]
        rows.append(
            Usage(
                day,
                model,
                permaslug,
                endpoint,
                host,
                requests,
                prompt,
                completion,
                reasoning,
                cached,
                Decimal(cost),
                Decimal(byok),
                written,
                currency,
                raw,
                basis,
                bool(once),
                None if quantity is None else Decimal(quantity),
                unit,
            )
        )
    return rows


def replace_days(
    tx: sqlite3.Connection,
    account: str,
    days: Mapping[date, Sequence[Usage]],
    at: datetime,
    source: Source = "activity",
    *,
    file: str = "",
    growing: Collection[date] = (),
) -> None:
    """Store each day's rows in place of what was there, with day and month rollups.

    `growing` are days whose rows may still grow: they are not final. Where an account is read from
    files, only what the same `file` said is replaced. What a day's keys used is forgotten with it,
    for that was a split of its rows; keys are only asked about days of the activity feed.
    """
    gone = [(account, day.isoformat(), file) for day in days]
    tx.executemany("DELETE FROM cost WHERE account = ? AND day = ? AND source = ?", gone)
    tx.executemany("DELETE FROM key_usage WHERE account = ? AND day = ?", [one[:2] for one in gone])
    read_at = moment_text(at)
    for day, rows in days.items():
        _insert_day(tx, account, day.isoformat(), rows, file)
        whole = _every_source(tx, account, day) if file else rows
        keyed = not whole or source != "activity"
        tx.execute(
            f"INSERT OR REPLACE INTO usage_day VALUES (?, ?, ?, NULL, ?, ?, {_marks(7)}, ?, ?, ?)",
            (
                account,
                day.isoformat(),
                read_at,
                len(whole),
                keyed,
                *_sums(whole),
                source,
                day not in growing,
                plain(exact_sum(row.cost for row in whole if row.once and row.currency == USD)),
            ),
        )
    for month in {day.isoformat()[:7] for day in days}:
        _rebuild_month(tx, account, month)


def forget_rows(
    tx: sqlite3.Connection, account: str, file: str, days: Iterable[date], at: datetime
) -> None:
    """Take out what a file said of an account's days, as if it had never been read.

    A day without rows stays known where another file speaks of it.
    """
    gone: dict[date, Sequence[Usage]] = dict.fromkeys(days, ())
    replace_days(tx, account, gone, at, file=file)
    tx.execute(
        "DELETE FROM usage_day WHERE account = ?1 AND rows = 0"
        " AND day IN (SELECT value FROM json_each(?2)) AND NOT EXISTS"
        " (SELECT 1 FROM bill WHERE account = ?1 AND day BETWEEN first AND last)",
        (account, json.dumps([*map(str, gone)])),
    )


def _every_source(tx: sqlite3.Connection, account: str, day: date) -> list[Usage]:
    sources = tx.execute(
        "SELECT DISTINCT source FROM cost WHERE account = ? AND day = ?",
        (account, day.isoformat()),
    ).fetchall()
    return [row for [source] in sources for row in day_rows(tx, account, day, source)]


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


def mark_read(
    tx: sqlite3.Connection,
    account: str,
    days: Iterable[date],
    at: datetime,
    growing: Collection[date] = (),
) -> None:
    """Note that the days were read again and said the same; `growing` as for `replace_days`."""
    tx.executemany(
        "UPDATE usage_day SET read_at = ?, final = ? WHERE account = ? AND day = ?",
        [(moment_text(at), day not in growing, account, day.isoformat()) for day in days],
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
    settled: bool = True,
) -> None:
    """Keep what a restated day said before, row by row, beside both totals (USD).

    One that was not `settled` was still growing: that is no correction.
    """
    rows = [
        [*row[1:10], plain(row.cost), plain(row.byok_cost), row.cache_write_tokens, row.currency]
        for row in before
    ]
    tx.execute(
        "INSERT INTO usage_change (account, day, changed_at, cost_before, cost_after, rows_before,"
        " settled) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            account,
            day.isoformat(),
            moment_text(at),
            _sums(before)[5],
            _sums(after)[5],
            json.dumps(rows, ensure_ascii=False),
            settled,
        ),
    )


def _insert_day(
    tx: sqlite3.Connection, account: str, day: str, rows: Sequence[Usage], file: str
) -> None:
    """Insert column by column, which spares a first read of thousands of rows a third of its time."""
    if not rows:
        return
    columns = tuple(zip(*rows, strict=True))
    amounts = (map(plain, column) for column in columns[10:12])
    quantities = (None if one is None else plain(one) for one in columns[17])
    tx.executemany(
        f"INSERT INTO cost (account, day, {_ROW}, source) VALUES (?, ?, {_marks(18)}, ?)",
        [
            (account, day, *row, file)
            for row in zip(
                *columns[1:10], *amounts, *columns[12:17], quantities, columns[18], strict=True
            )
        ],
    )


def _sums(rows: Sequence[Usage]) -> tuple[int | str | None, ...]:
    """Return the column values of the `rows` in USD added up: five counts, cost, BYOK cost."""
    dollars = [row for row in rows if row.currency == USD]
    if not dollars:
        return (0, 0, 0, 0, 0, "0", "0")
    *counts, costs, byok_costs = tuple(zip(*dollars, strict=True))[5:12]
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
