"""What is told while the database refuses writes: straight from memory, marked as not recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Final

from bot.config_alerts import Alerts
from costcompass_core.domain.errors import CostCompassError, StorageError
from costcompass_core.domain.facts import Facts
from costcompass_core.domain.letters import Subject
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.rules.views import Finding, Key
from costcompass_core.storage.store import Store
from costcompass_core.usecases.pages import UnrecordedPage
from costcompass_core.usecases.refresh import NotStored
from costcompass_core.usecases.tell import Teller
from costcompass_core.usecases.watch import Unrecorded, Watch, unrecorded, write_notice

_UNWRITABLE: Final = Key("database_unwritable")
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
        self._error = ""
        self._told: dict[Key, tuple[int, datetime]] = {}

    def refused(self, error: StorageError, watch: Watch, account: str = "") -> None:
        """Tell that nothing can be written, and the alerts of a reading that was lost with it."""
        now = self._now()
        with self._lock:
            self.since = self.since or now
            self._error = error.what
            facts: Facts = {"since": self.since, "error": str(error)}
            found = [Unrecorded(_UNWRITABLE, Finding(1, 1, 1, facts, now))]
            if isinstance(error, NotStored) and error.reading.balance is not None:
                balance = error.reading.balance
                found += unrecorded(self._store, watch, account, balance, error.reading.at)
            for one in found:
                if self._is_news(one, now):
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

    def _is_news(self, one: Unrecorded, now: datetime) -> bool:
        level, at = self._told.get(one.key, (0, now))
        return one.finding.level > level or now - at >= self._settings.repeat_every

    def _tell(self, one: Unrecorded, now: datetime) -> None:
        """Post at once; what fails is tried again with the next refused write."""
        to = self._settings.desk.goes_to(Subject("alert", one.key.rule, one.key.account))
        if not to:
            return
        name = f"unrecorded:{one.key.rule}:{one.key.account}:{now.isoformat()}"
        try:
            self._teller().post(to, UnrecordedPage(one.key, one.finding, self._error), name)
        except CostCompassError as error:
            _log.warning("%s was not told: %s", one.key.rule, error)
        else:
            self._told[one.key] = (one.finding.level, now)
