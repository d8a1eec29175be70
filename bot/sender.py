"""The threads that empty the outbox, one for each way out; and the heartbeat, once it is empty."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import Any, Final

from bot.config_alerts import Alerts
from bot.schedule import TICK
from bot.webhook_shape import letter_shape
from costcompass_core.domain.errors import CostCompassError, Undelivered
from costcompass_core.providers.hook import ping, post
from costcompass_core.storage import outbox
from costcompass_core.storage.outbox import Via
from costcompass_core.storage.store import Store
from costcompass_core.usecases.deliver import Delivery
from costcompass_core.usecases.tell import Reports, Teller

_ROUNDS: Final = 10
"""Rounds of delivery in a row; what hangs below a summary follows in the round after it."""
_log: Final = logging.getLogger(__name__)


class Way:
    """One way out, in a thread of its own: neither side's silence delays what the other is told."""

    def __init__(
        self,
        via: Via,
        store: Store,
        now: Callable[[], datetime],
        stopping: Event,
        deliver: Callable[[], None],
    ) -> None:
        """`deliver` tells what is due and is called whenever that may be something."""
        self._via = via
        self._store = store
        self._now = now
        self._stopping = stopping
        self._deliver = deliver
        self._looked = now()
        self._poked = Event()
        self._thread = Thread(target=self._run, name=f"outbox-{via}", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def poke(self) -> None:
        """Look into the outbox now."""
        self._poked.set()

    def wait(self) -> None:
        """Return when it has ended after a stop."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._poked.wait(self.pause())
            self._poked.clear()
            try:
                self.look()
            except CostCompassError as error:
                _log.error("the outbox can't be emptied: %s", error)
            except Exception:  # noqa: BLE001 - the thread must outlive every surprise
                if not self._stopping.is_set():  # by then, the database may be closed already
                    _log.exception("the outbox can't be emptied")

    def look(self) -> None:
        """Tell what is due."""
        self._looked = self._now()
        self._deliver()

    def pause(self) -> float:
        """Return the seconds until the next letter is to be tried, a tick's length at most.

        What was due at the last look had its chance: something else holds it back, or it failed.
        """
        try:
            with self._store.reading() as tx:
                soonest = outbox.next_try(tx, self._via, self._looked)
        except CostCompassError:
            soonest = None
        left = TICK if soonest is None else min(TICK, soonest - self._now())
        return max(left, timedelta(milliseconds=50)).total_seconds()


class Sender:
    """Delivers whenever it is poked, and regularly for what has to wait."""

    def __init__(
        self,
        settings: Alerts,
        store: Store,
        teller: Callable[[], Teller],
        reports: Reports,
        now: Callable[[], datetime],
    ) -> None:
        """`teller` is made when there is something to tell: Slack's libraries load slowly."""
        self._settings = settings
        self._store = store
        self._teller = teller
        self._reports = reports
        self._now = now
        self._good_refresh = Event()
        self._pinging = Lock()
        self._stopping = Event()
        self._slack = Delivery(store, now, self._stopping.is_set)
        self._hooks = Delivery(store, now, self._stopping.is_set)
        self.ways = [Way("slack", store, now, self._stopping, self._to_slack)]
        if settings.webhook_url:
            self.ways.append(Way("webhook", store, now, self._stopping, self._to_webhook))

    def use(self, settings: Alerts) -> None:
        """Go by other settings from now on; the ways out stay the same."""
        self._settings = settings

    def start(self) -> None:
        """Begin to deliver."""
        for way in self.ways:
            way.start()

    def stop(self, timeout: float) -> None:
        """Begin nothing new, and let the calls that are under way end, within `timeout` seconds."""
        self._stopping.set()
        self.poke()
        waiting = Thread(target=self._wait, daemon=True)
        waiting.start()  # so each gets the whole time, and together they take no longer
        waiting.join(timeout)

    def _wait(self) -> None:
        for way in self.ways:
            way.wait()

    def poke(self) -> None:
        """Look into the outbox now."""
        for way in self.ways:
            way.poke()

    def refreshed(self, *, good: bool) -> None:
        """Note how a refresh went; after a good one, the heartbeat waits for an empty outbox only."""
        if good:
            self._good_refresh.set()
        else:
            self._good_refresh.clear()
        self.poke()

    def _to_slack(self) -> None:
        if self._is_waiting("slack"):
            for _ in range(_ROUNDS):
                if not self._slack.to_slack(self._settings.desk, self._teller(), self._reports):
                    break
        self._ping()

    def _to_webhook(self) -> None:
        if self._is_waiting("webhook"):
            self._hooks.to_webhook(self._send, letter_shape)
        self._ping()

    def _is_waiting(self, via: Via) -> bool:
        with self._store.reading() as tx:
            return outbox.is_waiting(tx, via)

    def _send(self, shape: Any) -> None:
        post(self._settings.webhook_url, json.dumps(shape).encode())

    def _ping(self) -> None:
        """Tell an outside watchdog that all is well: a good refresh, and nothing left to tell."""
        url = self._settings.heartbeat_url
        if not url or self._stopping.is_set():
            return
        with self._pinging:  # both ways may find everything told in the same moment
            if not self._good_refresh.is_set() or not self._all_told():
                return
            self._good_refresh.clear()
        try:
            ping(url)
        except Undelivered as error:
            _log.warning("the heartbeat was not heard: %s", error)

    def _all_told(self) -> bool:
        quiet = self._settings.desk.quiet
        with self._store.reading() as tx:
            return outbox.all_told(tx, quiet=bool(quiet and quiet.until(self._now())))
