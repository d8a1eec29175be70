"""How fast a provider may be asked: never more than so many requests in any minute."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

MINUTE: Final = 60.0
"""Seconds over which requests are counted."""


def pause_before(sent: Sequence[float], now: float, per_minute: int) -> float:
    """Return the seconds to wait at `now`, given when the newest requests were `sent`, in order.

    Afterwards no window of 60 seconds holds more than `per_minute` requests. Moments are seconds of
    any one clock that never goes back.
    """
    if len(sent) < per_minute:
        return 0.0
    return max(0.0, sent[-per_minute] + MINUTE - now)


class Pace:
    """Counts the requests of everybody who shares it; for any number of threads."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `per_minute` requests in any minute of `clock`."""
        self._per_minute = per_minute
        self._clock = clock
        self._sent: deque[float] = deque(maxlen=per_minute)
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take the next place in the row and return how many seconds it is away."""
        with self._lock:
            now = self._clock()
            pause = pause_before(self._sent, now, self._per_minute)
            self._sent.append(now + pause)
        return pause
