"""`status`, `unlock`: how to talk to the running daemon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from bot import words
from bot.cli.base import Context, json_option, now, passphrase_fd_option, print_json
from bot.control import ask
from costcompass_core.domain.errors import VaultLocked


@click.command("status")
@json_option
@click.pass_obj
def status_command(context: Context, as_json: bool) -> None:
    """Ask the running daemon how it is."""
    status = ask(context.config.state_dir, {"do": "status"})
    if as_json:
        print_json(status)
        return
    since = words.ago(datetime.fromisoformat(status["started_at"]), now())
    click.echo(f"costcompass {status['version']}, process {status['pid']}, started {since}")
    if error := status["config"]["error"]:
        click.echo(f"config   not reloaded: {error}")
    click.echo(f"vault    {status['vault']}")
    slack = status["slack"]
    detail = slack["error"] or (f"team {words.clean(slack['team'])}" if slack["team"] else "")
    click.echo(f"slack    {slack['state']}{f': {detail}' if detail else ''}")
    click.echo(f"backup   {_backup_line(status['backup'])}")
    for one in status["accounts"]:
        click.echo(f"account  {_account_line(one)}")
    for line in _alert_lines(status):
        click.echo(line)


def _alert_lines(status: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong and what could not be told; nothing while all is well."""
    for one in status["incidents"]:
        yield f"incident {one['text']}"
    outbox = status["outbox"]
    if outbox["waiting"]:
        since = words.ago(datetime.fromisoformat(outbox["oldest"]), now())
        yield f"outbox   {words.plural(outbox['waiting'], 'message')} waiting, oldest {since}"
    for one in outbox["parked"]:
        yield f"parked   {one['name']}: {one['error']}"
    for one in outbox["failing"]:
        yield f"failing  {one['name']} ({words.plural(one['tries'], 'time')}): {one['error']}"
    if refused := status["database_refuses_since"]:
        yield f"database refuses writes since {words.ago(datetime.fromisoformat(refused), now())}"


def _backup_line(backup: dict[str, Any]) -> str:
    if not backup["keep"]:
        return "off"
    made = "none yet"
    if backup["last_at"]:
        made = words.ago(datetime.fromisoformat(backup["last_at"]), now())
    return f"{made}, failing: {backup['error']}" if backup["error"] else made


def _account_line(one: dict[str, Any]) -> str:
    parts = [one["account"], f"through {one['data_through'] or 'nothing yet'}"]
    if one["balance_at"]:
        parts.append(f"balance {words.ago(datetime.fromisoformat(one['balance_at']), now())}")
    if one["error"]:
        parts.append(f"failing ({words.plural(one['failures'], 'time')}): {one['error']}")
    return ", ".join(parts)


@click.command("unlock")
@passphrase_fd_option
@click.pass_obj
def unlock_command(context: Context, passphrase_fd: int | None) -> None:
    """Give the running daemon the vault's passphrase."""
    state_dir = context.config.state_dir
    ask(state_dir, {"do": "status"})  # nobody should type for a daemon that is not there
    passphrase = context.find_passphrase(passphrase_fd)
    if passphrase is None:
        raise VaultLocked("nothing gives the passphrase", "use a terminal or --passphrase-fd N")
    ask(state_dir, {"do": "unlock", "passphrase": passphrase.expose()})
    click.echo("unlocked")
