"""A database that refuses writes keeps nobody from being told, and is forgiven once it takes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from delivery_world import POST, World

from bot import reader
from bot.meters import Meters
from bot.reader import Reader
from bot.sandbox.slack_faults import hang_up, rate_limited
from costcompass_core.domain.errors import StorageError
from costcompass_core.domain.money import Usd
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Balance, Reading
from costcompass_core.usecases.refresh import NotStored


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world.begin()
        assert world.slack.violations == ()


def refuses(world: World, on: bool = True) -> None:
    world.store._writer.execute(f"PRAGMA query_only = {int(on)}")


def lost(world: World, left: str) -> NotStored:
    """The error of a refresh whose reading the database did not take."""
    balance = Balance(Usd.of(left), Usd.of(1000), Usd.of(1000) - Usd.of(left))
    return NotStored(StorageError("the disk is full"), Reading(world.now, balance, None))


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


def test_alerts_that_quiet_hours_held_are_told_though_nothing_can_be_marked_any_more(world: World):
    world.begin('quiet_hours = "22:00-07:00"\n').reads("26").reads("26", "spare").delivers()
    world.later(hours=11).reads("24").reads("24", "spare").delivers()
    assert world.shown == ()
    world.alerting.test()
    refuses(world)
    world.later(hours=8)
    for _ in range(10):
        world.later(seconds=15).delivers()
    test, summary = world.shown
    assert test.text.startswith("TEST")
    assert summary.text.startswith("While it was quiet: 2 opened.")
    refuses(world, False)
    world.later(seconds=15).delivers()
    assert world.waits == []
    assert set(world.posts().values()) == {1}


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


def test_a_webhook_alone_hears_of_what_is_not_recorded(world: World):
    world.begin(f'webhook_url = "{world.hooks.url}hook"\n', channel="")
    world.reads("100").delivers()
    for _ in range(3):
        world.later(minutes=5).alerting.refused(lost(world, "8"), "main")
    first, second = (one.json for one in world.hooks.requests)
    assert (first["event"], first["rule"], first["recorded"]) == (
        "unrecorded", "database_unwritable", False,
    )  # fmt: skip
    assert (second["rule"], second["account"], second["level"]) == ("balance_low", "main", 2)
    assert second["facts"]["left_usd"] == "8"
    assert second["text"].startswith("Balance of main is critical: $8.00")
    assert world.slack.calls == ()


def test_what_is_not_recorded_waits_for_as_long_as_slack_asks(world: World):
    world.slack.faults.plan(POST, rate_limited(600))
    for _ in range(41):
        world.alerting.refused(StorageError("the disk is full"), "")
        world.later(seconds=15)
    first, second = world.calls(POST)
    assert (second.at - first.at).total_seconds() == 600


def test_it_is_forgiven_at_a_tick_though_no_refresh_is_good(world: World):
    refuses(world)
    world.alerting.refused(StorageError("the disk is full"), "main")
    for _ in range(60):
        world.later(seconds=15).alerting.tick()
    assert world.alerting.status()["database_refuses_since"], "nothing was written meanwhile"
    refuses(world, False)
    world.alerting.refused(StorageError("the disk is full"), "main")
    world.later(seconds=15).alerting.tick()
    assert world.alerting.status()["database_refuses_since"], "a large write was refused just now"
    for _ in range(20):
        world.later(seconds=15).alerting.tick()
    assert world.alerting.status()["database_refuses_since"] is None
    assert [name.split(":")[0] for name in world.waits] == ["database_back"]


def test_a_balance_is_read_and_told_though_nothing_stored_can_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    config = world.alerting._config
    watched = Reader(
        config,
        world.store,
        lambda _: Secret("key"),
        lambda: world.now,
        alerting=world.alerting,
        meters=Meters(),
    )
    asked = []

    def refresh(*_, parts, **__):
        asked.append(parts)
        raise lost(world, "8")

    def unreadable():
        raise StorageError("disk I/O error")

    monkeypatch.setattr(reader, "refresh", refresh)
    monkeypatch.setattr(world.store, "reading", unreadable)
    for _ in range(12):
        watched.tick(config.accounts[0])
        world.later(seconds=15)
    assert asked == [["balance"]] * 3
    assert any("Balance of main is critical: $8.00" in one.text for one in world.shown)
