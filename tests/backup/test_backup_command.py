"""`costcompass backup`: a whole, private, verified folder, or nothing at all."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backup_folders import NOW, can_trace, contents, flip_pages, strace
from install import Install

from costcompass_core.storage.store import open_reader, open_store
from costcompass_core.usecases.backup import examine_backup, make_backup
from costcompass_core.vault.file import Vault

traced = pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace")


def refused(done) -> str:
    """The one line that a command ended with."""
    assert done.returncode == 1, done.stdout
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    return line


def test_it_holds_database_vault_and_manifest_all_private(stored: Install):
    done = stored.run("backup", "copy")
    assert done.stdout == (
        "backed up to copy: database (10 rows of cost, through 2026-11-25) and vault, verified\n"
    )
    copy = stored.folder / "copy"
    assert {one.name: stat.S_IMODE(one.stat().st_mode) for one in copy.iterdir()} == dict.fromkeys(
        ("costcompass.db", "vault", "manifest.json"), 0o600
    )
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert (copy / "vault").read_bytes() == stored.vault.read_bytes()
    manifest = json.loads((copy / "manifest.json").read_text())
    assert manifest["format"] == 1
    assert manifest["schema"] == "m0006_stack"
    assert manifest["rows"]["usage_day"] == 10
    assert manifest["newest_day"] == "2026-11-25"
    assert manifest["files"]["vault"]["bytes"] == len(stored.vault.read_bytes())
    assert datetime.fromisoformat(manifest["created_at"]).tzinfo == UTC
    with closing(sqlite3.connect(copy / "costcompass.db")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_without_a_vault_there_is_none_in_it(stored: Install):
    stored.vault.unlink()
    assert "through 2026-11-25), no vault, verified" in stored.run("backup", "copy").stdout
    assert not examine_backup(stored.folder / "copy").has_vault


def test_an_empty_folder_is_taken_and_anything_else_is_left_alone(stored: Install):
    folder = stored.folder
    (folder / "empty").mkdir()
    assert stored.run("backup", "empty").returncode == 0
    (folder / "file").write_text("mine")
    (folder / "link").symlink_to(folder / "nowhere")
    before = contents(folder)
    for taken in ("empty", "file", "link", "state"):
        line = refused(stored.run("backup", taken))
        assert "exists already" in line
        assert "name a folder that does not exist yet" in line
    assert contents(folder) == before
    assert not os.path.lexists(folder / "nowhere")


def test_a_folder_that_is_not_there_is_not_made_up(stored: Install):
    line = refused(stored.run("backup", "unmounted/copy"))
    assert f"there is no folder {stored.folder}/unmounted: make it, or mount" in line
    assert not (stored.folder / "unmounted").exists()


def test_nothing_is_stored_yet(install: Install):
    install.configure()
    assert "nothing has been read yet" in refused(install.run("backup", "copy"))
    assert not (install.folder / "copy").exists()


@traced
@pytest.mark.parametrize(
    "fault", ["pwrite64:error=ENOSPC", "write:error=ENOSPC", "fsync:error=EIO"]
)
def test_a_disk_that_refuses_is_one_line_and_leaves_nothing(stored: Install, fault: str):
    before = sorted(one.name for one in stored.folder.iterdir())
    # Each file of the draft in turn: all that is written to them is written by us.
    files = [stored.folder / ".copy.part" / one for one in ("costcompass.db", "manifest.json")]
    only = [word for file in files for word in ("-P", str(file))]
    done = strace(stored, [*only, "-e", f"inject={fault}"], "backup", "copy")
    line = refused(done)
    assert f"{stored.folder}/copy cannot be written (" in line
    assert "free some space there" in line
    assert sorted(one.name for one in stored.folder.iterdir()) == before


def test_what_a_killed_backup_left_is_swept_and_one_under_way_is_not(stored: Install):
    draft = stored.folder / ".copy.part"
    draft.mkdir()
    (draft / "costcompass.db").write_bytes(b"half")
    held = os.open(draft, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert "another backup to" in refused(stored.run("backup", "copy"))
    assert (draft / "costcompass.db").read_bytes() == b"half"
    os.close(held)
    assert stored.run("backup", "copy").returncode == 0
    assert not draft.exists()


def test_a_damaged_ledger_is_not_copied_and_the_newest_copy_is_named(stored: Install):
    good = stored.state / "backups" / "2026-11-25"
    good.parent.mkdir()
    shutil.copytree(_backed_up(stored), good)
    flip_pages(stored.state / "costcompass.db")
    line = refused(stored.run("backup", "another"))
    assert f"{stored.state}/costcompass.db is damaged" in line
    assert f"the newest with `costcompass restore {good}`" in line
    assert sorted(one.name for one in stored.folder.glob("*another*")) == []


def test_damage_that_no_reader_meets_is_found_by_the_copy(stored: Install):
    """An index that lost its rows: everything can be read, and some of it is wrong."""
    with closing(sqlite3.connect(stored.state / "costcompass.db")) as database:
        database.execute("PRAGMA writable_schema = ON")
        whole = "substr(sql, 1, instr(sql, ' WHERE') - 1)"
        database.execute(f"UPDATE sqlite_master SET sql = {whole} WHERE name = 'cost_foreign'")
        database.commit()
    line = refused(stored.run("backup", "copy"))
    assert f"{stored.state}/costcompass.db is damaged or not a database (" in line
    assert "index cost_foreign" in line
    assert not list(stored.folder.glob("*copy*"))


def _backed_up(stored: Install) -> Path:
    assert stored.run("backup", "copy").returncode == 0
    return stored.folder / "copy"


def test_beside_a_writer_it_is_one_state_and_never_checkpoints(stored: Install):
    store = open_store(stored.state)
    reader = open_reader(stored.state)
    wal = stored.state / "costcompass.db-wal"
    done, torn = threading.Event(), []

    def write() -> None:
        for number in range(40):
            with store.writing() as tx:  # two rows that are always told together
                for name in ("left", "right"):
                    tx.execute(
                        "INSERT INTO account VALUES (?, 'x', '', 0, '')", (name + str(number),)
                    )
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    copies = 0
    while not done.is_set() or not copies:
        size = (stored.state / "costcompass.db").stat().st_size
        made = make_backup(reader, stored.folder / f"copy{copies}", NOW)
        assert examine_backup(stored.folder / f"copy{copies}") == made
        torn.append(made.content.rows["account"] % 2)
        copies += 1
    writer.join()
    assert len(set(torn)) == 1
    assert (stored.state / "costcompass.db").stat().st_size == size, "all is in the log still"
    before = wal.read_bytes()
    make_backup(reader, stored.folder / "last", NOW)
    assert wal.read_bytes() == before
    store.close()


def test_a_vault_that_is_replaced_meanwhile_is_copied_whole(stored: Install):
    vault, done = stored.opened(), threading.Event()

    def change() -> None:
        for _ in range(60):
            vault.put("slack/bot-token", vault.reveal("openrouter/main"))
        done.set()

    thread = threading.Thread(target=change)
    thread.start()
    copies = 0
    while not done.is_set() or not copies:
        path = stored.folder / f"copy{copies}"
        make_backup(open_reader(stored.state), path, NOW)
        assert "openrouter/main" in Vault(path / "vault", vault.key).names()
        copies += 1
    thread.join()


def test_a_vault_that_others_can_read_is_not_copied(stored: Install):
    stored.vault.chmod(0o644)
    assert f"chmod 600 {stored.vault}" in refused(stored.run("backup", "copy"))
    assert not list(stored.folder.glob("*copy*"))
