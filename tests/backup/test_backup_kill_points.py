"""`backup` and `restore` killed at each system call that changes something on the disk."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from backup_folders import NOW, can_trace, strace
from install import Install

from costcompass_core.domain.errors import StorageError
from costcompass_core.storage.lock import holding
from costcompass_core.storage.store import open_reader
from costcompass_core.usecases.backup import examine_backup, make_backup
from costcompass_core.usecases.restore import restore_backup

pytestmark = pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace")

CALLS = "fdatasync,flock,fsync,ftruncate,mkdir,pwrite64,rename,rmdir,unlink,unlinkat,write"
OLD, NEW = {"openai/gpt-4.1", "later/model"}, {"openai/gpt-4.1"}


@pytest.fixture
def eve(stored: Install, spends) -> Install:
    """A backup, and a ledger and a vault that went on since; part of the ledger is in its log."""
    assert stored.run("backup", "copy").returncode == 0
    stored.opened().put("slack/bot-token", stored.opened().reveal("openrouter/main"))
    killed = stored.folder / "killed"
    with closing(sqlite3.connect(stored.state / "costcompass.db")) as other:
        other.execute("SELECT * FROM marker").fetchall()  # who has it open keeps the log
        spends()
        shutil.copytree(stored.state, killed)
    shutil.rmtree(stored.state)
    killed.rename(stored.state)
    return stored


def at_each_call(eve: Install, folder: Path, *words: str) -> list[tuple[Install, str]]:
    """Run a command in copies of the installation, killed at its calls in turn."""

    def copied(number: int) -> Install:
        at = Install(made(folder / str(number)))
        shutil.copytree(eve.state, at.state)
        shutil.copytree(eve.folder / "copy", at.folder / "copy")
        at.configure()
        return at

    def killed(point: tuple[int, tuple[str, int]]) -> tuple[Install, str]:
        at, (name, number) = copied(point[0]), point[1]
        inject = f"inject={name}:signal=KILL:when={number}"
        strace(at, ["-e", f"trace={name}", "-e", inject], *words)
        return at, f"{name} {number}"

    log = made(folder) / "log"
    done = strace(copied(0), ["-e", f"trace={CALLS}"], *words, log=log)
    assert done.returncode == 0, done.stderr
    counts = Counter(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))
    points = [(name, n) for name, count in counts.items() for n in spread(count)]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(killed, enumerate(points, start=1)))


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def spread(count: int) -> list[int]:
    """Numbers from 1 to `count`: all, or six of them, for pages are written alike."""
    some = range(6)
    return sorted({1 + (count - 1) * n // some[-1] for n in some})


def models(state: Path) -> set[str]:
    """What a reader sees. Raises `StorageError`."""
    store = open_reader(state)
    assert store is not None
    with store.reading() as tx:
        return {row[0] for row in tx.execute("SELECT DISTINCT model FROM cost")}


def test_a_restore_killed_anywhere_leaves_old_or_new_or_says_how_to_go_on(eve: Install, tmp_path):
    old, new = eve.vault.read_bytes(), (eve.folder / "copy" / "vault").read_bytes()
    seen: Counter[str] = Counter()
    for at, point in at_each_call(eve, tmp_path / "killed", "restore", "copy"):
        left = left_behind(at, {"old": (OLD, old), "new": (NEW, new)})
        assert left in {"old", "new", "interrupted"}, point
        seen[left] += 1
        with holding(at.state):
            restore_backup(at.state, at.folder / "copy", NOW)
        assert (models(at.state), at.vault.read_bytes()) == (NEW, new), point
        kept = [one for one in at.state.glob("replaced-*") if (one / "vault").read_bytes() == old]
        assert [models(one) for one in kept] == [OLD], point
        assert not list(at.state.glob("*restoring*")), point
    assert set(seen) == {"interrupted", "old", "new"}


def left_behind(at: Install, known: dict[str, object]) -> str:
    """What a kill left: database and vault of one kind, or the line that tells how to go on."""
    try:
        found = (models(at.state), at.vault.read_bytes())
    except StorageError as error:
        told = str(error)
        return "interrupted" if "run that `costcompass restore` again" in told else told
    return next((name for name, whole in known.items() if whole == found), f"a mixture: {found}")


def test_a_backup_killed_anywhere_is_there_whole_or_not_at_all(eve: Install, tmp_path):
    there: Counter[bool] = Counter()
    for at, point in at_each_call(eve, tmp_path / "killed", "backup", "another"):
        another = at.folder / "another"
        there[another.exists()] += 1
        assert models(at.state) == OLD, point
        if another.exists():
            assert examine_backup(another).content.rows["cost"] == 11, point
            another = at.folder / "a third"
        reader = open_reader(at.state)
        assert reader is not None
        make_backup(reader, another, NOW)
        names = {one.name for one in at.folder.iterdir()}
        assert names <= {"another", "a third", "copy", "state", "config.toml", "passphrase"}, point
    assert set(there) == {True, False}
