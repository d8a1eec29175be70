"""The daemon as a process: started, asked, starved, killed, and nothing given away."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from install import PASSPHRASE, Install, eventually, usage

from bot.sandbox import faults
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount, StandInKey
from bot.sandbox.slack import Slack
from costcompass_core.domain.secret import Secret
from costcompass_core.storage.outbox import put
from costcompass_core.storage.store import open_store
from costcompass_core.vault.file import unlock

OFTEN = '[refresh]\nbalance = "1s"\nactivity = "1s"\n[backup]\nkeep = 0\n'
SELDOM = "[backup]\nkeep = 0\n"
"""Of what `status` tells nothing changes for minutes once an account was read."""
NOW = datetime.now(UTC)
YESTERDAY = NOW.date() - timedelta(days=1)


@pytest.fixture
def ready(install: Install, openrouter: OpenRouter) -> Install:
    """One account with a good key and a little spend, read every second; no Slack."""
    openrouter.accounts[0].spend("1.25", YESTERDAY)
    install.configure(openrouter, more=OFTEN)
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
    return install


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


def test_a_whole_life_gives_no_secret_away(install: Install, openrouter: OpenRouter, slack: Slack):
    """Read, answer in Slack, fail with an answer that echoes the key, end: then look everywhere."""
    account = openrouter.accounts[0]
    account.spend("1.25", YESTERDAY, "evil\n2026-11-23T09:00:00Z INFO daemon: forged/model")
    key = account.management_key.secret
    install.configure(openrouter, slack, more=OFTEN)
    tokens = {"slack__bot_token": slack.bot_token, "slack__app_token": slack.app_token}
    install.keep(openrouter__main=key, **tokens)
    said = ""
    with install.daemon("--log-format", "json", "--log-level", "debug") as daemon:
        assert daemon.refreshed()
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
        assert "$1.25" in slack.user.command("/spend", "7d").text
        echo = f'no "Bearer {key}"\n{{"level": "error", "message": "forged"}}\r\x1b[2J'
        openrouter.faults.add("/key", faults.status(403, echo), times=None)
        assert eventually(lambda: daemon.account()["error"])
        said += json.dumps(daemon.status())
        for words in (("status",), ("refresh",), ("spend", "7d"), ("doctor",), ("vault", "list")):
            done = install.run(*words)
            said += done.stdout + done.stderr
    log = daemon.log  # now that nobody is in the middle of a line
    assert {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in install.state.iterdir()
    } == dict.fromkeys(("vault", "lock", "costcompass.db"), 384), (
        "private, closed properly, and no socket left"
    )
    secrets = {PASSPHRASE, key, slack.bot_token, slack.app_token, "ticket="}
    everything = said + log + "".join(str(one) for one in slack.messages)
    assert [secret for secret in secrets if secret in everything] == []
    for path in install.state.iterdir():
        assert [secret for secret in secrets if secret.encode() in path.read_bytes()] == []
    events = [json.loads(line) for line in log.splitlines()]
    assert all(event.keys() == {"at", "level", "logger", "message"} for event in events)
    assert not any(event["message"] == "forged" for event in events)
    assert "\x1b" not in log + said


def test_ready_asked_and_only_one_of_it(ready: Install, openrouter: OpenRouter):
    ready.configure(openrouter, more=SELDOM)
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        assert eventually(lambda: daemon.status()["slack"]["state"] == "refused")
        status = json.loads(ready.run("status", "--json").stdout)
        assert status == daemon.status()
        assert status["pid"] == daemon.process.pid
        assert status["vault"] == "unlocked"
        assert "costcompass vault add slack/bot-token" in status["slack"]["error"]
        [account] = status["accounts"]
        assert account["data_through"] == str(YESTERDAY)
        assert (account["error"], account["failures"]) == (None, 0)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", account["balance_at"])

        text = ready.run("status").stdout.splitlines()
        assert re.fullmatch(
            rf"costcompass \S+, process {daemon.process.pid}, started just now", text[0]
        )
        assert text[1] == "vault    unlocked"
        assert text[-1].startswith(f"account  main, through {YESTERDAY}, balance ")
        assert stat.S_IMODE((ready.state / "control.sock").stat().st_mode) == 0o600

        second = ready.run("run")
        assert second.returncode == 75
        assert f"another costcompass (process {daemon.process.pid}) holds" in second.stderr
        assert len(second.stderr.splitlines()) == 1
        assert daemon.answers()
    assert "ready: costcompass" in daemon.log
    gone = ready.run("status")
    assert gone.returncode == 1
    assert "start it with `costcompass run`" in gone.stderr


def test_it_ends_within_five_seconds_while_both_sides_keep_silent(
    ready: Install, openrouter: OpenRouter, silent_port: int
):
    openrouter.faults.add("/", faults.silence, times=None)
    key = openrouter.accounts[0].management_key.secret
    ready.keep(openrouter__main=key, slack__bot_token="xoxb-1", slack__app_token="xapp-1")
    silent = {"COSTCOMPASS_SLACK__API_URL": f"http://127.0.0.1:{silent_port}/api"}
    with ready.daemon(environ=silent) as daemon:
        assert eventually(lambda: openrouter.requests)
        assert daemon.end(signal.SIGTERM) < 5
    assert "Traceback" not in daemon.log
    openrouter.faults.clear()
    with ready.daemon() as daemon:
        assert daemon.refreshed()


def test_without_a_passphrase_it_starts_locked_and_waits_for_unlock(
    install: Install, openrouter: OpenRouter, slack: Slack
):
    install.configure(openrouter, slack, passphrase_file=False, more=OFTEN)
    secrets = {"slack__bot_token": slack.bot_token, "slack__app_token": slack.app_token}
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret, **secrets)
    earlier = YESTERDAY - timedelta(days=1)
    install.remember({earlier: [usage(earlier, "a/model", "7")]}, at=NOW - timedelta(days=1))
    with install.daemon() as daemon:
        begun = daemon.status()
        assert begun["vault"] == "locked"
        assert eventually(lambda: daemon.account()["failures"])
        assert "run `costcompass unlock`" in daemon.account()["error"]
        assert eventually(lambda: daemon.status()["slack"]["state"] == "refused")
        spend = install.run("spend", str(earlier))
        assert spend.stdout.startswith(f"{earlier}: $7.00 spent")
        assert install.run("refresh").returncode == 77

        words = ("unlock", "--passphrase-fd", "0")
        wrong = install.run(*words, stdin="not the passphrase\n")
        assert wrong.returncode == 77
        assert "the passphrase is wrong" in wrong.stderr
        assert daemon.status()["vault"] == "locked"
        assert install.run("unlock").returncode == 77, "nothing gives it"
        assert openrouter.requests == ()

        right = install.run(*words, stdin=f"{PASSPHRASE}\n")
        assert (right.returncode, right.stdout) == (0, "unlocked\n")
        assert daemon.status()["vault"] == "unlocked"
        assert daemon.refreshed()
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
        assert daemon.status()["started_at"] == begun["started_at"]
    assert install.run("unlock").returncode == 1, "for a daemon that is there"


def test_a_key_added_while_it_runs_is_used_without_a_restart(
    install: Install, openrouter: OpenRouter, slack: Slack
):
    install.configure(openrouter, slack, more=OFTEN)
    install.keep()
    with install.daemon() as daemon:
        assert eventually(lambda: daemon.account()["failures"])
        assert "no entry openrouter/main" in daemon.account()["error"]
        assert eventually(lambda: daemon.status()["slack"]["state"] == "refused")
        key = openrouter.accounts[0].management_key.secret
        assert install.run("vault", "add", "openrouter/main", stdin=key).returncode == 0
        assert daemon.refreshed()
        vault = unlock(install.vault, Secret(PASSPHRASE))
        vault.put("slack/bot-token", Secret(slack.bot_token))
        vault.put("slack/app-token", Secret(slack.app_token))
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")


def test_a_provider_that_talks_nonsense_for_a_while(ready: Install, openrouter: OpenRouter):
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        good = daemon.account()
        openrouter.faults.add("/", faults.html(200), times=None)
        assert eventually(lambda: daemon.account()["failures"])
        bad = daemon.account()
        assert "JSON" in bad["error"]
        assert bad["data_through"] == good["data_through"]
        assert "failing (" in ready.run("status").stdout
        spend = ready.run("spend", str(YESTERDAY)).stdout
        assert spend.startswith(f"{YESTERDAY}: $1.25 spent")
        assert "could not be refreshed" in spend
        openrouter.faults.clear()
        assert eventually(lambda: not daemon.account()["failures"])
        assert daemon.account()["error"] is None
    assert "refresh of main failed" in daemon.log
    assert "Traceback" not in daemon.log


def test_an_account_that_hangs_does_not_hold_up_another(ready: Install, openrouter: OpenRouter):
    stuck_key = StandInKey("manager", management=True, seed="stuck")
    with OpenRouter(lambda: datetime.now(UTC), [StandInAccount([stuck_key])]) as stuck:
        stuck.faults.add("/", faults.silence, times=None)
        ready.configure(openrouter, accounts=("main", "stuck"), more=OFTEN)
        ready.keep(
            openrouter__main=openrouter.accounts[0].management_key.secret,
            openrouter__stuck=stuck_key.secret,
        )
        with ready.daemon(environ={"COSTCOMPASS_ACCOUNT__1__BASE_URL": stuck.base_url}) as daemon:
            assert daemon.refreshed()
            first = daemon.account()["balance_at"]
            assert eventually(lambda: daemon.account()["balance_at"] > first)
            assert eventually(lambda: stuck.requests)
            assert daemon.account("stuck")["balance_at"] is None
            daemon.process.kill()  # how it ends with work in flight is shown above
            daemon.process.wait()
        assert "skipped" not in daemon.log, "a tick that finds its account busy is no news"


def test_kill_9_loses_nothing_and_a_restart_works(ready: Install):
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        daemon.process.kill()
        daemon.process.wait()
        assert ready.run("spend", str(YESTERDAY)).stdout.startswith(f"{YESTERDAY}: $1.25 spent")
        assert ready.run("status").returncode == 1
        with ready.daemon(log="second.log") as again:
            assert again.account()["data_through"] == str(YESTERDAY)
            assert again.status()["pid"] != daemon.process.pid


def test_a_slack_outage_at_the_start_delays_only_slack(
    ready: Install, openrouter: OpenRouter, slack: Slack
):
    ready.configure(openrouter, slack, more=OFTEN)
    tokens = {"slack__bot_token": slack.bot_token, "slack__app_token": slack.app_token}
    ready.keep(openrouter__main=openrouter.accounts[0].management_key.secret, **tokens)
    slack.outage(True)
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        assert daemon.status()["slack"]["state"] == "connecting"
        assert eventually(
            lambda: "Slack cannot be reached" in (daemon.status()["slack"]["error"] or "")
        )
        slack.outage(False)
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
        assert "$1.25" in slack.user.command("/spend", "7d").text


def test_a_state_directory_deeper_than_a_socket_path_may_be(tmp_path: Path, openrouter: OpenRouter):
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    folder.mkdir(parents=True)
    install = Install(folder)
    install.configure(openrouter)
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
    with install.daemon() as daemon:
        assert daemon.refreshed()
        assert install.run("status").returncode == 0


def test_a_database_that_vanishes_is_told_in_one_line_a_tick(ready: Install):
    with ready.daemon() as daemon:
        assert eventually(lambda: "refreshed main" in daemon.log)
        for path in ready.state.glob("costcompass.db*"):
            path.unlink()
        assert eventually(lambda: "main can't be refreshed" in daemon.log)
        assert ready.run("status").returncode == 1
    assert "Traceback" not in daemon.log


def wrong_passphrase(install: Install) -> None:
    install.passphrase.write_text("not the passphrase\n")


def open_vault(install: Install) -> None:
    install.vault.chmod(0o640)


def no_vault(install: Install) -> None:
    install.vault.unlink()


def empty_database(install: Install) -> None:
    (install.state / "costcompass.db").touch()


def no_passphrase_file(install: Install) -> None:
    install.passphrase.unlink()


@pytest.mark.parametrize(
    ("spoil", "code", "told"),
    [
        (wrong_passphrase, 77, "the passphrase is wrong"),
        (open_vault, 1, "chmod 600"),
        (no_vault, 1, "costcompass vault create"),
        (empty_database, 1, "restore a backup"),
        (no_passphrase_file, 1, "No such file"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(ready: Install, spoil, code, told):
    spoil(ready)
    done = ready.run("run")
    assert done.returncode == code
    lines = [line for line in done.stderr.splitlines() if line.startswith("costcompass: ")]
    assert len(lines) == 1
    assert told in lines[0]
    assert "Traceback" not in done.stderr
    assert not (ready.state / "control.sock").exists()


def test_on_a_terminal_it_asks_for_the_passphrase_and_ctrl_c_ends_it(
    install: Install, openrouter: OpenRouter
):
    openrouter.faults.add("/", faults.silence, times=None)
    install.configure(openrouter, passphrase_file=False)
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret)
    with install.terminal("run") as screen:
        screen.expect("Vault passphrase")
        screen.interrupt()
        assert screen.finish() == 130
        assert screen.echoes(), "the shell after it shows what is typed"
        assert "Traceback" not in screen.screen
    with install.terminal("run") as screen:
        screen.expect("Vault passphrase")
        assert install.run("run").returncode == 75, "told before anybody types"
        screen.type(PASSPHRASE)
        screen.expect("ready: costcompass")
        assert eventually(lambda: openrouter.requests)
        screen.interrupt()
        assert screen.finish() == 0
        assert PASSPHRASE not in screen.screen


SLOW_IMPORT = """
import sys, time
def slow(event, arguments):
    if event == "exec" and getattr(arguments[0], "co_filename", "").endswith("slack_sdk/__init__.py"):
        time.sleep(0.5)
sys.addaudithook(slow)
"""


def test_what_waits_to_be_told_at_the_start_gets_in_nobodys_way(
    install: Install, openrouter: OpenRouter, slack: Slack
):
    """The connection and the outbox need the same libraries in the same moment."""
    (install.folder / "sitecustomize.py").write_text(SLOW_IMPORT)
    install.configure(openrouter, slack)
    tokens = {"slack__bot_token": slack.bot_token, "slack__app_token": slack.app_token}
    install.keep(openrouter__main=openrouter.accounts[0].management_key.secret, **tokens)
    with closing(open_store(install.state)) as store, store.writing() as tx:
        put(tx, "slack", "test:early", "test", NOW)
    path = f"{install.folder}:{install.environ['PYTHONPATH']}"
    with install.daemon(environ={"PYTHONPATH": path}) as daemon:
        assert eventually(lambda: daemon.status()["outbox"]["waiting"] == 0), daemon.log
        assert eventually(lambda: daemon.status()["slack"]["state"] == "connected"), daemon.log
    assert "Traceback" not in daemon.log


def test_an_outage_of_the_feed_does_not_hide_the_balance(ready: Install, openrouter: OpenRouter):
    openrouter.faults.add("/activity", faults.status(500), times=None)
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        assert "activity" in daemon.account()["error"]
