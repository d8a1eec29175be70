"""When to refresh. A frequent tick asks the pure `due`; nothing depends on a trigger firing once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Condition
from typing import Any, Final

from apscheduler.schedulers.background import BackgroundScheduler

from costcompass_core.storage.refreshes import Attempt

Ticking = Callable[[Mapping[str, Callable[[], None]], timedelta, datetime], BackgroundScheduler]
"""How ticks are kept going, as `start_ticking` does it."""

TICK: Final = timedelta(seconds=15)
STALLED: Final = timedelta(minutes=2)
"""A pause between two ticks of the clock after which something is stuck."""
FIRST_RETRY: Final = timedelta(seconds=30)
PERMANENT_RETRY: Final = timedelta(hours=1)
"""How often a refusal that only a human can end is tried again, so that nobody is hammered."""


class Pulse:
    """Whether the clock still ticks: each beat is good for a while."""

    def __init__(self) -> None:
        """Begin with a beat, so that a start has time for its first tick."""
        self.beat()

    def beat(self) -> None:
        """Note that a tick has run."""
        self._at = time.monotonic()  # no clock that is set can stop or feign it

    def silent(self) -> timedelta:
        """Return for how long no tick has run."""
        return timedelta(seconds=time.monotonic() - self._at)

    def beats(self) -> bool:
        """Return whether a tick has run lately; one that waits for a slow disk may take long."""
        return self.silent() < STALLED


class UnderWay:
    """Knows which ticks run, so that a stop can let them end before what they use is closed."""

    def __init__(self) -> None:
        """Begin with none."""
        self._running = 0
        self._closed = False
        self._ended = Condition()

    def noting(self, tick: Callable[[], None]) -> Callable[[], None]:
        """Return `tick` as it is to be run: noted, and after `end` not at all."""

        def run() -> None:
            with self._ended:
                if self._closed:
                    return
                self._running += 1
            try:
                tick()
            finally:
                with self._ended:
                    self._running -= 1
                    self._ended.notify_all()

        return run

    def end(self, until: float) -> None:
        """Begin none any more, and wait for those that run, until that `time.monotonic()`."""
        with self._ended:
            self._closed = True
            self._ended.wait_for(lambda: not self._running, max(until - time.monotonic(), 0.0))


def tick_length(*every: timedelta) -> timedelta:
    """Return how often to look what is due: as often as the most frequent of `every`, at least."""
    return min(TICK, *every)


def due(attempt: Attempt | None, every: timedelta, now: datetime, mended: datetime) -> bool:
    """Return whether a part of an account should be read at `now`.

    A failure is retried after 30 s, doubled each time up to `every`; a permanent one hourly, and
    both at once after a start, an unlock or a new key (`mended`), when people may have helped.
    """
    if attempt is None or attempt.tried_at > now:  # a clock that was set back must not silence us
        return True
    if not attempt.failures:
        return now >= attempt.tried_at + every
    if attempt.tried_at < mended:
        return True
    return now >= attempt.tried_at + retry_after(attempt, every)


def retry_after(attempt: Attempt, every: timedelta) -> timedelta:
    """Return how long to wait after a failed try."""
    if attempt.permanent:
        return max(every, PERMANENT_RETRY)
    doubled = FIRST_RETRY * (1 << min(attempt.failures - 1, 20))
    return min(every, doubled)


def start_ticking(
    ticks: Mapping[str, Callable[[], None]], every: timedelta, now: datetime
) -> BackgroundScheduler:
    """Run each named tick at `now` and then regularly, each on its own, never two of one name.

    The library drops a job that is over a second late and piles up missed ones unless told not to.
    """
    scheduler = _Scheduler(
        every,
        timezone="UTC",
        executors={"default": {"type": "threadpool", "max_workers": max(4, len(ticks))}},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    for name, tick in ticks.items():
        seconds = every.total_seconds()
        scheduler.add_job(tick, "interval", seconds=seconds, id=name, next_run_time=now)
    scheduler.start()
    return scheduler


class _Scheduler(BackgroundScheduler):  # type: ignore[misc] # the library ships no types
    """Goes on when the clock is set, or was wrong at the start.

    The library waits until a clock that was set back is there again, and lists each moment that one
    put forward has jumped over: a year of them is 100 MB, a clock that began in 1970 is no memory left.
    """

    def __init__(self, every: timedelta, **options: Any) -> None:
        self._every = every
        super().__init__(**options)

    def _process_jobs(self) -> Any:
        """Do what is due; what is too far from now was planned by another clock and is due too."""
        now = datetime.now(UTC)  # noqa: TID251 - the library asks the same clock next
        for job in self.get_jobs():
            if abs(job.next_run_time - now) > self._every:
                job.modify(next_run_time=now)
        return super()._process_jobs()
