"""`refresh`: by itself, by the daemon that holds the state directory, and what stands in its way."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from threading import Event

import pytest
from install import Install, eventually

from bot.sandbox import faults
from bot.sandbox.loopback import Wire
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.wire import Answer
from costcompass_core.storage.lock import holding


def yesterday() -> date:
    """By the clock that the commands go by: a run of the suite may begin on the day before."""
    return datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture
def ready(install: Install, openrouter: OpenRouter) -> Install:
    """An installation with a good key and some spend to read."""
    account = openrouter.accounts[0]
    account.spend("1.2500000000000000001", yesterday())
    install.configure(openrouter)
    install.keep(openrouter__main=account.management_key.secret)
    return install


def test_a_refresh_says_what_it_read_and_is_silent_on_standard_error(ready: Install):
    done = ready.run("refresh")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "main: 1 rows, 30 new days, balance $98.75\n"
    again = json.loads(ready.run("refresh", "--account", "main", "--json").stdout)
    [account] = again["accounts"]
    assert account["ok"]
    assert account["new_days"] == 0
    assert account["balance_usd"] == "98.7499999999999999999"
    assert account["restated"] == []


def test_progress_is_shown_on_a_terminal_and_wiped(ready: Install):
    with ready.terminal("refresh") as screen:
        screen.expect("reading main: key …")
        screen.expect("reading main: activity …")
        screen.expect("reading main: balance …")
        assert screen.finish() == 0
    wiped = screen.screen.rpartition("\r\x1b[K")[2]
    assert wiped == "main: 1 rows, 30 new days, balance $98.75\r\n"


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        (faults.status(401), 77, "rejected the key"),
        (faults.html(200), 69, "JSON"),
    ],
    ids=["rejected", "nonsense"],
)
def test_a_refresh_that_fails_tells_why_and_changes_nothing(
    ready: Install, openrouter: OpenRouter, fault, code, told
):
    ready.run("refresh")
    openrouter.faults.add("/key", fault, times=None)
    done = ready.run("refresh")
    assert done.returncode == code
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("costcompass: main: 127.0.0.1:")
    assert told in line
    kept = ready.run("spend", str(yesterday()))
    assert kept.stdout.startswith(f"{yesterday()}: $1.25 spent")
    assert "Account main could not be refreshed (just now)" in kept.stdout


def test_the_key_must_be_there_and_of_the_right_type(install: Install, openrouter: OpenRouter):
    install.configure(openrouter)
    install.keep()
    absent = install.run("refresh")
    assert absent.returncode == 1
    assert "add it with `costcompass vault add openrouter/main`" in absent.stderr
    install.keep(openrouter__main=openrouter.accounts[0].inference_keys[0].secret)
    wrong = json.loads(install.run("refresh", "--json").stdout)
    [account] = wrong["accounts"]
    assert (account["ok"], account["exit"]) == (False, 77)
    assert "make a Management key" in account["error"]
    assert [one.path for one in openrouter.requests] == ["/key"], "its zeros are not asked for"


def test_which_accounts(ready: Install, openrouter: OpenRouter):
    assert ready.run("refresh", "--account", "second").returncode == 2
    ready.configure(accounts=())
    nobody = ready.run("refresh")
    assert nobody.returncode == 2
    assert "add an [[account]]" in nobody.stderr


def test_one_accounts_trouble_is_not_anothers(ready: Install, openrouter: OpenRouter):
    ready.configure(openrouter, accounts=("main", "second"))
    done = ready.run("refresh")
    assert done.returncode == 1
    assert done.stdout.startswith("main: 1 rows")
    assert done.stderr.startswith("costcompass: second: the vault has no entry openrouter/second")


def test_while_somebody_else_holds_the_state_directory(ready: Install):
    with holding(ready.state):
        done = ready.run("refresh")
    assert done.returncode == 75
    assert "another costcompass (process " in done.stderr
    assert f") holds {ready.state}: stop it first" in done.stderr


def test_a_running_daemon_does_it_and_needs_no_passphrase_again(
    ready: Install, openrouter: OpenRouter
):
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        ready.passphrase.unlink()
        openrouter.accounts[0].spend("1", yesterday(), "late/model")
        done = ready.run("refresh")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{yesterday()} restated $1.25 → $2.25" in done.stdout
        openrouter.faults.add("/key", faults.status(401), times=None)
        refused = ready.run("refresh", "--account", "main", "--json")
        assert refused.returncode == 77
        assert "rejected the key" in refused.stdout


def held_until(event: Event) -> faults.Fault:
    """The true answer as soon as `event` is set."""

    def play(wire: Wire, answer: Answer) -> None:
        while not event.wait(0.02):
            wire.wait(0)  # ends where the stand-in does
        wire.send(wire.framed(answer))

    return play


def test_whoever_stops_watching_does_not_stop_the_daemons_refresh(
    ready: Install, openrouter: OpenRouter
):
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        assert eventually(lambda: "refreshed main" in daemon.log)  # what it reads on the side too
        openrouter.accounts[0].spend("1", yesterday(), "late/model")
        gone = Event()
        openrouter.faults.add("/activity", held_until(gone))
        with ready.terminal("refresh") as screen:
            screen.expect("reading main: activity …")
            screen.interrupt()
            assert screen.finish() == 130
        gone.set()
        assert eventually(lambda: "restated $1.25 → $2.25" in daemon.log)


def aged(openrouter: OpenRouter, days: int = 40) -> None:
    for age in range(2, days + 1):
        openrouter.accounts[0].spend("0.5", yesterday() - timedelta(days=age - 1), "old/model")


def test_a_backfill_says_what_it_stored_and_where_the_rest_comes_from(
    ready: Install, openrouter: OpenRouter
):
    aged(openrouter)
    done = ready.run("refresh", "--backfill", "40d")
    assert (done.returncode, done.stderr) == (0, "")
    first, last = (yesterday() - timedelta(days=age) for age in (39, 30))
    assert done.stdout == (
        f"main: 10 days filled in from analytics ({first} to {last}): 10 rows, $5.00;"
        " the newest 30 days come from the activity feed\n"
    )
    [again] = json.loads(ready.run("refresh", "--backfill", "40d", "--json").stdout)["accounts"]
    assert (again["ok"], again["days"], again["known_days"]) == (True, 0, 10)
    assert ready.run("export", "--format", "csv").stdout.count("old/model") == 10 * 2


def test_a_running_daemon_fills_in_and_a_terminal_sees_how_far_it_is(
    ready: Install, openrouter: OpenRouter
):
    aged(openrouter)
    with ready.daemon() as daemon:
        assert daemon.refreshed()
        with ready.terminal("refresh", "--backfill", "100d") as screen:
            screen.expect("/70 days")
            assert screen.finish() == 0
        assert "70 days filled in from analytics" in screen.screen
        assert "old/model" in ready.run("spend", "all").stdout


@pytest.mark.parametrize("days", ["0d", "366d", "year", "-1d", "30"])
def test_a_backfill_of_no_possible_length_is_a_usage_error(ready: Install, days: str):
    refused = ready.run("refresh", f"--backfill={days}")
    assert refused.returncode == 2
    [line] = refused.stderr.splitlines()
    assert "--backfill" in line


def silent_after_one_query(openrouter: OpenRouter) -> None:
    """Let a backfill get its first thirty days, and wait for the others until somebody ends it."""
    openrouter.faults.add("/analytics/query", faults.edited(str))  # the true answer
    openrouter.faults.add("/analytics/query", faults.silence, times=None)


def test_a_backfill_killed_again_and_again_is_finished_by_the_next_and_counts_no_day_twice(
    ready: Install, openrouter: OpenRouter
):
    aged(openrouter, 100)
    for _ in range(2):
        silent_after_one_query(openrouter)
        before = len(openrouter.requests)
        with ready.terminal("refresh", "--backfill", "100d") as screen:
            assert eventually(lambda: _queries(openrouter, before) >= 2)  # noqa: B023 - of this turn
            screen.process.kill()
        openrouter.faults.clear()
    [done] = json.loads(ready.run("refresh", "--backfill", "100d", "--json").stdout)["accounts"]
    assert (done["ok"], done["days"], done["known_days"]) == (True, 10, 60), "what was stored stays"
    told = ready.run("export", "--format", "csv").stdout
    assert told.count("old/model") == 2 * 70


def test_a_daemon_that_stops_within_a_backfill_is_told_as_such_and_the_next_run_finishes_it(
    ready: Install, openrouter: OpenRouter
):
    aged(openrouter, 100)
    with ready.daemon() as daemon:
        assert eventually(lambda: "refreshed main" in daemon.log)  # which asks analytics as well
        silent_after_one_query(openrouter)
        with ready.terminal("refresh", "--backfill", "100d") as screen:
            screen.expect("30/70 days")
            daemon.process.terminate()
            assert screen.finish() == 1
        told = screen.screen.rpartition("\r\x1b[K")[2]
        assert told.startswith("costcompass: the daemon of ")
        assert "stopped before it was done: start it, then ask again" in told
        assert daemon.process.wait(10) == 0
        assert "Traceback" not in daemon.log
    openrouter.faults.clear()
    [done] = json.loads(ready.run("refresh", "--backfill", "100d", "--json").stdout)["accounts"]
    assert (done["ok"], done["days"] + done["known_days"]) == (True, 70)


def _queries(openrouter: OpenRouter, since: int) -> int:
    return sum(one.path == "/analytics/query" for one in openrouter.requests[since:])
