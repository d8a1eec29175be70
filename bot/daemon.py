"""The daemon: puts the parts together, starts them, answers the control socket, stops them.

The only module of the running product that asks the clock. Threads: the main one waits; the
scheduler runs each account's ticks; one empties the outbox for each way out; Slack's connection
and its listeners; one per control request.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from bot import logs, words
from bot.account_status import accounts_shape
from bot.alerting import Alerting, credits_urls
from bot.config import Config
from bot.control import ControlServer
from bot.declaring import REQUESTS, carry_out
from bot.desk import FrontDesk
from bot.exchange import exchange_of
from bot.refreshing import (
    backfilled,
    failure_shape,
    fill,
    named,
    open_ledger,
    outcome_line,
    outcome_shape,
    refresh,
    side_by_side,
)
from bot.schedule import TICK, due, start_ticking
from bot.slack.service import SlackService
from bot.terminal.shapes import moment_shape
from costcompass_core import __version__
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.errors import (
    CostCompassError,
    StorageError,
    Unavailable,
    UsageError,
    VaultLocked,
)
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.storage.refreshes import Part, attempts
from costcompass_core.storage.store import Store
from costcompass_core.usecases.refresh import BOTH
from costcompass_core.usecases.report import Questions
from costcompass_core.vault.file import Vault, unlock

_LAST_WORDS: Final = 1.5
"""Seconds that work in flight gets when the daemon stops; what is cut off rolls back."""
_REFUSED_PAUSE: Final = timedelta(minutes=1)
"""How long an account is left alone after the database refused what was read of it."""
_TEST_PATIENCE: Final = 20.0
"""Seconds that a test alert may take to arrive."""
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
    ) -> None:
        """`vault` waits until the vault is open; where it returns none, the daemon starts locked."""
        self._config = config
        self._open_vault = vault
        self._now = now
        self._started = self._mended = now()
        self._vault_changed = _changed(config)
        self._stopping = threading.Event()
        self._vault: Vault | None = None
        self._busy = {account.name: threading.Lock() for account in config.accounts}
        self._refused_at: dict[str, datetime] = {}
        self._store: Store
        self._show_changes: Callable[[], None] = lambda: None
        """Lets Homes show what has changed, once there is a connection to Slack."""
        self._slack: SlackService
        self._alerting: Alerting
        self._desk: FrontDesk

    def stop(self) -> None:
        """Ask the daemon to end, from any thread; not from a signal handler, which may deadlock."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped; the caller holds the state directory.

        Raises `StorageError`, and what `vault` raises, when it cannot begin; afterwards nothing but
        `stop` ends it.
        """
        config = self._config
        with ExitStack() as stack:
            self._store = open_ledger(config)
            stack.callback(self._store.close)
            self._alerting = Alerting(config, self._store, self._reveal, self._now)
            self._desk = FrontDesk(
                config, self._store, self._alerting, self._refresh_all, self._now
            )
            self._desk.apply_settings()
            self._slack = SlackService(
                config.slack,
                Questions(
                    self._store,
                    config.subscriptions,
                    config.timezone,
                    config.alerts.budgets,
                    exchange_of(config.money),
                ),
                self._reveal,
                self._now,
                alerts=self._alerting,
                desk=self._desk,
                store=self._store,
                credits_urls=credits_urls(config),
                connected=self._alerting.greet,
            )
            self._alerting.looks = self._slack.looks
            self._alerting.connected = self._slack.is_connected
            self._show_changes = self._slack.changed
            self._vault = self._open_vault()
            if self._vault is None:
                self._alerting.locked(self._now())
                _log.warning("the vault is locked: run `costcompass unlock`")
            control = ControlServer(config.state_dir, self._control)
            stack.callback(control.close)
            self._start_work(stack)
            accounts = words.plural(len(config.accounts), "account")
            _log.info("ready: costcompass %s, %s", __version__, accounts)
            self._stopping.wait()
            _log.info("stopping")

    def _start_work(self, stack: ExitStack) -> None:
        config = self._config
        tick = _tick_length(config)
        ticks: dict[str, Callable[[], None]] = {
            one.name: partial(self._tick, one) for one in config.accounts
        }
        ticks |= {"(vault)": self._watch_vault, "(alerts)": self._watch_clock}
        scheduler = start_ticking(ticks, tick, self._now())
        self._slack.start()
        self._alerting.start()
        stack.callback(self._wait_for_refreshes)
        stack.callback(self._alerting.stop, _LAST_WORDS)
        stack.callback(self._slack.stop, _LAST_WORDS)
        stack.callback(scheduler.shutdown, wait=False)

    def _wait_for_refreshes(self) -> None:
        for lock in self._busy.values():
            lock.acquire(timeout=_LAST_WORDS / len(self._busy))

    def _reveal(self, name: str) -> Secret:
        if self._vault is None:
            raise VaultLocked("the vault is locked", "run `costcompass unlock`")
        return logs.hide(self._vault.reveal(name))

    def _watch_clock(self) -> None:
        """Do what the clock alone brings, and let Homes show it."""
        self._alerting.tick()
        self._show_changes()

    def _watch_vault(self) -> None:
        """Try again at once what failed before somebody added or changed a key."""
        self._desk.apply_settings()  # where the database could not be read at the start
        changed = _changed(self._config)
        if changed != self._vault_changed:
            self._vault_changed, self._mended = changed, self._now()
            self._slack.wake()
            self._alerting.mended()

    def _tick(self, account: Account) -> None:
        """Refresh what is due of an account."""
        config = self._config
        # A tick that comes a moment early counts, or each interval would be a whole tick longer.
        soon = self._now() + _tick_length(config) / 2
        refused = self._refused_at.get(account.name)
        if refused is not None and timedelta(0) <= soon - refused < _REFUSED_PAUSE:
            return
        try:
            with self._store.reading() as tx:
                tries = attempts(tx, account.name)
        except StorageError as error:
            self._read_balance_alone(account, error)
            return
        every: Mapping[Part, timedelta] = {
            "balance": config.balance_every,
            "activity": config.activity_every,
        }
        parts = [
            part
            for part in PROVIDERS[account.provider].parts
            if due(tries.get(part), every[part], soon, self._mended)
        ]
        # While one part fails, the other is read by itself: no outage of the feed hides the balance.
        alone = any(one.failures for one in tries.values())
        for group in [[part] for part in parts] if alone else [parts]:
            if group and not self._stopping.is_set():
                self._refresh(account, group)

    def _read_balance_alone(self, account: Account, error: StorageError) -> None:
        """Look at a balance although the database can't be read: what runs dry is told anyhow."""
        _log.error("%s can't be refreshed: %s", account.name, error)
        if not self._stopping.is_set() and "balance" in PROVIDERS[account.provider].parts:
            self._refresh(account, ["balance"])
        self._refused_at[account.name] = self._now()  # nobody knows when it was read before

    def _refresh(
        self,
        account: Account,
        parts: Collection[Part],
        progress: Callable[[str], None] = lambda _: None,
    ) -> dict[str, Any]:
        """Refresh one account, log one line, and return what happened as JSON values."""
        with self._busy[account.name]:
            try:
                outcome = refresh(
                    account,
                    self._reveal,
                    self._store,
                    self._now,
                    wait=self._stopping.wait,
                    parts=parts,
                    progress=lambda step: progress(f"{account.name}: {step}"),
                    watch=self._alerting.watch,
                    beside=self._config.accounts,
                )
            except CostCompassError as error:
                self._note_failure(account, error)
                return failure_shape(account.name, error)
        self._refused_at.pop(account.name, None)
        self._alerting.committed(good=True)
        self._show_changes()
        level = logging.INFO if "activity" in parts else logging.DEBUG
        _log.log(level, "refreshed %s: %s", account.name, outcome_line(outcome))
        return outcome_shape(outcome)

    def _refresh_all(self) -> list[str]:
        """Refresh every account because somebody in Slack asked; return a line for each."""

        def line(account: Account) -> str:
            shape = self._refresh(account, BOTH)
            what = shape["line"] if shape["ok"] else f"not refreshed: {shape['error']}"
            return f"{account.name}: {what}"

        return side_by_side(self._config.accounts, line)

    def _backfill(
        self, account: Account, days: int, progress: Callable[[str], None]
    ) -> dict[str, Any]:
        """Fill in old days of one account beside its refreshes, which need not wait for it."""
        shape = fill(
            account,
            self._reveal,
            self._store,
            self._now,
            days=days,
            wait=self._stopping.wait,
            progress=lambda step: progress(f"{account.name}: {step}"),
        )
        told = shape["line"] if shape["ok"] else shape["error"]
        _log.log(logging.INFO if shape["ok"] else logging.WARNING, "%s: %s", account.name, told)
        return shape

    def _note_failure(self, account: Account, error: CostCompassError) -> None:
        if not self._stopping.is_set():
            _log.warning("refresh of %s failed: %s", account.name, error)
        if isinstance(error, StorageError):
            self._refused_at[account.name] = self._now()
            self._alerting.refused(error, account.name)
        else:
            self._alerting.committed(good=False)
        self._show_changes()

    def _control(self, request: Mapping[str, Any], progress: Callable[[str], None]) -> Any:
        if request.get("do") == "status":
            return self._status()
        if request.get("do") == "unlock":
            return self._unlock(Secret(str(request.get("passphrase", ""))))
        if request.get("do") == "refresh":
            wanted, days = request.get("account"), request.get("backfill")
            accounts = self._config.accounts
            chosen = list(accounts) if wanted is None else named(accounts, str(wanted))
            if isinstance(days, int):
                some = backfilled(chosen, by_name=wanted is not None)
                return [self._backfill(one, days, progress) for one in some]
            return side_by_side(chosen, lambda one: self._refresh(one, BOTH, progress))
        if request.get("do") == "alert test":
            return self._test_alert()
        if request.get("do") in REQUESTS:
            told = carry_out(self._store, request, self._now())
            self._show_changes()
            return told
        raise UsageError(f"the daemon knows no request {request.get('do')!r}")

    def _test_alert(self) -> dict[str, Any]:
        outcome = self._alerting.outcome(self._alerting.test(), self._stopping, _TEST_PATIENCE)
        if not outcome["told"]:
            raise Unavailable(outcome["error"] or "the test alert has not been taken yet")
        return outcome

    def _unlock(self, passphrase: Secret) -> dict[str, Any]:
        self._vault = unlock(self._config.state_dir / "vault", passphrase)
        logs.hide(passphrase)  # now that it is one: a wrong guess may be any word
        self._mended = self._now()  # what failed for want of a key is due at once
        self._alerting.locked(None)
        self._slack.wake()
        self._alerting.mended()
        _log.info("the vault is unlocked")
        return self._status()

    def _status(self) -> dict[str, Any]:
        slack = self._slack.status()
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started_at": moment_shape(self._started),
            "vault": "locked" if self._vault is None else "unlocked",
            "slack": {
                "state": slack.state,
                "since": moment_shape(slack.since),
                "error": slack.last_error or None,
                "team": slack.team or None,
            },
            "accounts": accounts_shape(self._store, self._config.accounts),
            **self._alerting.status(),
        }


def _tick_length(config: Config) -> timedelta:
    return min(TICK, config.balance_every, config.activity_every)


def _changed(config: Config) -> int | None:
    """Return when the vault's file was last replaced, `None` where there is none."""
    try:
        return (config.state_dir / "vault").stat().st_mtime_ns
    except OSError:
        return None
