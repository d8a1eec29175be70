"""The daemon's daily copies: when one is made, what is said of it, and how the last one went."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

from bot.config import Backup
from bot.terminal.shapes import moment_shape
from costcompass_core.domain.backups import copy_name, due
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.storage.store import Store
from costcompass_core.usecases.daily_copies import copy_today, own_copies

_log: Final = logging.getLogger(__name__)


class Backups:
    """Makes one copy a UTC day; `tick` often. Anybody may read how that goes, from any thread."""

    def __init__(self, settings: Backup, store: Store, now: Callable[[], datetime]) -> None:
        """Look at nothing yet: the start of the daemon does not wait for a disk."""
        self._settings = settings
        self._store = store
        self._now = now
        self._started = now()
        self._looked = False
        self._days: set[date] = set()
        self._failed_at: datetime | None = None
        self.last_backup_at: datetime | None = None
        """When the newest copy was made (UTC), `None` where there is none, or before the first tick."""
        self.last_backup_error = ""
        """Why the last try failed and what to do about it; empty while all is well."""

    def tick(self) -> None:
        """Make today's copy if it is due; whatever fails is a warning and is tried again later."""
        if not self._settings.keep:
            return
        if not self._looked:
            self._look()
        now = self._now()
        if self._is_due(now):
            self._look()  # the life before a reload may just have made it
            if self._is_due(now):
                self._copy(now)

    def _is_due(self, now: datetime) -> bool:
        today = now.astimezone(UTC).date()
        return due(self._days, today, now, self._started, self._failed_at)

    def _copy(self, now: datetime) -> None:
        folder, today = self._settings.folder, now.astimezone(UTC).date()
        try:
            made = copy_today(self._store, folder, now, self._settings.keep)
        except (CostCompassError, OSError) as error:
            self._failed_at, self.last_backup_error = now, str(error)
            _log.warning("no backup was made: %s", error)
            return
        self._days.add(today)
        self.last_backup_at, self._failed_at, self.last_backup_error = made.created_at, None, ""
        _log.info("backed up to %s, verified", folder / copy_name(today))

    def _look(self) -> None:
        """Find the copies that are there, of an earlier life too."""
        self._looked = True
        try:
            copies = own_copies(self._settings.folder, self._store.path.parent)
        except OSError as error:
            _log.warning("%s can't be looked into: %s", self._settings.folder, error.strerror)
            return
        self._days = set(copies)
        self.last_backup_at = max((one.created_at for one in copies.values()), default=None)

    def status(self) -> dict[str, Any]:
        """Return how it goes as JSON values; `keep` is 0 where it is off."""
        return {
            "keep": self._settings.keep,
            "folder": str(self._settings.folder),
            "last_at": moment_shape(self.last_backup_at),
            "error": self.last_backup_error or None,
        }
