"""The daemon's life: start, serve, reload, stop.

The only module of the running product that asks the clock. Threads: the main one waits; the
scheduler runs each account's ticks; one empties the outbox for each way out; Slack's connection
and its listeners; one per control request.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Final

from bot import systemd, words
from bot.config import Config
from bot.config_tables import differing
from bot.control import ControlServer
from bot.engine import Engine
from bot.health.service import Health
from bot.keyring import Keyring
from bot.meters import Meters
from bot.refreshing import own_accounts
from bot.requests import Loaded, Requests
from bot.schedule import Pulse, Ticking, start_ticking
from costcompass_core import __version__
from costcompass_core.domain.errors import ConfigError, CostCompassError, StorageError
from costcompass_core.storage.store import Store, open_store
from costcompass_core.vault.file import Vault

_LAST_WORDS: Final = 1.5
"""Seconds that each part gets for work in flight when the daemon stops."""
_LET_FINISH: Final = 45.0
"""The same for a reload, which is in no hurry: requests have a deadline before that."""
_log: Final = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return this moment; the rest of the product takes it as an argument."""
    return datetime.now(UTC)  # noqa: TID251 - the daemon owns the clock


class Daemon:
    """One running CostCompass. `run` returns after `stop` was called from anywhere."""

    def __init__(
        self,
        config: Config,
        vault: Callable[[], Vault | None],
        now: Callable[[], datetime] = utc_now,
        load: Callable[[], Config] | None = None,
        *,
        ticking: Ticking = start_ticking,
        event: Callable[[], threading.Event] = threading.Event,
    ) -> None:
        """Do nothing yet.

        `vault` waits until the vault is open; where it returns none, the daemon starts locked.
        `load` reads the configuration anew for a reload, and raises `ConfigError`. A rehearsal brings
        `now`, `ticking`, and an `event` with hasty waits, for days that pass in seconds.
        """
        self._loaded = Loaded(config, now())
        self._open_vault = vault
        self._now = now
        self._load = load or (lambda: config)
        self._started = now()
        self._keyring = Keyring(config.state_dir / "vault", now())
        self._pulse = Pulse()
        self._meters = Meters()
        self._health = Health(
            now,
            self._pulse,
            self._meters,
            engine=lambda: self._engine,
            locked=lambda: self._keyring.is_locked,
        )
        self._ticking = ticking
        self._event = event
        self._stopping = threading.Event()
        self._reload_wanted = threading.Event()
        self._woken = threading.Event()
        self._store: Store
        self._engine: Engine

    def stop(self) -> None:
        """Ask the daemon to end, from any thread; not from a signal handler, which may deadlock."""
        self._stopping.set()
        self._woken.set()

    def reload(self) -> None:
        """Ask the daemon to read its configuration again; as `stop` otherwise."""
        self._reload_wanted.set()
        self._woken.set()

    def run(self) -> None:
        """Work until stopped; the caller holds the state directory.

        Raises `StorageError`, and what `vault` raises, when it cannot begin; afterwards nothing but
        `stop` ends it.
        """
        config = self._loaded.config
        with ExitStack() as stack:
            self._store = open_store(config.state_dir, config.backup.folder)
            stack.callback(self._store.close)
            self._engine = self._engine_of(config)
            self._keyring.use(self._open_vault())
            if self._keyring.is_locked:
                _log.warning("the vault is locked: run `costcompass unlock`")
            requests = Requests(
                self._store,
                self._keyring,
                self._now,
                started=self._started,
                stopping=self._stopping,
                engine=lambda: self._engine,
                loaded=lambda: self._loaded,
            )
            control = ControlServer(config.state_dir, requests.answer)
            stack.callback(control.close)
            self._health.listen(config.http_listen)
            stack.callback(self._health.close)
            self._engine.start()
            stack.callback(lambda: self._engine.stop(_LAST_WORDS))
            accounts = words.plural(len(config.accounts), "account")
            _log.info("ready: costcompass %s, %s", __version__, accounts)
            systemd.notify(systemd.READY)
            self._serve()
            systemd.notify(systemd.STOPPING)
            _log.info("stopping")

    def _engine_of(self, config: Config) -> Engine:
        """Return an engine that is ready to start. Raises `StorageError`."""
        self._own(config)
        engine = Engine(
            config,
            self._store,
            self._keyring,
            self._now,
            self._pulse.beat,
            meters=self._meters,
            ticking=self._ticking,
            event=self._event,
        )
        engine.apply_settings()
        return engine

    def _own(self, config: Config) -> None:
        with self._store.writing() as tx:
            own_accounts(tx, config.accounts)

    def _serve(self) -> None:
        """Wait until stopped; reload when asked to, and tell systemd that the clock still ticks."""
        patience = systemd.watchdog_seconds()
        while not self._stopping.is_set():
            self._woken.wait(patience)
            self._woken.clear()
            if self._reload_wanted.is_set() and not self._stopping.is_set():
                self._reload_wanted.clear()
                self._reload()
            if self._pulse.beats():
                systemd.notify(systemd.ALIVE)

    def _reload(self) -> None:
        """Go by the configuration as it is now; where it is bad, by the old one, and say so."""
        before = self._loaded.config
        try:
            config = self._read_again(before)
        except ConfigError as error:
            self._keep_old(error)
            return
        changed = differing(before.tree, config.tree)
        if not changed:
            self._loaded = Loaded(config, self._now())
            _log.info("reloaded: nothing has changed")
            return
        systemd.notify(*systemd.reloading())
        try:
            self._switch(config)
        except CostCompassError as error:
            self._keep_old(error)
        else:
            self._loaded = Loaded(config, self._now())
            _log.info("reloaded: %s changed", ", ".join(changed))
        systemd.notify(systemd.READY)

    def _read_again(self, before: Config) -> Config:
        config = self._load()
        if config.state_dir != before.state_dir:
            raise ConfigError("state_dir can't change while the daemon runs", "restart it")
        return config

    def _switch(self, config: Config) -> None:
        """Have a new engine take over; what it can't do is found out while the old one works."""
        self._health.listen(config.http_listen)
        try:
            following = self._engine_of(config)
        except CostCompassError:
            self._health.listen(self._loaded.config.http_listen)
            raise
        self._engine.stop(_LET_FINISH)
        self._engine = following
        with suppress(StorageError):  # what was in flight may have remembered an account that left
            self._own(config)
        following.start()

    def _keep_old(self, error: CostCompassError) -> None:
        lines = getattr(error, "lines", [str(error)])  # a configuration has many
        self._loaded = Loaded(self._loaded.config, self._loaded.at, "; ".join(lines))
        for line in lines:
            _log.error("not reloaded: %s", line)
        _log.error("the daemon goes on by the configuration it had")
