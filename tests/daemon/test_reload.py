"""SIGHUP: a valid configuration takes over, a bad one is refused and said, and nothing is lost."""

from __future__ import annotations

import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from install import Daemon, Install, eventually

from bot.config import load_config
from bot.config_tables import differing
from bot.daemon import Daemon as Life
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import Slack
from bot.systemd import watchdog_seconds

TURNS = 6
"""Reloads after which what each of them left behind would be more than the engine's own ups and downs."""
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture
def ready(install: Install, openrouter: OpenRouter, slack: Slack) -> Install:
    openrouter.accounts[0].spend("1.25", YESTERDAY)
    install.configure(openrouter, slack)
    install.keep(
        openrouter__main=openrouter.accounts[0].management_key.secret,
        openrouter__second=openrouter.accounts[0].management_key.secret,
        slack__bot_token=slack.bot_token,
        slack__app_token=slack.app_token,
    )
    return install


def reload(daemon: Daemon) -> dict[str, object]:
    """Send SIGHUP and return what `status` says of the configuration after it was heard."""
    heard = daemon.log.count("reloaded")
    daemon.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: daemon.log.count("reloaded") > heard), daemon.log
    config: dict[str, object] = daemon.status()["config"]
    return config


def held(daemon: Daemon, what: str) -> int:
    """How many threads ("task") or open descriptors ("fd") the process has."""
    return len([*Path(f"/proc/{daemon.process.pid}/{what}").iterdir()])


def names(daemon: Daemon) -> list[str]:
    threads = Path(f"/proc/{daemon.process.pid}/task").iterdir()
    return sorted((one / "comm").read_text().strip() for one in threads)


def test_a_good_configuration_takes_over(ready: Install, slack: Slack, openrouter: OpenRouter):
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
        second = f'[[account]]\nname = "second"\nprovider = "openrouter"\nbase_url = "{openrouter.base_url}"\n'
        ready.config.write_text(f"{ready.config.read_text()}\n{second}")
        assert reload(daemon)["error"] is None
        assert "reloaded: account changed" in daemon.log
        assert daemon.refreshed("second"), "the new account is read, with the vault still open"
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
        threads, descriptors = held(daemon, "task"), held(daemon, "fd")
        text = ready.config.read_text()
        for turn in range(TURNS):
            ready.config.write_text(
                text.replace("[slack]", f"[digest]\ntime = '0{turn}:00'\n[slack]")
            )
            reload(daemon)
            assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
        assert "reloaded: digest changed" in daemon.log
        assert "reloaded: digest.time changed" in daemon.log
        assert eventually(lambda: held(daemon, "task") < threads + TURNS), names(daemon)
        assert eventually(lambda: held(daemon, "fd") < descriptors + TURNS)
    assert "Traceback" not in daemon.log


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("timezone = 'Europe/Berlln'", "timezone is not a time zone; did you mean"),
        ("= nonsense", "is not TOML"),
        ("state_dir = '/elsewhere'", "state_dir can't change while the daemon runs"),
    ],
)
def test_a_bad_configuration_is_refused_and_the_old_one_holds(
    ready: Install, spoilt: str, said: str
):
    good = ready.config.read_text()
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        key = spoilt.partition("=")[0]
        kept = [line for line in good.splitlines() if not key or not line.startswith(key)]
        ready.config.write_text("\n".join([spoilt, *kept]))
        told = reload(daemon)
        assert said in str(told["error"])
        # Its last line; the state is noted before the first.
        assert eventually(lambda: "the daemon goes on by the configuration it had" in daemon.log)
        assert "ERROR   daemon: not reloaded: " in daemon.log
        assert said in daemon.log
        assert daemon.account()["error"] is None
        ready.config.write_text(good)
        assert f"config   not reloaded: {told['error']}\n" in ready.run("status").stdout
        assert reload(daemon)["error"] is None
        assert "reloaded: nothing has changed" in daemon.log
        assert said not in ready.run("status").stdout


def test_a_missing_file_is_refused_as_well(ready: Install):
    with ready.daemon() as daemon:
        ready.config.rename(ready.config.with_suffix(".away"))
        assert "cannot be read" in str(reload(daemon)["error"])


def test_systemd_hears_of_ready_reload_pulse_and_stop(ready: Install, tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        heard: list[str] = []

        def listen() -> None:
            """Take every message at once: what the kernel holds for a manager is ten of them."""
            while "the end" not in heard:
                heard.append(manager.recv(4096).decode())

        listening = Thread(target=listen)
        listening.start()
        try:
            with ready.daemon(environ=environ) as daemon:
                assert eventually(lambda: len(heard) > 1)
                ready.config.write_text(f"{ready.config.read_text()}\n[digest]\ntime = '10:00'\n")
                reload(daemon)
                daemon.end()
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"the end", str(tmp_path / "notify"))
            listening.join()
    assert heard[:2] == ["READY=1", "WATCHDOG=1"]
    begun, *told = (one for one in heard[2:] if one != "WATCHDOG=1")
    assert begun.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert told == ["READY=1", "STOPPING=1", "the end"]


def test_the_watchdog_is_only_for_whom_it_names():
    assert watchdog_seconds({}) is None
    assert watchdog_seconds({"WATCHDOG_USEC": "60000000"}) == 30
    assert watchdog_seconds({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_seconds({"WATCHDOG_USEC": "soon"}) is None


def test_only_keys_are_named_never_their_values():
    before = {"alerts": {"webhook_url": "https://host/secret", "quiet_hours": ""}, "account": [1]}
    after = {"alerts": {"webhook_url": "https://host/other"}, "account": [1], "timezone": "UTC"}
    assert differing(before, after) == ["alerts.webhook_url", "alerts.quiet_hours", "timezone"]
    assert differing(before, before) == []


def test_a_database_that_refuses_leaves_the_old_engine_at_work(ready: Install):
    daemon = Life(
        load_config(ready.config, ready.environ),
        ready.opened,
        load=lambda: load_config(ready.config, ready.environ),
    )
    running = Thread(target=daemon.run)
    running.start()
    try:
        assert eventually(lambda: daemon._pulse.beats() and hasattr(daemon, "_engine"))
        before = daemon._engine
        ready.config.write_text(f"{ready.config.read_text()}\n[digest]\ntime = '10:00'\n")
        refuse_writes(daemon, True)
        daemon.reload()
        assert eventually(lambda: "cannot be used" in daemon._loaded.error)
        assert daemon._engine is before
        assert not before.reader._stopping.is_set(), "it was not even asked to stop"
        refuse_writes(daemon, False)
        daemon.reload()
        assert eventually(lambda: daemon._engine is not before)
        assert eventually(lambda: daemon._loaded.error == "")
    finally:
        daemon.stop()
        running.join()


def refuse_writes(daemon: Life, on: bool) -> None:
    with daemon._store._lock:
        daemon._store._writer.execute(f"PRAGMA query_only = {int(on)}")


def test_a_reload_does_not_forget_since_when_the_vault_is_locked(ready: Install):
    moment = [datetime.now(UTC)]
    daemon = Life(
        load_config(ready.config, ready.environ),
        lambda: None,
        lambda: moment[0],
        load=lambda: load_config(ready.config, ready.environ),
    )
    running = Thread(target=daemon.run)
    running.start()
    try:
        assert eventually(lambda: hasattr(daemon, "_engine") and daemon._engine._scheduler)
        before, since = daemon._engine, moment[0]
        moment[0] += timedelta(hours=1)
        ready.config.write_text(f"{ready.config.read_text()}\n[digest]\ntime = '10:00'\n")
        daemon.reload()
        assert eventually(lambda: daemon._engine is not before and daemon._engine._scheduler)
        assert daemon._engine.alerting.watch.locked_since == since
    finally:
        daemon.stop()
        running.join()
