"""The stand-in's Web API and its faults, as a plain HTTP client sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from http.client import IncompleteRead, RemoteDisconnected
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_clients import CHANNEL, Clock, call, post, section

from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import (
    html,
    lost_answer,
    rate_limited,
    refusal,
    server_error,
    silent,
    slow,
    truncated,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[Slack]:
    with Slack(clock) as slack:
        yield slack


def test_a_posted_message_is_seen_and_can_be_edited(slack: Slack):
    sent = call(
        slack,
        "chat.postMessage",
        channel=CHANNEL,
        text="Low",
        blocks=[section("Low")],
        metadata={"event_type": "letter", "event_payload": {"id": 7}},
    )
    assert sent["ok"]
    assert slack.messages[0].metadata["event_payload"] == {"id": 7}
    assert call(slack, "chat.update", channel=CHANNEL, ts=sent["ts"], text="Topped up")["ok"]
    assert [(m.text, m.blocks, m.edited) for m in slack.messages] == [("Topped up", (), True)]
    link = call(slack, "chat.getPermalink", channel=CHANNEL, message_ts=sent["ts"])
    assert sent["ts"].replace(".", "") in link["permalink"]
    assert (
        call(slack, "chat.update", channel=CHANNEL, ts="1.1", text="x")["error"]
        == "message_not_found"
    )


def test_forms_are_read_like_json(slack: Slack):
    form = urlencode(
        {"token": slack.bot_token, "channel": "#spend", "blocks": json.dumps([section("a")])}
    )
    url = slack.api_url + "chat.postMessage"
    answer = json.loads(post(url, form, "application/x-www-form-urlencoded")[2])
    assert answer["channel"] == CHANNEL
    assert slack.messages[0].blocks == (section("a"),)


def test_ephemeral_and_scheduled_messages(slack: Slack, clock: Clock):
    here = {"channel": CHANNEL, "text": "psst"}
    assert call(slack, "chat.postEphemeral", user="U1", **here)["ok"]
    assert slack.messages[0].only_for == "U1"
    soon = int((clock.now + timedelta(minutes=5)).timestamp())
    planned = call(slack, "chat.scheduleMessage", post_at=soon, **here)
    assert call(slack, "chat.scheduleMessage", post_at=1, **here)["error"] == "time_in_past"
    gone = {"channel": CHANNEL, "scheduled_message_id": planned["scheduled_message_id"]}
    assert call(slack, "chat.deleteScheduledMessage", **gone)["ok"]
    again = call(slack, "chat.deleteScheduledMessage", **gone)
    assert again["error"] == "invalid_scheduled_message_id"
    assert len(slack.messages) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE01", "text": "a"}, "channel_not_found"),
        ({"text": "a"}, "channel_not_found"),
        ({"channel": "C0STRANGE01", "text": "a"}, "not_in_channel"),
        ({"channel": "C0ARCHIVED1", "text": "a"}, "is_archived"),
        ({"channel": CHANNEL}, "no_text"),
        ({"channel": CHANNEL, "text": "a" * 4_001}, "msg_too_long"),
        ({"channel": CHANNEL, "text": "a", "blocks": [{"type": "alert"}]}, "invalid_blocks"),
        (
            {"channel": CHANNEL, "text": "a", "metadata": {"event_type": "x"}},
            "invalid_metadata_format",
        ),
    ],
)
def test_what_slack_would_not_post_is_refused_in_its_words(
    slack: Slack, arguments: dict[str, Any], error: str
):
    answer = call(slack, "chat.postMessage", **arguments)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert slack.messages == ()


def test_tokens_are_checked_for_kind_and_scope(slack: Slack, clock: Clock):
    assert call(slack, "auth.test", token="")["error"] == "not_authed"
    assert call(slack, "auth.test", token="xoxb-made-up")["error"] == "invalid_auth"
    assert call(slack, "apps.connections.open")["error"] == "not_allowed_token_type"
    assert call(slack, "chat.postMessage", slack.app_token)["error"] == "not_allowed_token_type"
    assert call(slack, "files.upload")["error"] == "unknown_method"
    with Slack(clock, scopes=("commands",), app_scopes=()) as poor:
        refused = call(poor, "chat.postMessage", channel=CHANNEL, text="a")
        assert (refused["error"], refused["needed"]) == ("missing_scope", "chat:write")
        assert call(poor, "apps.connections.open", poor.app_token)["error"] == "missing_scope"


def test_auth_test_says_who_and_which_scopes(slack: Slack):
    _, headers, body = post(slack.api_url + "auth.test", "", "application/json", slack.bot_token)
    assert json.loads(body)["team_id"] == slack.team_id
    assert headers["x-oauth-scopes"] == "commands,chat:write"


def test_a_home_view_may_be_published_and_is_checked(slack: Slack):
    home = {"type": "home", "blocks": [section("a")] * 100}
    assert call(slack, "views.publish", user_id="U1", view=home)["ok"]
    home["blocks"] = [section("a")] * 101
    assert call(slack, "views.publish", user_id="U1", view=home)["error"] == "invalid_arguments"
    assert slack.violations


# --- Threads, direct messages, and what people do to channels


def test_a_reply_stands_in_its_thread_and_can_be_shown_to_all(slack: Slack):
    top = call(slack, "chat.postMessage", channel=CHANNEL, text="Low", unfurl_links=False)
    reply = call(
        slack,
        "chat.postMessage",
        channel=CHANNEL,
        text="Lower",
        thread_ts=top["ts"],
        reply_broadcast=True,
    )
    assert (reply["message"]["thread_ts"], "thread_ts" in top["message"]) == (top["ts"], False)
    assert [(m.thread_ts, m.broadcast) for m in slack.messages] == [("", False), (top["ts"], True)]
    assert slack.violations == ()


def test_a_reply_to_a_deleted_message_stands_alone_and_a_made_up_parent_is_our_fault(slack: Slack):
    top = call(slack, "chat.postMessage", channel=CHANNEL, text="Low")
    slack.delete(top["ts"])
    gone = {"channel": CHANNEL, "text": "a", "ts": top["ts"]}
    assert call(slack, "chat.update", **gone)["error"] == "message_not_found"
    orphan = call(slack, "chat.postMessage", channel=CHANNEL, text="b", thread_ts=top["ts"])
    assert (orphan["ok"], "thread_ts" in orphan["message"]) == (True, False)
    assert slack.messages[0].thread_ts == ""
    assert slack.violations == ()
    for wrong, error in (("", "invalid_thread_ts"), ("0", "invalid_thread_ts")):
        post = {"channel": CHANNEL, "text": "c", "thread_ts": wrong}
        assert call(slack, "chat.postMessage", **post)["error"] == error
    call(slack, "chat.postMessage", channel=CHANNEL, text="d", thread_ts="1764000000.000001")
    assert "thread_ts" in slack.violations[0]


def test_a_direct_message_is_edited_by_its_own_id_only(slack: Slack):
    unopened = call(slack, "chat.update", channel="D0SANDBOX01", ts="1.1", text="a")
    assert unopened["error"] == "channel_not_found"
    sent = call(slack, "chat.postMessage", channel="U0SANDBOX01", text="Low")
    assert sent["channel"] == "D0SANDBOX01"
    told = {"ts": sent["ts"], "text": "Lower"}
    assert call(slack, "chat.update", channel="U0SANDBOX01", **told)["error"] == "channel_not_found"
    assert call(slack, "chat.update", channel="#spend", **told)["error"] == "channel_not_found"
    assert call(slack, "chat.update", channel=sent["channel"], **told)["ok"]
    assert call(slack, "chat.postMessage", channel=sent["channel"], text="More")["ok"]
    link = call(slack, "chat.getPermalink", channel=sent["channel"], message_ts=sent["ts"])
    assert "D0SANDBOX01" in link["permalink"]


def test_only_our_own_messages_can_be_edited_and_metadata_stays_unless_replaced(slack: Slack):
    theirs = slack.user.say("Who is spending?")
    edit = {"channel": CHANNEL, "ts": theirs.ts, "text": "a"}
    assert call(slack, "chat.update", **edit)["error"] == "cant_update_message"
    metadata = {"event_type": "letter", "event_payload": {"id": 7}}
    ours = call(slack, "chat.postMessage", channel=CHANNEL, text="Low", metadata=metadata)
    call(slack, "chat.update", channel=CHANNEL, ts=ours["ts"], text="b")
    assert slack.messages[1].metadata == metadata
    call(slack, "chat.update", channel=CHANNEL, ts=ours["ts"], text="b", metadata={})
    assert slack.messages[1].metadata == {}


def test_channels_close_and_open_while_we_work(slack: Slack):
    ts = call(slack, "chat.postMessage", channel=CHANNEL, text="a")["ts"]

    def errors() -> tuple[str, str]:
        posted = call(slack, "chat.postMessage", channel=CHANNEL, text="a")
        edited = call(slack, "chat.update", channel=CHANNEL, ts=ts, text="b")
        return posted.get("error", ""), edited.get("error", "")

    slack.archive(CHANNEL, True)
    assert errors() == ("is_archived", "is_inactive")
    slack.archive(CHANNEL, False)
    slack.membership(CHANNEL, False)
    assert errors() == ("not_in_channel", "channel_not_found")
    slack.membership(CHANNEL, True)
    assert errors() == ("", "")


# --- Faults


def test_planned_faults_happen_once_each_and_in_order(slack: Slack):
    url, body = slack.api_url + "chat.postMessage", json.dumps({"channel": CHANNEL, "text": "a"})
    for fault in (
        rate_limited(7),
        server_error(),
        server_error(502, accepted=True),
        refusal("fatal_error"),
    ):
        slack.faults.plan("chat.postMessage", fault)
    answers = [post(url, body, "application/json", slack.bot_token) for _ in range(5)]
    assert [status for status, _, _ in answers] == [429, 500, 502, 200, 200]
    assert answers[0][1]["retry-after"] == "7"
    assert json.loads(answers[3][2])["error"] == "fatal_error"
    assert len(slack.messages) == 2


def test_a_lost_answer_leaves_the_message_posted(slack: Slack):
    slack.faults.plan("chat.postMessage", lost_answer())
    with pytest.raises(RemoteDisconnected):
        call(slack, "chat.postMessage", channel=CHANNEL, text="a")
    assert len(slack.messages) == 1


def test_an_outage_refuses_everything_until_it_ends(slack: Slack):
    slack.outage(True)
    with pytest.raises(OSError):
        call(slack, "auth.test")
    slack.outage(False)
    assert call(slack, "auth.test")["ok"]


def test_every_call_is_kept_with_what_became_of_it(slack: Slack, clock: Clock):
    letter = {
        "channel": CHANNEL,
        "text": "a",
        "metadata": {"event_type": "letter", "event_payload": {"id": "incident:1"}},
    }
    for fault in (lost_answer(), refusal("is_archived"), server_error(accepted=True)):
        slack.faults.plan("chat.postMessage", fault)
    for _ in range(3):
        with suppress(RemoteDisconnected, ValueError):
            call(slack, "chat.postMessage", **letter)
    call(slack, "chat.postMessage", **{**letter, "channel": "C0NOWHERE01"})
    slack.outage(True)
    with pytest.raises(OSError):
        call(slack, "chat.postMessage", **letter)
    assert {(one.method, one.delivery, one.at) for one in slack.calls} == {
        ("chat.postMessage", "incident:1", clock.now)
    }
    assert [one.error for one in slack.calls] == ["", "fault", "", "channel_not_found", "outage"]
    form = urlencode({"token": slack.bot_token, "channel": CHANNEL, "text": "a"})
    slack.outage(False)
    post(slack.api_url + "chat.postMessage", form, "application/x-www-form-urlencoded")
    assert slack.bot_token not in str(slack.calls)


def test_answers_that_come_late_in_half_as_a_page_or_never(slack: Slack):
    for fault in (slow(0.05), truncated(), html(), silent(0.05)):
        slack.faults.plan("chat.postMessage", fault)
    told = {"channel": CHANNEL, "text": "a"}
    assert call(slack, "chat.postMessage", **told)["ok"]
    for error in (IncompleteRead, json.JSONDecodeError, RemoteDisconnected):
        with pytest.raises(error):
            call(slack, "chat.postMessage", **told)
    assert len(slack.messages) == 2


def test_closing_does_not_wait_for_a_silent_answer(slack: Slack):
    slack.faults.plan("auth.test", silent())
    asking = Thread(target=lambda: suppressed(lambda: call(slack, "auth.test")))
    asking.start()
    while not slack.calls:
        asking.join(0.01)
    slack.close()
    asking.join(20)
    assert not asking.is_alive()


def suppressed(act: Callable[[], object]) -> None:
    with suppress(OSError):
        act()
