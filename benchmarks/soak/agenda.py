"""What is going to happen, and when."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import count


class Agenda:
    """Things to do by moment; what is due is done in order, and counted by its name."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.log: list[tuple[datetime, str]] = []
        """What was done when, the nameless too."""
        self._waiting: list[tuple[datetime, int, str, Callable[[], None]]] = []
        self._serial = count()

    def put(self, at: datetime, name: str, act: Callable[[], None]) -> None:
        """Plan something; an empty name is not counted."""
        heapq.heappush(self._waiting, (at, next(self._serial), name, act))

    def until(self, now: datetime) -> None:
        """Do everything that is due."""
        while self._waiting and self._waiting[0][0] <= now:
            _, _, name, act = heapq.heappop(self._waiting)
            act()
            self.log.append((now, name))
            if name:
                self.done[name] += 1
