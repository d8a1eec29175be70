"""What works by one configuration: accounts, alerts, Slack and the clock that drives them.

A reload stops one engine and starts the next; the store and the vault go from one to the other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from bot.account_status import accounts_shape
from bot.alerting import Alerting, credits_urls
from bot.backups import Backups
from bot.config import Config
from bot.desk import FrontDesk
from bot.exchange import exchange_of
from bot.keyring import Keyring
from bot.meters import Meters
from bot.reader import Reader
from bot.schedule import Ticking, UnderWay, start_ticking, tick_length
from bot.slack.service import SlackService
from bot.terminal.shapes import moment_shape
from costcompass_core.storage.store import Store
from costcompass_core.usecases.report import Questions

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler


class Engine:
    """The parts of a daemon that one configuration makes, put together."""

    def __init__(
        self,
        config: Config,
        store: Store,
        keyring: Keyring,
        now: Callable[[], datetime],
        beat: Callable[[], None] = lambda: None,
        *,
        meters: Meters | None = None,
        ticking: Ticking = start_ticking,
        event: Callable[[], Event] = Event,
    ) -> None:
        """Do nothing yet; `beat` is called by a tick of the clock for as long as the clock ticks.

        `meters` count what happens; `ticking` and `event` are as for `Daemon`.
        """
        meters = meters or Meters()
        self.config = config
        self._store = store
        self._keyring = keyring
        self._now = now
        self._beat = beat
        self._ticking = ticking
        reveal = keyring.reveal
        self.alerting = Alerting(config, store, reveal, now)
        self.reader = Reader(
            config,
            store,
            reveal,
            now,
            alerting=self.alerting,
            meters=meters,
            stopping=event(),
            changed=self._show_changes,
        )
        self._desk = FrontDesk(config, store, self.alerting, self.reader.refresh_all, now)
        self.questions = Questions(
            store,
            config.subscriptions,
            config.timezone,
            config.alerts.budgets,
            exchange_of(config.money),
        )
        self.slack = SlackService(
            config.slack,
            self.questions,
            reveal,
            now,
            alerts=self.alerting,
            desk=self._desk,
            store=store,
            credits_urls=credits_urls(config),
            connected=self.alerting.greet,
            acknowledged=meters.acknowledged,
        )
        self.alerting.looks = self.slack.looks
        self.alerting.connected = self.slack.is_connected
        self.backups = Backups(config.backup, store, now)
        self._scheduler: BackgroundScheduler | None = None
        self._ticks = UnderWay()

    def apply_settings(self) -> None:
        """Go by what was changed in Slack, where the database can be read."""
        self._desk.apply_settings()

    def start(self) -> None:
        """Begin to work, and return at once."""
        self.alerting.locked(self._keyring.locked_since)
        every = tick_length(self.config.balance_every, self.config.activity_every)
        ticks = self.reader.ticks()
        ticks |= {"(vault)": self._watch_vault, "(alerts)": self._watch_clock}
        ticks["(backup)"] = self.backups.tick
        noted = {name: self._ticks.noting(tick) for name, tick in ticks.items()}
        self._scheduler = self._ticking(noted, every, self._now())
        self.slack.start()
        self.alerting.start()

    def stop(self, patience: float) -> None:
        """Begin nothing new, and give what is under way `patience` seconds for each part.

        What is cut off rolls back.
        """
        self.reader.stop()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        self.slack.stop(patience)
        self.alerting.stop(patience)
        until = monotonic() + patience
        self.reader.finish(patience)
        self._ticks.end(until)  # they read a ledger that is closed next

    def mended(self) -> None:
        """Try again at once what failed: a key or the passphrase came, or a setting changed."""
        self.reader.mended()
        self.slack.wake()
        self.alerting.mended()

    def unlocked(self) -> None:
        """Go on now that the vault is open."""
        self.alerting.locked(None)
        self.mended()

    def status(self) -> dict[str, Any]:
        """Return how Slack, the accounts and the outbox are, as JSON values."""
        slack = self.slack.status()
        return {
            "slack": {
                "state": slack.state,
                "since": moment_shape(slack.since),
                "error": slack.last_error or None,
                "team": slack.team or None,
            },
            "accounts": accounts_shape(self._store, self.config.accounts),
            "backup": self.backups.status(),
            **self.alerting.status(),
        }

    def _watch_clock(self) -> None:
        """Do what the clock alone brings, and let Homes show it."""
        self._beat()
        self.alerting.tick()
        self._show_changes()

    def _show_changes(self) -> None:
        self.slack.changed()

    def _watch_vault(self) -> None:
        """Try again at once what failed before somebody added or changed a key."""
        self._desk.apply_settings()  # where the database could not be read at the start
        if self._keyring.has_changed():
            self.mended()
