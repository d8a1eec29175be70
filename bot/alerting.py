"""The daemon's side of alerts: watches by the clock, writes digests, and answers presses.

Watching in the narrow sense happens inside the refresh's own transaction (`usecases.watch`); the
tick here notices what no refresh brings: silence, a locked vault, a reminder, a digest's time.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from bot.config import Config
from bot.config_alerts import Alerts
from bot.sender import Sender
from bot.slack.service import load_libraries
from bot.unrecorded import Unwritable
from bot.webhook_shape import incident_shape
from costcompass_core.domain.errors import StorageError, UsageError
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.storage import outbox
from costcompass_core.storage.incidents import open_incidents
from costcompass_core.storage.outbox import Via
from costcompass_core.storage.store import Store
from costcompass_core.usecases.digest import Reporter
from costcompass_core.usecases.press import press
from costcompass_core.usecases.publish import Calendar, publish
from costcompass_core.usecases.tell import Teller
from costcompass_core.usecases.watch import Watch, look
from costcompass_core.usecases.welcome import welcome

if TYPE_CHECKING:
    from bot.slack.looks import Looks

_GAP: Final = timedelta(minutes=2)
"""A pause between two ticks after which the machine slept, or its clock was set."""
_log: Final = logging.getLogger(__name__)


def credits_urls(config: Config) -> dict[str, str]:
    """Return where each account's balance is topped up."""
    return {one.name: PROVIDERS[one.provider].credits_url for one in config.accounts}


class Alerting:
    """Alerts and digests of one running daemon: `tick` often, `committed` after each refresh."""

    def __init__(
        self,
        config: Config,
        store: Store,
        reveal: Callable[[str], Secret],
        now: Callable[[], datetime],
    ) -> None:
        """Do nothing yet; `reveal` is asked for the bot token when there is something to tell."""
        self.looks: Callable[[], Looks | None] = lambda: None
        """What is known of how the workspace draws messages, from the connection to it."""
        self.connected: Callable[[], bool] = lambda: False
        """Whether there is a connection to Slack, which a welcome waits for."""
        self._config = config
        self._settings = config.alerts
        self._store = store
        self._reveal = reveal
        self._now = now
        self._last_tick = self._since = now()
        self._locked_since: datetime | None = None
        names = tuple(one.name for one in config.accounts)
        self._always = replace(self._settings.watch(names, now()), running=True)
        self._reporter = Reporter(store, config.subscriptions)
        self._unwritable = Unwritable(self._settings, store, self._teller, now)
        self._sender = Sender(self._settings, store, self._teller, self._reporter, now)

    def use(self, settings: Alerts) -> None:
        """Go by other settings from now on: other levels, another digest time, other quiet hours."""
        self._settings = settings
        names = tuple(one.name for one in self._config.accounts)
        self._always = replace(settings.watch(names, self._since), running=True)
        self._unwritable.use(settings)
        self._sender.use(settings)
        self._sender.poke()

    @property
    def settings(self) -> Alerts:
        """What is gone by now, changes made in Slack included."""
        return self._settings

    @property
    def refused_since(self) -> datetime | None:
        """Since when (UTC) the database takes nothing, `None` while it does."""
        return self._unwritable.since

    @property
    def watch(self) -> Watch:
        """What is watched now; refreshes commit with it.

        Made anew from what different threads note, so that none overwrites another's note.
        """
        return replace(self._always, since=self._since, locked_since=self._locked_since)

    def _teller(self) -> Teller:
        load_libraries()
        from bot.slack.delivery import SlackTeller  # noqa: PLC0415 - as slow as all else together

        config, urls = self._config, credits_urls(self._config)
        api_url = f"{config.slack.api_url}/"
        return SlackTeller(
            api_url,
            self._reveal,
            self._now,
            config.timezone,
            urls,
            settings=self._settings,
            looks=self.looks(),
        )

    def start(self) -> None:
        """Begin to deliver; what an earlier set-up had refused, or had no place for, is told now."""
        self.mended()
        self._sender.start()

    def stop(self, timeout: float) -> None:
        """Let the call that is under way end, within `timeout` seconds."""
        self._sender.stop(timeout)

    def locked(self, since: datetime | None) -> None:
        """Note since when the vault has been waiting for its passphrase, `None` once it is open."""
        self._locked_since = since

    def mended(self) -> None:
        """Try again at once what was refused: the configuration, a key or a token changed.

        What only a way out would tell that is not configured any more is told by nobody.
        """
        try:
            with self._store.writing() as tx:
                outbox.give_up(tx, self._always.ways, self._now())
                outbox.retry_all(tx)
                if "slack" in self._always.ways:
                    self._tell_untold(tx)
        except StorageError as error:
            _log.error("the outbox can't be retried: %s", error)
        self._sender.poke()

    def _tell_untold(self, tx: sqlite3.Connection) -> None:
        """Put what opened while there was no Slack to tell it to into the outbox."""
        now = self._now()
        for ident in outbox.untold(tx):
            name = f"incident:{ident}:untold:{now.isoformat()}"
            outbox.put(tx, "slack", name, "incident", now, incident=ident, what="opened")

    def committed(self, *, good: bool) -> None:
        """Deliver what a refresh has just committed; `good` where nothing failed."""
        if good:
            self._accepted()
        self._sender.refreshed(good=good)

    def refused(self, error: StorageError, account: str) -> None:
        """Tell what a refresh found although the database did not take it."""
        self._sender.refreshed(good=False)
        self._unwritable.refused(error, self.watch, account)

    def tick(self) -> None:
        """Ask the rules by the clock, and write the digest or the monthly report that is due."""
        now = self._now()
        if not timedelta(0) <= now - self._last_tick <= _GAP:
            # The machine slept or its clock was set: what looks old now may be read in a moment.
            self._since = now
        self._last_tick = now
        digest = self._settings.digest
        calendar = Calendar(digest.time, digest.weekdays, self._config.timezone)
        try:
            with self._store.writing() as tx:
                look(tx, self.watch, now)
                self._welcome(tx)
                outbox.forget_old(tx, now)
            publish(self._store, self._reporter, calendar, self.watch, now)
        except StorageError as error:
            self._unwritable.refused(error, self.watch)
        else:
            self._unwritable.probe(self.watch)
        self._sender.poke()

    def greet(self) -> None:
        """Write the welcome of a first start now that there is a connection, unless it was, or can't be."""
        try:
            with self._store.writing() as tx:
                self._welcome(tx)
        except StorageError as error:
            _log.warning("the welcome has to wait: %s", error)
        self._sender.poke()

    def _welcome(self, tx: sqlite3.Connection) -> None:
        if "slack" in self._always.ways and self.connected():
            welcome(tx, self._always.accounts, self._now())

    def _accepted(self) -> None:
        try:
            self._unwritable.accepted(self.watch)
        except StorageError as error:
            self._unwritable.refused(error, self.watch)

    def press(self, ident: int, what: str, who: str) -> None:
        """Do what a person pressed on an incident's message. Raises `StorageError`."""
        press(self._store, ident, what, who=who, now=self._now(), ways=self._always.ways)
        self._sender.poke()

    def test(self, who: str = "") -> str:
        """Write a test letter to every place that alerts go to; return its name for `outcome`.

        Raises `UsageError` where they go nowhere, and `StorageError`.
        """
        ways = self._test_ways()
        if not ways:
            mend = "set [slack] channel, then reload or restart the daemon"
            raise UsageError("alerts go nowhere yet", mend)
        now = self._now()
        name = f"test:{now.isoformat()}"
        with self._store.writing() as tx:
            if "webhook" in ways:
                outbox.put(tx, "webhook", name, "test", now, who=who)
            for to in self._settings.desk.alert_places if "slack" in ways else ():
                outbox.put(tx, "slack", f"{name}:{to}", "test", now, who=who, to=to)
        self._sender.poke()
        return name

    def outcome(self, name: str, stopping: Event, patience: float) -> dict[str, Any]:
        """Wait, for `patience` seconds at most, until a test was told everywhere, or refused; say which."""
        for _ in range(int(patience * 20)):
            with self._store.reading() as tx:
                told, error = outbox.is_done(tx, name)
            if told or error or stopping.wait(0.05):
                break
        to = list(self._settings.desk.alert_places)
        return {"told": told, "error": error, "ways": self._test_ways(), "to": to}

    def _test_ways(self) -> list[Via]:
        places = self._settings.desk.alert_places
        return [via for via in self._always.ways if via != "slack" or places]

    def status(self) -> dict[str, Any]:
        """Return what is open and what waits, as JSON values."""
        with self._store.reading() as tx:
            letters, incidents = outbox.still_waiting(tx), open_incidents(tx)
        since = self._unwritable.since
        return {
            "incidents": [incident_shape(one, self._config.timezone) for one in incidents],
            "outbox": {
                "waiting": letters.letters,
                "oldest": letters.oldest.isoformat() if letters.oldest else None,
                "parked": [{"name": name, "error": error} for name, error in letters.parked],
                "failing": [
                    {"name": name, "error": error, "tries": tries}
                    for name, error, tries in letters.failing
                ],
            },
            "database_refuses_since": since.isoformat() if since else None,
        }
