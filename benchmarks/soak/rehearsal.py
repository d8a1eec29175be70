"""`costcompass run` in a process of its own, whose clock moves only when the soak says so.

`python -P -m benchmarks.soak.rehearsal DESCRIPTOR`, a socket on which a line of JSON says what time
it is. When every tick of the daemon has come round at that time, a line goes back. Everything else
is the product's own: command line, configuration, vault, scheduler, threads, signals.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import logging
import os
import resource
import signal
import socket
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from threading import Condition, Event, Thread
from threading import enumerate as threads
from typing import Any, Final

import bot.daemon
from benchmarks.soak.memory import collected, trimmed
from bot.cli import run
from bot.schedule import start_ticking
from bot.slack.socket import Pauses, SlackConnection
from costcompass_core.storage.store import Store

_BETWEEN_TICKS: Final = timedelta(milliseconds=100)
"""In real time, but for those that are called as soon as the clock has moved."""
_HASTE: Final = 60.0
"""How much shorter pauses between two tries at a provider are."""
_CONNECTING: Final = Pauses(first=0.02, longest=0.5, refused=1.0)
"""Between two tries to connect to Slack: an hour of the soak may take a second."""
_MOST_TOLD: Final = 12


class Hasty(Event):
    """An event whose waits with a timeout are short."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else timeout / _HASTE)


class Rounds:
    """The clock, and who has ticked since it moved."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._orders = channel.makefile("rb")
        self._moved = Condition()
        self._serial = 0
        self._done: dict[str, int] = {}
        self._commits = count()
        self._scheduler: Any
        self._before: tracemalloc.Snapshot | None = None
        self._now = datetime.fromisoformat(json.loads(self._orders.readline())["now"])

    def now(self) -> datetime:
        return self._now

    def ticking(
        self, ticks: Mapping[str, Callable[[], None]], _every: timedelta, _now: datetime
    ) -> Any:
        """Keep ticks going with the product's scheduler, and tell when all have come round."""
        self._done = dict.fromkeys(ticks, -1)
        # Begun here, where SIGTERM is blocked already, so that no thread of ours is hit by it.
        Thread(target=self._listen, name="soak", daemon=True).start()
        once = {name: partial(self._once, name, tick) for name, tick in ticks.items()}
        self._scheduler = start_ticking(once, _BETWEEN_TICKS, datetime.now(UTC))
        return self._scheduler

    def counted(self) -> None:
        """Count every commit from now on."""
        writing = Store.writing

        @contextlib.contextmanager
        def counting(store: Store) -> Iterator[Any]:
            with writing(store) as tx:
                yield tx
            next(self._commits)

        Store.writing = counting  # type: ignore[assignment, method-assign]

    def _once(self, name: str, tick: Callable[[], None]) -> None:
        """Tick, unless that was done at this simulated moment."""
        serial = self._serial
        if self._done[name] == serial:
            return
        try:
            tick()
        finally:
            with self._moved:
                self._done[name] = serial
                self._moved.notify_all()

    def _listen(self) -> None:
        """Do as the soak says until it is gone, which ends us too."""
        try:
            self._answer({})
            for line in self._orders:
                self._obey(json.loads(line))
        finally:
            os._exit(3)

    def _obey(self, order: Mapping[str, Any]) -> None:
        if "file_limit" in order:
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            limit = order["file_limit"]
            resource.setrlimit(resource.RLIMIT_FSIZE, (most if limit is None else limit, most))
        with self._moved:
            self._now = datetime.fromisoformat(order["now"])
            self._serial += 1
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))
        self._answer(order)

    def _answer(self, order: Mapping[str, Any]) -> None:
        with self._moved:
            self._moved.wait_for(lambda: all(n == self._serial for n in self._done.values()))
        told: dict[str, Any] = {"round": self._serial}
        if order.get("measure"):
            told |= self._measured()
        if order.get("trim"):
            told |= {"collected": collected(), "trimmed_kb": trimmed(_resident_kb)}
        if order.get("trace"):
            told["traced"] = self._traced()
        self._channel.sendall(json.dumps(told).encode() + b"\n")

    def _measured(self) -> dict[str, Any]:
        names = Counter(one.name.rstrip("0123456789").rstrip("-_") for one in threads())
        return {
            "rss_kb": _resident_kb(),
            "descriptors": len(list(Path("/proc/self/fd").iterdir())) - 1,
            "threads": len(list(Path("/proc/self/task").iterdir())),
            "by_name": dict(names),
            "blocks": sys.getallocatedblocks(),
            "objects": len(gc.get_objects()),
            "commits": self._commits.__reduce__()[1][0],
        }

    def _traced(self) -> list[str]:
        """Begin to trace memory, or say where it has grown since."""
        gc.collect()
        if self._before is None:
            tracemalloc.start(5)
            self._before = tracemalloc.take_snapshot()
            return []
        grown = tracemalloc.take_snapshot().compare_to(self._before, "lineno")
        return [str(one) for one in grown[:_MOST_TOLD]]


def _resident_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def main() -> int:
    """Run the daemon; SIGTERM waits until the product is ready to be told of it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a refused write is an error, as on a full disk
    faulthandler.register(signal.SIGUSR1)  # where every thread is, should it hang
    rounds = Rounds(socket.socket(fileno=int(sys.argv[1])))
    rounds.counted()
    bot.daemon.Daemon = partial(  # type: ignore[assignment, misc]
        bot.daemon.Daemon, now=rounds.now, ticking=rounds.ticking, event=Hasty
    )
    (SlackConnection.__init__.__kwdefaults__ or {})["pauses"] = _CONNECTING
    logging.getLogger("bot.reader").setLevel(logging.DEBUG)  # which tells of every refresh
    return run(["run"])


if __name__ == "__main__":
    sys.exit(main())
