"""Who has looked at their Home of late, and what stood there last."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import NamedTuple

from costcompass_core.storage.codec import moment_of, moment_text


class Viewer(NamedTuple):
    """A member, a fingerprint of what they were shown last (empty: nothing), and when (UTC)."""

    member: str
    shown: str
    shown_at: datetime | None


def note_opened(tx: sqlite3.Connection, member: str, at: datetime) -> None:
    """Note that a member opened their Home."""
    tx.execute(
        "INSERT INTO home (member, opened_at) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET opened_at = excluded.opened_at",
        (member, moment_text(at)),
    )


def viewers(tx: sqlite3.Connection, since: datetime) -> list[Viewer]:
    """Return who opened their Home at `since` or later, the latest first."""
    found = tx.execute(
        "SELECT member, shown, shown_at FROM home WHERE opened_at >= ? ORDER BY opened_at DESC",
        (moment_text(since),),
    )
    return [Viewer(member, shown, moment_of(at)) for member, shown, at in found]


def note_shown(tx: sqlite3.Connection, member: str, shown: str, at: datetime) -> None:
    """Note what stands in a member's Home."""
    tx.execute(
        "UPDATE home SET shown = ?, shown_at = ? WHERE member = ?",
        (shown, moment_text(at), member),
    )
