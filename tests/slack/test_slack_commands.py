from __future__ import annotations

import logging
from decimal import Decimal
from threading import Event, Thread

import pytest
from slack_helpers import ECHO, Connect, section

from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import hang_up
from bot.slack.blocks import Message
from bot.slack.commands.base import Command
from costcompass_core.domain.errors import UsageError


def answering(message: Message) -> Command:
    return Command("/spend", "[PERIOD]", "Says the same every time", lambda *_: message)


def failing(error: Exception) -> Command:
    def answer(*_: object) -> Message:
        raise error

    return Command("/spend", "[PERIOD]", "Fails", answer)


def test_a_command_is_answered_inside_its_acknowledgement(slack: Slack, connect: Connect):
    connect()
    reply = slack.user.command("/spend", "  gpt-4 & <co> &amp; 7d ")
    assert reply.error == ""
    assert reply.text == "You typed: gpt-4 & <co> &amp; 7d"
    assert reply.blocks == (section("."),)
    assert reply.response_type == "ephemeral"
    assert [(shown.via, shown.only_for) for shown in slack.messages] == [("ack", "U0SANDBOX01")]
    assert reply.later == []
    assert slack.violations == ()


def test_strangers_are_refused_politely_and_learn_nothing(
    slack: Slack, connect: Connect, caplog: pytest.LogCaptureFixture
):
    asked = Event()
    connect(Command("/spend", "", "Tells", lambda *_: asked.set() or Message("It is $121.80.")))
    stranger = slack.user.command("/spend", "7d", user_id="U0STRANGER")
    foreigner = slack.user.command("/spend", "7d", team_id="T0FOREIGN")
    for reply in (stranger, foreigner):
        assert (reply.error, reply.response_type, reply.blocks) == ("", "ephemeral", ())
        assert "owner" in reply.text
        assert "allowed_users" in reply.text
        assert not any(character.isdigit() for character in reply.text)
    assert stranger.text != foreigner.text
    assert "U0STRANGER" in caplog.text
    assert "T0FOREIGN" in caplog.text
    slack.user.action("snooze", user_id="U0STRANGER")
    slack.user.event({"type": "app_home_opened", "user": "U0STRANGER"})
    assert not asked.is_set()


def test_an_empty_list_lets_nobody_in(slack: Slack, connect: Connect):
    connect(allowed=frozenset())
    assert "owner" in slack.user.command("/spend").text


def test_a_mistake_of_the_user_is_answered_with_one_line_and_no_live_markup(
    slack: Slack, connect: Connect
):
    connect(failing(UsageError("no such word: <!channel>", "did you mean 7d?")))
    reply = slack.user.command("/spend", "<!channel>")
    assert reply.text == "no such word: &lt;!channel&gt;: did you mean 7d?"


@pytest.mark.parametrize(
    "command",
    [
        failing(RuntimeError("a bug with $121.80 in it")),
        answering(Message("Half an answer.", ({"type": "section", "text": Decimal(1)},))),
    ],
    ids=["raises", "returns what is no JSON"],
)
def test_a_crashing_command_is_answered_and_logged(
    slack: Slack, connect: Connect, caplog: pytest.LogCaptureFixture, command: Command
):
    connect(command)
    for _ in range(2):
        assert slack.user.command("/spend").text == "Something went wrong, see the daemon's log."
    assert "/spend failed" in caplog.text


def test_too_many_words_are_answered_with_the_usage(slack: Slack, connect: Connect):
    connect(ECHO)
    assert "x" * 500 in slack.user.command("/spend", "x" * 500).text
    assert "/spend [PERIOD]" in slack.user.command("/spend", "x" * 501).text


def test_an_answer_too_long_for_the_wire_still_brings_its_sentence(
    slack: Slack, connect: Connect, caplog: pytest.LogCaptureFixture
):
    blocks = tuple(section("ü" * 2_900) for _ in range(10))
    connect(answering(Message("You spent $1.", blocks)))
    reply = slack.user.command("/spend")
    assert (reply.text, reply.blocks, reply.response_type) == ("You spent $1.", (), "ephemeral")
    assert "only its text" in caplog.text


def test_sixteen_people_may_ask_at_the_same_time(slack: Slack, connect: Connect):
    everybody, replies = Event(), []
    waiting: list[None] = []

    def answer(*_: object) -> Message:
        waiting.append(None)
        if len(waiting) == 16:
            everybody.set()
        return Message("All here." if everybody.wait(2.5) else "Alone.")

    connect(Command("/spend", "", "Waits for the others", answer))
    people = [
        Thread(target=lambda: replies.append(slack.user.command("/spend"))) for _ in range(16)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [reply.text for reply in replies] == ["All here."] * 16


def test_answering_needs_no_call_to_the_web_api(slack: Slack, connect: Connect):
    connect()
    for method in ("auth.test", "apps.connections.open", "chat.postMessage"):
        slack.faults.plan(method, hang_up(), None)
    assert slack.user.command("/spend", "7d").text == "You typed: 7d"


def test_the_log_stays_free_of_bolt_warnings(
    slack: Slack, connect: Connect, caplog: pytest.LogCaptureFixture
):
    connect()
    slack.user.command("/spend", "7d")
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
