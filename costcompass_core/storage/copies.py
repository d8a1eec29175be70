"""A consistent copy of the ledger, made beside whoever writes it, and a hard look at a copy.

The copy is read through one read-only transaction, which neither blocks the writer nor ever
checkpoints: that stays with the one connection that writes.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from costcompass_core.domain.backups import Content
from costcompass_core.domain.errors import BackupError
from costcompass_core.storage.migrations import APPLICATION_ID, check_ours, schema_of
from costcompass_core.storage.store import Store, quoted

_OF_THE_COPY: Final = frozenset({
    "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR_DELETE", "SQLITE_IOERR_FSYNC",
    "SQLITE_IOERR_TRUNCATE", "SQLITE_IOERR_WRITE", "SQLITE_READONLY",
})  # fmt: skip
"""Errors that only the place where the copy is written can have: the ledger is only read."""


def copy_database(store: Store, target: Path) -> Content:
    """Write the ledger as it is at one instant to `target`, private and synced.

    Returns what the ledger held at that instant. Raises `StorageError` for the ledger and `OSError`
    for `target`.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    refused: sqlite3.OperationalError | None = None
    with store.reading() as tx, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        content = content_of(tx)  # begins the transaction that the copy is read in as well
        try:
            _copy(tx, copy)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in _OF_THE_COPY:
                raise
            refused = error
    if refused is not None:  # raised out here, where nobody takes it for the ledger's
        raise OSError(str(refused)) from refused
    descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return content


def _copy(ledger: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Copy page by page, and let the copy lie still: readable from any medium, nothing beside it."""
    copy.execute("PRAGMA synchronous = OFF")  # synced once, when it is whole
    ledger.backup(copy)
    copy.execute("PRAGMA journal_mode = DELETE").fetchone()


def content_of(connection: sqlite3.Connection) -> Content:
    """Return what a ledger holds: its schema, the rows of each table, the newest day."""
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    tables = sorted(row[0] for row in connection.execute(names))
    rows = {
        one: int(connection.execute(f'SELECT count(*) FROM "{one}"').fetchone()[0])
        for one in tables
    }
    [newest] = connection.execute("SELECT max(day) FROM usage_day").fetchone()
    return Content(schema_of(connection), rows, newest)


def examine_copy(path: Path) -> Content:
    """Return what a copy holds after checking all of it; nothing is written beside it.

    Raises `BackupError` for a file that is damaged, not ours, or written by a newer version (as
    `StorageError`, which names it).
    """
    try:
        uri = f"file:{quoted(path)}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            return _examined(connection)
    except sqlite3.Error as error:
        raise BackupError(f"its database is damaged ({error})", "use another backup") from error


def _examined(connection: sqlite3.Connection) -> Content:
    connection.execute("PRAGMA trusted_schema = OFF")
    [mark] = connection.execute("PRAGMA application_id").fetchone()
    if mark != APPLICATION_ID:
        raise BackupError("its database is not CostCompass's", "use another backup")
    check_ours(connection)
    [verdict] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise BackupError(f"its database is damaged ({verdict})", "use another backup")
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise BackupError("its database lost rows that others refer to", "use another backup")
    return content_of(connection)
