"""Which files of costs were read, and what they said of which account."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from costcompass_core.domain.usage import Usage
from costcompass_core.storage.codec import day_of, moment_text
from costcompass_core.storage.usage import day_rows


class Filed(NamedTuple):
    """What one file says of one account, from `first` to `last` (UTC days)."""

    file: str
    account: str
    digest: str
    made_at: datetime
    first: date
    last: date


def filed(tx: sqlite3.Connection, folder: str) -> list[Filed]:
    """Return everything that was read from a folder's files."""
    found = tx.execute(
        "SELECT file, account, digest, made_at, first, last FROM bill WHERE folder = ?"
        " ORDER BY file, account",
        (folder,),
    )
    return [
        Filed(
            file,
            account,
            digest,
            datetime.fromisoformat(made_at),
            date.fromisoformat(first),
            date.fromisoformat(last),
        )
        for file, account, digest, made_at, first, last in found
    ]


def note_filed(tx: sqlite3.Connection, folder: str, bills: Collection[Filed], at: datetime) -> None:
    """Note what a file says, in place of what it said before."""
    for one in bills:
        tx.execute(
            "INSERT OR REPLACE INTO bill VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                folder,
                one.file,
                one.account,
                one.digest,
                moment_text(one.made_at),
                moment_text(at),
                one.first.isoformat(),
                one.last.isoformat(),
            ),
        )


def forget_filed(tx: sqlite3.Connection, folder: str, file: str) -> None:
    """Forget that a file was read; its rows are another matter."""
    tx.execute("DELETE FROM bill WHERE folder = ? AND file = ?", (folder, file))


def source_of(folder: str, file: str) -> str:
    """Return what stands as the source of a file's rows."""
    return f"{folder}:{file}"


def owner_of(tx: sqlite3.Connection, account: str) -> str | None:
    """Return the folder in whose files an account is found, `None` where there is none yet."""
    found = tx.execute("SELECT folder FROM bill WHERE account = ? LIMIT 1", (account,)).fetchone()
    return None if found is None else str(found[0])


def is_left(tx: sqlite3.Connection, folder: str) -> bool:
    """Return whether a folder is no longer configured."""
    return tx.execute("SELECT 1 FROM account WHERE name = ?", (folder,)).fetchone() is None


def take_over(tx: sqlite3.Connection, account: str, old: str, new: str) -> None:
    """Let what one folder's files said of an account be what another's said."""
    tx.execute(
        "UPDATE cost SET source = ?3 || substr(source, length(?2) + 1) WHERE account = ?1"
        " AND source IN (SELECT folder || ':' || file FROM bill WHERE folder = ?2)",
        (account, old, new),
    )
    tx.execute(
        "UPDATE bill SET folder = ?3 WHERE account = ?1 AND folder = ?2", (account, old, new)
    )


def rows_of(tx: sqlite3.Connection, account: str, source: str) -> set[Usage]:
    """Return every row that a source gave of an account."""
    days = tx.execute(
        "SELECT DISTINCT day FROM cost WHERE account = ? AND source = ?", (account, source)
    ).fetchall()
    return {row for [day] in days for row in day_rows(tx, account, date.fromisoformat(day), source)}


def filed_through(tx: sqlite3.Connection, folder: str) -> date | None:
    """Return the newest UTC day that any file of a folder speaks of."""
    [last] = tx.execute("SELECT max(last) FROM bill WHERE folder = ?", (folder,)).fetchone()
    return day_of(last)


def found_in_files(tx: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return every known account that was found in files, and who sells to it."""
    return tx.execute("SELECT name, provider FROM account WHERE part_of != ''").fetchall()
