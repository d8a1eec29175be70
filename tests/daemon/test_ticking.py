from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from install import eventually

from bot.schedule import start_ticking

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
