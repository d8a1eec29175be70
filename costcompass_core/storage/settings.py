"""Settings that people changed while the daemon ran, and every change of them, as an audit."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from costcompass_core.domain.settings import Setting, SettingChange
from costcompass_core.storage.codec import moment_text


def settings(tx: sqlite3.Connection) -> dict[str, Setting]:
    """Return what was set, by the key's path: `digest.time`.

    Nothing where an earlier version still runs on the ledger and knows no settings.
    """
    if not tx.execute("SELECT 1 FROM sqlite_master WHERE name = 'setting'").fetchone():
        return {}
    found = tx.execute("SELECT key, value, changed_by, changed_at FROM setting ORDER BY key")
    return {key: Setting(value, by, datetime.fromisoformat(at)) for key, value, by, at in found}


def change_settings(
    tx: sqlite3.Connection, values: Mapping[str, str | None], by: str, now: datetime
) -> list[SettingChange]:
    """Set values, `None` to go back to the file's; return and keep what really changed."""
    known, at = settings(tx), moment_text(now)
    changes = []
    for key, after in values.items():
        before = known[key].value if key in known else None
        if before == after:
            continue
        changes.append(SettingChange(key, before, after, by, now))
        if after is None:
            tx.execute("DELETE FROM setting WHERE key = ?", (key,))
        else:
            tx.execute("INSERT OR REPLACE INTO setting VALUES (?, ?, ?, ?)", (key, after, by, at))
    tx.executemany(
        "INSERT INTO setting_change (key, before, after, changed_by, changed_at)"
        " VALUES (?, ?, ?, ?, ?)",
        [(one.key, one.before, one.after, by, at) for one in changes],
    )
    return changes


def setting_changes(tx: sqlite3.Connection, most: int) -> list[SettingChange]:
    """Return the newest changes, the newest first; nothing where `settings` says nothing."""
    if not tx.execute("SELECT 1 FROM sqlite_master WHERE name = 'setting_change'").fetchone():
        return []
    found = tx.execute(
        "SELECT key, before, after, changed_by, changed_at FROM setting_change"
        " ORDER BY id DESC LIMIT ?",
        (most,),
    )
    return [
        SettingChange(key, before, after, by, datetime.fromisoformat(at))
        for key, before, after, by, at in found
    ]
