"""Whatever Slack does to a call: at least once, at most one copy for a lost answer, never silence."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from delivery_world import NO_TOKEN, POST, SECOND, UPDATE, World

from bot.sandbox.slack_faults import (
    Fault,
    hang_up,
    html,
    lost_answer,
    rate_limited,
    refusal,
    says,
    server_error,
    silent,
    truncated,
)
from bot.slack import web

PASSING = {
    "answer lost": (lost_answer(), 1),
    "hung up": (hang_up(), 0),
    "429": (rate_limited(40), 0),
    "500 before": (server_error(), 0),
    "500 after": (server_error(accepted=True), 1),
    "429 in another word": (Fault(200, "rate_limited", retry_after=40), 0),
    "a list": (says("[]"), 0),
    "a list after": (says("[]", accepted=True), 1),
    "null": (says("null"), 0),
    "html": (html(), 0),
    "html after": (html(accepted=True), 1),
    "truncated": (truncated(), 1),
    "silent": (silent(), 0),
    "silent after": (silent(accepted=True), 1),
    "internal_error": (refusal("internal_error"), 0),
}
"""Each fault, and how many answers of calls that took effect it loses."""
PERMANENT = (
    "channel_not_found",
    "is_archived",
    "is_inactive",
    "messages_tab_disabled",
    "not_in_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "invalid_auth",
    "token_revoked",
    "account_inactive",
    "missing_scope",
)
SOON = timedelta(seconds=60)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world.begin()


@contextmanager
def impatient(fault: Fault) -> Iterator[None]:
    """Have calls give up soon where nothing will come; any other may take its time."""
    with pytest.MonkeyPatch.context() as patch:
        if fault.pause:
            patch.setattr(web, "CALL_TIMEOUT", 0.5)
        yield


def threads(world: World) -> list[str]:
    return [one.thread_ts for one in world.shown]


@pytest.mark.parametrize(("fault", "lost"), PASSING.values(), ids=PASSING)
def test_a_passing_fault_delays_a_message_and_copies_it_only_where_its_answer_was_lost(
    world: World, fault: Fault, lost: int
):
    world.slack.faults.plan(POST, fault)
    with impatient(fault):
        world.reads("20").delivers()
    assert world.waits == ["incident:1:1"]
    assert world.outbox["parked"] == []
    world.goes_on(seconds=60)
    assert world.posts() == {"incident:1:1": 1 + lost}
    assert threads(world) == [""] * (1 + lost)
    first, last = world.calls(POST)
    assert last.at - first.at >= timedelta(seconds=fault.retry_after or 1)
    assert last.at - first.at <= SOON
    assert world.waits == []


@pytest.mark.parametrize(("fault", "lost"), PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("method", [UPDATE, POST])
def test_a_passing_fault_of_an_edit_or_a_reply_is_made_good(
    world: World, method: str, fault: Fault, lost: int
):
    world.reads("20").delivers()
    world.slack.faults.plan(method, fault)
    with impatient(fault):
        world.later(minutes=5).reads("8").delivers()
    assert world.waits == ["incident:1:2"]
    world.goes_on(seconds=60)
    copies = lost if method == POST else 0
    assert world.posts() == {"incident:1:1": 1, "incident:1:2": 1 + copies}
    own = world.shown[0]
    assert own.edited
    assert "is critical: $8.00" in own.text
    assert threads(world) == ["", *[own.ts] * (1 + copies)]
    assert world.waits == []


def test_nothing_at_all_is_sent_before_the_time_that_slack_asked_for_is_over(world: World):
    world.reads("20", "spare").delivers()
    world.slack.faults.plan(POST, rate_limited(120))
    began = world.now
    world.reads("20").delivers()
    calls = len(world.slack.calls)
    for _ in range(11):
        world.later(seconds=10).alerting.test()
        world.alerting.press(1, "acknowledge", "U0SANDBOX01")
        world.delivers()
    assert len(world.slack.calls) == calls
    world.later(seconds=10).delivers()
    assert {one.at for one in world.slack.calls[calls:]} == {began + timedelta(seconds=120)}
    assert set(world.posts().values()) == {1}
    assert world.waits == []


def test_a_refused_connection_delays_too(world: World):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        world.begin(api_url=f"http://127.0.0.1:{free.getsockname()[1]}/api")
        world.reads("20").delivers()
        assert world.outbox == {
            "waiting": 1, "oldest": world.now.isoformat(), "parked": [], "failing": [],
        }  # fmt: skip
    world.begin().delivers()
    assert world.posts() == {"incident:1:1": 1}


@pytest.mark.parametrize("code", PERMANENT)
def test_a_permanent_refusal_is_parked_at_once_shown_and_cured_by_a_new_set_up(
    world: World, code: str
):
    world.slack.faults.plan(POST, refusal(code), None)
    world.reads("20").delivers().goes_on(minutes=59)
    assert len(world.calls(POST)) == 1
    [parked] = world.outbox["parked"]
    assert parked["name"] == "slack incident:1:1"
    assert f"(chat.postMessage: {code}): " in parked["error"]
    world.slack.faults.clear()
    world.begin().delivers()
    assert world.posts() == {"incident:1:1": 1}
    assert world.outbox == {"waiting": 0, "oldest": None, "parked": [], "failing": []}


@pytest.mark.parametrize(
    "code", ["restricted_action_non_threadable_channel", "cannot_reply_to_message"]
)
def test_where_nobody_may_reply_what_is_worse_is_a_message_of_its_own(world: World, code: str):
    world.reads("20").delivers()
    world.slack.faults.plan(POST, refusal(code))
    world.later(minutes=5).reads("8").delivers()
    assert threads(world) == ["", ""]
    assert "is critical: $8.00" in world.shown[1].text
    assert world.waits == []


def test_a_message_that_was_taken_is_not_posted_again_though_nobody_says_where_it_stands(
    world: World,
):
    world.slack.faults.plan(POST, says('{"ok": true}', accepted=True))
    world.reads("20").delivers().goes_on(hours=2)
    assert world.waits == []
    world.later(minutes=5).reads("8").delivers()
    assert world.posts() == {"incident:1:1": 1, "incident:1:2": 1}
    assert world.calls(UPDATE) == []


def test_what_fails_again_and_again_is_shown_though_it_is_not_parked(world: World):
    world.slack.faults.plan(POST, refusal("some_news"), None)
    world.reads("20").delivers().goes_on(seconds=10)
    assert world.outbox["failing"] == []
    world.goes_on(minutes=2)
    [failing] = world.outbox["failing"]
    assert failing["name"] == "slack incident:1:1"
    assert failing["tries"] >= 5
    assert "(chat.postMessage: some_news)" in failing["error"]
    assert world.outbox["parked"] == []


def test_a_parked_message_is_tried_once_an_hour_and_does_not_hold_back_the_others(world: World):
    elsewhere = f'[[route]]\nto = "{SECOND}"\naccount = "spare"\n'
    world.begin(more=elsewhere)
    world.slack.membership(SECOND, False)
    world.reads("20", "spare").delivers().reads("20").delivers()
    assert world.posts() == {"incident:2:1": 1}
    world.goes_on(hours=3, seconds=30)
    assert len(world.calls(POST)) == 5
    world.slack.membership(SECOND, True)
    world.goes_on(hours=1)
    assert world.posts() == {"incident:2:1": 1, "incident:1:1": 1}


def test_a_token_that_is_put_right_delivers_what_was_parked(world: World):
    world.bot_token = NO_TOKEN
    world.reads("20").delivers()
    [parked] = world.outbox["parked"]
    assert "slack/bot-token" in parked["error"]
    assert "costcompass vault add" in parked["error"]
    assert NO_TOKEN not in str(world.alerting.status())
    world.bot_token = world.slack.bot_token
    world.alerting.mended()
    world.delivers()
    assert world.posts() == {"incident:1:1": 1}


def test_an_incident_whose_channel_was_archived_goes_on_in_the_channel_configured_instead(
    world: World,
):
    world.reads("20").delivers()
    world.slack.archive("C0SANDBOX01", True)
    world.later(minutes=5).reads("8").delivers()
    assert "is_inactive" in world.outbox["parked"][0]["error"]
    world.begin(channel=SECOND).delivers()
    anew = world.shown[-1]
    assert (anew.channel, anew.thread_ts) == (SECOND, "")
    assert "is critical: $8.00" in anew.text
    world.later(minutes=5).reads("100").delivers()
    assert [(one.channel, one.thread_ts) for one in world.shown[-2:]] == [
        (SECOND, ""),
        (SECOND, anew.ts),
    ]
    assert set(world.posts().values()) == {1}
    assert world.waits == []


def test_what_slack_will_not_have_as_blocks_arrives_as_plain_text(world: World):
    world.slack.faults.plan(POST, refusal("invalid_blocks"))
    world.reads("20").delivers()
    rich, plain = world.calls(POST)
    assert rich.arguments["blocks"]
    assert not plain.arguments["blocks"]
    assert rich.delivery == plain.delivery == "incident:1:1"
    assert "is low: $20.00" in world.shown[0].text
    assert world.waits == []


def test_a_message_that_slack_will_have_in_no_form_is_parked(world: World):
    world.slack.faults.plan(POST, refusal("msg_too_long"), None)
    world.reads("20").delivers().goes_on(minutes=30)
    assert len(world.calls(POST)) == 2
    assert "msg_too_long" in world.outbox["parked"][0]["error"]


def test_a_deleted_message_is_posted_anew_where_there_is_something_to_tell(world: World):
    world.reads("20").delivers()
    world.slack.delete(world.shown[0])
    world.alerting.press(1, "acknowledge", "U0SANDBOX01")
    world.delivers()
    assert world.shown == ()
    world.later(minutes=5).reads("8").delivers()
    [anew] = world.shown
    assert (anew.thread_ts, "is critical: $8.00" in anew.text) == ("", True)
    world.later(minutes=5).reads("100").delivers()
    assert threads(world) == ["", anew.ts]
    assert world.shown[0].ts == anew.ts
    assert world.waits == []


def test_retries_slow_down_to_five_minutes_and_no_further(world: World):
    world.slack.outage(True)
    world.reads("20").delivers().goes_on(hours=6)
    waits = [after.at - before.at for before, after in pairwise(world.calls(POST))]
    assert waits[:5] == [timedelta(seconds=s) for s in (1, 2, 4, 8, 16)]
    assert max(waits) == timedelta(minutes=5)
    assert len(waits) < 90
    world.slack.outage(False)
    world.goes_on(minutes=5)
    assert world.posts() == {"incident:1:1": 1}


def test_a_clock_that_is_set_back_silences_nothing(world: World):
    world.later(days=2)
    world.slack.faults.plan(POST, hang_up())
    world.reads("20").delivers()
    world.later(days=-2).delivers()
    assert world.posts() == {"incident:1:1": 1}


def test_what_happens_while_the_first_message_is_put_off_is_told_with_it(world: World):
    world.slack.faults.plan(POST, hang_up(), 5)
    world.reads("20").delivers().goes_on(seconds=20)
    assert world.shown == ()
    world.later(seconds=1).reads("8").delivers().goes_on(minutes=10)
    [own] = world.shown
    assert "is critical: $8.00" in own.text
    assert (own.edited, world.waits) == (False, [])
