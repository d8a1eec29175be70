"""The thread that empties the outbox into Slack and the webhook, and pings the heartbeat."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, Final

from bot.config_alerts import Alerts
from bot.schedule import TICK
from bot.webhook_shape import letter_shape
from costcompass_core.domain.errors import CostCompassError, Undelivered
from costcompass_core.providers.hook import ping, post
from costcompass_core.storage import outbox
from costcompass_core.storage.store import Store
from costcompass_core.usecases.deliver import Delivery, Reports, Teller

_ROUNDS: Final = 10
"""Rounds of delivery in a row; what hangs below a summary follows in the round after it."""
_log: Final = logging.getLogger(__name__)


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
        self._slack = Delivery(store, now)
        self._hooks = Delivery(store, now)
        self._good_refresh = Event()
        self._poked = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Let the call that is under way end, within `timeout` seconds."""
        self._stopping.set()
        self._poked.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def poke(self) -> None:
        """Look into the outbox now."""
        self._poked.set()

    def refreshed(self, *, good: bool) -> None:
        """Note how a refresh went; after a good one, the heartbeat waits for an empty outbox only."""
        if good:
            self._good_refresh.set()
        else:
            self._good_refresh.clear()
        self.poke()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._poked.wait(self._pause())
            self._poked.clear()
            try:
                self.deliver()
            except CostCompassError as error:
                _log.error("the outbox can't be emptied: %s", error)
            except Exception:  # noqa: BLE001 - the thread must outlive every surprise
                _log.exception("the outbox can't be emptied")

    def _pause(self) -> float:
        """Return the seconds until the next letter is to be tried, a tick's length at most."""
        try:
            with self._store.reading() as tx:
                soonest = outbox.next_try(tx)
        except CostCompassError:
            soonest = None
        left = TICK if soonest is None else min(TICK, soonest - self._now())
        return max(left, timedelta(milliseconds=50)).total_seconds()

    def deliver(self) -> None:
        """Tell what is due, to Slack and to the webhook; then, if all is well, ping."""
        if self._stopping.is_set() or not self._is_due():
            self._ping()
            return
        try:
            for _ in range(_ROUNDS):
                if not self._slack.to_slack(self._settings.desk, self._teller(), self._reports):
                    break
        finally:
            if self._settings.webhook_url:
                self._hooks.to_webhook(self._send, letter_shape)
        self._ping()

    def _is_due(self) -> bool:
        with self._store.reading() as tx:
            return outbox.still_waiting(tx).letters > 0

    def _send(self, shape: Any) -> None:
        post(self._settings.webhook_url, json.dumps(shape).encode())

    def _ping(self) -> None:
        """Tell an outside watchdog that all is well: a good refresh, and nothing left to tell."""
        url = self._settings.heartbeat_url
        if not url or not self._good_refresh.is_set() or self._is_due():
            return
        self._good_refresh.clear()
        try:
            ping(url)
        except Undelivered as error:
            _log.warning("the heartbeat was not heard: %s", error)
