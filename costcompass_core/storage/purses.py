"""Readings of prepaid money in any currency, as a time series."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from costcompass_core.domain.money import plain
from costcompass_core.domain.purses import Sample
from costcompass_core.domain.usage import Purse
from costcompass_core.storage.codec import moment_text

_END: Final = datetime.max.replace(tzinfo=UTC)
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)

_HELD: Final = """
WITH RECURSIVE held (account, currency) AS (
    SELECT name, (SELECT min(currency) FROM purse WHERE account = name) FROM account
    UNION ALL
    SELECT h.account,
        (SELECT min(currency) FROM purse WHERE account = h.account AND currency > h.currency)
    FROM held h WHERE h.currency IS NOT NULL
)
"""
"""Finds every purse by its name in the key, without looking at all of its readings."""


def add_purses(tx: sqlite3.Connection, account: str, purses: Iterable[Purse], at: datetime) -> None:
    """Store one reading of each currency."""
    tx.executemany(
        "INSERT OR REPLACE INTO purse VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                account,
                one.currency,
                moment_text(at),
                *map(plain, (one.total, one.granted, one.topped_up)),
            )
            for one in purses
        ],
    )


def samples(
    tx: sqlite3.Connection, account: str, since: datetime = _BEGINNING
) -> dict[str, list[Sample]]:
    """Return the readings by currency in order of time: those from `since` on, and the one before."""
    found: dict[str, list[Sample]] = {}
    for row in _readings(tx, account, since):
        found.setdefault(row[0], []).append(_sample(row))
    return found


def turns(
    tx: sqlite3.Connection, account: str, since: datetime
) -> Iterator[tuple[str, Sample, Sample]]:
    """Yield the currency and both readings wherever more happened between two than money being used.

    That is all but the fall of what was paid in within a UTC day; a year has a hundred thousand of
    those, and what they say is in the rows of their days.
    """
    before: _Reading | None = None
    for row in _readings(tx, account, since):
        if before is not None and before[0] == row[0] and not _only_used(before, row):
            yield row[0], _sample(before), _sample(row)
        before = row


_Reading = tuple[str, str, str, str, str]
"""Currency, moment, total, granted and topped up, as stored."""


def _readings(tx: sqlite3.Connection, account: str, since: datetime) -> Iterator[_Reading]:
    begin = moment_text(since) if since > _BEGINNING else ""
    held = tx.execute(
        f"{_HELD} SELECT currency FROM held WHERE account = ? AND currency NOT NULL"
        " ORDER BY currency",
        (account,),
    ).fetchall()
    for [currency] in held:
        yield from tx.execute(
            "SELECT currency, at, total, granted, topped_up FROM purse"
            " WHERE account = ?1 AND currency = ?2 AND at >= coalesce((SELECT max(at) FROM purse"
            " WHERE account = ?1 AND currency = ?2 AND at < ?3), ?3) ORDER BY at",
            (account, currency, begin),
        )


def _only_used(before: _Reading, after: _Reading) -> bool:
    same_day, same_grant = before[1][:10] == after[1][:10], before[3] == after[3]
    return same_day and same_grant and Decimal(after[4]) <= Decimal(before[4])


def _sample(row: _Reading) -> Sample:
    currency, at, *amounts = row
    return Sample(datetime.fromisoformat(at), Purse(currency, *map(Decimal, amounts)))


def newest_purses(tx: sqlite3.Connection, until: datetime = _END) -> dict[str, list[Sample]]:
    """Return the newest reading of each currency up to `until`, by the account it belongs to."""
    found: dict[str, list[Sample]] = {}
    newest = tx.execute(
        f"{_HELD} SELECT p.account, p.currency, p.at, p.total, p.granted, p.topped_up"
        " FROM held h JOIN purse p ON p.account = h.account AND p.currency = h.currency"
        " WHERE p.at = (SELECT max(at) FROM purse q WHERE q.account = h.account"
        " AND q.currency = h.currency AND q.at <= ?) ORDER BY p.account, p.currency",
        (moment_text(until),),
    )
    for account, *reading in newest:
        found.setdefault(account, []).append(_sample(tuple(reading)))
    return found
