"""What two threads note of what is watched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from delivery_world import World

from bot import alerting


def test_an_unlock_during_a_tick_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with World(tmp_path) as world:
        world.begin()
        world.alerting.locked(world.now)
        world.later(hours=1)  # the tick after that notes that the machine slept

        def unlocked_meanwhile(watch, **changes):
            monkeypatch.undo()
            world.alerting.locked(None)
            return replace(watch, **changes)

        monkeypatch.setattr(alerting, "replace", unlocked_meanwhile)
        world.alerting.tick()
        assert world.alerting.watch.locked_since is None
        assert world.alerting.watch.since == world.now
