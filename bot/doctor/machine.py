"""What `costcompass doctor` looks at of the machine itself: versions, limits, clock."""

from __future__ import annotations

import platform
import resource
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from bot.doctor.finding import ClockReading, Finding
from bot.words import plural
from costcompass_core import __version__

SKEW: Final = timedelta(seconds=60)
"""More than this between our clock and somebody else's is told; a `Date` has whole seconds."""
_OLDEST_SQLITE: Final = (3, 39, 0)
"""The first that takes our schema (`HAVING` without `GROUP BY`)."""
_WAL_SINCE: Final = (3, 7, 0)
_WAL_RESET_FIXED: Final = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""SQLite releases with the fix of the WAL-reset bug, newest branch last (sqlite.org/wal.html)."""
_FEW_DESCRIPTORS: Final = 256
"""The daemon has some twenty files open, and two more for each thing that somebody asks of it."""


def examine_machine() -> Iterator[Finding]:
    """Yield what needs no configuration."""
    python = platform.python_version()
    yield versions(f"costcompass {__version__}, Python {python}", sqlite3.sqlite_version_info)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= limit < _FEW_DESCRIPTORS:
        mend = "raise it to 1024: `ulimit -n 1024`, or LimitNOFILE=1024 for systemd"
        found = f"this process may open only {plural(limit, 'file')}"
        yield Finding("limits", "warn", found, mend)


def versions(ours: str, sqlite: tuple[int, ...]) -> Finding:
    """Judge the SQLite that Python was built with; `ours` says the other versions."""
    text = f"{ours}, SQLite {'.'.join(map(str, sqlite[:3]))}"
    if sqlite < _OLDEST_SQLITE:
        oldest = ".".join(map(str, _OLDEST_SQLITE))
        found = f"{text}, which is too old for our database"
        return Finding("versions", "bad", found, f"use a Python with SQLite {oldest} or newer", 1)
    fixed = [one for one in _WAL_RESET_FIXED if one[:2] == sqlite[:2]]
    if sqlite >= _WAL_RESET_FIXED[-1] or (fixed and sqlite >= fixed[0]):
        return Finding("versions", "ok", text)
    # Harmless here: one connection writes and checkpoints, all others only read.
    found = f"{text} (has the WAL-reset bug, harmless while CostCompass alone writes)"
    mend = "let no other program write to its database; mended in SQLite 3.51.3"
    return Finding("versions", "warn", found, mend)


def clock(readings: Sequence[ClockReading]) -> Iterator[Finding]:
    """Yield one line about our clock beside all others, if there was any to compare it with."""
    if not readings:
        return
    worst = max(readings, key=lambda one: abs(one.ours - one.theirs))
    skew = worst.ours - worst.theirs
    if abs(skew) <= SKEW:
        whose = " and ".join(dict.fromkeys(f"{one.whose}'s" for one in readings))
        yield Finding("clock", "ok", f"agrees with {whose}")
        return
    side = "ahead of" if skew > timedelta(0) else "behind"
    tolerated = f"more than {SKEW.total_seconds():.0f} s is told"
    found = f"this machine's clock is {_span(skew)} {side} {worst.whose}'s ({tolerated})"
    mend = "set it: `timedatectl set-ntp true`; a container has the clock of its host"
    yield Finding("clock", "bad", found, mend, 1)


def _span(skew: timedelta) -> str:
    """Return how long, in the two largest units: `3 d 2 h`, `5 min 10 s`."""
    seconds = int(abs(skew).total_seconds())
    for unit, size, less, part in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // part} {less}"
    return f"{seconds // 60} min {seconds % 60} s"
