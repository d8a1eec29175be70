"""A disk that refuses writes during a crossing: the alert goes out, and nothing stored is lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from harness import (
    Crossing,
    Site,
    account,
    can_trace,
    eventually,
    is_over,
    ledger,
    now,
    site,
)
from install import Daemon

from bot.sandbox.openrouter import OpenRouter
from costcompass_core.storage.store import FILE_NAME

traced = pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace")
REFUSALS = ["fdatasync:error=EIO", "pwrite64:error=ENOSPC"]
UNRECORDED = ["balance_low", "database_unwritable"]


def unrecorded(at: Site) -> list[str]:
    """The rules of all alerts that were told as not recorded."""
    told = [message for message in at.slack.messages if "NOT RECORDED" in str(message.blocks)]
    ids = [message.metadata["event_payload"]["id"] for message in told]
    return sorted(one.split(":")[1] for one in ids)


def refuses(at: Site, fault: str) -> list[str]:
    """Return strace's words for a ledger that can be read but not written."""
    path = at.install.state / FILE_NAME
    log = at.install.folder / "strace.log"
    only = ["-P", str(path), "-P", f"{path}-wal"]
    return ["-y", "-o", str(log), *only, "-e", f"inject={fault}"]


def mend(daemon: Daemon) -> None:
    """End the tracing of the daemon, which lets it go on without."""
    status = Path(f"/proc/{daemon.process.pid}/status")
    [tracer] = re.findall(r"TracerPid:\t(\d+)", status.read_text())
    os.kill(int(tracer), signal.SIGKILL)
    assert eventually(lambda: "TracerPid:\t0" in status.read_text())


def check_the_end(at: Site, crossing: Crossing) -> None:
    """After the daemon has ended: all is stored and everything was told once."""
    before, after = ledger(crossing.ledger), ledger(at.install.state / FILE_NAME)
    assert after.sound
    assert after.stored >= before.stored
    assert after.readings > before.readings
    assert after.incidents == [("main", "balance_low", 2, True)]
    assert [name for name in at.posted if not name.startswith("unrecorded:")] == list(after.letters)
    kinds = [name.split(":")[0] for name in after.letters.keys() - before.letters.keys()]
    assert sorted(kinds) == ["database_back", "incident"]


@traced
@pytest.mark.parametrize("fault", REFUSALS)
def test_an_alert_goes_out_although_the_database_takes_nothing(fault, eve, provider, tmp_path):
    with site(tmp_path, eve, provider) as at:
        with at.traced(*refuses(at, fault)) as daemon:
            assert eventually(lambda: len(unrecorded(at)) == 2), daemon.log
            assert [at.refresh()["ok"] for _ in range(3)] == [False] * 3
            assert daemon.status()["database_refuses_since"]
            assert unrecorded(at) == UNRECORDED, "once, however often the write is tried"
            mend(daemon)
            assert at.refresh()["ok"]
            assert eventually(lambda: is_over(daemon, eve)), daemon.status()
            daemon.end(timeout=60)
        assert unrecorded(at) == UNRECORDED
        check_the_end(at, eve)
        log, call = (tmp_path / "strace.log").read_text(), fault.partition(":")[0]
        assert set(re.findall(rf"{call}\(\d+<[^>\n]*?([^/>\n]*)>", log)) == {f"{FILE_NAME}-wal"}
        assert "INJECTED" in log


@traced
def test_it_is_recorded_by_itself_once_the_disk_takes_writes_again(
    eve, provider, tmp_path, pytestconfig
):
    if pytestconfig.getoption("--kill-points") < 100:
        pytest.skip("takes over a minute: run with --kill-points 150")
    with site(tmp_path, eve, provider, balance="30s") as at:
        with at.traced(*refuses(at, REFUSALS[0])) as daemon:
            assert eventually(lambda: len(unrecorded(at)) == 2), daemon.log
            assert not eventually(lambda: unrecorded(at) != UNRECORDED, 35), "no more at a tick"
            mend(daemon)
            assert eventually(lambda: is_over(daemon, eve), 90), daemon.status()
            daemon.end(timeout=60)
        check_the_end(at, eve)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own for the state directory, two megabytes large."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", folder]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root may mount, and not everywhere")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave not a byte free."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(1024)):
            pass
    assert shutil.disk_usage(folder).free == 0
    return filler


def test_an_alert_goes_out_although_the_disk_is_full(eve, small_disk, tmp_path):
    spender = account("spender", left=100)
    crossing = Crossing("full disk", eve.ledger, spender, (2,))
    with OpenRouter(now, [spender]) as openrouter, site(tmp_path, crossing, openrouter) as at:
        with at.install.daemon() as daemon:
            assert eventually(lambda: daemon.status()["outbox"]["waiting"] == 0)
            filler = fill(small_disk)
            spender.spend(92, now().date())
            assert [at.refresh()["ok"] for _ in range(3)] == [False] * 3
            assert unrecorded(at) == UNRECORDED
            daemon.process.kill()
            assert daemon.process.wait() == -signal.SIGKILL
        with at.install.daemon() as daemon:
            assert [at.refresh()["ok"] for _ in range(3)] == [False] * 3
            assert unrecorded(at) == sorted(UNRECORDED * 2), "once in each life"
            filler.unlink()
            assert at.refresh()["ok"]
            assert eventually(lambda: is_over(daemon, crossing)), daemon.status()
        check_the_end(at, crossing)
