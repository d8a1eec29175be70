"""An upgrade killed at many of its system calls leaves the old ledger or the new one."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from left_behind import Left

from costcompass_core.storage.migrations import STEPS
from costcompass_core.storage.store import FILE_NAME, open_store
from costcompass_core.usecases.report import Questions

ROOT = Path(__file__).parents[2]
CALLS = "/^(pwrite64|fdatasync|fsync|ftruncate|unlink)$"
KILLS = 16
UPGRADE = """
import sys
from pathlib import Path
from costcompass_core.storage.store import open_store
open_store(Path(sys.argv[1])).close()
"""


def can_trace() -> bool:
    """A container may have strace and still forbid it to trace."""
    strace = shutil.which("strace")
    trial = ["-qq", "-o", "/dev/null", "true"]
    return strace is not None and subprocess.run([strace, *trial], check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace")


def upgraded_under(strace: list[str], state: Path) -> int:
    """Upgrade in a process of its own; -B because .pyc files would be written too."""
    command = ["strace", "-f", *strace, sys.executable, "-B", "-P", "-c", UPGRADE, str(state)]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environ, capture_output=True, check=False).returncode


def points(left: Left, tmp_path: Path) -> list[tuple[str, int]]:
    """Every system call of one undisturbed upgrade, by name and number, some of them."""
    log, state = tmp_path / "log", tmp_path / "undisturbed"
    shutil.copytree(left.install.state, state)
    assert upgraded_under(["-o", str(log), "-e", f"trace={CALLS}"], state) == 0
    names = Counter(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))
    every = [(name, number + 1) for name, count in names.items() for number in range(count)]
    assert len(every) > KILLS
    return [every[place * len(every) // KILLS] for place in range(KILLS)]


def test_a_killed_upgrade_leaves_the_old_or_the_new_ledger_and_is_taken_up_again(left_by, tmp_path):
    left = left_by("m0001")
    asked = datetime.fromisoformat(left.told["asked_at"])
    total, found = left.told["answers"]["spend all"]["total_usd"], []
    for name, number in points(left, tmp_path):
        state = tmp_path / f"{name}-{number}"
        shutil.copytree(left.install.state, state)
        inject = f"inject={name}:signal=KILL:when={number}"
        assert upgraded_under(["-o", "/dev/null", "-e", inject], state) != 0
        with closing(sqlite3.connect(state / FILE_NAME)) as opened:
            done = [one for (one,) in opened.execute("SELECT name FROM _sqlite_migrations")]
        assert done in (["m0001_ledger"], [step.__name__ for step in STEPS])
        found.append(len(done))
        store = open_store(state)
        assert Questions(store).spend("all", asked).total.text() == total
        store.close()
    assert set(found) == {1, len(STEPS)}, "killed on both sides of the commit"
