from __future__ import annotations

import logging
import re
import time
from threading import Event, Thread

import pytest
from slack_helpers import ECHO, Connect, eventually, reaches

import bot.slack.socket
from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import Fault, hang_up, rate_limited, refusal, says, server_error
from bot.slack.blocks import Message
from bot.slack.commands.base import Command
from bot.slack.web import library_logger
from costcompass_core.domain.errors import VaultLocked
from costcompass_core.domain.secret import Secret


def answers(slack: Slack) -> bool:
    return slack.user.command("/spend", "7d").text == "You typed: 7d"


def test_it_says_whose_workspace_it_is_connected_to(connect: Connect):
    status = connect().status()
    assert (status.team, status.bot_user, status.last_error) == ("Sandbox", "U0COMPASS00", "")


def test_an_outage_at_the_start_only_delays(slack: Slack, connect: Connect):
    slack.outage(True)
    connection = connect(state="connecting")
    assert eventually(lambda: "cannot be reached" in connection.status().last_error)
    slack.outage(False)
    assert reaches(connection, "connected")
    assert answers(slack)


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("auth.test", server_error()),
        ("auth.test", hang_up()),
        ("auth.test", refusal("internal_error")),
        ("auth.test", says("[]")),
        ("apps.connections.open", says('{"ok": true, "url": []}')),
        ("apps.connections.open", server_error(503)),
        ("apps.connections.open", hang_up()),
        ("link", server_error()),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else f"{value.status}{value.error}{value.body}"
    ),
)
# slack_sdk never closes the socket of a refused handshake; there is nothing of ours to close
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_passing_fault_while_connecting_is_tried_again(
    slack: Slack, connect: Connect, method: str, fault: Fault, caplog: pytest.LogCaptureFixture
):
    slack.faults.plan(method, fault, 2)
    connect()
    assert answers(slack)
    assert "Slack" in caplog.text


@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
def test_slack_is_given_the_time_it_asks_for(slack: Slack, connect: Connect, method: str):
    slack.faults.plan(method, rate_limited(1))
    started = time.monotonic()
    connect()
    assert time.monotonic() - started >= 1
    assert answers(slack)


def test_no_patience_that_slack_asks_for_ends_the_connection(slack: Slack, connect: Connect):
    slack.faults.plan("auth.test", rate_limited(10**12))
    connection = connect(state="connecting")
    assert eventually(lambda: "ratelimited" in connection.status().last_error)
    connection.wake()
    assert reaches(connection, "connected")


def test_no_fault_of_our_own_ends_the_connection(
    slack: Slack, connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    def fail(_: Exception) -> None:
        monkeypatch.undo()
        raise AttributeError("surprise")

    monkeypatch.setattr(bot.slack.socket, "explained", fail)
    slack.faults.plan("auth.test", server_error())
    connect()
    assert answers(slack)


@pytest.mark.parametrize(
    ("method", "word"),
    [
        ("auth.test", "invalid_auth"),
        ("auth.test", "account_inactive"),
        ("auth.test", "token_revoked"),
        ("apps.connections.open", "invalid_auth"),
        ("apps.connections.open", "missing_scope"),
        ("apps.connections.open", "not_allowed_token_type"),
    ],
)
def test_a_permanent_no_is_said_with_its_mend_and_not_hammered(
    slack: Slack, connect: Connect, method: str, word: str
):
    slack.faults.plan(method, refusal(word), 1)
    connection = connect(state="refused")
    token = "slack/bot-token" if method == "auth.test" else "slack/app-token"
    said = connection.status().last_error
    assert word in said
    assert token in said
    assert ": " in said.partition(")")[2]
    assert not eventually(lambda: connection.status().state != "refused", timeout=0.25)
    connection.wake()
    assert reaches(connection, "connected")


def test_swapped_tokens_are_recognized_before_they_are_sent(slack: Slack, connect: Connect):
    swapped = (Secret(slack.app_token), Secret(slack.bot_token))
    connection = connect(tokens=lambda: swapped, state="refused")
    assert "slack/bot-token holds an app-level token" in connection.status().last_error


def test_a_locked_vault_is_waited_for(slack: Slack, connect: Connect):
    locked = Event()
    locked.set()

    def tokens() -> tuple[Secret, Secret]:
        if locked.is_set():
            raise VaultLocked("the vault is locked", "run `costcompass unlock`")
        return Secret(slack.bot_token), Secret(slack.app_token)

    connection = connect(tokens=tokens, state="refused")
    assert connection.status().last_error == "the vault is locked: run `costcompass unlock`"
    locked.clear()
    connection.wake()
    assert reaches(connection, "connected")


@pytest.mark.parametrize("spoil", ["close", "drop"])
def test_a_lost_connection_is_replaced(slack: Slack, connect: Connect, spoil: str):
    connection = connect(ping_interval=1.0)
    for opened in (1, 2):
        assert answers(slack)
        getattr(slack.links, spoil)()
        assert eventually(lambda before=opened: slack.links.opened > before)
        assert reaches(connection, "connected")
        assert slack.links.wait(1)
    assert answers(slack)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_slack_may_ask_for_a_new_connection_without_anyone_noticing(
    slack: Slack, connect: Connect, caplog: pytest.LogCaptureFixture, reason: str
):
    connection = connect()
    slack.links.disconnect(reason)
    while slack.links.opened < 2 or slack.links.count > 1:
        assert answers(slack)
        assert connection.status().state == "connected"
    assert answers(slack)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("error", ["ConnectionResetError", "SSLEOFError", "TimeoutError"])
def test_the_library_does_not_call_a_lost_connection_an_error(
    caplog: pytest.LogCaptureFixture, error: str
):
    log = library_logger()
    log.error("on_error invoked (session id: 1, error: %s, message: gone)", error)
    log.error("Failed to disconnect (session id: 1, error: no attribute 'close')")
    log.error("on_error invoked (session id: 1, error: ValueError, message: news)")
    assert [record.getMessage().endswith("news)") for record in caplog.records] == [True]


def test_a_silent_peer_is_noticed_and_replaced(
    slack: Slack, connect: Connect, caplog: pytest.LogCaptureFixture
):
    connection = connect(ping_interval=0.2)
    # Until the silence is over; or another link is opened, which dies of it a moment later.
    slack.faults.plan("apps.connections.open", server_error(), None)
    slack.links.silent = True
    assert eventually(
        lambda: "Connecting to Slack: the connection was lost: no pong" in caplog.text
    )
    slack.links.silent = False
    connection._ping_interval = 3.0  # a slow machine's pauses are no silence
    slack.faults.clear()
    assert reaches(connection, "connected")
    assert slack.links.wait(1)
    assert answers(slack)


def test_a_refused_reconnection_backs_off_and_heals(slack: Slack, connect: Connect):
    connection = connect(ping_interval=1.0)
    slack.faults.plan("apps.connections.open", server_error(), None)
    slack.links.drop()
    assert eventually(lambda: "apps.connections.open" in connection.status().last_error)
    slack.faults.clear()
    assert reaches(connection, "connected")
    assert answers(slack)


def test_a_command_running_while_the_server_is_refreshed_is_still_answered(
    slack: Slack, connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bot.slack.socket, "_DRAIN", 20.0)
    running, go, replies = Event(), Event(), []

    def answer(*_: object) -> Message:
        running.set()
        return Message("In time." if go.wait(2.5) else "Too late.")

    connect(Command("/spend", "", "Waits", answer))
    person = Thread(target=lambda: replies.append(slack.user.command("/spend")))
    person.start()
    assert running.wait(20)
    slack.links.disconnect("refresh_requested")
    assert slack.links.wait(2)
    go.set()
    person.join()
    assert replies[0].text == "In time."


def test_new_tokens_are_used_at_the_next_connection(slack: Slack, connect: Connect):
    tokens = [(Secret(slack.bot_token), Secret(slack.app_token))]
    connection = connect(tokens=lambda: tokens[-1], ping_interval=1.0)
    tokens.append((Secret("xoxb-made-up"), Secret(slack.app_token)))
    slack.links.drop()
    assert reaches(connection, "refused")
    tokens.pop()
    connection.wake()
    assert reaches(connection, "connected")
    assert answers(slack)


def test_stopping_lets_a_running_command_answer(
    slack: Slack, connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bot.slack.socket, "_DRAIN", 20.0)
    running, go, replies = Event(), Event(), []

    def answer(*_: object) -> Message:
        running.set()
        go.wait(0.5)
        return Message("Still here.")

    connection = connect(Command("/spend", "", "Takes its time", answer))
    person = Thread(target=lambda: replies.append(slack.user.command("/spend")))
    person.start()
    assert running.wait(20)
    assert connection.stop(20)
    person.join()
    assert replies[0].text == "Still here."
    assert connection.status().state == "stopped"
    assert slack.links.wait(0)
    assert slack.user.command("/spend").error == "dispatch_failed"


@pytest.mark.parametrize("trouble", ["outage", "refused", "never started"])
def test_stopping_works_in_every_state(slack: Slack, connect: Connect, trouble: str):
    if trouble == "outage":
        slack.outage(True)
        assert connect(state="connecting").stop(20)
    elif trouble == "refused":
        slack.faults.plan("auth.test", refusal("invalid_auth"), None)
        assert connect(state="refused").stop(20)
    else:
        connection = connect()
        assert connection.stop(20)
        assert connection.stop(20)


def test_proxies_of_the_environment_are_not_asked_for_loopback(
    slack: Slack, connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    connect()
    assert answers(slack)


def test_no_secret_reaches_the_log_even_at_debug_level(
    slack: Slack,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("HTTPS_PROXY", "http://somebody:proxy-password@127.0.0.1:1/")
    caplog.set_level(logging.DEBUG)
    slack.faults.plan("auth.test", server_error(), 1)
    slack.faults.plan("apps.connections.open", refusal("internal_error"), 1)
    connection = connect(ECHO, ping_interval=1.0)
    assert answers(slack)
    opened = slack.links.opened
    slack.links.drop()
    assert eventually(lambda: slack.links.opened > opened)
    assert reaches(connection, "connected")
    logging.getLogger("slack_sdk").error("broken: %s", f"wss://a/?ticket=t1 {slack.bot_token}")
    assert connection.stop(20)
    assert "broken: wss://a/?…" in caplog.text
    assert not re.search(r"xox|xapp-|ticket=|proxy-password|/respond/", caplog.text)
