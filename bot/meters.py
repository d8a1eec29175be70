"""Counts what happens while the daemon runs: refreshes, and acknowledgements to Slack.

Nothing of it is stored: a restart begins at zero, which is what readers of counters expect. Safe to
use from any thread, and of the standard library alone, so that noting costs next to nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Final

OK: Final = "ok"
"""The result of a refresh that went well; every other one says in a word what was wrong."""
REFRESH_SECONDS: Final = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
ACK_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Upper bounds; Slack tells people of a timeout after 3 s."""
_MOST_KINDS: Final = 20
"""Different kinds of acknowledgements that are told apart."""
OTHERS: Final = "other"


@dataclass(frozen=True, slots=True)
class Durations:
    """How long something took: how often up to each of `bounds` (s) and beyond, and all together."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    """One more than `bounds`; not cumulative."""
    seconds: float = 0.0

    @classmethod
    def none(cls, bounds: tuple[float, ...]) -> Durations:
        """Return the state before anything happened."""
        return cls(bounds, (0,) * (len(bounds) + 1))

    def plus(self, seconds: float) -> Durations:
        """Return the state after one more."""
        place = bisect_left(self.bounds, seconds)
        counts = (*self.counts[:place], self.counts[place] + 1, *self.counts[place + 1 :])
        return Durations(self.bounds, counts, self.seconds + seconds)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything counted so far."""

    refreshes: Mapping[tuple[str, str], int]
    """By account and result."""
    refresh_durations: Mapping[str, Durations]
    """By provider."""
    acknowledgements: Mapping[str, Durations]
    """By what was acknowledged."""


class Meters:
    """Where the daemon's parts note what happened; `read` returns it all at one moment."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` gives seconds that never go back; what time it is does not matter here."""
        self._clock = clock
        self._lock = Lock()
        self._refreshes: dict[tuple[str, str], int] = {}
        self._refresh_durations: dict[str, Durations] = {}
        self._acknowledgements: dict[str, Durations] = {}

    def refreshing(self, account: str, provider: str) -> Callable[[str], None]:
        """Note that a refresh begins; the returned function takes its result when it has ended."""
        begun = self._clock()

        def ended(result: str) -> None:
            took = max(self._clock() - begun, 0.0)
            with self._lock:
                key = (account, result)
                self._refreshes[key] = self._refreshes.get(key, 0) + 1
                _add(self._refresh_durations, provider, took, REFRESH_SECONDS)

        return ended

    def acknowledged(self, kind: str, seconds: float) -> None:
        """Note that Slack got an acknowledgement, and how long it waited for it."""
        with self._lock:
            known = kind in self._acknowledgements or len(self._acknowledgements) < _MOST_KINDS
            _add(self._acknowledgements, kind if known else OTHERS, seconds, ACK_SECONDS)

    def read(self) -> Reading:
        """Return what was counted."""
        with self._lock:
            return Reading(
                dict(self._refreshes),
                dict(self._refresh_durations),
                dict(self._acknowledgements),
            )


def _add(to: dict[str, Durations], name: str, seconds: float, bounds: tuple[float, ...]) -> None:
    to[name] = to.get(name, Durations.none(bounds)).plus(seconds)
