"""Unusual spend on its way to people: routed, held overnight, and lost by no kill before it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from delivery_world import SECOND, World

from bot.sandbox.slack_people import CHANNEL, USER
from costcompass_core.domain.days import ONE_DAY, utc_day

ROUTE = f"""
[[route]]
rule = "spend_spike"
to = "{SECOND}"
"""
LIFE = {"activity": "1h", "spike_above": "1"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        url = f'webhook_url = "{world.hooks.url}hook"\n'
        world.begin(url, ROUTE, **LIFE)
        month = {utc_day(world.now) - age * ONE_DAY: "1" for age in range(1, 31)}
        yield world.reads("500", days=month).delivers()
        assert world.slack.violations == ()


def test_a_spike_that_was_committed_before_a_kill_is_told_once_where_it_is_routed(world: World):
    assert not world.shown
    world.later(minutes=5).reads("460")
    assert world.waits == ["incident:1:1"]
    url = f'webhook_url = "{world.hooks.url}hook"\n'
    world.end()
    world.begin(url, ROUTE, **LIFE).delivers().later(minutes=5).reads("460").delivers()
    [shown] = world.shown
    assert shown.channel == SECOND
    assert "23 Nov is critical: at least $40.00 so far, $39.00 over the usual $1.00" in shown.text
    [hook] = [one.json for one in world.hooks.requests]
    assert (hook["event"], hook["rule"], hook["levels"]) == ("opened", "spend_spike", 2)
    assert hook["facts"] | {"today": 1} == {
        "day": "2026-11-23", "spent_usd": "40", "usual_usd": "1", "over_usd": "39", "days": 28,
        "least_usd": "5.6", "floor_usd": "1", "today": 1,
    }  # fmt: skip


def test_nobody_is_reminded_of_a_spike_and_a_press_changes_its_message(world: World):
    world.begin('repeat_every = "10m"\n', **LIFE)
    world.later(minutes=5).reads("460").delivers()
    for _ in range(4):
        world.later(minutes=20).reads("460").delivers()
    world.alerting.press(1, "acknowledge", USER)
    world.delivers()
    [shown] = world.shown
    assert "Acknowledged by" in str(shown.blocks)


def test_a_spike_of_the_night_is_told_in_the_morning_as_held_back(world: World):
    world.begin('quiet_hours = "12:00-20:00"\n', **LIFE).later(hours=1).reads("460").delivers()
    assert not world.shown
    [shown] = world.goes_on(hours=9).shown
    assert shown.channel == CHANNEL
    assert "Spend of main on 23 Nov is critical: at least $40.00" in str(shown.blocks)
    assert "Held back during quiet hours" in str(shown.blocks)
