"""The webhook gets every change in order and in full; the heartbeat is heard only when all is well."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from delivery_world import POST, World
from install import eventually

from bot.sandbox import faults
from bot.sandbox.collector import Received
from bot.sandbox.faults import Fault
from bot.sandbox.slack_faults import refusal, slow
from bot.sandbox.slack_people import USER
from bot.slack.service import load_libraries
from costcompass_core.domain.errors import StorageError

HOOK, BEAT = "/hook/hunter2secret", "/beat/hunter2secret"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        urls = {"webhook": f"{world.hooks.url}{HOOK[1:]}", "heartbeat": world.hooks.url + BEAT[1:]}
        yield world.begin("".join(f'{name}_url = "{url}"\n' for name, url in urls.items()))


def sent(world: World) -> list[Received]:
    return [one for one in world.hooks.requests if one.path == HOOK]


def events(world: World) -> list[tuple[str, int]]:
    """Event and level of everything that the webhook took."""
    return [(one.json["event"], one.json["level"]) for one in sent(world) if one.taken]


def beats(world: World) -> int:
    return sum(one.path == BEAT for one in world.hooks.requests)


def whole_story(world: World) -> None:
    """Let an incident open, be acknowledged, get worse, better, and resolve, five minutes apart."""
    world.reads("20")
    world.later(minutes=5).alerting.press(1, "acknowledge", USER)
    world.later(minutes=5).reads("8")
    world.later(minutes=5).reads("15")
    world.later(minutes=5).reads("115", bought=1100)


STORY = [("opened", 1), ("acknowledged", 1), ("worse", 2), ("better", 1), ("resolved", 1)]


def test_the_webhook_gets_every_change_as_it_was_in_order(world: World):
    whole_story(world)
    world.delivers()
    assert events(world) == STORY
    opened, acknowledged, worse, _, resolved = (one.json for one in sent(world))
    assert {one.headers["content-type"] for one in sent(world)} == {"application/json"}
    assert [one.json["seq"] for one in sent(world)] == [1, 2, 3, 4, 5]
    assert opened["version"] == 1
    assert (opened["rule"], opened["account"]) == ("balance_low", "main")
    assert (opened["at"], opened["resolved_at"]) == ("2026-11-23T11:00:00Z", None)
    assert opened["facts"]["left_usd"] == "20"
    assert acknowledged["by"] == USER
    assert worse["critical"]
    assert worse["facts"]["crossed"] == ["25", "10"]
    assert resolved["resolved_at"] == resolved["at"] == "2026-11-23T11:20:00Z"
    assert resolved["facts"]["topped_up_usd"] == "100"


PASSING = {
    "500": (faults.status(500), 0),
    "503": (faults.html(503), 0),
    "429": (faults.rate_limited("90"), 90),
    "lost": (faults.hang_up, 0),
    "reset": (faults.reset, 0),
}


@pytest.mark.parametrize(("fault", "wait"), PASSING.values(), ids=PASSING)
def test_what_was_not_taken_comes_again_before_what_followed(world: World, fault: Fault, wait: int):
    world.reads("20").delivers()
    world.hooks.faults.add(HOOK, fault)
    world.later(minutes=5).reads("8").delivers()
    failed = world.now
    world.later(milliseconds=500).reads("100").delivers()  # sooner than any retry
    assert len(sent(world)) == 2
    world.goes_on(minutes=2)
    assert events(world) == [("opened", 1), ("worse", 2), ("resolved", 2)]
    again = sent(world)[2]
    assert again.json == sent(world)[1].json
    assert again.at - failed >= timedelta(seconds=wait)
    assert world.outbox["waiting"] == 0


@pytest.mark.parametrize("fault", [faults.status(404), faults.redirect("/elsewhere")])
def test_what_is_refused_is_parked_without_holding_back_slack_or_giving_the_address_away(
    world: World, fault: Fault, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    world.hooks.faults.add(HOOK, fault, times=None)
    world.reads("20").delivers().goes_on(minutes=59)
    assert len(sent(world)) == 1
    assert world.posts() == {"incident:1:1": 1}
    [parked] = world.outbox["parked"]
    assert parked["name"] == "webhook incident:1:1"
    assert "127.0.0.1" in parked["error"]
    world.later(seconds=1).reads("8").delivers()
    assert len(sent(world)) == 2
    world.hooks.faults.clear()
    world.alerting.mended()
    world.delivers()
    assert events(world) == [("opened", 1), ("worse", 2)]
    assert world.outbox["waiting"] == 0
    with world.store.reading() as tx:
        stored = tx.execute("SELECT * FROM outbox").fetchall()
    told = f"{world.alerting.status()} {stored} {world.alerting._settings} {parked}"
    assert "hunter2" not in told
    assert "hunter2" not in caplog.text
    assert len(sent(world)) == 4


def test_slack_and_the_webhook_do_not_wait_for_each_other(world: World):
    world.slack.outage(True)
    whole_story(world)
    world.delivers()
    assert events(world) == STORY
    world.slack.outage(False)
    world.goes_on(seconds=30)
    assert len(world.posts()) == 1


def test_neither_side_s_silence_delays_what_the_other_is_told(
    world: World, caplog: pytest.LogCaptureFixture
):
    load_libraries()  # which is no silence of anybody
    silence = 60.0  # longer than anybody is waited for
    world.slack.faults.plan(POST, slow(silence))
    world.hooks.faults.add(HOOK, faults.late(silence))
    world.alerting.start()
    world.reads("20")
    try:
        assert eventually(lambda: world.calls(POST) and sent(world), silence)
        assert "was not told" not in caplog.text, "both are still waited for"
    finally:
        world.slack.close()  # which ends the silence
        world.hooks.close()
        world.alerting.stop(10)


def test_what_quiet_hours_hold_back_does_not_silence_the_heartbeat(world: World):
    night = f'quiet_hours = "12:00-20:00"\nheartbeat_url = "{world.hooks.url}{BEAT[1:]}"\n'
    world.reads("20").delivers()
    world.begin(night)
    before = beats(world)
    world.later(minutes=5).reads("20", "spare").delivers()
    assert world.waits == ["incident:2:1"]
    assert beats(world) == before + 1
    world.slack.outage(True)
    world.alerting.test()
    world.later(minutes=5).reads("20").delivers()
    assert beats(world) == before + 1, "a test is not held back"


def test_what_failed_before_quiet_hours_silences_the_heartbeat_and_keeps_nobody_busy(world: World):
    world.slack.outage(True)
    world.reads("20").delivers()
    world.begin(f'quiet_hours = "12:00-20:00"\nheartbeat_url = "{world.hooks.url}{BEAT[1:]}"\n')
    world.slack.outage(False)
    world.later(minutes=5).reads("20").delivers()
    assert world.waits == ["incident:1:1"]
    assert beats(world) == 0
    with world.store.writing() as tx:  # as if quiet hours had begun after the last failure
        tx.execute("UPDATE outbox SET try_at = at")
    world.delivers()
    assert [way.pause() for way in world.alerting._sender.ways] == [15.0]


def test_the_heartbeat_comes_after_a_good_refresh_and_only_then(world: World):
    world.delivers()
    assert beats(world) == 0
    world.reads("100").delivers().delivers()
    world.goes_on(minutes=10)
    assert beats(world) == 1
    world.later(minutes=5).reads("100").delivers()
    assert beats(world) == 2
    world.alerting.committed(good=False)
    world.goes_on(minutes=10)
    assert beats(world) == 2


def test_no_heartbeat_while_anything_waits_or_is_parked(world: World):
    world.slack.faults.plan(POST, refusal("is_archived"), None)
    world.reads("20").delivers()
    world.later(minutes=5).reads("20").delivers()
    assert beats(world) == 0
    world.slack.faults.clear()
    world.alerting.mended()
    world.delivers()
    assert beats(world) == 1


@pytest.mark.parametrize("refused", [False, True], ids=["failed", "refused by the database"])
def test_no_heartbeat_where_the_last_refresh_failed_before_the_outbox_was_empty(
    world: World, refused: bool
):
    world.slack.outage(True)
    world.reads("20").delivers()
    if refused:
        world.alerting.refused(StorageError("the disk is full"), "main")
    else:
        world.alerting.committed(good=False)
    world.slack.outage(False)
    world.goes_on(minutes=1)
    assert world.outbox["waiting"] == 0
    assert beats(world) == 0


def test_a_heartbeat_that_is_not_heard_hurts_nothing(
    world: World, caplog: pytest.LogCaptureFixture
):
    world.hooks.faults.add(BEAT, faults.status(500))
    world.reads("20").delivers()
    assert "the heartbeat was not heard: 127.0.0.1" in caplog.text
    assert "hunter2" not in caplog.text
    world.later(minutes=5).reads("20").delivers()
    assert beats(world) == 2
