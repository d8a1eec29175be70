"""What a backup says of itself, when the next daily copy is due, and which ones have had their day."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from costcompass_core.domain.errors import BackupError

FORMAT: Final = 1
"""Version of the layout of a backup's folder; a reader refuses newer ones."""
DATABASE: Final = "costcompass.db"
VAULT: Final = "vault"
MANIFEST: Final = "manifest.json"
DAILY: Final = "backups"
"""Folder in the state directory where daily copies lie unless another one is configured."""
FIRST_WAIT: Final = timedelta(minutes=1)
"""How long a daemon works before its first copy, so that nothing delays its start."""
RETRY: Final = timedelta(hours=1)
"""How long to wait after a copy that failed: a full disk is not helped by haste."""
_KIND: Final = "costcompass-backup"
_MEND: Final = "take another backup"


@dataclass(frozen=True, slots=True)
class Content:
    """What a ledger held when it was copied.

    `schema` is its newest migration, `rows` counts each table, `newest_day` is the last UTC day
    that was read (ISO text, `None` before the first).
    """

    schema: str
    rows: Mapping[str, int]
    newest_day: str | None


@dataclass(frozen=True, slots=True)
class Copied:
    """One file of a backup: its length in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest.json`: what is in a backup, who made it of what, and when (UTC).

    `daily` marks the daemon's own copies, `source` the state directory it was made of: copies of
    others are never deleted.
    """

    version: str
    created_at: datetime
    source: str
    daily: bool
    content: Content
    files: Mapping[str, Copied]

    @property
    def has_vault(self) -> bool:
        """Whether there is a vault in it."""
        return VAULT in self.files

    def shape(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "kind": _KIND,
            "format": FORMAT,
            "costcompass": self.version,
            "created_at": f"{self.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "source": self.source,
            "daily": self.daily,
            "schema": self.content.schema,
            "newest_day": self.content.newest_day,
            "rows": dict(self.content.rows),
            "files": {
                name: {"bytes": one.size, "sha256": one.sha256} for name, one in self.files.items()
            },
        }


def manifest_of(shape: Any) -> Manifest:
    """Return what `Manifest.shape` wrote. Raises `BackupError` for anything else, or newer."""
    if not isinstance(shape, dict) or shape.get("kind") != _KIND:
        raise BackupError(f"its {MANIFEST} is not one of CostCompass's", "name a backup's folder")
    written = shape.get("format")
    if not isinstance(written, int) or written > FORMAT:
        raise BackupError(
            f"it has format {str(written)[:20]}, this CostCompass reads format {FORMAT}",
            "upgrade CostCompass, then restore",
        )
    try:
        found = Manifest(
            version=_text(shape["costcompass"]),
            created_at=datetime.fromisoformat(_text(shape["created_at"])),
            source=_text(shape["source"]),
            daily=shape["daily"] is True,
            content=Content(
                schema=_text(shape["schema"]),
                rows=MappingProxyType({_text(k): _count(v) for k, v in shape["rows"].items()}),
                newest_day=None if shape["newest_day"] is None else _day(shape["newest_day"]),
            ),
            files=MappingProxyType({_file(k): _copied(v) for k, v in shape["files"].items()}),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BackupError(f"its {MANIFEST} is incomplete or was changed", _MEND) from None
    if DATABASE not in found.files or found.created_at.tzinfo is None:
        raise BackupError(f"its {MANIFEST} is incomplete or was changed", _MEND)
    return found


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _count(value: Any) -> int:
    if not _is_count(value):
        raise ValueError(value)
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _day(value: Any) -> str:
    return date.fromisoformat(_text(value)).isoformat()


def _file(name: Any) -> str:
    """Return a name that a backup may hold: nothing else is ever opened, whatever the text says."""
    if name not in {DATABASE, VAULT}:
        raise ValueError(name)
    return _text(name)


def _copied(shape: Any) -> Copied:
    digest = _text(shape["sha256"])
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(digest)
    return Copied(_count(shape["bytes"]), digest)


def copy_name(day: date) -> str:
    """Return what the daily copy of a UTC day is called."""
    return day.isoformat()


def copied_day(name: str) -> date | None:
    """Return the day whose daily copy would be called `name`, `None` for every other name."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", name, re.ASCII):
        return None
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def due(
    days: Collection[date],
    today: date,
    now: datetime,
    started: datetime,
    failed_at: datetime | None,
) -> bool:
    """Return whether today's copy should be made: once a UTC day, not at once after a start.

    `days` have a copy. A clock that was set back neither silences us nor makes a copy each tick.
    """
    if today in days or timedelta(0) <= now - started < FIRST_WAIT:
        return False
    return failed_at is None or not timedelta(0) <= now - failed_at < RETRY


def outdated(days: Collection[date], today: date, keep: int) -> list[date]:
    """Return the days whose copies make room: all but the newest `keep` through today.

    Those of days to come, made while the clock was wrong, neither count nor go.
    """
    return sorted(one for one in days if one <= today)[: -keep or None]
