"""What a workspace's surfaces can draw, learnt from what it took and what it refused."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Final

from costcompass_core.storage.codec import moment_text

_REFUSED: Final = timedelta(days=7)
"""How long a refusal holds: Slack brings new blocks to one workspace after the other."""


def knows(tx: sqlite3.Connection, surface: str, now: datetime) -> bool | None:
    """Return whether a surface draws charts and tables, `None` where nobody knows any more."""
    found = tx.execute(
        "SELECT rich, learnt_at FROM workspace WHERE surface = ?", (surface,)
    ).fetchone()
    if found is None:
        return None
    rich, at = bool(found[0]), datetime.fromisoformat(found[1])
    return None if not rich and now - at >= _REFUSED else rich


def learn(tx: sqlite3.Connection, surface: str, now: datetime, *, rich: bool) -> None:
    """Remember it."""
    tx.execute(
        "INSERT OR REPLACE INTO workspace VALUES (?, ?, ?)", (surface, rich, moment_text(now))
    )
