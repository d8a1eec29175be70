"""`doctor` on this machine: disk, permissions, database, versions, ports, and whoever runs already."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from doctor_world import as_nobody, by_check, examined, found_here
from install import Install, eventually

from bot.control import ControlServer
from bot.doctor.machine import versions
from bot.doctor.state import examine_state
from bot.sandbox import faults
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import hang_up, silent
from costcompass_core.storage.lock import holding
from costcompass_core.storage.store import FILE_NAME, open_store

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sqlite", "state"),
    [
        ((3, 37, 2), "bad"),
        ((3, 38, 5), "bad"),
        ((3, 39, 0), "warn"),
        ((3, 44, 5), "warn"),
        ((3, 44, 6), "ok"),
        ((3, 45, 9), "warn"),
        ((3, 50, 6), "warn"),
        ((3, 50, 7), "ok"),
        ((3, 51, 2), "warn"),
        ((3, 51, 3), "ok"),
        ((3, 52, 0), "ok"),
    ],
)
def test_an_old_sqlite_is_told_by_what_it_means_for_us(sqlite, state):
    found = versions("costcompass 0", sqlite)
    assert found.state == state
    if state == "warn":
        assert "has the WAL-reset bug, harmless while CostCompass alone writes" in found.found
    if state == "bad":
        assert "SQLite 3.39.0 or newer" in found.mend


def test_a_machine_without_time_zones(whole: Install):
    (whole.folder / "tzdata").mkdir()  # in place of the package, where that is installed
    (whole.folder / "tzdata" / "__init__.py").touch()
    path = f"{whole.folder}:{whole.environ['PYTHONPATH']}"
    done = whole.run("doctor", environ={"PYTHONTZPATH": "", "PYTHONPATH": path})
    assert done.returncode == 78
    assert done.stderr.startswith(
        "costcompass: this machine has no time-zone data: install it (Debian, Ubuntu: apt install"
    )
    assert len(done.stderr.splitlines()) == 1


def test_few_file_descriptors_are_a_warning(whole: Install):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    try:
        found = found_here(whole, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found["limits"][0] == "warn"
    assert "only 200 files: raise it to 1024" in found["limits"][1]


# -- the state directory ----------------------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="doctor-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def state_of(path: Path) -> tuple[str, str]:
    return by_check(list(examine_state(path)))["state_dir"]


def test_the_doctor_makes_no_state_directory(install: Install, openrouter: OpenRouter):
    install.configure(openrouter)
    found = examined(install, 1)
    assert found["state_dir"] == ("ok", f"{install.state}, made by the first refresh: ")
    assert "costcompass vault create" in found["vault"][1]
    assert not install.state.exists()


def test_a_state_directory_that_cannot_be_made(open_folder: Path):
    with as_nobody() if not os.geteuid() else locked(open_folder):
        state, words = state_of(open_folder / "a" / "b")
    assert state == "bad"
    assert f"{open_folder}/a/b is not there, and {open_folder} cannot be written" in words


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    folder.chmod(0o555)
    yield
    folder.chmod(0o755)


def test_a_state_directory_of_somebody_else(open_folder: Path):
    with as_nobody() if not os.geteuid() else locked(open_folder):
        state, words = state_of(open_folder)
    assert state == "bad"
    assert f"{open_folder} cannot be written (Permission denied): make it writable" in words
    assert "; you are " in words


def test_files_of_another_user_in_it(open_folder: Path):
    """As after a `sudo costcompass refresh`."""
    for name in (FILE_NAME, "vault"):
        (open_folder / name).touch(0o444)
    open_folder.chmod(0o777)
    with as_nobody():
        state, words = by_check([*examine_state(open_folder)][:1])["state_dir"]
    assert state == "bad"
    assert f"{FILE_NAME}, vault cannot be written (it is " in words
    assert "chown -R " in words


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small disk of its own on `folder`, where that is allowed."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("only root may mount a disk of its own")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    ("disk", "state", "told"),
    [
        ("size=512k", "bad", "the disk is full: free some space; what was stored before is intact"),
        ("size=20m", "bad", "only 20 MB free: free some space before"),
        ("size=100m", "warn", "only 100 MB free: free some space before"),
        ("size=300m", "ok", "300 MB free"),
        ("size=300m,nr_inodes=1", "bad", "no more files fit on this disk: delete some"),
        ("size=300m,ro", "bad", "the file system is read-only: mount it for writing"),
    ],
)
def test_a_disk_that_is_full_or_nearly_so(tmp_path: Path, disk, state, told):
    with mounted(tmp_path, disk):
        found = state_of(tmp_path)
    assert found[0] == state
    assert told in found[1]


def test_a_folder_of_backups_that_cannot_be_written(whole: Install):
    whole.environ["COSTCOMPASS_BACKUP__FOLDER"] = str(whole.passphrase)
    state, words = found_here(whole, 1)["backups"]
    assert state == "bad"
    assert f"{whole.passphrase} cannot be written (Not a directory)" in words
    assert "or set [backup] folder to another folder" in words
    whole.environ["COSTCOMPASS_BACKUP__KEEP"] = "0"
    assert "backups" not in found_here(whole, 0)


def test_a_limit_that_keeps_files_from_growing(tmp_path: Path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        state, words = state_of(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert state == "bad"
    assert f"a limit keeps files from growing ({os.strerror(errno.EFBIG)})" in words


def test_secrets_that_others_can_read_are_refused(whole: Install):
    whole.passphrase.chmod(0o644)
    state, words = examined(whole, 1)["vault"]
    assert state == "bad"
    assert f"others can use {whole.passphrase} (mode 0644): chmod 600 {whole.passphrase}" in words


# -- the database -------------------------------------------------------------------------------


def damaged(path: Path) -> None:
    """Overwrites a page in the middle."""
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('costcompass', 'm9999_future', '')"
        )


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE theirs (x)")


def older(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm0006%'")


@pytest.mark.parametrize(
    ("spoil", "state", "told"),
    [
        (damaged, "bad", "is damaged"),
        (newer, "bad", "written by a newer version (it has m9999_future): run that version"),
        (foreign, "bad", "the database is not CostCompass's: point state_dir at a folder"),
        (older, "ok", "written by an older version: `costcompass run` brings it up to date"),
    ],
)
def test_a_database_that_is_not_as_it_should_be(whole: Install, spoil, state, told):
    open_store(whole.state).close()
    spoil(whole.state / FILE_NAME)
    found = found_here(whole, 1 if state == "bad" else 0)["database"]
    assert found[0] == state
    assert told in found[1]


# -- whoever runs already -----------------------------------------------------------------------


def test_a_daemon_that_hangs_is_no_daemon_that_is_missing(whole: Install):
    with whole.daemon() as daemon:
        daemon.process.send_signal(signal.SIGSTOP)
        state, words = found_here(whole, 75)["daemon"]
        daemon.process.send_signal(signal.SIGCONT)
    number = daemon.process.pid
    assert state == "bad"
    assert words.startswith(f"process {number} holds {whole.state}, but answers on no control")
    assert f"`kill {number}`" in words


def test_a_daemon_that_slack_does_not_let_in(whole: Install, slack: Slack):
    slack.faults.plan("link", hang_up(), times=None)
    with whole.daemon() as daemon:
        assert eventually(lambda: daemon.status()["slack"]["error"])
        state, words = found_here(whole, 0)["daemon slack"]
    assert state == "warn"
    assert words.startswith("not connected to Slack since 20")


def test_a_daily_copy_that_was_not_made(whole: Install):
    with whole.daemon() as daemon:
        status = daemon.status()  # it makes the first copy after a minute, which nobody waits for
    status["pid"] = os.getpid()
    status["backup"] |= {"error": "the disk is full: free some", "last_at": "2026-11-25T00:01:00Z"}
    with holding(whole.state):
        server = ControlServer(whole.state, lambda *_: status)
        state, words = found_here(whole, 1)["daily copies"]
        server.close()
    assert state == "bad"
    newest = "newest: 2026-11-25T00:01:00Z"
    assert words == f"the daemon made no copy ({newest}): the disk is full: free some"


def test_a_command_at_work_is_not_taken_for_a_daemon(whole: Install):
    held = "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path; from costcompass_core.storage.lock import holding\nwith holding(Path(sys.argv[3])): print('held', flush=True); input()"
    root = Path(__file__).parents[2]
    words = [sys.executable, "-c", held, "refresh", str(root), str(whole.state)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        state, told = found_here(whole, 0)["daemon"]
        process.communicate(b"\n")
    assert state == "warn"
    assert f"`costcompass refresh` is at work (process {process.pid})" in told


def test_two_daemons_on_one_state_directory(whole: Install):
    with whole.daemon() as first:
        (whole.state / "lock").unlink()
        found = found_here(whole, 75)
        assert found["second daemon"][0] == "bad"
        assert f"process {first.process.pid} runs without holding" in found["second daemon"][1]
        with whole.daemon(log="second.log") as second:
            assert eventually(lambda: second.status()["pid"] == second.process.pid)
            state, words = found_here(whole, 75)["second daemon"]
    assert state == "bad"
    told = f"process {first.process.pid} works on {whole.state} beside process {second.process.pid}"
    assert words.startswith(f"{told}: two daemons tell everything twice")


def test_a_configuration_that_the_daemon_refused(whole: Install):
    good = whole.config.read_text()
    with whole.daemon() as daemon:
        whole.config.write_text("timezone = 'Mars/Olympus'")
        daemon.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "goes on by the configuration it had" in daemon.log)
        whole.config.write_text(good)
        state, words = found_here(whole, 78)["daemon config"]
    assert state == "bad"
    assert words.startswith(f"the daemon goes by an older one: {whole.config}: timezone is not a")
    assert words.endswith(f": mend that, then `kill -HUP {daemon.process.pid}`")


def test_the_lock_is_left_as_it_was(whole: Install):
    found_here(whole, 0)
    with holding(whole.state):
        assert found_here(whole, 75)["daemon"][1].startswith(f"process {os.getpid()} holds ")


def test_a_configuration_that_the_daemon_has_not_read(whole: Install):
    with whole.daemon() as daemon:
        assert "daemon config" not in found_here(whole, 0)
        whole.config.write_text(f"{whole.config.read_text()}\n# a remark\n")
        state, words = found_here(whole, 0)["daemon config"]
        assert state == "warn"
        assert words == (
            f"{whole.config} was changed after the daemon read it:"
            f" make it read it again: `kill -HUP {daemon.process.pid}`"
        )
        daemon.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "nothing has changed" in daemon.log)
        assert "daemon config" not in found_here(whole, 0)
        read, other = whole.config, whole.folder / "other.toml"
        whole.config = read.rename(other)
        words = found_here(whole, 0)["daemon config"][1]
        assert words.startswith(f"the daemon reads {read}, this command {other}: ")


# -- ports and hosts ----------------------------------------------------------------------------


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which somebody listens who never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def unused() -> Iterator[str]:
    """A port on which nobody listens, and which nobody else is given: bound, as far as that goes."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{keeper.getsockname()[1]}"


def listens_on(install: Install, listen: str) -> None:
    install.environ["COSTCOMPASS_HTTP__LISTEN"] = listen


def test_the_port_of_http(whole: Install, taken: str):
    listens_on(whole, taken)
    state, words = found_here(whole, 1)["http"]
    assert state == "bad"
    port = taken.rpartition(":")[2]
    assert f"{taken} is in use by another program: `ss -ltnp 'sport = :{port}'`" in words
    with unused() as free:
        listens_on(whole, free)
        assert found_here(whole, 0)["http"] == ("ok", f"{free} is free: ")
    listens_on(whole, "203.0.113.1:9464")
    assert "nobody can listen on 203.0.113.1:9464 (" in found_here(whole, 1)["http"][1]


def test_the_port_of_the_daemon_itself(whole: Install, taken: str):
    with unused() as free, unused() as other:
        listens_on(whole, free)
        with whole.daemon():
            assert found_here(whole, 0)["http"] == ("ok", f"{free} is answered by the daemon: ")
            listens_on(whole, taken)
            assert f"{taken} is answered by another program" in found_here(whole, 1)["http"][1]
        with whole.daemon(environ={"COSTCOMPASS_HTTP__LISTEN": free}):
            listens_on(whole, other)
            assert f"nobody listens on {other}: the daemon began" in found_here(whole, 1)["http"][1]


def test_the_hosts_of_webhook_and_heartbeat_are_visited_and_told_nothing(
    whole: Install, openrouter: OpenRouter, taken: str
):
    whole.environ["COSTCOMPASS_ALERTS__WEBHOOK_URL"] = f"http://{taken}/a-secret"
    with unused() as closed:
        whole.environ["COSTCOMPASS_ALERTS__HEARTBEAT_URL"] = f"http://{closed}/a-secret"
        found = found_here(whole, 69)
    assert found["webhook"][0] == "ok"
    assert found["heartbeat"][0] == "bad"
    assert f"{closed} refuses the connection" in found["heartbeat"][1]
    assert "a-secret" not in str(found)


def test_on_the_way_to_slack_the_proxy_is_visited(whole: Install, slack: Slack, monkeypatch):
    whole.environ["COSTCOMPASS_SLACK__API_URL"] = "https://slack.invalid/api/"
    with unused() as closed:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter22@{closed}")
        found = found_here(whole, 69)
    assert f"{closed} refuses the connection" in found["slack"][1]
    assert "hunter22" not in str(found)


def test_the_doctor_leaves_nothing_behind(whole: Install, slack: Slack):
    open_store(whole.state).close()

    def files() -> dict[str, int]:
        """All but what SQLite itself puts there for whoever reads."""
        found = [one for one in whole.state.iterdir() if one.name[-4:] not in {"-shm", "-wal"}]
        return {one.name: one.stat().st_size for one in found}

    before = files()
    found_here(whole, 0)
    assert files() == before
    assert slack.messages == ()
    assert [one.method for one in slack.calls if "schedule" in one.method.lower()] == [
        "chat.scheduleMessage",
        "chat.deleteScheduledMessage",
    ], "planned and withdrawn"


def test_whoever_never_answers_holds_up_nobody_else(
    whole: Install, openrouter: OpenRouter, slack: Slack
):
    openrouter.faults.add("/", faults.silence, times=None)
    slack.faults.plan("auth.test", silent(), times=None)
    found = found_here(whole, 69, patience=3.0)
    assert f"{openrouter.address} does not answer in time: allow outgoing TCP" in str(
        found["key main"]
    )
    assert f"{slack.address} does not answer in time" in found["slack"][1]
    assert found["database"][0] == "ok"
