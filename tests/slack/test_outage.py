"""72 simulated hours without Slack: what is told afterwards, how late, and how often it was tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from delivery_world import ACCOUNTS, POST, UPDATE, World

HOURS = 72
READ_EVERY = timedelta(hours=1)
COARSE, FINE = timedelta(minutes=5), timedelta(seconds=15)
"""Between two ticks: as the retries of an outage come, and as in the daemon."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


class Life:
    """Five accounts that cost 3.50 USD a day; `left` is what the next readings find."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.left = dict.fromkeys(ACCOUNTS, 100)
        self.bought = dict.fromkeys(ACCOUNTS, 1000)
        self._read_at = world.now - READ_EVERY

    def begin(self) -> None:
        self.world.begin(balance="1h", activity="6h", digest="09:00")

    def falls(self, name: str, left: int) -> None:
        self.left[name] = left

    def tops_up(self, name: str, amount: int) -> None:
        self.left[name] += amount
        self.bought[name] += amount

    def goes_on(self, step: timedelta, **time: float) -> None:
        end = self.world.now + timedelta(**time)
        while self.world.now < end:
            self.world.later(seconds=step.total_seconds()).alerting.tick()
            if self.world.now - self._read_at >= READ_EVERY:
                self._read_at = self.world.now
                self._read()
            self.world.delivers()

    def _read(self) -> None:
        today = self.world.now.date()
        days = {today - timedelta(days=age): "3.50" for age in (3, 2, 1)}
        for name in ACCOUNTS:
            self.world.reads(str(self.left[name]), name, bought=self.bought[name], days=days)


def test_72_hours_without_slack_are_caught_up_within_5_minutes_and_nothing_is_sent_twice(
    world: World,
):
    life = Life(world)
    life.begin()
    life.falls("main", 20)
    life.falls("idle", 20)
    life.goes_on(FINE, minutes=30)
    main, idle, _ = before = world.shown  # and a digest
    world.slack.outage(True)
    began, asked = world.now, len(world.slack.calls)
    events: dict[int, Callable[[], None]] = {
        30: lambda: life.falls("main", 8),
        36: life.begin,
        40: lambda: life.falls("lab", 20),
        44: lambda: life.tops_up("lab", 70),
        48: lambda: life.tops_up("idle", 70),
        50: lambda: life.falls("lab", 9),
        52: lambda: life.falls("spare", 20),
        54: lambda: life.tops_up("lab", 70),
        60: lambda: life.falls("spare", 8),
        66: lambda: life.tops_up("aux", 100),
    }
    for hour in range(HOURS):
        events.get(hour, lambda: None)()
        life.goes_on(COARSE, hours=1)
    assert world.now - began == timedelta(hours=HOURS)
    assert len(world.shown) == len(before)
    refused = len(world.slack.calls) - asked

    world.slack.outage(False)
    back = world.now
    life.goes_on(FINE, minutes=15)
    _, _, _, over, worse, anew, ended, drop, top_up, digest = world.shown
    assert over.text.count("of lab") == over.text.count("resolved by a top-up of $70.00") == 2
    assert (worse.thread_ts, worse.broadcast) == (main.ts, True)
    assert "Balance of main is critical: $8.00" in worse.text
    assert (ended.thread_ts, ended.broadcast) == (idle.ts, False)
    assert "Resolved, topped up by $70.00" in ended.text
    assert (anew.thread_ts, anew.edited) == ("", False)
    assert "Balance of spare is critical: $8.00" in anew.text
    assert "Balance of main lost $8.50 more on 24 Nov" in drop.text
    assert "Top-up of $100.00" in top_up.text
    assert "Digest of 26 Nov 2026" in str(digest.blocks)
    assert all("Delayed: " in f"{one.text} {one.blocks}" for one in world.shown[3:])
    assert [one.edited for one in world.shown] == [True, True] + [False] * 8

    again = [one for one in world.slack.calls[asked + refused :] if one.method in {POST, UPDATE}]
    assert Counter(one.method for one in again) == {POST: 7, UPDATE: 2}
    assert {one.error for one in again} == {""}
    assert max(one.at - back for one in again) <= timedelta(minutes=5)
    assert set(world.posts().values()) == {1}
    assert 12 * HOURS <= refused < 3600  # each of up to six messages, every 5 minutes
    assert world.outbox == {"waiting": 0, "oldest": None, "parked": [], "failing": []}
