"""The command line: parse, call a use case, print. Each command group is one small module.

Modules are loaded by the command that needs them, so that `--version` stays instant.
"""

from __future__ import annotations

import errno
import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from bot.cli.base import Context, version_line
from bot.logs import LEVELS, set_up, tidy
from costcompass_core.domain.errors import CostCompassError

_WHERE: Final = {
    "demo": "demo",
    "init": "init",
    "check-config": "setup",
    "config": "config",
    "manifest": "setup",
    "completion": "setup",
    "vault": "vault",
    "doctor": "doctor",
    "refresh": "refresh",
    "spend": "reports",
    "forecast": "reports",
    "digest": "digest",
    "export": "export",
    "backup": "backup",
    "restore": "backup",
    "cost": "cost",
    "run": "daemon",
    "status": "control",
    "healthcheck": "healthcheck",
    "unlock": "control",
    "alert": "alert",
}
"""Every command and the module below `bot.cli` that holds it, as `<name>_command`."""


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a disk says that takes no more."""


class _Commands(click.Group):
    """Loads a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names, in the order people meet them."""
        return [*_WHERE, "help"]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Return the command, `None` for a name that is none."""
        if cmd_name == "help":
            return _help
        if cmd_name not in _WHERE:
            return None
        module = importlib.import_module(f"bot.cli.{_WHERE[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Documentation and examples: README.md. Exit codes: 0 done, 1 failed, 2 usage, "
    "69 unavailable, 75 already running, 77 key or passphrase, 78 configuration.",
)
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
@click.option("--passphrase-fd", type=int, hidden=True, help="The same as after the command.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text")
@click.option("--log-level", type=click.Choice(LEVELS), default="info")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=version_line)
@click.pass_context
def cli(
    ctx: click.Context,
    config: Path | None,
    passphrase_fd: int | None,
    log_format: Any,
    log_level: str,
) -> None:
    """Know what your LLM calls cost: which model, how fast, and when the balance runs dry."""
    set_up(log_level, log_format)
    ctx.obj = Context(config, log_level, passphrase_fd)


@click.command("help")
@click.argument("words", nargs=-1)
@click.pass_context
def _help(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Explain a command, or list them all."""
    parent = ctx.parent
    if parent is None:
        raise click.UsageError("help belongs to costcompass")
    group: click.Command = cli
    at = parent
    for word in words:
        inner = group.get_command(at, word) if isinstance(group, click.Group) else None
        if inner is None:
            raise click.UsageError(f"there is no command `{' '.join(words)}`")
        at = click.Context(inner, info_name=word, parent=at)
        group = inner
    click.echo(group.get_help(at))


def run(words: Sequence[str]) -> int:
    """Run one command line; every error becomes one line on standard error and an exit code."""
    _provide_streams()
    try:
        result = cli.main(list(words), prog_name="costcompass", standalone_mode=False)
        sys.stdout.flush()  # here, so that a closed pipe is met here and not at the very end
    except BrokenPipeError:  # whoever read our output has seen enough
        _drop_unwritten()
        return 1
    except Exception as error:  # noqa: BLE001 - people get one line, not a traceback
        code = _explained(error)
        _drop_unwritten()
        return code
    return result if isinstance(result, int) else 0


def _drop_unwritten() -> None:
    """Have no output left that the interpreter tries once more as it ends, with an exit code of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: Exception) -> int:
    """Tell what went wrong and return the exit code."""
    if isinstance(error, click.exceptions.Abort):
        _tell("interrupted")
        return 130
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return 2
    if isinstance(error, click.ClickException):
        _tell(_advised(error))
        return 2
    if isinstance(error, CostCompassError):
        for line in getattr(error, "lines", [str(error)]):  # a configuration has many
            _tell(line)
        return _traced(error, error.exit_code)
    if isinstance(error, OSError) and error.errno in _FULL:
        _tell(
            f"standard output cannot be written ({error.strerror}): make room, or send it elsewhere"
        )
        return _traced(error, 1)
    _tell(
        f"unexpected {type(error).__name__} ({error}):"
        " run it again with --log-level debug and report what it prints"
    )
    return _traced(error, 1)


def _provide_streams() -> None:
    """Open what whoever started us left closed, and print UTF-8 whatever the locale says."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, stream)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def _tell(what: str) -> None:
    """Write one line to standard error; a stray secret or escape in a stranger's words stays out."""
    click.echo(f"costcompass: {tidy(' '.join(what.split()))}", err=True)


def _traced(error: Exception, code: int) -> int:
    """Add the traceback where it was asked for, and return the exit code."""
    log = logging.getLogger("bot.cli")
    if log.isEnabledFor(logging.DEBUG):
        log.error("traceback", exc_info=error)
    return code


def _advised(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    return error.format_message() + (f" (see `{ctx.command_path} --help`)" if ctx else "")
