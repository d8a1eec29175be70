"""The demo: the real daemon in a process of its own, against stand-ins for six providers and Slack.

Nothing differs from production but the addresses and the hurry: a vault is made, keys are added and
checked, thirty days are read into SQLite, the daemon connects to Slack, sends its digest, tells of a
balance that runs dry, and answers what people type.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import click

from bot.demo.channel import Channel, awaited
from bot.demo.stage import Stage, daemon, run, write_config
from bot.sandbox.company import Company
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.scenario import demo_account
from bot.sandbox.show import shown
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL, USER
from bot.sandbox.slack_workspace import Shown
from bot.terminal.paint import WIDTH, Paint
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.usage import Purse, Reading
from costcompass_core.storage.store import open_store
from costcompass_core.usecases.refresh import commit

_SCRIPT: Final = (
    "/spend",
    "/spend why claude",
    "/forecast",
    "/forecast if anthropic/claude-sonnet-4.5 to openai/gpt-5-mini 25%",
    "/spend advice",
    "/spend yesterdya",
)
_LEAVING: Final = "qwen/qwen3-235b-a22b-2507"
"""A model in use whose end the price list announces, for the digest to tell."""
_NOTICE: Final = timedelta(days=5)
_STRANGER: Final = "U0STRANGER1"
_ROOM: Final = 30
"""USD that the account has at least, so that an alert's levels are still ahead."""


def play(now: Callable[[], datetime], paint: Paint, *, script: bool) -> None:
    """Play the demo in the terminal; without `script` the user types commands afterwards.

    Raises `CostCompassError` when the daemon does not come up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="costcompass-demo-")))
        account = demo_account(now().date())
        if account.balance(now()) < _ROOM:  # some days of the story are dear ones
            account.top_up(_ROOM)
        openrouter = stack.enter_context(OpenRouter(now, [account]))
        openrouter.shelf.expire(_LEAVING, str(now().date() + _NOTICE))
        slack = stack.enter_context(Slack(now))
        company = stack.enter_context(Company(now))
        stage = Stage(folder, slack, paint)
        write_config(stage, openrouter.base_url, company.connected, now().date())
        click.echo("CostCompass demo: the real daemon; six providers and Slack are stand-ins on")
        click.echo("127.0.0.1, keys and vault are thrown away at the end.")
        run(stage, "vault create")
        run(stage, "vault add openrouter/main", account.inference_keys[0].secret, fails=True)
        run(stage, "vault add openrouter/main", account.management_key.secret)
        for one in company.connected:
            run(stage, f"vault add {one.provider}/main", one.key)
        run(stage, "vault add slack/bot-token", slack.bot_token)
        run(stage, "vault add slack/app-token", slack.app_token)
        _read_before(stage, company)
        run(stage, "refresh")
        with daemon(stage):
            run(stage, "status")
            Channel(stage, account, now).play()
            _converse(stage, script=script)
            run(stage, "spend 7d by host")


def _read_before(stage: Stage, company: Company) -> None:
    """Note what DeepSeek's balance was on the days before, as if the daemon had run by then.

    A balance tells spend only by its fall, so that nothing could be shown of it on a first day.
    """
    store = open_store(stage.folder / "state")
    [account] = [one for one in company.connected if one.biller is company.deepseek]
    known = Account(f"{account.provider}/main", account.provider, account.biller.base_url)
    try:
        for at, left in company.past():
            purse = Purse("CNY", left, Decimal(0), left)
            commit(known, store, Reading(at, purses=(purse,)))
    finally:
        store.close()


def _converse(stage: Stage, *, script: bool) -> None:
    rule = "─" * (WIDTH - 9)
    click.echo(stage.paint(f"\n── Slack {rule}", "dim"))
    for words in _SCRIPT:
        _type(stage, "you", USER, words)
        if words == "/spend":
            _choose(stage, "ask_period", "Last 7 days")
    _type(stage, "a stranger", _STRANGER, "/spend")
    _home(stage)
    if not script:
        for line in _typed():
            if line == "home":
                _home(stage)
            else:
                _type(stage, "you", USER, line, echo=False)
    click.echo(stage.paint("─" * WIDTH, "dim"))


def _typed() -> Iterator[str]:
    """Yield the commands that the user types, until they want no more."""
    click.echo("Your turn: /spend, /forecast, /spend help, home … and `quit` to end.")
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
        if line.partition(" ")[0] in {"/spend", "/forecast", "home"}:
            yield line
        elif line:
            click.echo("       Try /spend 30d by day, /spend by key, /forecast, or quit.")


def _type(stage: Stage, who: str, user: str, line: str, *, echo: bool = True) -> None:
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


def _choose(stage: Stage, menu: str, option: str) -> None:
    """Choose an option below the answer that came last and show what becomes of that answer."""
    before = stage.slack.messages[-1]
    stage.slack.user.choose(before, menu, option)
    after = awaited(lambda: _changed(stage, before), "an answer to the menu")
    click.echo(f"\n  ··· {stage.paint(f'you choose [ {option} ▾ ]', 'bold')}\n")
    click.echo(stage.paint("  CostCompass · only visible to you · edited", "dim"))
    click.echo(shown(after.blocks, after.text, stage.paint, "  "))


def _changed(stage: Stage, before: Shown) -> Shown | None:
    now = stage.slack.messages[-1]
    return now if now.text != before.text else None


def _home(stage: Stage) -> None:
    """Open the app's Home and show what stands there."""
    homes = stage.slack.homes
    before = homes.get(USER)
    stage.slack.user.open_home()
    view = awaited(lambda: homes.get(USER) if homes.get(USER) is not before else None, "the Home")
    click.echo(f"\n  ··· {stage.paint('you open the Home of the app', 'bold')}\n")
    click.echo(shown(view.content["blocks"], "", stage.paint, "  "))
