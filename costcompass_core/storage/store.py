"""Connections and transactions: who may write, who may only read, and what a broken file gets.

One connection of one process writes (SQLite before 3.51.3 can lose commits when two connections
write and checkpoint a WAL at once; sqlite.org/wal.html, "WAL-reset bug"); readers are read-only and
never checkpoint. `synchronous=FULL` is what keeps a commit through a power cut.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from costcompass_core.domain.backups import DAILY, DATABASE
from costcompass_core.domain.errors import StorageError
from costcompass_core.storage.manifest import newest_backup
from costcompass_core.storage.migrations import check_ours, migrate

FILE_NAME: Final = DATABASE
RESTORING: Final = "restoring"
"""Folder in the state directory that is there while a restore puts files in place."""


class Store:
    """The ledger of one state directory. `writing()` and `reading()` give transactions."""

    def __init__(
        self, path: Path, writer: sqlite3.Connection | None, backups: Path | None = None
    ) -> None:
        """Use `open_store` or `open_reader`."""
        self.path = path
        self._writer = writer
        self._backups = backups
        self._lock = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write transaction; it commits at the end or leaves nothing behind.

        `BEGIN IMMEDIATE`, because a deferred one fails as soon as it turns from reading to writing
        beside another writer, whatever the busy timeout. Raises `StorageError`.
        """
        if self._writer is None:
            raise StorageError("the database is open for reading only")
        with self._lock, _named(self.path, self._backups):
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
        with (
            _named(self.path, self._backups),
            closing(_connect_reader(self.path)) as connection,
        ):
            connection.execute("BEGIN")
            yield connection

    def damaged(self, how: str) -> StorageError:
        """Return the error for a file found damaged by somebody who looked closer."""
        return _damaged(self.path, self._backups, how)

    def close(self) -> None:
        """Close the writer; the last one folds the WAL back into the file."""
        if self._writer is not None:
            with self._lock:
                self._writer.close()


def open_store(state_dir: Path, backups: Path | None = None) -> Store:
    """Open the ledger for writing, creating or migrating it. The caller holds the process lock.

    `backups` is where daily copies lie, for the words of what to do; usually in the state
    directory. Raises `StorageError` for a file that is empty, corrupt, a stranger's or newer, and
    for one that is missing where there was one: it is never recreated silently.
    """
    path = state_dir / FILE_NAME
    with _named(path, backups):
        if not _is_there(path, backups):
            _create(path)
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
    return Store(path, writer, backups)


def open_reader(state_dir: Path, backups: Path | None = None) -> Store | None:
    """Open the ledger for reading only, beside a running daemon or without one.

    Returns `None` where nothing was ever stored. Raises `StorageError`, as `open_store` does.
    """
    path = state_dir / FILE_NAME
    with _named(path, backups):
        if not _is_there(path, backups):
            return None
    store = Store(path, None, backups)
    with store.reading() as connection:
        check_ours(connection)
    return store


def _is_there(path: Path, backups: Path | None) -> bool:
    """Return whether the ledger is there, `False` where there never was one.

    Raises `StorageError` for a file that cannot be it, and where it is gone: without it a new one
    would begin at nothing, and daily copies of that would crowd out those of what was lost.
    """
    if _exists(path.parent / RESTORING):
        raise StorageError(
            f"a restore into {path.parent} was interrupted",
            "run that `costcompass restore` again; until then nothing is read or written",
        )
    if not _exists(path):
        if left := _left_behind(path, backups):
            raise StorageError(
                f"{path} is gone, but {left} is there",
                f"{_restore(path, backups)}, or move {left} away to begin anew",
            )
        return False
    if not path.is_file():
        raise StorageError(f"{path} is not a file", f"move it away, then {_restore(path, backups)}")
    if path.stat().st_size == 0:
        raise StorageError(
            f"{path} is empty, which a working database never is",
            f"{_restore(path, backups)}, or move it away to begin anew",
        )
    return True


def _exists(path: Path) -> bool:
    """Return whether it is there; raises `OSError` where that cannot be seen.

    From Python 3.14 on, `Path.exists` says no of what lies in a folder that is closed to us.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _left_behind(path: Path, backups: Path | None) -> Path | None:
    """Return what shows that there was a ledger: its log of changes, or a daily copy."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return log
    folder = backups or path.parent / DAILY
    return folder if newest_backup(folder, path.parent) else None


def _restore(path: Path, backups: Path | None) -> str:
    """Return the mend for a ledger that is no good, with the newest daily copy where there is one."""
    newest = newest_backup(backups or path.parent / DAILY, path.parent)
    if newest is None:
        return "restore a backup with `costcompass restore PATH`"
    return f"restore a backup, the newest with `costcompass restore {shlex.quote(str(newest))}`"


def _create(path: Path) -> None:
    """Make the file complete under another name first: a kill leaves no half-made ledger."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        migrate(connection)
        connection.execute(
            "PRAGMA journal_mode = WAL"
        )  # later, a kill could leave a reader helpless
    draft.rename(path)


def _connect_reader(path: Path) -> sqlite3.Connection:
    uri = f"file:{quoted(path)}?mode=ro"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def quoted(path: Path) -> str:
    """Return a path as SQLite's URIs want it."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


@contextmanager
def _named(path: Path, backups: Path | None) -> Iterator[None]:
    """Turn SQLite's errors into one line that names the file and the mend."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "unable to open" in str(error) and path.parent.is_dir() and not path.exists():
            raise StorageError(f"{path} is gone", _restore(path, backups)) from error
        raise StorageError(f"{path} cannot be used ({error})", _mend(error)) from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise  # a broken constraint or a misused connection: our own mistake, not the file's
        raise _damaged(path, backups, str(error)) from error
    except BrokenPipeError:
        raise  # whoever reads what is told has seen enough; that says nothing of the file
    except OSError as error:
        raise StorageError(f"{path} cannot be used ({error.strerror})", _PERMISSIONS) from error


def _damaged(path: Path, backups: Path | None, how: str) -> StorageError:
    return StorageError(
        f"{path} is damaged or not a database ({how})",
        f"{_restore(path, backups)}; it keeps what it replaces",
    )


_PERMISSIONS: Final = "check that the state directory exists and belongs to this user"


def _mend(error: sqlite3.OperationalError) -> str:
    if "full" in str(error):
        return "free some disk space; what was stored before is intact"
    if "locked" in str(error):
        return "another program holds it; close that program and try again"
    if "no such" in str(error):  # a table or a column that a later step makes
        return "an older version wrote it; `costcompass run` and `costcompass refresh` upgrade it"
    return _PERMISSIONS
