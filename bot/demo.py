"""The demo: the real daemon in a process of its own, against stand-ins for OpenRouter and Slack.

Nothing differs from production but the addresses: a vault is made, keys are added and checked, the
daemon reads thirty days into SQLite, connects to Slack and answers what people type there.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, Final

import click

from bot.control import NotRunning, ask
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.scenario import demo_account
from bot.sandbox.show import shown
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL, USER
from bot.terminal.paint import WIDTH, Paint
from costcompass_core.domain.errors import CostCompassError

_SCRIPT: Final = ("/spend", "/forecast", "/spend 7d by host claude", "/spend yesterdya")
_STRANGER: Final = "U0STRANGER1"
_PATIENCE: Final = 30.0
"""Seconds for the daemon to read everything and to connect; it needs about two."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """The stand-ins and the folder that one demo plays in."""

    folder: Path
    slack: Slack
    paint: Paint

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"


def play(now: Callable[[], datetime], paint: Paint, *, script: bool) -> None:
    """Play the demo in the terminal; without `script` the user types commands afterwards.

    Raises `CostCompassError` when the daemon does not come up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="costcompass-demo-")))
        account = demo_account(now().date())
        openrouter = stack.enter_context(OpenRouter(now, [account]))
        slack = stack.enter_context(Slack(now))
        stage = _Stage(folder, slack, paint)
        _write_config(stage, openrouter.base_url)
        click.echo("CostCompass demo: the real daemon; OpenRouter and Slack are stand-ins on")
        click.echo("127.0.0.1, keys and vault are thrown away at the end.")
        _run(stage, "vault create")
        _run(stage, "vault add openrouter/main", account.inference_keys[0].secret, fails=True)
        _run(stage, "vault add openrouter/main", account.management_key.secret)
        _run(stage, "vault add slack/bot-token", slack.bot_token)
        _run(stage, "vault add slack/app-token", slack.app_token)
        with _daemon(stage):
            _run(stage, "status")
            _converse(stage, script=script)
            _run(stage, "spend 7d by host")


def _converse(stage: _Stage, *, script: bool) -> None:
    rule = "─" * (WIDTH - 9)
    click.echo(stage.paint(f"\n── Slack {rule}", "dim"))
    for words in _SCRIPT:
        _type(stage, "you", USER, words)
    _type(stage, "a stranger", _STRANGER, "/spend")
    if not script:
        for line in _typed():
            _type(stage, "you", USER, line, echo=False)
    click.echo(stage.paint("─" * WIDTH, "dim"))


def _typed() -> Iterator[str]:
    """Yield the commands that the user types, until they want no more."""
    click.echo("Your turn: /spend, /forecast, /spend help … and `quit` to end.")
    while True:
        try:
            line = input("you  › ").strip()
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return
        if not sys.stdin.isatty():  # a terminal shows by itself what is typed
            click.echo(line)
        if line in {"quit", "exit", "q"}:
            return
        if line.partition(" ")[0] in {"/spend", "/forecast"}:
            yield line
        elif line:
            click.echo("       Try /spend 30d by day, /spend by key, /forecast, or quit.")


def _type(stage: _Stage, who: str, user: str, line: str, *, echo: bool = True) -> None:
    """Type a command as a user of the stand-in workspace and show what Slack shows."""
    name, _, words = line.partition(" ")
    reply = stage.slack.user.command(name, words, user_id=user, channel=CHANNEL)
    if echo:
        click.echo(f"\n{who}  › {stage.paint(line, 'bold')}")
    if reply.error:
        click.echo(f"  Slack: {reply.error}")
        return
    click.echo(stage.paint("  CostCompass · only visible to " + who, "dim"))
    click.echo(shown(reply.blocks, reply.text, stage.paint, "  "))


def _write_config(stage: _Stage, base_url: str) -> None:
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

[slack]
channel = "{CHANNEL}"
allowed_users = ["{USER}"]
api_url = "{stage.slack.api_url}"

[[subscription]]
name = "ChatGPT Plus"
amount = 20.00
"""
    )


def _command(stage: _Stage, words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "bot", "--config", str(stage.config), *words.split()]


def _environment() -> dict[str, str]:
    """Return the environment without what would configure this CostCompass otherwise."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("COSTCOMPASS_", "CREDENTIALS"))
    }
    return {**kept, "COLUMNS": str(WIDTH)}


def _run(stage: _Stage, words: str, typed: str = "", *, fails: bool = False) -> None:
    """Run one command as a user would, show it and what it says."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and words
        _command(stage, words),
        input=f"{typed}\n",
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    note = "   # an inference key, pasted by mistake" if fails else ""
    click.echo(f"\n{stage.paint(f'$ costcompass {words}', 'bold')}{stage.paint(note, 'dim')}")
    _show(stage, done.stdout + done.stderr)
    if bool(done.returncode) is not fails:
        raise CostCompassError(f"`costcompass {words}` ended with {done.returncode}")
    if fails:
        click.echo(stage.paint(f"(exit code {done.returncode}, nothing stored)", "dim"))


def _show(stage: _Stage, said: str) -> None:
    """Show what a program said, its long lines broken."""
    for line in said.replace(str(stage.folder), "~demo").rstrip().splitlines():
        click.echo(shown((), line.replace("`", ""), stage.paint, "") if len(line) > WIDTH else line)


@contextmanager
def _daemon(stage: _Stage) -> Iterator[None]:
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
            code = process.wait(10)
    click.echo(stage.paint(f"\nThe daemon got SIGTERM and ended with exit code {code}.", "dim"))


def _wait_until_up(stage: _Stage, process: subprocess.Popen[bytes]) -> None:
    tick = Event()
    for _ in range(int(_PATIENCE * 20)):
        if process.poll() is not None:
            break
        if _is_up(stage):
            return
        tick.wait(0.05)
    log = (stage.folder / "daemon.log").read_text()
    raise CostCompassError(f"the daemon did not come up: {log[-400:]}")


def _is_up(stage: _Stage) -> bool:
    try:
        status: dict[str, Any] = ask(stage.folder / "state", {"do": "status"})
    except NotRunning:
        return False
    [account] = status["accounts"]
    read = account["refreshed_at"] and account["balance_at"]
    return bool(read) and status["slack"]["state"] == "connected"
