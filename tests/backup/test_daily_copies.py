"""The daemon's own copies: one a UTC day, verified, the newest kept, nobody else's touched."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from backup_folders import NOW, contents, flip_pages
from install import Install, eventually

from bot.backups import Backups
from bot.config import Backup, load_config
from bot.daemon import Daemon
from bot.schedule import start_ticking
from costcompass_core.domain.backups import due, outdated
from costcompass_core.storage.store import Store, open_store
from costcompass_core.usecases.backup import examine_backup

TODAY = NOW.date()
HOUR = timedelta(hours=1)


class Life:
    """One life of the part of the daemon that makes copies, and a clock."""

    def __init__(self, store: Store, folder: Path, keep: int = 7) -> None:
        self.now = NOW
        self.backups = Backups(Backup(keep, folder), store, lambda: self.now)

    def ticks(self, **later: float) -> Life:
        self.now += timedelta(**later)
        self.backups.tick()
        return self

    @property
    def status(self) -> dict[str, object]:
        return self.backups.status()


@pytest.fixture
def store(stored: Install) -> Iterator[Store]:
    with closing(open_store(stored.state)) as store:
        yield store


@pytest.fixture
def folder(stored: Install) -> Path:
    return stored.state / "backups"


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def test_the_first_comes_a_minute_after_the_start_and_one_a_utc_day_from_then_on(store, folder):
    life = Life(store, folder).ticks().ticks(seconds=59)
    assert names(folder) == []
    for _ in range(4 * 24 * 3):  # three days, a tick each quarter of an hour
        life.ticks(minutes=15)
    assert names(folder) == ["2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29"]
    assert examine_backup(folder / "2026-11-29").created_at == datetime(
        2026, 11, 29, 0, 0, 59, tzinfo=UTC
    )
    assert life.status == {
        "keep": 7, "folder": str(folder), "last_at": "2026-11-29T00:00:59Z", "error": None,
    }  # fmt: skip
    assert folder.stat().st_mode & 0o777 == 0o700


def test_another_life_on_the_same_day_makes_no_other(store, folder):
    Life(store, folder).ticks().ticks(minutes=2)
    before = contents(folder)
    life = Life(store, folder).ticks()
    assert life.status["last_at"] == "2026-11-26T12:02:00Z"
    life.ticks(hours=3)
    assert contents(folder) == before


def test_only_the_newest_of_its_own_are_kept(store, folder, stored: Install):
    folder.mkdir()
    for name in ("2026-11-01", "2026-11-02", "notes", "2026-13-45"):
        (folder / name).mkdir()
        (folder / name / "mine").write_text("kept")
    by_hand = folder / "2026-11-03"
    stored.run("backup", str(by_hand))
    others = folder / "2026-11-04"
    shutil.copytree(by_hand, others)
    text = (others / "manifest.json").read_text().replace('"daily": false', '"daily": true')
    (others / "manifest.json").write_text(text.replace(str(stored.state), "/another/state"))
    linked = folder / "2026-11-05"
    linked.symlink_to(by_hand)
    foreign = contents(folder)
    life = Life(store, folder, keep=2).ticks()
    for _ in range(4):
        life.ticks(days=1)
    days = [one for one in names(folder) if one > "2026-11-05"]
    assert days == ["2026-11-29", "2026-11-30", "2026-13-45", "notes"]
    assert {k: v for k, v in contents(folder).items() if k in foreign} == foreign
    assert len(names(folder)) == 9, "two of its own, seven of others"


def test_what_a_killed_life_left_of_a_copy_is_swept(store, folder):
    (folder / ".2026-11-20.part").mkdir(parents=True)
    (folder / ".2026-11-20.part" / "costcompass.db").write_bytes(b"half")
    (folder / ".mine.part").mkdir()
    Life(store, folder).ticks().ticks(minutes=2)
    assert names(folder) == [".mine.part", "2026-11-26"]


def test_a_failure_is_told_in_one_line_and_tried_again_an_hour_later(store, folder, caplog):
    folder.write_text("in the way")
    life = Life(store, folder).ticks()
    for _ in range(4 * 59):
        life.ticks(seconds=15)
    [told] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert told.startswith(f"no backup was made: the folder {folder} cannot be made (File exists)")
    assert "set [backup] folder" in told
    assert life.status["error"] == told.removeprefix("no backup was made: ")
    assert life.status["last_at"] is None
    folder.unlink()
    life.ticks(minutes=10)
    assert names(folder) == ["2026-11-26"]
    assert life.status["error"] is None


def test_a_copy_never_takes_the_last_space(store, folder, stored: Install):
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("only root may make a small disk")
    try:
        life = Life(store, folder).ticks().ticks(minutes=2)
        assert re.fullmatch(
            rf"a copy in {folder} takes 0\.\d MB, but 0\.1 MB are free: free some space there, .*",
            str(life.status["error"]),
        )
        assert names(folder) == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert stored.run("backup", str(folder / "again")).returncode == 0


def test_no_good_copy_goes_while_the_ledger_is_damaged(store, folder, stored: Install, caplog):
    life = Life(store, folder, keep=1).ticks().ticks(minutes=2)
    before = contents(folder)
    store.close()
    flip_pages(stored.state / "costcompass.db")
    life.ticks(days=1).ticks(days=1)
    assert contents(folder) == before
    newest = folder / "2026-11-26"
    assert f"the newest with `costcompass restore {newest}`" in str(life.status["error"])
    assert "is damaged" in caplog.text


def test_a_name_that_is_taken_is_told_and_left_alone(store, folder, caplog):
    (folder / "2026-11-26").mkdir(parents=True)
    Life(store, folder).ticks().ticks(minutes=2)
    assert "give each state_dir a [backup] folder of its own" in caplog.text
    assert names(folder / "2026-11-26") == []


def test_off_means_off(store, folder):
    life = Life(store, folder, keep=0).ticks().ticks(days=1)
    assert not folder.exists()
    assert life.status["keep"] == 0


def test_a_clock_that_jumps_brings_neither_a_flood_nor_silence(store, folder):
    life = Life(store, folder, keep=2).ticks().ticks(minutes=2)
    for _ in range(3):
        life.ticks(days=400).ticks(days=-400)
    assert names(folder) == ["2026-11-26", "2027-12-31"]
    life.ticks(days=1).ticks(days=1)
    assert names(folder) == ["2026-11-27", "2026-11-28", "2027-12-31"]


def test_what_the_life_before_a_reload_is_making_is_not_made_again(store, folder, caplog):
    before, after = Life(store, folder).ticks(), Life(store, folder).ticks()
    before.ticks(minutes=2)
    after.ticks(minutes=2)
    assert caplog.text.count("backed up") <= 1
    assert after.status["last_at"] == before.status["last_at"]
    assert after.status["error"] is None


def hurried(ticks: Mapping[str, Callable[[], None]], _: timedelta, now: datetime) -> Any:
    return start_ticking(ticks, timedelta(seconds=0.3), now)


def test_the_daemon_makes_them_and_its_status_says_so(stored: Install):
    moment = [NOW]
    daemon = Daemon(
        load_config(stored.config, {}), lambda: None, lambda: moment[0], ticking=hurried
    )
    running = threading.Thread(target=daemon.run)
    folder = stored.state / "backups"
    folder.write_text("in the way")
    running.start()
    try:
        assert eventually(lambda: "backup   none yet\n" in stored.run("status").stdout)
        moment[0] += timedelta(minutes=2)
        failing = f"backup   none yet, failing: the folder {folder} cannot be made"
        assert eventually(lambda: failing in stored.run("status").stdout)
        folder.unlink()
        moment[0] += HOUR
        assert eventually(lambda: names(folder) == ["2026-11-26"])
        assert eventually(lambda: "2026-11-26T13:02" in stored.run("status", "--json").stdout)
    finally:
        daemon.stop()
        running.join()
    assert examine_backup(folder / "2026-11-26").daily


@pytest.mark.parametrize(
    ("days", "since_start", "since_failure", "wanted"),
    [
        ([], 60, None, True),
        ([], 59, None, False),
        ([], -5, None, True),
        ([TODAY], 3600, None, False),
        ([TODAY - timedelta(days=1), TODAY + timedelta(days=1)], 3600, None, True),
        ([], 7200, 3599, False),
        ([], 7200, 3600, True),
        ([], 7200, -1, True),
    ],
)
def test_when_a_copy_is_due(days, since_start, since_failure, wanted):
    failed = None if since_failure is None else NOW - timedelta(seconds=since_failure)
    started = NOW - timedelta(seconds=since_start)
    assert due(days, TODAY, NOW, started, failed) is wanted


def test_which_copies_have_had_their_day():
    days = [date(2026, 11, n) for n in (20, 22, 24, 25, 26)]
    future = date(2030, 1, 1)
    assert outdated([*days, future], TODAY, 3) == days[:2]
    assert outdated(days, TODAY, 9) == []
