"""Reads the accounts of a running daemon: by the clock, and when somebody asks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bot.alerting import Alerting
from bot.config import Config
from bot.meters import OK, Meters
from bot.refreshing import (
    backfilled,
    failure_shape,
    fill,
    named,
    outcome_line,
    outcome_shape,
    refresh,
    side_by_side,
)
from bot.schedule import due, tick_length
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.errors import CostCompassError, StorageError, Unavailable
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.storage.refreshes import Part, attempts, reason_of
from costcompass_core.storage.store import Store
from costcompass_core.usecases.refresh import BOTH

_REFUSED_PAUSE: Final = timedelta(minutes=1)
"""How long an account is left alone after the database refused what was read of it."""
_log: Final = logging.getLogger(__name__)


class Reader:
    """Refreshes each account when it is due, never two refreshes of one at a time."""

    def __init__(
        self,
        config: Config,
        store: Store,
        reveal: Callable[[str], Secret],
        now: Callable[[], datetime],
        *,
        alerting: Alerting,
        meters: Meters,
        stopping: threading.Event | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called when there may be something new to show.

        Pauses between two questions to a provider are waits for `stopping`.
        """
        self._config = config
        self._store = store
        self._reveal = reveal
        self._now = now
        self._alerting = alerting
        self._meters = meters
        self._changed = changed
        self._mended = now()
        self._stopping = stopping or threading.Event()
        self._busy = {account.name: threading.Lock() for account in config.accounts}
        self._refused_at: dict[str, datetime] = {}

    def ticks(self) -> dict[str, Callable[[], None]]:
        """Return each account's tick: what is due of it, if anything."""
        return {one.name: partial(self.tick, one) for one in self._config.accounts}

    def mended(self) -> None:
        """Have what failed read again at the next tick: somebody may have helped."""
        self._mended = self._now()

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping.set()

    def finish(self, timeout: float) -> None:
        """Let what is being read end, within `timeout` seconds for all accounts together."""
        for lock in self._busy.values():
            lock.acquire(timeout=timeout / len(self._busy))

    def tick(self, account: Account) -> None:
        """Refresh what is due of an account."""
        config = self._config
        # A tick that comes a moment early counts, or each interval would be a whole tick longer.
        soon = self._now() + tick_length(config.balance_every, config.activity_every) / 2
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

    def refresh_all(self) -> list[str]:
        """Refresh every account because somebody in Slack asked; return a line for each."""

        def line(account: Account) -> str:
            shape = self._refresh(account, BOTH)
            what = shape["line"] if shape["ok"] else f"not refreshed: {shape['error']}"
            return f"{account.name}: {what}"

        return side_by_side(self._config.accounts, line)

    def asked(self, request: Mapping[str, Any], progress: Callable[[str], None]) -> list[Any]:
        """Refresh, or fill in old days, as the command `refresh` asks; a shape for each account.

        Raises `UsageError` for an account that there is none of.
        """
        wanted, days = request.get("account"), request.get("backfill")
        accounts = self._config.accounts
        chosen = list(accounts) if wanted is None else named(accounts, str(wanted))
        if isinstance(days, int):
            some = backfilled(chosen, by_name=wanted is not None)
            return [self._backfill(one, days, progress) for one in some]
        return side_by_side(chosen, lambda one: self._refresh(one, BOTH, progress))

    def _refresh(
        self,
        account: Account,
        parts: Collection[Part],
        progress: Callable[[str], None] = lambda _: None,
    ) -> dict[str, Any]:
        """Refresh one account, log one line, and return what happened as JSON values."""
        if self._stopping.is_set():
            return failure_shape(account.name, _going())
        with self._busy[account.name]:
            ended = self._meters.refreshing(account.name, account.provider)
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
                ended(reason_of(error))
                self._note_failure(account, error)
                return failure_shape(account.name, error)
            ended(OK)
        self._refused_at.pop(account.name, None)
        self._alerting.committed(good=True)
        self._changed()
        level = logging.INFO if "activity" in parts else logging.DEBUG
        _log.log(level, "refreshed %s: %s", account.name, outcome_line(outcome))
        return outcome_shape(outcome)

    def _note_failure(self, account: Account, error: CostCompassError) -> None:
        if not self._stopping.is_set():
            _log.warning("refresh of %s failed: %s", account.name, error)
        if isinstance(error, StorageError):
            self._refused_at[account.name] = self._now()
            self._alerting.refused(error, account.name)
        else:
            self._alerting.committed(good=False)
        self._changed()

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


def _going() -> Unavailable:
    return Unavailable("the daemon is about to stop or to reload", "try again in a moment")
