"""Alerts on a clock that tests move: a real ledger, the daemon's own parts, and Slack on a socket.

Nothing runs by itself here: a test reads balances, lets time pass and delivers when it wants to.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from install import usage

from bot.alerting import Alerting
from bot.config import parse_config
from bot.sandbox.collector import Collector
from bot.sandbox.slack import CHANNELS, Slack
from bot.sandbox.slack_people import CHANNEL, USER
from bot.sandbox.slack_workspace import Channel, Shown
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.money import Usd
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, Balance, Reading
from costcompass_core.storage.outbox import waiting
from costcompass_core.storage.store import Store, open_store
from costcompass_core.usecases.refresh import commit

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
"""In Berlin, on a Monday."""
SECOND = "C0SECOND001"
"""Another channel that the bot belongs to."""
POST, UPDATE = "chat.postMessage", "chat.update"
NO_TOKEN = "xoxb-not-one-of-ours"

_CONFIG = """
timezone = "Europe/Berlin"
{accounts}
[refresh]
balance = "{balance}"
activity = "{activity}"
[slack]
channel = "{channel}"
allowed_users = ["{user}"]
api_url = "{api_url}"
[digest]
time = "{digest}"
[alerts]
balance_below = [25, 10]
runway_below_days = []
spike_above = {spike_above}
level_above = 0
drift_above = 0
"""
_ACCOUNT = '[[account]]\nname = "{name}"\nprovider = "openrouter"\n'
ACCOUNTS = ("main", "spare", "lab", "idle", "aux")
USUAL: Mapping[str, str] = MappingProxyType(
    {"balance": "1d", "activity": "30d", "digest": "", "channel": CHANNEL, "spike_above": "0"}
)


class World:
    """One installation; `alerting` and `store` are those of its present life."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOON
        self._stack = ExitStack()
        self.slack = self._stack.enter_context(
            Slack(lambda: self.now, channels=(*CHANNELS, Channel(SECOND, "second")))
        )
        self.hooks = self._stack.enter_context(Collector(lambda: self.now))
        self.bot_token = self.slack.bot_token
        self.store: Store
        self.alerting: Alerting
        self._began = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._stack.close()

    def begin(self, alerts: str = "", more: str = "", **settings: str) -> World:
        """Start a life with this configuration; `alerts` are lines of that table, `more` follows."""
        self.end()
        accounts = "".join(_ACCOUNT.format(name=name) for name in ACCOUNTS)
        usual = {**USUAL, "accounts": accounts, "user": USER, "api_url": self.slack.api_url}
        tree = tomllib.loads(
            _CONFIG.format(**usual | settings) + alerts + more, parse_float=Decimal
        )
        self.store = open_store(self.folder)
        self.alerting = Alerting(
            parse_config(tree, {}), self.store, lambda _: Secret(self.bot_token), lambda: self.now
        )
        self.alerting.mended()
        self._began = True
        return self

    def end(self) -> None:
        """Die, as far as one can in a process that goes on."""
        if self._began:
            self.store.close()
        self._began = False

    def later(self, **time: float) -> World:
        """Move the clock."""
        self.now += timedelta(**time)
        return self

    def reads(
        self, left: str, account: str = "main", *, bought: int = 1000, days: Mapping[date, str] = {}
    ) -> World:
        """Commit a refresh that found `left` of `bought` USD, and what each of `days` cost."""
        balance = Balance(Usd.of(left), Usd.of(bought), Usd.of(bought) - Usd.of(left))
        rows = {day: (usage(day, "openai/gpt-4.1", cost),) for day, cost in days.items()}
        reading = Reading(self.now, balance, Activity(rows) if days else None)
        commit(Account(account, "openrouter", ""), self.store, reading, self.alerting.watch)
        self.alerting.committed(good=True)
        return self

    def delivers(self) -> World:
        """Do what the sender's threads do when they wake up."""
        for way in self.alerting._sender.ways:
            way.look()
        return self

    def goes_on(self, **time: float) -> World:
        """Let time pass with the sender waking up as it would, nothing else happening."""
        end = self.now + timedelta(**time)
        while self.now < end:
            pause = min(way.pause() for way in self.alerting._sender.ways)
            self.now = min(end, self.now + timedelta(seconds=pause))
            self.delivers()
        return self

    @property
    def waits(self) -> list[str]:
        """Names of the letters to Slack that are not done."""
        with self.store.reading() as tx:
            return [one.name for one in waiting(tx, "slack")]

    @property
    def outbox(self) -> dict[str, Any]:
        """What `costcompass status` knows of the outbox."""
        outbox: dict[str, Any] = self.alerting.status()["outbox"]
        return outbox

    @property
    def shown(self) -> tuple[Shown, ...]:
        """What people see in Slack, the oldest first."""
        return self.slack.messages

    def posts(self) -> Counter[str]:
        """How often each delivery was accepted by Slack."""
        return Counter(str(one.delivery) for one in self.calls(POST) if not one.error)

    def calls(self, method: str) -> list[Any]:
        return [one for one in self.slack.calls if one.method == method]

    def changes(self) -> list[tuple[str, str]]:
        """What ever happened to incidents, and who did it."""
        with self.store.reading() as tx:
            found = tx.execute("SELECT what, who FROM incident_change ORDER BY incident, seq")
            return [(what, who) for what, who in found]
