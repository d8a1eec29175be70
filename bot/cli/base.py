"""What commands share: the configuration, the passphrase, printing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.terminal.paint import Paint
from costcompass_core.domain.errors import StorageError, UsageError, VaultLocked

if TYPE_CHECKING:
    from bot.config import Config
    from costcompass_core.domain.secret import Secret
    from costcompass_core.storage.store import Store
    from costcompass_core.vault.file import Vault

F = TypeVar("F", bound=Callable[..., Any])

json_option: Callable[[F], F] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for scripts."
)
passphrase_fd_option: Callable[[F], F] = click.option(
    "--passphrase-fd", type=int, metavar="N", help="Read the vault's passphrase from descriptor N."
)


@dataclass
class Context:
    """The options given before the command, and what follows from them, loaded when needed."""

    config_path: Path | None
    log_level: str
    passphrase_fd: int | None = None

    @cached_property
    def config(self) -> Config:
        """The valid configuration. Raises `ConfigError`."""
        return self.load_config()

    def load_config(self) -> Config:
        """Read the configuration as it is now, and hide what in it is secret. Raises `ConfigError`."""
        from bot.config import load_config  # noqa: PLC0415 - many commands need none
        from bot.logs import hide_address  # noqa: PLC0415

        config = load_config(self.config_path)
        for address in (config.alerts.webhook_url, config.alerts.heartbeat_url):
            hide_address(address)
        return config

    def effective(self, store: Store) -> Config:
        """Return the configuration with what was changed in Slack laid over it."""
        from bot.config_settings import with_good_settings  # noqa: PLC0415 - as above
        from costcompass_core.storage.settings import settings  # noqa: PLC0415

        with store.reading() as tx:
            kept = {key: one.value for key, one in settings(tx).items()}
        return with_good_settings(self.config, kept)[0]

    @property
    def vault_path(self) -> Path:
        """Where the vault is."""
        return self.config.state_dir / "vault"

    def find_passphrase(self, fd: int | None, *, new: bool = False) -> Secret | None:
        """Return the passphrase from the first source there is, the terminal last, else `None`."""
        from bot.logs import hide  # noqa: PLC0415
        from costcompass_core.vault.unlock import find_passphrase  # noqa: PLC0415

        found = find_passphrase(
            os.environ,
            fd=self.passphrase_fd if fd is None else fd,
            config_file=self.config.passphrase_file,
            ask=(ask_new_passphrase if new else _ask_passphrase) if has_terminal() else None,
        )
        if found is None:
            return None
        if found.warning:
            click.echo(f"costcompass: warning: {found.warning}", err=True)
        return hide(found.passphrase)

    def open_vault(self, fd: int | None) -> Vault:
        """Unlock the vault. Raises `VaultLocked` where no source has the passphrase."""
        from bot.process import harden  # noqa: PLC0415
        from costcompass_core.vault.file import load, unlock  # noqa: PLC0415

        harden()
        load(self.vault_path)  # a missing or unsafe file is told before anybody types
        passphrase = self.find_passphrase(fd)
        if passphrase is None:
            raise VaultLocked(
                "the vault is locked and nothing gives its passphrase",
                "use a terminal, --passphrase-fd N or [vault] passphrase_file",
            )
        return unlock(self.vault_path, passphrase)

    def reader(self) -> Store:
        """Open the stored data for reading. Raises `StorageError` where nothing is stored yet."""
        from costcompass_core.storage.store import open_reader  # noqa: PLC0415

        store = open_reader(self.config.state_dir, self.config.backup.folder)
        if store is None:
            raise StorageError(
                f"nothing has been read yet into {self.config.state_dir}",
                "run `costcompass refresh`, or start the daemon with `costcompass run`",
            )
        return store


def now() -> datetime:
    """Return this moment (UTC)."""
    return datetime.now(UTC)  # noqa: TID251 - a command owns its moment, like the daemon


def has_terminal() -> bool:
    """Return whether a person can be asked."""
    return sys.stdin.isatty()


def ask_hidden(prompt: str, *, twice: bool = False) -> str:
    """Ask for a secret without showing it; the prompt goes to standard error."""
    answer: str = click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
    return answer


def ask_new_passphrase() -> str:
    """Ask for a passphrase that is to be, twice."""
    return ask_hidden("New passphrase (five random words or more)", twice=True)


def _ask_passphrase() -> str:
    return ask_hidden("Vault passphrase")


def read_all() -> str:
    """Return all of standard input, as far as any secret could reach."""
    return sys.stdin.read(1 << 16)


def read_line(what: str) -> str:
    """Return one line of standard input without its end. Raises `UsageError` when there is none."""
    line = sys.stdin.readline()
    if not line:
        raise UsageError(f"standard input ended before {what}", "give it as one line")
    return line.rstrip("\r\n")


def paint() -> Paint:
    """Return colours for a terminal, none for a pipe or where NO_COLOR asks for none."""
    return Paint(on=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def print_json(value: object) -> None:
    """Print one JSON value, as people and scripts can both read it."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def version_line(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print versions and leave."""
    if not wanted or ctx.resilient_parsing:
        return
    import platform  # noqa: PLC0415
    import sqlite3  # noqa: PLC0415

    from costcompass_core import __version__  # noqa: PLC0415

    python = platform.python_version()
    click.echo(f"costcompass {__version__} (Python {python}, SQLite {sqlite3.sqlite_version})")
    ctx.exit(0)
