from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from install import eventually

from bot.schedule import UnderWay, start_ticking

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    "clock",
    [NOW, NOW + timedelta(hours=2), datetime(1970, 1, 1, tzinfo=UTC)],
    ids=["right", "two hours ahead, then set back", "1970, then put forward"],
)
def test_ticks_come_regularly_whatever_the_clock_said_at_the_start(clock: datetime):
    ticks: list[int] = []
    every = timedelta(seconds=0.1)
    scheduler = start_ticking({"one": lambda: ticks.append(1)}, every, clock)
    try:
        assert eventually(lambda: len(ticks) > 3)
    finally:
        scheduler.shutdown(wait=False)


def test_a_tick_that_runs_is_waited_for_and_none_begins_after():
    ticks, begun, go_on = UnderWay(), Event(), Event()
    ends: list[str] = []

    def tick() -> None:
        begun.set()
        go_on.wait()
        ends.append("tick")

    running = Thread(target=ticks.noting(tick))
    running.start()
    begun.wait()
    ticks.end(time.monotonic())
    assert ends == [], "not for longer than it may take"
    go_on.set()
    ticks.end(time.monotonic() + 60)
    assert ends == ["tick"]
    ticks.noting(tick)()
    assert ends == ["tick"]
    running.join()
