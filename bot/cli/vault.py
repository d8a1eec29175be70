"""`vault …`: the encrypted file that holds every key and token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.cli.base import (
    Context,
    ask_hidden,
    ask_new_passphrase,
    has_terminal,
    now,
    passphrase_fd_option,
    read_all,
    read_line,
)
from costcompass_core.domain.errors import Unavailable, UsageError, VaultError, VaultLocked
from costcompass_core.domain.secret import Secret

if TYPE_CHECKING:
    from bot.config import Config


@click.group("vault")
def vault_command() -> None:
    """Keep keys and tokens in one encrypted file."""


@vault_command.command("create")
@passphrase_fd_option
@click.pass_obj
def create_command(context: Context, passphrase_fd: int | None) -> None:
    """Make an empty vault under a new passphrase."""
    from bot.process import harden  # noqa: PLC0415
    from costcompass_core.vault.file import create  # noqa: PLC0415
    from costcompass_core.vault.unlock import check_new_passphrase  # noqa: PLC0415

    harden()
    path = context.vault_path
    if path.exists():
        raise VaultError(f"there already is a vault at {path}", "add to it, or move it away first")
    passphrase = context.find_passphrase(passphrase_fd, new=True)
    if passphrase is None:
        raise VaultLocked(
            "nothing gives the new passphrase",
            "use a terminal, --passphrase-fd N or [vault] passphrase_file",
        )
    check_new_passphrase(passphrase)
    create(path, passphrase)
    click.echo(f"created {path}")


@vault_command.command("add")
@click.argument("name")
@passphrase_fd_option
@click.pass_obj
def add_command(context: Context, name: str, passphrase_fd: int | None) -> None:
    """Store a key or token under NAME, such as openrouter/main or slack/bot-token."""
    from bot.keys import kind_of  # noqa: PLC0415
    from bot.logs import hide  # noqa: PLC0415
    from costcompass_core.vault.entry import check_name, clean_value  # noqa: PLC0415

    check_name(name)
    vault = context.open_vault(passphrase_fd)
    value = hide(clean_value(ask_hidden(f"Value of {name}") if has_terminal() else read_all()))
    try:
        kind = kind_of(name, value, context.config, now)
    except Unavailable as error:
        kind = f"type not checked: {error}"
    vault.put(name, value)
    click.echo(f"stored {name} ({kind})")
    _hint_use(name, context.config)


def _hint_use(name: str, config: Config) -> None:
    """Say so where nothing will ever ask for the entry: its name may be a slip."""
    from bot.keys import SLACK_TOKENS  # noqa: PLC0415 - as above

    used = [*(one.secret_name for one in config.accounts), *SLACK_TOKENS]
    if name not in used:
        click.echo(f"costcompass: note: nothing uses {name} yet, only {', '.join(used)}", err=True)


@vault_command.command("list")
@passphrase_fd_option
@click.pass_obj
def list_command(context: Context, passphrase_fd: int | None) -> None:
    """List the names of the entries."""
    for name in context.open_vault(passphrase_fd).names():
        click.echo(name)


@vault_command.command("remove")
@click.argument("name")
@passphrase_fd_option
@click.pass_obj
def remove_command(context: Context, name: str, passphrase_fd: int | None) -> None:
    """Remove an entry."""
    context.open_vault(passphrase_fd).remove(name)
    click.echo(f"removed {name}")


@vault_command.command("change-passphrase")
@passphrase_fd_option
@click.pass_obj
def change_passphrase_command(context: Context, passphrase_fd: int | None) -> None:
    """Put the vault under a new passphrase; entries and a running daemon are not touched."""
    from costcompass_core.vault.unlock import check_new_passphrase  # noqa: PLC0415

    vault = context.open_vault(passphrase_fd)
    if has_terminal():
        new = Secret(ask_new_passphrase())
    else:
        lines = [read_line("the new passphrase, twice, a line each") for _ in range(2)]
        if lines[0] != lines[1]:
            raise UsageError("the two new passphrases differ", "give the same line twice")
        new = Secret(lines[0])
    check_new_passphrase(new)
    vault.change_passphrase(new)
    click.echo("the passphrase is changed; change it where the daemon finds it, too")
