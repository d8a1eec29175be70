"""`refresh`: one refresh now, by the running daemon where there is one, else by ourselves."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import click

from bot.cli.base import Context, json_option, now, passphrase_fd_option, print_json
from bot.control import NotRunning, ask
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.errors import AlreadyRunning, CostCompassError, UsageError

Progress = Callable[[str], None]


@click.command("refresh")
@click.option("--account", help="Only this account.")
@json_option
@passphrase_fd_option
@click.pass_obj
def refresh_command(
    context: Context, account: str | None, as_json: bool, passphrase_fd: int | None
) -> int:
    """Read activity and balance now."""
    names = [one.name for one in context.config.accounts]
    if not names:
        raise UsageError("no account is configured", "add an [[account]] to the configuration")
    if account is not None and account not in names:
        raise UsageError(f"there is no account {account!r}", f"one of {', '.join(names)}")
    try:
        results = _by_ourselves(context, account, passphrase_fd, _progress)
    except AlreadyRunning as held:
        try:
            request = {"do": "refresh", "account": account}
            results = ask(context.config.state_dir, request, _progress, patience=None)
        except NotRunning:
            raise held from None
    _progress("")
    if as_json:
        print_json({"accounts": results})
    else:
        _tell(results)
    return max((one.get("exit", 0) for one in results), default=0)


def _by_ourselves(
    context: Context, name: str | None, fd: int | None, progress: Progress
) -> list[dict[str, Any]]:
    from bot.refreshing import failure_shape, open_ledger, outcome_shape, refresh  # noqa: PLC0415 - a moment
    from costcompass_core.storage.lock import holding  # noqa: PLC0415

    def refreshed(one: Account) -> dict[str, Any]:
        try:
            outcome = refresh(
                one,
                vault.reveal,
                store,
                now,
                wait=threading.Event().wait,
                progress=lambda step: progress(f"{one.name}: {step}"),
                watch=watch,
            )
        except CostCompassError as error:
            return failure_shape(one.name, error)
        return outcome_shape(outcome)

    with holding(context.config.state_dir):
        vault = context.open_vault(fd)
        with closing(open_ledger(context.config)) as store:
            # What it crosses waits in the outbox until the daemon runs.
            watch = context.config.alerts.watch(
                tuple(one.name for one in context.config.accounts), now()
            )
            wanted = [one for one in context.config.accounts if name in {None, one.name}]
            return [refreshed(one) for one in wanted]


def _progress(text: str) -> None:
    """Show what is being read on a terminal's one line; clear it when `text` is empty."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{f'reading {text} …' if text else ''}")
        sys.stderr.flush()


def _tell(results: list[dict[str, Any]]) -> None:
    for one in results:
        if one["ok"]:
            click.echo(f"{one['account']}: {one['line']}")
        else:
            click.echo(f"costcompass: {one['account']}: {one['error']}", err=True)
