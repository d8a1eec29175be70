"""What is told while the database refuses writes: straight from memory, marked as not recorded."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Final

from bot.config_alerts import Alerts
from bot.webhook_shape import unrecorded_shape
from costcompass_core.domain.errors import StorageError, Undelivered
from costcompass_core.domain.facts import Facts
from costcompass_core.domain.letters import Subject
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.outbox import is_put_off
from costcompass_core.domain.rules.views import Finding, Key
from costcompass_core.providers.hook import post
from costcompass_core.storage.outbox import Via
from costcompass_core.storage.store import Store
from costcompass_core.usecases.pages import UnrecordedPage
from costcompass_core.usecases.refresh import NotStored
from costcompass_core.usecases.tell import Teller
from costcompass_core.usecases.watch import Unrecorded, Watch, unrecorded, write_notice

_UNWRITABLE: Final = Key("database_unwritable")
_CALM: Final = timedelta(minutes=5)
"""How long nothing may have been refused before a small write counts as proof for larger ones."""
_log: Final = logging.getLogger(__name__)


class Unwritable:
    """Remembers since when the database refuses writes, and what was told meanwhile."""

    def __init__(
        self,
        settings: Alerts,
        store: Store,
        teller: Callable[[], Teller],
        now: Callable[[], datetime],
    ) -> None:
        """All is well to begin with."""
        self._settings = settings
        self._store = store
        self._teller = teller
        self._now = now
        self._lock = Lock()
        self.since: datetime | None = None
        self._refused_at = now()
        self._error = ""
        self._told: dict[tuple[Via, Key], tuple[int, datetime]] = {}
        self._not_before: dict[Via, datetime] = {}

    def use(self, settings: Alerts) -> None:
        """Go by other settings from now on."""
        self._settings = settings

    def refused(self, error: StorageError, watch: Watch, account: str = "") -> None:
        """Tell that nothing can be written, and the alerts of a reading that was lost with it."""
        now = self._now()
        with self._lock:
            self.since = self.since or now
            self._refused_at = now
            self._error = error.what
            facts: Facts = {"since": self.since, "error": str(error)}
            found = [Unrecorded(_UNWRITABLE, Finding(1, 1, 1, facts, now))]
            if isinstance(error, NotStored) and error.reading.balance is not None:
                balance = error.reading.balance
                found += unrecorded(self._store, watch, account, balance, error.reading.at)
            for one in found:
                self._tell(one, now)

    def accepted(self, watch: Watch) -> None:
        """Note that a write went through; the time without is told as well. Raises `StorageError`."""
        if self.since is None:
            return
        with self._lock:
            now = self._now()
            facts: Facts = {"since": self.since, "until": now, "error": self._error}
            name = f"database_back:{now.isoformat()}"
            with self._store.writing() as tx:
                write_notice(tx, Notice("database_back", "", name, facts, now), watch.ways)
            self.since = None
            self._told.clear()

    def probe(self, watch: Watch) -> None:
        """Try to note that writes go through again, where none was refused for a while.

        While nothing can be read from a provider no refresh brings that news. The note is the
        proof; another refusal changes nothing.
        """
        if not timedelta(0) <= self._now() - self._refused_at < _CALM:
            with suppress(StorageError):
                self.accepted(watch)

    def _tell(self, one: Unrecorded, now: datetime) -> None:
        to = self._settings.desk.goes_to(Subject("alert", one.key.rule, one.key.account))
        if to:
            self._try("slack", one, now, partial(self._post, one, now, to))
        if self._settings.webhook_url:
            self._try("webhook", one, now, partial(self._send, one, now))

    def _try(self, via: Via, one: Unrecorded, now: datetime, tell: Callable[[], object]) -> None:
        """Tell what is news there; what fails is tried again with the next refused write."""
        if not self._is_news(via, one, now) or is_put_off(self._not_before.get(via), now):
            return
        try:
            tell()
        except Undelivered as error:
            _log.warning("%s was not told: %s", one.key.rule, error)
            self._not_before[via] = now + timedelta(seconds=error.wait)
        else:
            self._told[via, one.key] = (one.finding.level, now)

    def _is_news(self, via: Via, one: Unrecorded, now: datetime) -> bool:
        level, at = self._told.get((via, one.key), (0, now))
        return one.finding.level > level or now - at >= self._settings.repeat_every

    def _post(self, one: Unrecorded, now: datetime, to: str) -> object:
        name = f"unrecorded:{one.key.rule}:{one.key.account}:{now.isoformat()}"
        return self._teller().post(to, UnrecordedPage(one.key, one.finding, self._error), name)

    def _send(self, one: Unrecorded, now: datetime) -> None:
        shape = unrecorded_shape(one.key, one.finding, now)
        post(self._settings.webhook_url, json.dumps(shape).encode())
