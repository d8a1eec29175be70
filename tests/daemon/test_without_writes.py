"""A database that refuses writes keeps nobody from being told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from delivery_world import POST, World

from bot.sandbox.slack_faults import hang_up


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world.begin()
        assert world.slack.violations == ()


def refuses(world: World, on: bool = True) -> None:
    world.store._writer.execute(f"PRAGMA query_only = {int(on)}")


def test_what_was_committed_before_is_told_once_each_and_marked_later(world: World):
    url = f'webhook_url = "{world.hooks.url}hook"\n'
    world.begin(url).reads("20").reads("8", "spare").reads("8", "lab")
    refuses(world)
    world.slack.faults.plan(POST, hang_up())
    for _ in range(40):
        world.later(seconds=15).delivers()
    everything = {"incident:1:1": 1, "incident:2:1": 1, "incident:3:1": 1}
    assert world.posts() == everything
    assert [one.json["incident"] for one in world.hooks.requests] == [1, 2, 3]
    refuses(world, False)
    world.later(seconds=15).delivers()
    assert world.waits == []
    world.goes_on(minutes=10)
    assert world.posts() == everything
    assert world.outbox["waiting"] == 0
    world.later(minutes=5).reads("8").delivers()
    own = next(one for one in world.shown if one.edited)
    assert world.shown[-1].thread_ts == own.ts, "where it stands was noted as well"


def test_a_failure_that_can_not_be_noted_is_no_reason_to_hammer(world: World):
    world.reads("20")
    refuses(world)
    world.slack.outage(True)
    for _ in range(240):
        world.later(seconds=15).delivers()
    assert len(world.calls(POST)) < 30
    world.slack.outage(False)
    world.later(minutes=5).delivers()
    assert world.posts() == {"incident:1:1": 1}
