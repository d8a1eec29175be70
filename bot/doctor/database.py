"""What `costcompass doctor` looks at of the database: is it sound, ours, and of this version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bot.doctor.finding import Finding
from costcompass_core.storage.migrations import is_behind
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.store import open_reader


def examine_database(state_dir: Path, backups: Path, now: datetime) -> Iterator[Finding]:
    """Read the whole database once. Raises `StorageError`, which names the newest of `backups`."""
    store = open_reader(state_dir, backups)
    if store is None:
        yield Finding("database", "ok", "not there yet; the first refresh makes it")
        return
    with store.reading() as tx:
        [verdict] = tx.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise store.damaged(verdict)
        if is_behind(tx):
            found = "sound, written by an older version"
            yield Finding("database", "ok", found, "`costcompass run` brings it up to date")
            return
        conditions = health(tx)
    newest = max((one.refreshed_at for one in conditions if one.refreshed_at), default=None)
    age = "never refreshed" if newest is None else f"refreshed {newest:%Y-%m-%d %H:%M} UTC"
    stale = newest is not None and now - newest > timedelta(days=1)
    mend = "is the daemon running? `costcompass status`" if stale else ""
    yield Finding("database", "warn" if stale else "ok", f"sound, {age}", mend)
