"""The pages of a daemon that gets into trouble, moves, or is asked by `healthcheck`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import pytest
from install import PASSPHRASE, Daemon, Install, eventually
from watched import OFTEN, free_port, get, now

from bot.config import load_config
from bot.daemon import Daemon as Life
from bot.engine import Engine
from bot.health.service import Health
from bot.keyring import Keyring
from bot.meters import Meters
from bot.sandbox import faults
from bot.sandbox.openrouter import OpenRouter
from bot.schedule import STALLED, Pulse
from costcompass_core.storage.store import open_store


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def ready(install: Install, openrouter: OpenRouter, port: int) -> Install:
    """One account without Slack, read every second, shown on `port`."""
    openrouter.accounts[0].spend("1.25", now().date() - timedelta(days=1))
    install.configure(openrouter, more=f'{OFTEN}[http]\nlisten = "127.0.0.1:{port}"\n')
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
    return install


def failing(port: int) -> dict[str, str]:
    """The reasons of the checks that are not passed."""
    page = get(port, "/readyz")
    told = json.loads(page.body)
    assert page.headers["Content-Type"] == "application/json"
    assert (page.status == 200) is told["ready"] is all(one["ok"] for one in told["checks"])
    return {one["check"]: one["reason"] for one in told["checks"] if not one["ok"]}


def test_a_refused_key_makes_it_unready_and_not_dead(
    ready: Install, openrouter: OpenRouter, port: int
):
    with ready.daemon():
        assert eventually(lambda: not failing(port)), failing(port)
        openrouter.faults.add("/credits", faults.status(401, "no"), times=None)
        openrouter.faults.add("/activity", faults.status(401, "no"), times=None)
        assert eventually(lambda: failing(port) == {"data": "the provider refuses its key"})
        assert get(port, "/healthz").body == "ok\n"
        url = f"http://127.0.0.1:{port}/readyz"
        asked = ready.run("healthcheck", "--url", url)
        assert asked.returncode == 1
        assert asked.stderr == (
            f"costcompass: {url} answers 503: data main: the provider refuses its key\n"
        )
        refused = 'costcompass_refreshes_total{account="main",result="key_rejected"} '

        def counted() -> float:
            return float(get(port, "/metrics").body.partition(refused)[2].splitlines()[0])

        assert eventually(lambda: counted() >= 1)


def test_a_locked_daemon_says_so_until_it_is_unlocked(
    install: Install, openrouter: OpenRouter, port: int
):
    listen = f'[http]\nlisten = "127.0.0.1:{port}"\n'
    install.configure(openrouter, passphrase_file=False, more=OFTEN + listen)
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
    with install.daemon():
        assert failing(port)["vault"] == "locked: run `costcompass unlock`"
        assert "costcompass_vault_locked 1.0" in get(port, "/metrics").body
        assert install.run("healthcheck").returncode == 0
        assert install.run("unlock", "--passphrase-fd", "0", stdin=PASSPHRASE).returncode == 0
        assert eventually(lambda: not failing(port))
        assert "costcompass_vault_locked 0.0" in get(port, "/metrics").body


def test_a_port_in_use_ends_the_start_with_one_line(ready: Install, port: int):
    with socket.create_server(("127.0.0.1", port)):
        done = ready.run("run")
    assert done.returncode == 1
    [line] = [one for one in done.stderr.splitlines() if one.startswith("costcompass:")]
    assert f"[http] listen = '127.0.0.1:{port}': the port is in use" in line
    assert "Traceback" not in done.stderr


def reload(ready: Install, daemon: Daemon, before: str, after: str) -> None:
    ready.config.write_text(ready.config.read_text().replace(before, after))
    heard = daemon.log.count("reloaded")
    daemon.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: daemon.log.count("reloaded") > heard), daemon.log


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_reload_moves_it_keeps_it_where_it_cannot_and_turns_it_off(ready: Install, port: int):
    other = free_port()
    with ready.daemon() as daemon:
        with socket.create_server(("127.0.0.1", other)):
            reload(ready, daemon, f":{port}", f":{other}")
            assert "the port is in use" in str(daemon.status()["config"]["error"])
            assert get(port, "/healthz").status == 200
        reload(ready, daemon, f":{other}", f":{other}")
        assert get(other, "/healthz").status == 200
        assert eventually(lambda: not failing(other)), "the pages ask the newest engine"
        assert not listens(port)
        reload(ready, daemon, f"127.0.0.1:{other}", "")
        assert not listens(other)
        assert daemon.account()["error"] is None
    assert "Traceback" not in daemon.log


def test_it_stays_where_it_was_when_a_reload_fails_later(ready: Install, port: int):
    other = free_port()
    daemon = Life(
        load_config(ready.config, ready.environ),
        ready.opened,
        load=lambda: load_config(ready.config, ready.environ),
    )
    running = Thread(target=daemon.run)
    running.start()
    try:
        assert eventually(lambda: listens(port))
        ready.config.write_text(ready.config.read_text().replace(f":{port}", f":{other}"))
        with daemon._store._lock:
            daemon._store._writer.execute("PRAGMA query_only = 1")
        daemon.reload()
        assert eventually(lambda: "cannot be used" in daemon._loaded.error)
        assert eventually(lambda: not listens(other))
        assert get(port, "/healthz").status == 200
    finally:
        daemon.stop()
        running.join()


def test_healthcheck_asks_the_control_socket_where_there_is_no_page(
    install: Install, openrouter: OpenRouter
):
    install.configure(openrouter)
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
    gone = install.run("healthcheck")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "no daemon answers" in gone.stderr
    with install.daemon() as daemon:
        well = install.run("healthcheck")
        assert (well.returncode, well.stderr) == (0, "")
        assert well.stdout == f"healthy: process {daemon.process.pid}, vault unlocked\n"


def test_healthcheck_without_a_daemon_or_with_nonsense(ready: Install, port: int):
    gone = ready.run("healthcheck")
    assert gone.returncode == 1
    assert f"http://127.0.0.1:{port}/healthz does not answer (Connection refused)" in gone.stderr
    for url in ("https://127.0.0.1", "127.0.0.1:9464", "http://[::1", "http://127.0.0.1:x/"):
        assert ready.run("healthcheck", "--url", url).returncode == 2


def test_what_nobody_asked_for_is_not_loaded():
    heavy = "{'prometheus_client', 'httpx', 'slack_bolt', 'sqlite3', 'cryptography'}"
    for module, spared in (
        ("bot.daemon", "{'prometheus_client'}"),
        ("bot.cli.healthcheck", heavy),
    ):
        code = f"import sys, {module}; sys.exit(sorted({spared} & set(sys.modules)) or 0)"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def idle(ready: Install, port: int) -> Iterator[Pulse]:
    """The pages of an engine that was never started, and the pulse that they look at."""
    config, pulse = load_config(ready.config, {}), Pulse()
    store, keyring = (
        open_store(config.state_dir),
        Keyring(config.state_dir / "vault", now()),
    )
    engine = Engine(config, store, keyring, now)
    health = Health(now, pulse, Meters(), engine=lambda: engine, locked=lambda: keyring.is_locked)
    health.listen(config.http_listen)
    yield pulse
    health.close()
    store.close()


def test_a_clock_that_stands_still_is_no_life(idle: Pulse, port: int):
    assert get(port, "/healthz").status == 200
    idle.silent = lambda: STALLED + timedelta(seconds=3)  # whatever asking takes
    page = get(port, "/healthz")
    assert (page.status, page.body) == (503, "no tick for 123 s\n")
    assert failing(port)["ticks"] == "no tick for 123 s"


def test_an_unreadable_database_is_shown_and_hides_what_it_knew(
    idle: Pulse, ready: Install, port: int
):
    assert "costcompass_open_incidents" in get(port, "/metrics").body
    database = ready.state / "costcompass.db"
    database.rename(ready.state / "gone")
    assert failing(port)["database"] == "can't be read: see `costcompass status`"
    page = get(port, "/metrics")
    assert page.status == 200
    assert 'costcompass_ready{account="",check="database"} 0.0' in page.body
    assert "costcompass_open_incidents" not in page.body
    assert get(port, "/healthz").status == 200
    (ready.state / "gone").rename(database)
    assert "database" not in failing(port)


def test_whoever_writes_holds_nobody_up_and_is_not_held_up(idle: Pulse, ready: Install, port: int):
    store = open_store(ready.state)
    with store.writing() as tx:
        tx.execute("INSERT INTO marker VALUES ('busy', '')")
        assert get(port, "/metrics").status == 200
        assert get(port, "/readyz").status == 503
    with store.reading() as tx:
        assert tx.execute("SELECT count(*) FROM marker WHERE name = 'busy'").fetchone() == (1,)
    store.close()
