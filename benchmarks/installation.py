"""A complete CostCompass in a folder that vanishes: vault, configuration, stand-ins, real daemons."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any, Final

from bot.control import NotRunning, ask
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.scenario import big_account
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL, USER
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.file import create

_PASSPHRASE: Final = "correct horse battery staple"
_CONFIG: Final = """
state_dir = "{folder}/state"
[vault]
passphrase_file = "{folder}/passphrase"
[[account]]
name = "main"
provider = "openrouter"
base_url = "{openrouter}"
[slack]
channel = "{channel}"
allowed_users = ["{user}"]
api_url = "{slack}"
"""


def now() -> datetime:
    """Return this moment, by which the stand-ins live as the daemon does."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder with everything a daemon needs, and the Slack that it connects to."""

    folder: Path
    slack: Slack

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start a daemon that logs to its `stderr`; it is killed at the end, which it has to bear."""
        kept = {key: text for key, text in os.environ.items() if not key.startswith("COSTCOMPASS_")}
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "bot", "run"],
            env={**kept, "COSTCOMPASS_CONFIG": str(self.folder / "config.toml")},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def settled_daemon(self) -> Iterator[int]:
        """Give the process number of a daemon that has read everything and is in Slack."""
        with self.daemon() as process:
            while not self._is_settled():
                if process.poll() is not None and process.stderr is not None:
                    raise RuntimeError(f"the daemon died: {process.stderr.read().decode()}")
                sleep(0.1)
            yield process.pid

    def _is_settled(self) -> bool:
        try:
            status: dict[str, Any] = ask(self.folder / "state", {"do": "status"})
        except NotRunning:
            return False
        [account] = status["accounts"]
        return status["slack"]["state"] == "connected" and account["refreshed_at"] is not None


@contextmanager
def installation(models: int = 200) -> Iterator[Installation]:
    """Give an installation with rows to read: 30 days of so many models on 2 hosts each."""
    account = big_account(now().date(), 30, models, 2)
    with (
        TemporaryDirectory(prefix="costcompass-bench-") as name,
        OpenRouter(now, [account]) as openrouter,
        Slack(now) as slack,
    ):
        folder = Path(name)
        entries = {
            "openrouter/main": account.management_key.secret,
            "slack/bot-token": slack.bot_token,
            "slack/app-token": slack.app_token,
        }
        create(
            folder / "state" / "vault",
            Secret(_PASSPHRASE),
            {k: Secret(v) for k, v in entries.items()},
        )
        passphrase = folder / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text(f"{_PASSPHRASE}\n")
        (folder / "config.toml").write_text(
            _CONFIG.format(
                folder=folder,
                openrouter=openrouter.base_url,
                channel=CHANNEL,
                user=USER,
                slack=slack.api_url,
            )
        )
        yield Installation(folder, slack)
