"""The stand-in's Web API and its faults, as a plain HTTP client sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.client import RemoteDisconnected
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_clients import CHANNEL, Clock, call, post, section

from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import lost_answer, rate_limited, refusal, server_error


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
