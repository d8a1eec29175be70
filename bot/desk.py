"""What people may have the daemon do from Slack: read now, change settings, look at their Home.

Alerts' own buttons go to `bot.alerting` straight away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from bot import config_settings, words
from bot.alerting import Alerting
from bot.config import Config, ConfigMistakes
from costcompass_core.domain.errors import CostCompassError, StorageError, UsageError
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.settings import Setting
from costcompass_core.storage import workspaces
from costcompass_core.storage.incidents import open_incidents
from costcompass_core.storage.settings import change_settings, settings
from costcompass_core.storage.store import Store

_REFRESHES_APART: Final = timedelta(minutes=1)
"""How far apart refreshes by hand are; those by the clock go on beside them."""
_log: Final = logging.getLogger(__name__)


class FrontDesk:
    """Does for people in Slack what they ask for, one thing at a time."""

    def __init__(
        self,
        config: Config,
        store: Store,
        alerting: Alerting,
        refresh: Callable[[], Sequence[str]],
        now: Callable[[], datetime],
    ) -> None:
        """`refresh` reads every account and returns a line for each."""
        self._config = config
        self._store = store
        self._alerting = alerting
        self._refresh = refresh
        self._now = now
        self._beginning = Lock()
        self._reading = Lock()
        self._changing = Lock()
        self._begun: datetime | None = None
        self._applied = False

    def begin_refresh(self) -> Callable[[], Sequence[str]]:
        """Return what reads every account. Raises `UsageError` where that is too soon, or going on."""
        now = self._now()
        with self._beginning:
            if self._reading.locked():
                raise UsageError("a refresh is going on already", "it will be there in a moment")
            begun = self._begun
            if begun is not None and timedelta(0) <= now - begun < _REFRESHES_APART:
                left = int((_REFRESHES_APART - (now - begun)).total_seconds()) + 1
                mend = f"try again in {words.plural(left, 'second')}"
                raise UsageError(f"everything was read {words.ago(begun, now)}", mend)
            self._begun = now
        return self._run

    def _run(self) -> Sequence[str]:
        with self._reading:
            return self._refresh()

    def apply_settings(self) -> None:
        """Go by what was changed before this daemon started, once; what does not fit is left out.

        Where it can't be read yet, the next call tries again.
        """
        if self._applied:
            return
        try:
            kept = {key: one.value for key, one in self.changed().items()}
        except StorageError as error:
            _log.warning("settings changed in Slack can't be read: %s", error)
            return
        self._applied = True
        config, wrong = config_settings.with_good_settings(self._config, kept)
        for mistake in wrong:
            _log.warning(
                "a setting changed in Slack does not fit any more and is left out: %s", mistake
            )
        if kept:
            self._alerting.use(config.alerts)

    def changed(self) -> dict[str, Setting]:
        """Return what was changed, by key. Raises `StorageError`."""
        with self._store.reading() as tx:
            return settings(tx)

    def _fitting(self) -> dict[str, str]:
        """Return what was changed as far as it still fits."""
        kept = {key: one.value for key, one in self.changed().items()}
        return config_settings.fitting(self._config, kept)[0]

    def settings(self) -> dict[str, str]:
        """Return what is in force, by key, as the configuration would have it."""
        return config_settings.texts(config_settings.with_settings(self._config, self._fitting()))

    def change(self, values: Mapping[str, str], who: str, *, reset: bool = False) -> None:
        """Change settings at once, or go back to the file's first where `reset`.

        Raises `ConfigMistakes`, with nothing changed, and `StorageError`.
        """
        with self._changing:
            kept = {} if reset else self._fitting()
            config = config_settings.with_settings(self._config, kept | dict(values))
            usual = config_settings.texts(self._config)
            wanted: dict[str, str | None] = dict.fromkeys(usual) if reset else {}
            wanted |= {
                key: None if text == usual.get(key) else text for key, text in values.items()
            }
            with self._store.writing() as tx:
                changes = change_settings(tx, wanted, who, self._now())
            if changes:
                self._alerting.use(config.alerts)
                keys = ", ".join(one.key for one in changes)
                _log.info("settings changed in Slack by %s: %s", who, keys)

    def mistakes(self, error: CostCompassError) -> dict[str, str]:
        """Return what is wrong with each setting, where that is what an error says."""
        return config_settings.by_key(error) if isinstance(error, ConfigMistakes) else {}

    def asleep(self) -> list[Incident]:
        """Return the snoozed incidents."""
        now = self._now()
        with self._store.reading() as tx:
            return [one for one in open_incidents(tx) if one.asleep(now)]

    def wake(self, ident: int, who: str) -> None:
        """End an incident's snooze. Raises `StorageError`."""
        self._alerting.press(ident, "wake", who)

    @property
    def zone_name(self) -> str:
        """The name of the zone that local times are in."""
        return self._config.timezone.key

    def knows(self, surface: str) -> bool | None:
        """Return what is known of a surface in Slack. Raises `StorageError`."""
        with self._store.reading() as tx:
            return workspaces.knows(tx, surface, self._now())

    def learn(self, surface: str, *, rich: bool) -> None:
        """Remember it. Raises `StorageError`."""
        with self._store.writing() as tx:
            workspaces.learn(tx, surface, self._now(), rich=rich)
