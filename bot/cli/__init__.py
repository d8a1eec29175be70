"""The command line: parse, call a use case, print. Each command group is one small module.

Modules are loaded by the command that needs them, so that `--version` stays instant.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from bot.cli.base import Context, version_line
from bot.logs import LEVELS, set_up
from costcompass_core.domain.errors import CostCompassError

_WHERE: Final = {
    "demo": "demo",
    "init": "init",
    "check-config": "setup",
    "manifest": "setup",
    "completion": "setup",
    "vault": "vault",
    "doctor": "doctor",
    "refresh": "refresh",
    "spend": "reports",
    "forecast": "reports",
    "export": "export",
    "run": "daemon",
    "status": "daemon",
    "unlock": "daemon",
}
"""Every command and the module below `bot.cli` that holds it, as `<name>_command`."""


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
    try:
        result = cli.main(list(words), prog_name="costcompass", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("costcompass: interrupted", err=True)
        return 130
    except click.ClickException as error:
        click.echo(f"costcompass: {_advised(error)}", err=True)
        return 2
    except CostCompassError as error:
        for line in getattr(error, "lines", [str(error)]):  # a configuration has many
            click.echo(f"costcompass: {line}", err=True)
        return _told(error, error.exit_code, words)
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not flush into the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - people get one line, not a traceback
        what = " ".join(str(error).split()) or "no details"
        click.echo(
            f"costcompass: unexpected {type(error).__name__} ({what}):"
            " run it again with --log-level debug and report what it prints",
            err=True,
        )
        return _told(error, 1, words)
    return result if isinstance(result, int) else 0


def _told(error: Exception, code: int, words: Sequence[str]) -> int:
    """Add the traceback where it was asked for, and return the exit code."""
    if "debug" in words or "--log-level=debug" in words:
        import logging  # noqa: PLC0415 - only on the way out

        logging.getLogger("bot.cli").error("traceback", exc_info=error)
    return code


def _advised(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    hint = f" (see `{ctx.command_path} --help`)" if ctx else ""
    return " ".join(error.format_message().split()) + hint
