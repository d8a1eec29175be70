"""The stage of a demo: a configuration in a folder, commands run as a user would, the daemon."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event
from typing import Any, Final

import click

from bot.control import NotRunning, ask
from bot.sandbox.company import Connected
from bot.sandbox.show import shown
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL, USER
from bot.terminal.paint import WIDTH, Paint
from costcompass_core.domain.errors import CostCompassError

_PATIENCE: Final = 120.0
"""Seconds for the daemon to read everything and to connect; it needs about two, a busy machine more."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The stand-ins and the folder that one demo plays in."""

    folder: Path
    slack: Slack
    paint: Paint

    @property
    def config(self) -> Path:
        """Where the configuration is."""
        return self.folder / "config.toml"


def write_config(stage: Stage, base_url: str, beside: Iterable[Connected], today: date) -> None:
    """Write the configuration of an installation that reads every second, so that nobody waits.

    `beside` are the accounts beside OpenRouter's.
    """
    others = "".join(
        f'[[account]]\nname = "main"\nprovider = "{one.provider}"\n'
        f'base_url = "{one.biller.base_url}"\n{one.options}\n\n'
        for one in beside
    )
    passphrase = stage.folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(secrets.token_urlsafe(24) + "\n")
    stage.config.write_text(
        f"""state_dir = "{stage.folder}/state"

[vault]
passphrase_file = "{passphrase}"

[[account]]
name = "main"
provider = "openrouter"
base_url = "{base_url}"

{others}[slack]
channel = "{CHANNEL}"
allowed_users = ["{USER}"]
api_url = "{stage.slack.api_url}"

[refresh]
balance = "2s"

[digest]
time = "00:00"

[alerts]
balance_below = [25, 10]
runway_below_days = []

[[subscription]]
name = "ChatGPT Plus"
amount = 20.00

[[rate]]
currency = "CNY"
worth = 0.1408
on = {today}
"""
    )


def _command(stage: Stage, words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "bot", "--config", str(stage.config), *words.split()]


def _environment() -> dict[str, str]:
    """Return the environment without what would configure this CostCompass otherwise."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("COSTCOMPASS_", "CREDENTIALS"))
    }
    return {**kept, "COLUMNS": str(WIDTH)}


def run(stage: Stage, words: str, typed: str = "", *, fails: bool = False, also: str = "") -> None:
    """Run one command as a user would, show it and what it says; `also` stands behind it."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and words
        _command(stage, words),
        input=f"{typed}\n",
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    note = "   # an inference key, pasted by mistake" if fails else also
    click.echo(f"\n{stage.paint(f'$ costcompass {words}', 'bold')}{stage.paint(note, 'dim')}")
    _show(stage, done.stdout + done.stderr)
    if bool(done.returncode) is not fails:
        raise CostCompassError(f"`costcompass {words}` ended with {done.returncode}")
    if fails:
        click.echo(stage.paint(f"(exit code {done.returncode}, nothing stored)", "dim"))


def _show(stage: Stage, said: str) -> None:
    """Show what a program said, its long lines broken."""
    for line in said.replace(str(stage.folder), "~demo").rstrip().splitlines():
        click.echo(shown((), line.replace("`", ""), stage.paint, "") if len(line) > WIDTH else line)


@contextmanager
def daemon(stage: Stage) -> Iterator[None]:
    """Run the daemon until the block ends; SIGTERM ends it as it would anywhere."""
    click.echo(f"\n{stage.paint('$ costcompass run &', 'bold')}")
    log = stage.folder / "daemon.log"
    with (
        log.open("wb") as stream,
        subprocess.Popen(  # noqa: S603 - as above
            _command(stage, "run"), env=_environment(), stdout=stream, stderr=stream,
            stdin=subprocess.DEVNULL, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            _wait_until_up(stage, process)
            _show(stage, log.read_text())
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
    click.echo(stage.paint(f"\nThe daemon got SIGTERM and ended with exit code {code}.", "dim"))


def _wait_until_up(stage: Stage, process: subprocess.Popen[bytes]) -> None:
    tick = Event()
    for _ in range(int(_PATIENCE * 20)):
        if process.poll() is not None:
            break
        if _is_up(stage):
            return
        tick.wait(0.05)
    log = (stage.folder / "daemon.log").read_text()
    raise CostCompassError(f"the daemon did not come up: {log[-400:]}")


def _is_up(stage: Stage) -> bool:
    try:
        status: dict[str, Any] = ask(stage.folder / "state", {"do": "status"})
    except NotRunning:
        return False
    read = [one["refreshed_at"] for one in status["accounts"]]
    return all(read) and status["slack"]["state"] == "connected"
