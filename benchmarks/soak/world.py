"""The world of a soak: one clock, a company's providers, Slack, a webhook, and what is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Collection
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import monotonic, sleep
from typing import Final, Self

from bot.sandbox.anthropic import Anthropic
from bot.sandbox.biller import Biller
from bot.sandbox.collector import Collector
from bot.sandbox.deepseek import DeepSeek
from bot.sandbox.loopback import Incoming, Wire
from bot.sandbox.openai import OpenAI
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount, StandInKey
from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import Fault, Faults
from bot.sandbox.slack_people import CHANNEL, USER
from bot.sandbox.vercel import Vercel
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.file import create

START: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday; four weeks later the clocks of `ZONE` are put forward, and a month ends."""
ZONE: Final = "Europe/Berlin"
DIGEST_AT: Final = "09:00"
_LONGEST_CALL: Final = 15.0
"""Seconds for which the clock waits for a call to Slack that is under way."""
_PASSPHRASE: Final = "correct horse battery staple"
_KINDS: Final[tuple[tuple[str, Callable[[Callable[[], datetime]], Biller]], ...]] = (
    ("anthropic", Anthropic),
    ("deepseek", DeepSeek),
    ("openai", OpenAI),
    ("vercel", Vercel),
)
_CONFIG: Final = """
timezone = "{zone}"
state_dir = "{folder}/state"
[vault]
passphrase_file = "{folder}/passphrase"
{accounts}
[refresh]
balance = "10m"
activity = "1h"
[slack]
channel = "{channel}"
allowed_users = ["{user}"]
api_url = "{slack}"
[digest]
time = "{digest_at}"
[alerts]
balance_below = [25, 10]
quiet_hours = "22:00-06:00"
webhook_url = "{hook}alerts"
heartbeat_url = "{hook}alive"
[[subscription]]
name = "ChatGPT Plus"
amount = 20
[[budget]]
name = "everything"
amount = 400
{more}
"""
_ACCOUNT: Final = '[[account]]\nname = "main"\nprovider = "{}"\nbase_url = "{}"'


class Clock:
    """The one clock of a soak; the stand-ins look at it, and the daemon is told."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def later(self, step: timedelta) -> None:
        self.moment += step


class NotedFaults(Faults):
    """Notes which calls got an answer that leaves open whether they took effect."""

    def __init__(self, calls: Callable[[], int]) -> None:
        super().__init__()
        self._calls = calls
        self.doubtful: list[tuple[str, int]] = []
        """Methods, and how many calls there had been before."""

    def next(self, method: str) -> Fault | None:
        fault = super().next(method)
        if fault is not None and fault.accepted and (fault.status is not None or fault.cut):
            self.doubtful.append((method, self._calls()))
        return fault


class BusySlack(Slack):
    """Knows how many calls of its Web API are being answered."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.busy = 0
        self._counting = Lock()
        super().__init__(now)
        self.faults = self.noted = NotedFaults(lambda: len(self._calls))

    def _serve(self, incoming: Incoming, wire: Wire) -> bool:
        called = incoming.path.startswith("/api/chat.")
        with self._counting:
            self.busy += called
        try:
            return super()._serve(incoming, wire)
        finally:
            with self._counting:
                self.busy -= called


class World:
    """Stand-ins and an installation in a folder that vanishes. Use it as a context manager."""

    def __init__(self, providers: Collection[str], more: str = "") -> None:
        """`providers` are those beside OpenRouter; `more` is TOML at the end of the configuration."""
        self.clock = Clock()
        self._stack = ExitStack()
        enter = self._stack.enter_context
        self.folder = Path(enter(TemporaryDirectory(prefix="costcompass-soak-")))
        self.account = StandInAccount(
            [StandInKey("manager-1", management=True), StandInKey("backend"), StandInKey("laptop")],
            total_credits=1500,
            opening_usage=1100,
        )
        self.openrouter = enter(OpenRouter(self.clock.now, [self.account]))
        self.slack = enter(BusySlack(self.clock.now))
        self.hooks = enter(Collector(self.clock.now))
        self.billers = {
            name: enter(kind(self.clock.now)) for name, kind in _KINDS if name in providers
        }
        self.state = self.folder / "state"
        self.config = self.folder / "config.toml"
        self.passphrase = self.folder / "passphrase"
        self._install(more)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Stop them; a stand-in that failed says so."""
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    @property
    def environ(self) -> dict[str, str]:
        """What our processes get: nothing of the caller's that could change them."""
        kept = {key: text for key, text in os.environ.items() if not key.startswith("COSTCOMPASS_")}
        return {**kept, "COSTCOMPASS_CONFIG": str(self.config)}

    @property
    def sources(self) -> dict[str, OpenRouter | Biller]:
        """Every provider's stand-in."""
        return {"openrouter": self.openrouter, **self.billers}

    def settle(self) -> None:
        """Wait until no call of Slack's Web API is under way any more, within reason."""
        end = monotonic() + _LONGEST_CALL
        while self.slack.busy and monotonic() < end:
            sleep(0.001)

    def replace_key(self, number: int) -> Callable[[], None]:
        """Take OpenRouter's key away; return what stores the new one, as people do it."""
        self.account.management_key.revoked = True
        new = StandInKey(f"manager-{number}", management=True)
        self.account.keys.insert(0, new)

        def store() -> None:
            subprocess.run(
                [sys.executable, "-P", "-m", "bot", "vault", "add", "openrouter/main"],
                input=new.secret.encode(),
                env=self.environ,
                check=True,
                capture_output=True,
            )

        return store

    def _install(self, more: str) -> None:
        keys = {name: biller.RIGHT for name, biller in self.billers.items()}
        entries = {
            "openrouter/main": self.account.management_key.secret,
            "slack/bot-token": self.slack.bot_token,
            "slack/app-token": self.slack.app_token,
            **{f"{name}/main": key for name, key in keys.items()},
        }
        secrets = {name: Secret(text) for name, text in entries.items()}
        create(self.state / "vault", Secret(_PASSPHRASE), secrets)
        self.passphrase.touch(mode=0o600)
        self.passphrase.write_text(f"{_PASSPHRASE}\n")
        accounts = [_ACCOUNT.format(name, one.base_url) for name, one in self.sources.items()]
        text = _CONFIG.format(
            zone=ZONE,
            folder=self.folder,
            accounts="\n".join(accounts),
            channel=CHANNEL,
            user=USER,
            slack=self.slack.api_url,
            digest_at=DIGEST_AT,
            hook=self.hooks.url,
            more=more.replace("{folder}", str(self.folder)),
        )
        self.config.write_text(text)
