"""`costcompass restore`: all of a good backup, or nothing touched; what it replaces is kept."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from backup_folders import can_trace, contents, models, strace
from install import Install

from costcompass_core.storage.lock import holding
from costcompass_core.storage.migrations import STEPS
from costcompass_core.usecases.backup import examine_backup
from costcompass_core.usecases.restore import _stage

DATABASE = "costcompass.db"


@pytest.fixture
def copy(stored: Install) -> Path:
    """A good backup of what is stored."""
    assert stored.run("backup", "copy").returncode == 0
    return stored.folder / "copy"


def replaced(stored: Install) -> Path:
    [one] = stored.state.glob("replaced-*")
    return one


def test_what_was_is_back_and_what_it_replaced_is_kept(stored: Install, copy: Path, spends):
    spends()
    stored.opened().put("slack/bot-token", stored.opened().reveal("openrouter/main"))
    newer = stored.vault.read_bytes()
    done = stored.run("restore", "copy")
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0] == "restored database (10 rows of cost, through 2026-11-25) and vault"
    assert re.fullmatch(r"as of \d+ \w+ \d\d:\d\d CES?T, from copy", told[1])
    assert told[2] == f"what was there before is in {replaced(stored)}"
    assert re.fullmatch(r"replaced-\d{8}T\d{6}Z", replaced(stored).name)
    assert models(stored.state) == {"openai/gpt-4.1"}
    assert stored.opened().names() == ["openrouter/main"]
    assert (replaced(stored) / "vault").read_bytes() == newer
    assert (replaced(stored) / "vault.bak").exists()
    assert not (stored.state / "vault.bak").exists(), "the one before another vault"
    assert models(replaced(stored)) == {"openai/gpt-4.1", "later/model"}
    assert not (stored.state / "restoring").exists()
    assert stored.state.stat().st_mode & 0o077 == 0
    assert all(one.stat().st_mode & 0o077 == 0 for one in stored.state.rglob("*"))


def test_onto_a_machine_that_has_nothing_yet(stored: Install, copy: Path):
    shutil.rmtree(stored.state)
    done = stored.run("restore", "copy")
    assert done.returncode == 0, done.stderr
    assert "before" not in done.stdout
    assert models(stored.state) == {"openai/gpt-4.1"}
    assert stored.opened().names() == ["openrouter/main"]


def test_a_log_of_changes_that_was_not_folded_in_goes_along_with_its_database(
    stored: Install, copy: Path, spends
):
    """Left beside the restored database it would be taken for that one's own."""
    spends()
    folder = stored.folder / "killed"
    with closing(sqlite3.connect(stored.state / DATABASE)) as writer:
        writer.execute("INSERT INTO account VALUES ('ghost', 'x', '', 0, '')")
        writer.commit()
        shutil.copytree(stored.state, folder)
    shutil.rmtree(stored.state)
    folder.rename(stored.state)
    assert (stored.state / f"{DATABASE}-wal").stat().st_size
    assert stored.run("restore", "copy").returncode == 0
    with closing(sqlite3.connect(stored.state / DATABASE)) as database:
        assert database.execute("SELECT name FROM account").fetchall() == [("main",)]
    with closing(sqlite3.connect(replaced(stored) / DATABASE)) as database:
        assert ("ghost",) in database.execute("SELECT name FROM account").fetchall()


def test_a_backup_without_a_vault_leaves_the_vault_as_it_is(stored: Install):
    vault = stored.vault.read_bytes()
    stored.vault.unlink()
    stored.run("backup", "copy")
    stored.vault.touch(mode=0o600)
    stored.vault.write_bytes(vault)
    done = stored.run("restore", "copy")
    assert "no vault: the present one stays" in done.stdout
    assert stored.vault.read_bytes() == vault
    assert not (replaced(stored) / "vault").exists()


def test_twice_in_a_second_keeps_both(stored: Install, copy: Path):
    for _ in range(3):
        assert stored.run("restore", "copy").returncode == 0
    assert len([one for one in stored.state.glob("replaced-*") if (one / DATABASE).exists()]) == 3


def test_an_interrupted_restore_is_finished_before_another_one_begins(
    stored: Install, copy: Path, spends
):
    """As a kill right after the deciding rename leaves it; tests of kills are elsewhere."""
    spends()
    assert stored.run("backup", "second").returncode == 0
    spends("2026-11-02")
    first = stored.state / "replaced-first"
    _stage(stored.state, copy, examine_backup(copy), first.name)
    for words in (("spend",), ("refresh",), ("backup", "third"), ("run",)):
        done = stored.run(*words)
        assert done.returncode == 1, words
        assert "run that `costcompass restore` again" in done.stderr
    assert stored.run("restore", "second").returncode == 0
    assert models(stored.state) == {"openai/gpt-4.1", "later/model"}
    [other] = [one for one in stored.state.glob("replaced-*") if one != first]
    assert (len(rows(first)), len(rows(other)), len(rows(stored.state))) == (12, 10, 11)


def rows(state: Path) -> list[object]:
    with closing(sqlite3.connect(state / DATABASE)) as database:
        return database.execute("SELECT * FROM cost").fetchall()


def test_whoever_holds_the_state_directory_is_named(stored: Install, copy: Path):
    before = contents(stored.state)
    with holding(stored.state):
        done = stored.run("restore", "copy")
    assert done.returncode == 75
    assert "stop it first" in done.stderr
    assert contents(stored.state) == before


def test_an_older_ledger_is_brought_up_to_date(stored: Install, copy: Path):
    """A backup of when the ledger had gone through two steps."""
    database = copy / DATABASE
    database.unlink()
    with closing(sqlite3.connect(database)) as old:
        from sqlite_utils import Database, Migrations  # noqa: PLC0415 - how the steps are run

        migrations = Migrations("costcompass")
        for step in STEPS[:2]:
            migrations()(step)
        migrations.apply(Database(old, execute_plugins=False))
        old.execute("PRAGMA application_id = 1129270608")
        old.execute(
            "INSERT INTO usage VALUES ('main', '2026-11-20', 'old/model', 'p', 'e', 'h',"
            " 1, 1, 1, 0, NULL, '1.5', '0')"
        )
        old.commit()
        rows = {
            name: old.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    rewrite(copy, rows=rows, schema=STEPS[1].__name__, newest_day=None)
    done = stored.run("restore", "copy")
    assert done.returncode == 0, done.stderr
    assert models(stored.state) == {"old/model"}


@pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace")
@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("costcompass.db", "write:error=ENOSPC"),
        ("costcompass.db", "pwrite64:error=ENOSPC"),
        ("costcompass.db", "fsync:error=EIO"),
        ("vault", "write:error=ENOSPC"),
        ("plan.json", "fsync:error=EIO"),
    ],
)
def test_a_disk_that_refuses_leaves_everything_as_it_was(
    stored: Install, copy: Path, file: str, fault: str
):
    before = contents(stored.state)
    only = ["-P", str(stored.state / ".restoring.part" / file), "-e", f"inject={fault}"]
    done = strace(stored, only, "restore", "copy")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "free some" in line
    assert contents(stored.state) == before


# -- what is refused ----------------------------------------------------------------------------


def rewrite(copy: Path, **changes: object) -> None:
    """Make the manifest fit the files again, as somebody who tampers would, with `changes`."""
    manifest = json.loads((copy / "manifest.json").read_text())
    for name, one in manifest["files"].items():
        content = (copy / name).read_bytes()
        one |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (copy / "manifest.json").write_text(json.dumps(manifest | changes))


def flip(name: str, at: float, *, fitting: bool = False) -> Callable[[Path], None]:
    def spoil(copy: Path) -> None:
        content = bytearray((copy / name).read_bytes())
        content[int(len(content) * at)] ^= 1
        (copy / name).write_bytes(content)
        if fitting:
            rewrite(copy)

    return spoil


def cut(name: str, *, fitting: bool = False) -> Callable[[Path], None]:
    def spoil(copy: Path) -> None:
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content[: len(content) // 2])
        if fitting:
            rewrite(copy)

    return spoil


def without(name: str) -> Callable[[Path], None]:
    return lambda copy: (copy / name).unlink()


def with_sql(statement: str) -> Callable[[Path], None]:
    """Change the database and make the manifest fit."""

    def spoil(copy: Path) -> None:
        with closing(sqlite3.connect(copy / DATABASE)) as database:
            database.execute(statement)
            database.commit()
        rewrite(copy)

    return spoil


def strangers(copy: Path) -> None:
    (copy / DATABASE).unlink()
    with closing(sqlite3.connect(copy / DATABASE)) as database:
        database.execute("CREATE TABLE theirs (x)")
    rewrite(copy)


def linked(copy: Path) -> None:
    (copy / DATABASE).rename(copy / "elsewhere")
    (copy / DATABASE).symlink_to(copy / "elsewhere")


def newer_vault(copy: Path) -> None:
    content = bytearray((copy / "vault").read_bytes())
    content[8] = 2
    (copy / "vault").write_bytes(content)
    rewrite(copy)


def outside(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["../config.toml"] = manifest["files"]["vault"]
    (copy / "manifest.json").write_text(json.dumps(manifest))


NEWER = (
    "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
    " VALUES ('costcompass', 'm9999_from_the_future', '')"
)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without("manifest.json"), "it has no manifest.json"),
        (without(DATABASE), "its costcompass.db cannot be read"),
        (without("vault"), "its vault cannot be read"),
        (cut("manifest.json"), "its manifest.json is damaged"),
        (cut(DATABASE), "its costcompass.db was changed or cut short"),
        (cut("vault"), "its vault was changed or cut short"),
        (flip(DATABASE, 0.6), "its costcompass.db was changed or cut short"),
        (flip("vault", 0.9), "its vault was changed or cut short"),
        (cut(DATABASE, fitting=True), "its database is damaged"),
        (lambda copy: rewrite(copy, rows={"cost": 11}), "does not fit its database"),
        (lambda copy: rewrite(copy, newest_day="2026-11-26"), "does not fit its database"),
        (with_sql("DELETE FROM cost WHERE day < '2026-11-20'"), "does not fit its database"),
        (strangers, "its database is not CostCompass's"),
        (linked, "its costcompass.db cannot be read"),
        (flip("vault", 0, fitting=True), "not a CostCompass vault"),
        (lambda copy: rewrite(copy, format=2), "reads format 1: upgrade CostCompass"),
        (lambda copy: rewrite(copy, format="1"), "reads format 1"),
        (with_sql(NEWER), "written by a newer version (it has m9999_from_the_future)"),
        (newer_vault, "reads version 1: upgrade CostCompass"),
        (lambda copy: rewrite(copy, kind="other"), "is not one of CostCompass's"),
        (lambda copy: rewrite(copy, created_at="2026-11-26T12:00:00"), "incomplete or was changed"),
        (lambda copy: rewrite(copy, files={}), "incomplete or was changed"),
        (outside, "incomplete or was changed"),
        (lambda copy: (copy / "manifest.json").write_text("[" * 60_000), "is damaged"),
    ],
)
def test_a_backup_that_is_not_good_changes_nothing(stored: Install, copy: Path, spoil, told: str):
    spoil(copy)
    before = contents(stored.state)
    done = stored.run("restore", "copy")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert f"{copy} is no good backup: " in line
    assert told in line
    assert contents(stored.state) == before
    assert done.stdout == ""
