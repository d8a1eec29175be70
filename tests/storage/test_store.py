"""The ledger's file: who may write, what a reader sees, and what a broken or foreign file gets."""

import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from costcompass_core.domain.backups import Content, Copied, Manifest
from costcompass_core.domain.errors import AlreadyRunning, StorageError
from costcompass_core.storage.lock import holding
from costcompass_core.storage.store import FILE_NAME, open_reader, open_store

NOBODY = 65534


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path):
    return tmp_path / FILE_NAME


def remember(tx, name, provider="openrouter"):
    tx.execute("INSERT OR REPLACE INTO account (name, provider) VALUES (?, ?)", (name, provider))


def names(store):
    with store.reading() as tx:
        return [row[0] for row in tx.execute("SELECT name FROM account ORDER BY name")]


def refusals(state_dir):
    """What opening says, for writing and for reading; each on one line."""
    said = []
    for opening in (open_store, open_reader):
        with pytest.raises(StorageError) as caught:
            opening(state_dir)
        said.append(str(caught.value))
    assert not any("\n" in one for one in said)
    return said


# -- opening ------------------------------------------------------------------------------------


def test_a_new_ledger_is_private_and_durable(store, file):
    assert file.stat().st_mode & 0o777 == 0o600
    with store.writing() as tx:
        [mode], [sync] = (
            tx.execute(f"PRAGMA {p}").fetchone() for p in ("journal_mode", "synchronous")
        )
        assert (mode, sync) == ("wal", 2)
    assert sorted(one.name for one in file.parent.iterdir()) == [
        FILE_NAME,
        f"{FILE_NAME}-shm",
        f"{FILE_NAME}-wal",
    ]


def test_nothing_to_read_before_anything_was_stored(tmp_path):
    assert open_reader(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_killed_first_start_leaves_no_half_made_ledger(tmp_path, file):
    (tmp_path / f"{FILE_NAME}.new").write_bytes(b"half")
    open_store(tmp_path).close()
    assert [one.name for one in tmp_path.iterdir()] == [FILE_NAME]
    assert names(open_reader(tmp_path)) == []


def test_an_empty_file_is_refused_and_left_alone(tmp_path, file):
    file.touch()
    for said in refusals(tmp_path):
        assert "is empty" in said
        assert "restore a backup" in said
    assert file.read_bytes() == b""


def copied(tmp_path, name="2026-11-25", **changes):
    """A daily copy of this state directory, as far as anybody looks who opens the ledger."""
    folder = tmp_path / "backups" / name
    folder.mkdir(parents=True)
    content = Content("m0006_stack", {}, None)
    made = datetime.fromisoformat(f"{name}T00:01:00Z")
    files = {"costcompass.db": Copied(1, "0" * 64)}
    manifest = Manifest("0.1.0", made, str(tmp_path), daily=True, content=content, files=files)
    (folder / "manifest.json").write_text(json.dumps(manifest.shape() | changes))
    return folder


def test_a_ledger_that_is_gone_is_not_begun_anew_beside_its_copies(tmp_path, file):
    copied(tmp_path)
    newest = copied(tmp_path, "2026-11-26")
    copied(tmp_path, "2026-11-27", source="/another/state")
    for said in refusals(tmp_path):
        assert f"{file} is gone, but {tmp_path}/backups is there" in said
        assert f"the newest with `costcompass restore {newest}`" in said
        assert f"move {tmp_path}/backups away to begin anew" in said
    assert not file.exists()


def test_a_ledger_that_is_gone_is_not_begun_anew_beside_its_log(tmp_path, file):
    log = tmp_path / f"{FILE_NAME}-wal"
    log.write_bytes(b"changes")
    for said in refusals(tmp_path):
        assert f"is gone, but {log} is there: restore a backup" in said
    assert log.read_bytes() == b"changes"
    log.write_bytes(b"")  # as whoever only read may leave it
    open_store(tmp_path).close()


def test_a_ledger_that_vanishes_under_its_readers_is_told_with_the_mend(tmp_path, file):
    with closing(open_store(tmp_path)) as store:
        copy = copied(tmp_path)
        file.unlink()
        with pytest.raises(StorageError) as caught:
            names(store)
    assert str(caught.value) == (
        f"{file} is gone: restore a backup, the newest with `costcompass restore {copy}`"
    )


def test_copies_of_another_ledger_are_in_nobody_s_way(tmp_path):
    copied(tmp_path, source="/another/state")
    (tmp_path / "backups" / "notes").mkdir()
    assert open_reader(tmp_path) is None
    open_store(tmp_path).close()


def test_copies_in_another_folder_are_found_as_well(tmp_path, file):
    newest = copied(tmp_path).rename(tmp_path / "moved")
    elsewhere = tmp_path / "it's elsewhere"
    elsewhere.mkdir()
    newest = newest.rename(elsewhere / "2026-11-25")
    file.touch()
    with pytest.raises(StorageError) as caught:
        open_store(tmp_path, elsewhere)
    assert f"costcompass restore {shlex.quote(str(newest))}`" in str(caught.value)


def test_a_folder_in_its_place_is_named(tmp_path, file):
    file.mkdir()
    for said in refusals(tmp_path):
        assert f"{file} is not a file: move it away, then restore a backup" in said


def test_nothing_is_opened_while_a_restore_is_half_done(tmp_path):
    open_store(tmp_path).close()
    (tmp_path / "restoring").mkdir()
    for said in refusals(tmp_path):
        assert "run that `costcompass restore` again" in said


def test_a_page_that_went_bad_is_named_by_whoever_meets_it(tmp_path, file):
    with closing(open_store(tmp_path)) as store, store.reading() as tx:
        table = "SELECT rootpage FROM sqlite_master WHERE name = 'account'"
        [page] = tx.execute(table).fetchone()
    copy = copied(tmp_path)
    content = bytearray(file.read_bytes())
    content[(page - 1) * 4096] ^= 0xFF
    file.write_bytes(content)
    reader = open_reader(tmp_path)
    with pytest.raises(StorageError) as caught:
        names(reader)
    assert "is damaged or not a database" in str(caught.value)
    assert f"costcompass restore {copy}`; it keeps what it replaces" in str(caught.value)


@pytest.mark.parametrize("mark", ["CREATE TABLE theirs (x)", "PRAGMA application_id = 7"])
def test_a_strangers_database_is_refused_and_left_alone(tmp_path, file, mark):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(mark)
        connection.commit()
    before = file.read_bytes()
    for said in refusals(tmp_path):
        assert "not CostCompass's" in said
        assert "folder of its own" in said
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_newer_database_is_refused_and_left_alone(tmp_path, file):
    open_store(tmp_path).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('costcompass', 'm9999_from_the_future', '')"
        )
        connection.commit()
    before = file.read_bytes()
    for said in refusals(tmp_path):
        assert "newer version (it has m9999_from_the_future)" in said
        assert "restore a backup" in said
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"no database at all " * 1000,
        lambda content: content[:5000],
        lambda content: content[:100] + b"\xff" * (len(content) - 100),
    ],
    ids=["not-sqlite", "cut-short", "overwritten"],
)
def test_a_damaged_file_is_named_with_the_mend_and_left_alone(tmp_path, file, damage):
    open_store(tmp_path).close()
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    for said in refusals(tmp_path):
        assert str(file) in said
        assert "damaged or not a database" in said
        assert "restore a backup" in said
    assert file.read_bytes() == damaged


def test_a_mistake_of_our_own_is_not_blamed_on_the_file(store):
    with pytest.raises(sqlite3.IntegrityError), store.writing() as tx:
        tx.execute("INSERT INTO account (name, provider) VALUES (NULL, NULL)")


# -- where the disk says no ---------------------------------------------------------------------


@contextmanager
def without_privileges():
    """As a user who owns nothing, for root may write anywhere."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_directory_that_cannot_be_written_or_entered(tmp_path):
    path = Path(tempfile.mkdtemp())
    try:
        for mode in (0o555, 0o000):
            path.chmod(mode)
            with without_privileges():
                for opening in (open_store, holding_briefly, *([open_reader] if not mode else [])):
                    with pytest.raises(StorageError) as caught:
                        opening(path)
                    assert str(path) in str(caught.value)
                    assert "Permission denied" in str(caught.value)
        path.chmod(0o700)
        assert list(path.iterdir()) == []
    finally:
        shutil.rmtree(path)
    with pytest.raises(StorageError, match="cannot be used"):
        open_store(tmp_path / "missing")


def holding_briefly(path):
    with holding(path):
        pass


def test_a_full_disk_fails_the_transaction_and_keeps_what_was_there(store):
    with store.writing() as tx:
        remember(tx, "before")
        [pages] = tx.execute("PRAGMA page_count").fetchone()
        tx.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError) as caught, store.writing() as tx:
        remember(tx, "much", "x" * 1_000_000)
    assert "free some disk space; what was stored before is intact" in str(caught.value)
    assert names(store) == ["before"]
    with store.writing() as tx:
        tx.execute("PRAGMA max_page_count = 100000")
        remember(tx, "after")
    assert names(store) == ["after", "before"]


# -- transactions -------------------------------------------------------------------------------


def test_a_failed_transaction_leaves_nothing_and_the_store_goes_on(store):
    with suppress(ZeroDivisionError), store.writing() as tx:
        remember(tx, "ghost")
        raise ZeroDivisionError
    assert names(store) == []
    with store.writing() as tx:
        remember(tx, "real")
    assert names(store) == ["real"]


def test_a_reader_sees_one_state_and_cannot_write(store):
    with store.writing() as tx:
        remember(tx, "one")
    with store.reading() as snapshot:
        assert snapshot.execute("SELECT count(*) FROM account").fetchone() == (1,)
        with store.writing() as tx:
            remember(tx, "two")
            assert names(store) == ["one"]
        assert snapshot.execute("SELECT count(*) FROM account").fetchone() == (1,)
    assert names(store) == ["one", "two"]
    with pytest.raises(StorageError, match="readonly"), store.reading() as tx:
        remember(tx, "three")
    with (
        pytest.raises(StorageError, match="reading only"),
        open_reader(store.path.parent).writing(),
    ):
        pass


def test_threads_take_turns_to_write_and_readers_never_see_half(store):
    with store.writing() as tx:
        remember(tx, "left", "0")
        remember(tx, "right", "0")
    torn, done = [], threading.Event()

    def work():
        for _ in range(25):
            with store.writing() as tx:
                [value] = tx.execute("SELECT provider FROM account WHERE name = 'left'").fetchone()
                remember(tx, "left", str(int(value) + 1))
                remember(tx, "right", str(int(value) + 1))

    def watch():
        while not done.is_set():
            with store.reading() as tx:
                values = [row[0] for row in tx.execute("SELECT provider FROM account")]
            if len(set(values)) != 1:
                torn.append(values)

    workers = [threading.Thread(target=work) for _ in range(4)]
    watcher = threading.Thread(target=watch)
    for thread in (watcher, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    watcher.join()
    assert torn == []
    with store.reading() as tx:
        assert {row[0] for row in tx.execute("SELECT provider FROM account")} == {"100"}


def test_a_ledger_closed_or_torn_from_its_writer_can_be_read(tmp_path, file):
    store = open_store(tmp_path)
    with store.writing() as tx:
        remember(tx, "main")
    torn = tmp_path / "torn ?#%41"
    torn.mkdir()
    for suffix in ("", "-wal"):  # as a kill leaves them
        shutil.copy(f"{file}{suffix}", torn / f"{FILE_NAME}{suffix}")
    store.close()
    assert not Path(f"{file}-wal").exists()
    assert names(open_reader(tmp_path)) == ["main"]
    assert names(open_reader(torn)) == ["main"]


# -- one process --------------------------------------------------------------------------------

HOLD = """
import sys
from pathlib import Path
from costcompass_core.storage.lock import holding
with holding(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_state_directory_has_one_process_even_after_a_kill(tmp_path):
    state_dir = tmp_path / "made" / "by us"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, state_dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning) as caught, holding(state_dir):
            pass
        other.send_signal(signal.SIGKILL)
    assert caught.value.exit_code == 75
    assert f"process {other.pid}" in str(caught.value)
    assert state_dir.stat().st_mode & 0o777 == 0o700
    holding_briefly(state_dir)
