"""What folders hold, and a command under strace."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from install import Install

from costcompass_core.storage.store import open_store

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder and what is in it, but for what a lock or a reader leaves there."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"lock", "vault.lock", "costcompass.db-shm"}
    }


def models(state: Path) -> set[str]:
    """The models that the ledger knows."""
    with closing(open_store(state)) as store, store.reading() as tx:
        return {row[0] for row in tx.execute("SELECT DISTINCT model FROM cost")}


def flip_pages(database: Path) -> None:
    """Damage every page but the first two, as a bad disk would: opening notices nothing."""
    content = bytearray(database.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096] ^= 0xFF
    database.write_bytes(content)


def can_trace() -> bool:
    """A container may have strace and still forbid it to trace."""
    found = shutil.which("strace")
    trial = ["-qq", "-o", "/dev/null", "true"]
    return found is not None and subprocess.run([found, *trial], check=False).returncode == 0


def strace(
    at: Install, options: Sequence[str], *words: str, log: Path = Path("/dev/null")
) -> subprocess.CompletedProcess[str]:
    """Run one command under strace; -B because .pyc files are written and renamed too."""
    return subprocess.run(
        [
            "strace",
            "-f",
            "-qq",
            "-o",
            str(log),
            *options,
            sys.executable,
            "-B",
            "-P",
            "-m",
            "bot",
            *words,
        ],
        env=at.environ,
        cwd=at.folder,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
