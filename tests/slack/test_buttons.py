"""Buttons pressed over the real Socket Mode: what they do, who may, and what people see then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from delivery_world import POST, World
from slack_helpers import Connect, eventually

from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import USER, Reply
from bot.sandbox.slack_workspace import Shown

OTHER = "U0SANDBOX02"
STRANGER = "U0STRANGER1"
ALLOWED = frozenset({USER, OTHER})
TOP_UP, ACK, UNACK, END = "Top up", "Acknowledge", "Unacknowledge", "End snooze"
SNOOZES = ["Snooze 4 h", "Snooze 24 h", "Snooze until top-up"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world.begin()
        assert world.slack.violations == ()


@pytest.fixture
def slack(world: World) -> Slack:
    return world.slack


@pytest.fixture
def press(world: World, connect: Connect) -> Callable[..., Reply]:
    """Presses a button of the incident's message as it stands, and lets the outbox draw it again."""
    world.reads("20").delivers()
    connect(presses=world.alerting, allowed=ALLOWED)

    def press(button: str, user: str = USER) -> Reply:
        before = len(world.changes())
        reply = world.slack.user.press(world.shown[0], button, user_id=user)
        assert reply.error == ""
        assert eventually(lambda: len(world.changes()) > before)
        world.delivers()
        return reply

    return press


def buttons(shown: Shown) -> list[str]:
    [*_, last] = shown.blocks
    return [one["text"]["text"] for one in last.get("elements", ()) if one["type"] == "button"]


def test_acknowledged_and_taken_back(world: World, press: Callable[..., Reply]):
    assert buttons(world.shown[0]) == [TOP_UP, ACK, *SNOOZES]
    press(ACK)
    own = world.shown[0]
    assert buttons(own) == [TOP_UP, UNACK, *SNOOZES]
    assert f"Acknowledged by <@{USER}>" in str(own.blocks)
    world.later(hours=30).reads("20").delivers()
    assert len(world.shown) == 1  # nobody is reminded
    press(UNACK, OTHER)
    assert buttons(world.shown[0]) == [TOP_UP, ACK, *SNOOZES]
    world.later(hours=24).reads("20").delivers()
    assert "Reminder" in world.shown[1].text
    assert world.changes() == [
        ("opened", ""), ("acknowledged", USER), ("unacknowledged", OTHER), ("reminded", OTHER),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("button", "hours", "until"),
    [(SNOOZES[0], 4, "23 Nov 16:00 CET"), (SNOOZES[1], 24, "24 Nov 12:00 CET")],
)
def test_a_snooze_is_silent_for_its_time_and_no_longer(
    world: World, press: Callable[..., Reply], button: str, hours: int, until: str
):
    press(button)
    own = world.shown[0]
    assert buttons(own) == [TOP_UP, ACK, END]
    assert f"until {until}" in own.text
    assert f"Snoozed by <@{USER}>" in str(own.blocks)
    world.later(hours=hours, minutes=-1).reads("20").delivers()
    assert len(world.shown) == 1
    world.later(minutes=2).reads("20").delivers()
    assert "Reminder" in world.shown[1].text
    assert buttons(world.shown[0]) == [TOP_UP, ACK, *SNOOZES]


def test_a_snooze_until_a_top_up_ends_with_one_that_is_not_enough(
    world: World, press: Callable[..., Reply]
):
    press(SNOOZES[2])
    assert "until a top-up, 30 Nov" in world.shown[0].text
    world.later(hours=50).reads("20").delivers()
    assert len(world.shown) == 1
    world.later(hours=1).reads("22", bought=1002).delivers()
    assert "is low: $22.00" in world.shown[0].text
    assert buttons(world.shown[0]) == [TOP_UP, ACK, *SNOOZES]
    told = " ".join(one.text for one in world.shown[1:])
    assert "Reminder" in told
    assert "Top-up of $2.00" in told


def test_a_snooze_can_be_ended(world: World, press: Callable[..., Reply]):
    press(SNOOZES[1])
    press(END, OTHER)
    assert buttons(world.shown[0]) == [TOP_UP, ACK, *SNOOZES]
    assert world.changes()[1:] == [("snoozed", USER), ("woken", OTHER)]
    assert len(world.calls(POST)) == 1


@pytest.mark.parametrize("button", [ACK, *SNOOZES])
def test_a_worse_level_shows_through(world: World, press: Callable[..., Reply], button: str):
    press(button)
    world.later(minutes=5).reads("8").delivers()
    own, worse = world.shown
    assert (worse.thread_ts, worse.broadcast) == (own.ts, True)
    assert "It got worse." in worse.text
    assert "is critical: $8.00" in own.text
    assert buttons(own) == [TOP_UP, ACK, *SNOOZES]
    assert world.changes()[1][1] == USER


def test_a_strangers_press_changes_nothing(world: World, press: Callable[..., Reply]):
    before = world.shown
    for button in buttons(before[0]):
        assert world.slack.user.press(before[0], button, user_id=STRANGER).error == ""
    world.slack.user.press(before[0], ACK, team_id="T0FOREIGN")
    press(SNOOZES[0])  # by then, theirs would have arrived as well
    assert world.changes() == [("opened", ""), ("snoozed", USER)]

    def refusals() -> list[Shown]:
        return [one for one in world.shown if one.only_for == STRANGER]

    assert eventually(lambda: len(refusals()) == len(buttons(before[0])))
    assert "not on the list of people" in refusals()[0].text
    assert STRANGER not in str([one for one in world.shown if not one.only_for])


def test_made_up_buttons_change_nothing(world: World, press: Callable[..., Reply]):
    action = world.slack.user.action
    made_up = [("incident_explode", "1"), ("incident_acknowledge", "77"), ("incident_wake", "1;")]
    assert [action(name, value).error for name, value in made_up] == [""] * 3
    press(ACK)
    assert world.changes() == [("opened", ""), ("acknowledged", USER)]


def test_a_press_on_what_is_over_only_draws_it_again(world: World, press: Callable[..., Reply]):
    world.later(minutes=5).reads("100").delivers()
    resolved = world.shown
    assert buttons(resolved[0]) == []
    assert world.slack.user.action("incident_acknowledge", "1").error == ""
    assert eventually(lambda: len(world.waits) == 1)
    world.delivers()
    assert world.shown == resolved
    assert world.changes()[-1] == ("refreshed", "")
    assert world.alerting.status()["incidents"] == []


def test_two_presses_at_once_are_both_kept_and_the_message_shows_the_later(
    world: World, press: Callable[..., Reply]
):
    own, start, replies = world.shown[0], Barrier(2), []

    def at_once(button: str, user: str) -> None:
        start.wait()
        replies.append(world.slack.user.press(own, button, user_id=user))

    pressing = [Thread(target=at_once, args=one) for one in ((ACK, USER), (SNOOZES[0], OTHER))]
    for one in pressing:
        one.start()
    for one in pressing:
        one.join()
    assert [one.error for one in replies] == ["", ""]
    assert eventually(lambda: len(world.changes()) == 3)
    world.delivers()
    assert sorted(world.changes()[1:]) == [("acknowledged", USER), ("snoozed", OTHER)]
    shown = {
        "acknowledged": ("Acknowledged by", [TOP_UP, UNACK, *SNOOZES]),
        "snoozed": ("Snoozed by", [TOP_UP, ACK, END]),
    }
    words, left = shown[world.changes()[-1][0]]
    assert f"{words} <@{world.changes()[-1][1]}>" in str(world.shown[0].blocks)
    assert buttons(world.shown[0]) == left
    assert world.waits == []


def test_buttons_of_an_earlier_life_still_work(world: World, connect: Connect):
    world.reads("20").delivers()
    earlier = connect(presses=world.alerting)
    assert earlier.stop(20)
    assert world.slack.links.wait(0)  # or Slack would still send down the old link
    world.later(hours=1).begin()
    connect(presses=world.alerting)
    assert world.slack.user.press(world.shown[0], ACK).error == ""
    assert eventually(lambda: bool(world.waits))
    world.delivers()
    assert f"Acknowledged by <@{USER}>" in str(world.shown[0].blocks)


def test_whoever_presses_while_nothing_can_be_stored_is_told(world: World, connect: Connect):
    world.reads("20").delivers()
    connect(presses=world.alerting)
    world.store._writer.execute("PRAGMA query_only = ON")
    reply = world.slack.user.press(world.shown[0], ACK)
    assert eventually(lambda: bool(reply.later))
    [told] = reply.later
    assert told.only_for == USER
    assert "costcompass.db cannot be used (attempt to write a readonly database)" in told.text
    assert world.changes() == [("opened", "")]
    world.store._writer.execute("PRAGMA query_only = OFF")
    world.slack.user.press(world.shown[0], ACK)
    assert eventually(lambda: len(world.changes()) == 2)


def test_a_test_alert_and_its_button_go_the_whole_way(world: World, connect: Connect):
    connect(presses=world.alerting)
    world.alerting.test()
    world.delivers()
    [first] = world.shown
    assert first.text.startswith("TEST: alerts arrive here. Nothing is wrong.")
    assert "`costcompass alert test`" in str(first.blocks)
    world.later(seconds=1)
    assert world.slack.user.press(first, "Send another test").error == ""
    assert eventually(lambda: bool(world.waits))
    world.delivers()
    assert f"by <@{USER}>" in str(world.shown[1].blocks)
    assert set(world.posts().values()) == {1}


def test_whoever_asks_for_a_test_alert_that_would_go_nowhere_is_told(
    world: World, connect: Connect
):
    world.begin(channel="")
    connect(presses=world.alerting)
    reply = world.slack.user.action("alert_test", "test")
    assert eventually(lambda: bool(reply.later))
    [told] = reply.later
    assert (told.only_for, told.text) == (
        USER, "alerts go nowhere yet: set [slack] channel, then reload or restart the daemon",
    )  # fmt: skip
    assert world.waits == []


def test_top_up_only_opens_the_credits_page(world: World, connect: Connect):
    world.reads("20").delivers()
    connect(presses=world.alerting)
    [*_, last] = world.shown[0].blocks
    assert last["elements"][0]["url"] == "https://openrouter.ai/settings/credits"
    assert world.slack.user.press(world.shown[0], TOP_UP).error == ""
    assert world.changes() == [("opened", "")]
