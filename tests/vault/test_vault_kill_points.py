"""A writer killed, or refused by the disk, at each of its system calls: see docs/vault-format.md."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from vault_helpers import NAME, NEW, OLD

from costcompass_core.vault.file import Vault


def _can_trace() -> bool:
    """A container may have strace and still forbid it to trace."""
    strace = shutil.which("strace")
    trial = ["-qq", "-o", "/dev/null", "true"]
    return strace is not None and subprocess.run([strace, *trial], check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _can_trace(), reason="strace is missing or may not trace")

ROOT = Path(__file__).parents[2]
CALLS = "/^(write|fsync|unlink|unlinkat|link|linkat|rename|renameat|renameat2)$"
PUT = f"""
import sys
from pathlib import Path
from costcompass_core.domain.errors import VaultError
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.file import Vault
from costcompass_core.vault.format import DataKey
key = DataKey(bytes.fromhex(sys.stdin.read()))
try:
    Vault(Path(sys.argv[1]), key).put("{NAME}", Secret("{NEW.expose()}"))
except VaultError as fault:
    sys.exit(str(fault))
"""


def _put(vault: Vault, *strace: str) -> subprocess.CompletedProcess[str]:
    """Run one `put` in a process of its own under strace; -B because .pyc files get renamed too."""
    return subprocess.run(
        ["strace", "-f", *strace, sys.executable, "-B", "-c", PUT, str(vault.path)],
        cwd=ROOT,
        input=vault.key._raw.hex(),
        capture_output=True,
        text=True,
        check=False,
    )


def _calls(vault: Vault, log: Path) -> list[tuple[str, int]]:
    """Return every system call of one undisturbed `put` by name and number."""
    assert _put(vault, "-o", str(log), "-e", f"trace={CALLS}").returncode == 0
    names = re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE)
    return [(name, n + 1) for name, count in Counter(names).items() for n in range(count)]


def test_a_writer_killed_at_any_call_leaves_the_old_or_the_new_vault(vault, tmp_path):
    calls = _calls(vault, tmp_path / "log")
    assert len(calls) >= 6, "write, sync, unlink, link, rename and sync the directory"
    outcomes = []
    for name, number in calls:
        vault.put(NAME, OLD)
        inject = f"inject={name}:signal=KILL:when={number}"
        assert _put(vault, "-o", "/dev/null", "-e", inject).returncode != 0
        outcomes.append(vault.reveal(NAME))
        backup = vault.path.with_name("vault.bak")
        assert not backup.exists() or Vault(backup, vault.key).reveal(NAME)
    assert set(outcomes) == {OLD, NEW}, "killed on both sides of the rename"


@pytest.mark.parametrize("fault", ["write:error=ENOSPC", "fsync:error=EIO", "/^link:error=EPERM"])
def test_a_disk_that_refuses_is_told_in_one_line_and_loses_nothing(vault, fault):
    done = _put(vault, "-o", "/dev/null", "-e", f"inject={fault}:when=1")
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot write {vault.path}: ")
    assert done.stderr.count("\n") == 1
    assert vault.reveal(NAME) == OLD
    vault.put(NAME, NEW)
    assert vault.reveal(NAME) == NEW
