"""The drill: a daemon under load is copied, killed, loses its database, and is brought back."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from install import Daemon, Install, eventually

from bot.control import ask
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import Slack
from costcompass_core.usecases.backup import examine_backup

LOAD = """
[refresh]
balance = "5s"
activity = "5s"
[digest]
time = ""
[alerts]
balance_below = [25, 10]
runway_below_days = []
spike_above = 0
level_above = 0
drift_above = 0
"""
DAYS = 20


Incident = tuple[str, str, int, str]


@pytest.fixture
def busy(install: Install, openrouter: OpenRouter, slack: Slack) -> Iterator[Install]:
    """An account that is read every few seconds, with much to read and a balance of some 35 USD."""
    account = openrouter.accounts[0]
    for number in range(1, DAYS + 1):
        for model in range(40):
            account.spend(
                f"0.08{number:02}{model:02}000000007", day(number), f"maker/model-{model}"
            )
    install.configure(openrouter, slack, more=LOAD)
    install.keep(
        openrouter__main=account.management_key.secret,
        slack__bot_token=slack.bot_token,
        slack__app_token=slack.app_token,
    )
    yield install
    assert slack.violations == ()


def day(ago: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=ago)


def total(at: Install) -> tuple[str, int]:
    """All that was ever spent, to the last digit, and on how many models."""
    answer = json.loads(at.run("spend", "all", "--json").stdout)
    return answer["total_usd"], len(answer["rows"])


def incidents(daemon: Daemon) -> list[Incident]:
    """The incidents that are open, but for those of a machine too slow for such intervals."""
    found = [one for one in daemon.status()["incidents"] if one["rule"] != "data_stale"]
    return [(one["rule"], one["account"], one["level"], one["opened_at"]) for one in found]


def told(slack: Slack) -> Counter[str]:
    """How often each letter of the low balance was accepted by Slack."""
    posts = [one for one in slack.calls if one.method == "chat.postMessage" and not one.error]
    return Counter(one.delivery for one in posts if "Balance of main" in str(one.arguments))


def crossed(daemon: Daemon) -> bool:
    """Whether the low balance is open and nothing waits to be told."""
    status = daemon.status()
    open_ones = [one["rule"] for one in status["incidents"]]
    return "balance_low" in open_ones and not status["outbox"]["waiting"]


@contextmanager
def under_load(daemon: Daemon) -> Iterator[None]:
    """Refresh everything over and over, beside the daemon's own refreshes."""
    enough, done = threading.Event(), []

    def work() -> None:
        while not enough.is_set():
            done.append(ask(daemon._state, {"do": "refresh"}, patience=None)[0]["ok"])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
        assert eventually(lambda: len(done) > 3)
    finally:
        enough.set()
        thread.join()
    assert all(done)


def kill(daemon: Daemon) -> None:
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()


def test_after_a_restore_totals_and_incidents_are_the_same_and_nothing_is_told_again(
    busy: Install, openrouter: OpenRouter, slack: Slack
):
    database = busy.state / "costcompass.db"
    with busy.daemon() as daemon:
        assert daemon.refreshed()
        openrouter.accounts[0].spend("20", day(0))
        assert eventually(lambda: crossed(daemon))
        with under_load(daemon):
            for number in range(3):
                done = busy.run("backup", f"copy{number}")
                assert done.returncode == 0, done.stderr
                assert examine_backup(busy.folder / f"copy{number}").has_vault
        assert busy.run("restore", "copy2").returncode == 75
        before = total(busy), incidents(daemon)
        kill(daemon)
        database.write_bytes(b"no database at all " * 5000)
        refused = busy.run("run")
        assert refused.returncode == 1
        [line] = [one for one in refused.stderr.splitlines() if one.startswith("costcompass: ")]
        assert "`costcompass restore PATH`" in line
        restored = busy.run("restore", "copy2")
        assert restored.returncode == 0, restored.stderr
    with busy.daemon(log="second.log") as daemon:
        assert eventually(lambda: "refreshed main" in daemon.log)
        assert ask(busy.state, {"do": "refresh"})[0]["ok"]
        assert (total(busy), incidents(daemon)) == before
        assert eventually(lambda: crossed(daemon))
    assert set(told(slack).values()) == {1}, "one post, however often it was read again"


def test_what_was_told_after_the_copy_is_told_once_more(
    busy: Install, openrouter: OpenRouter, slack: Slack
):
    with busy.daemon() as daemon:
        assert daemon.refreshed()
        assert busy.run("backup", "copy").returncode == 0
        openrouter.accounts[0].spend("20", day(0))
        assert eventually(lambda: crossed(daemon))
        kill(daemon)
    assert busy.run("restore", "copy").returncode == 0
    with busy.daemon(log="second.log") as daemon:
        assert eventually(lambda: crossed(daemon))
        assert ask(busy.state, {"do": "refresh"})[0]["ok"]
        assert eventually(lambda: crossed(daemon))
    assert list(told(slack).values()) == [2], "a double, where the other way would be silence"


def test_a_database_that_goes_bad_while_it_runs_is_told_with_the_mend(busy: Install, slack: Slack):
    with busy.daemon() as daemon:
        assert daemon.refreshed()
        database = busy.state / "costcompass.db"
        with database.open("r+b") as file:  # as a bad disk does it: the file itself stays
            file.write(b"no database at all " * (database.stat().st_size // 19))
        assert eventually(lambda: "NOT RECORDED" in str([one.text for one in slack.messages]))
        assert busy.run("backup", "copy").returncode == 1
        assert not (busy.folder / "copy").exists()
        assert "restore a backup with `costcompass restore PATH`" in daemon.log
        kill(daemon)
    assert "Traceback" not in daemon.log
