"""Connections and transactions: who may write, who may only read, and what a broken file gets.

One connection of one process writes (SQLite before 3.51.3 can lose commits when two connections
write and checkpoint a WAL at once; sqlite.org/wal.html, "WAL-reset bug"); readers are read-only and
never checkpoint. `synchronous=FULL` is what keeps a commit through a power cut.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from costcompass_core.domain.errors import StorageError
from costcompass_core.storage.migrations import check_ours, migrate

FILE_NAME: Final = "costcompass.db"


class Store:
    """The ledger of one state directory. `writing()` and `reading()` give transactions."""

    def __init__(self, path: Path, writer: sqlite3.Connection | None) -> None:
        """Use `open_store` or `open_reader`."""
        self.path = path
        self._writer = writer
        self._lock = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write transaction; it commits at the end or leaves nothing behind.

        `BEGIN IMMEDIATE`, because a deferred one fails as soon as it turns from reading to writing
        beside another writer, whatever the busy timeout. Raises `StorageError`.
        """
        if self._writer is None:
            raise StorageError("the database is open for reading only")
        with self._lock, _named(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a read-only connection that sees one consistent state. Raises `StorageError`."""
        with _named(self.path), closing(_connect_reader(self.path)) as connection:
            connection.execute("BEGIN")
            yield connection

    def close(self) -> None:
        """Close the writer; the last one folds the WAL back into the file."""
        if self._writer is not None:
            with self._lock:
                self._writer.close()


def open_store(state_dir: Path) -> Store:
    """Open the ledger for writing, creating or migrating it. The caller holds the process lock.

    Raises `StorageError` for a file that is empty, corrupt, a stranger's or newer: it is never
    recreated silently.
    """
    path = state_dir / FILE_NAME
    with _named(path):
        if not path.exists():
            _create(path)
        _refuse_empty(path)
        # Shared by threads on purpose: every use is inside `writing()`, behind its lock.
        writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            check_ours(writer)  # before the first pragma, which would rewrite a stranger's header
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                writer.execute(f"PRAGMA {pragma}")
            migrate(writer)
        except BaseException:
            writer.close()
            raise
    return Store(path, writer)


def open_reader(state_dir: Path) -> Store | None:
    """Open the ledger for reading only, beside a running daemon or without one.

    Returns `None` where nothing was ever stored. Raises `StorageError`.
    """
    path = state_dir / FILE_NAME
    with _named(path):
        if not path.exists():
            return None
        _refuse_empty(path)
    store = Store(path, None)
    with store.reading() as connection:
        check_ours(connection)
    return store


def _create(path: Path) -> None:
    """Make the file complete under another name first: a kill leaves no half-made ledger."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        migrate(connection)
    draft.rename(path)


def _refuse_empty(path: Path) -> None:
    if path.stat().st_size == 0:
        raise StorageError(
            f"{path} is empty, which a working database never is",
            "restore a backup over it, or move it away to begin anew",
        )


def _connect_reader(path: Path) -> sqlite3.Connection:
    uri = f"file:{_quoted(path)}?mode=ro"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one line that names the file and the mend."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path} cannot be used ({error})", _mend(error)) from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise  # a broken constraint or a misused connection: our own mistake, not the file's
        raise StorageError(
            f"{path} is damaged or not a database ({error})",
            "move it and its -wal and -shm files away, then restore a backup",
        ) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be used ({error.strerror})", _PERMISSIONS) from error


_PERMISSIONS: Final = "check that the state directory exists and belongs to this user"


def _mend(error: sqlite3.OperationalError) -> str:
    if "full" in str(error):
        return "free some disk space; what was stored before is intact"
    if "locked" in str(error):
        return "another program holds it; close that program and try again"
    return _PERMISSIONS
