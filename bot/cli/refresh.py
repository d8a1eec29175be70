"""`refresh`: one refresh now, by the running daemon where there is one, else by ourselves."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import click

from bot.cli.base import Context, json_option, now, passphrase_fd_option, print_json
from bot.control import BrokeOff, NotRunning, ask
from bot.terminal.paint import fit
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.errors import AlreadyRunning, CostCompassError, UsageError

if TYPE_CHECKING:
    from costcompass_core.storage.store import Store
    from costcompass_core.usecases.watch import Watch
    from costcompass_core.vault.file import Vault

_MOST_DAYS: Final = 365
_COLUMNS, _BAR = 79, 24


@click.command("refresh")
@click.option("--account", help="Only this account.")
@click.option("--backfill", metavar="DAYS", help="Fill in older days by model: 1d to 365d.")
@json_option
@passphrase_fd_option
@click.pass_obj
def refresh_command(
    context: Context,
    account: str | None,
    backfill: str | None,
    as_json: bool,
    passphrase_fd: int | None,
) -> int:
    """Read activity and balance now, or fill in days that the activity feed no longer has.

    With --backfill, days older than 30 are read from analytics, a month at a time; each is kept
    as it comes, and only days that are not known yet are asked for.
    """
    days = None if backfill is None else backfill_days(backfill)
    names = [one.name for one in context.config.accounts]
    if not names:
        raise UsageError("no account is configured", "add an [[account]] to the configuration")
    if account is not None:
        from bot.refreshing import named  # noqa: PLC0415 - a moment

        meant = named(context.config.accounts, account)
        if len(meant) != 1:
            what = (
                f"there is no account {account!r}" if not meant else f"{account!r} is not one alone"
            )
            raise UsageError(what, f"one of {', '.join(names)}")
        account = meant[0].name
    try:
        results = _results(context, account, passphrase_fd, days)
    finally:
        _progress("")
    if as_json:
        print_json({"accounts": results})
    else:
        _tell(results)
    return max((one.get("exit", 0) for one in results), default=0)


def backfill_days(text: str) -> int:
    """Return how many UTC days back `text` (such as `365d`) reaches. Raises `UsageError`."""
    match = re.fullmatch(r"([0-9]{1,3})d", text.strip().lower(), re.ASCII)
    if match is None:
        raise UsageError(f"--backfill cannot be {text[:40]!r}", "write days, like 365d")
    if not 1 <= int(match[1]) <= _MOST_DAYS:
        raise UsageError(f"--backfill cannot be {match[0]}", f"from 1d to {_MOST_DAYS}d")
    return int(match[1])


def _results(
    context: Context, account: str | None, fd: int | None, days: int | None
) -> list[dict[str, Any]]:
    try:
        return _by_ourselves(context, account, fd, days)
    except AlreadyRunning as held:
        request = {"do": "refresh", "account": account, "backfill": days}
        try:
            answer: list[dict[str, Any]] = ask(
                context.config.state_dir, request, _progress, patience=None
            )
        except BrokeOff:
            raise
        except NotRunning:
            raise held from None
        return answer


def _by_ourselves(
    context: Context, name: str | None, fd: int | None, days: int | None
) -> list[dict[str, Any]]:
    from bot.refreshing import backfilled, open_ledger, side_by_side  # noqa: PLC0415 - a moment
    from costcompass_core.storage.lock import holding  # noqa: PLC0415

    with holding(context.config.state_dir):
        accounts = context.config.accounts
        wanted = [one for one in accounts if name in {None, one.name}]
        vault = context.open_vault(fd)
        with closing(open_ledger(context.config)) as store:
            if days is not None:
                some = backfilled(wanted, by_name=name is not None)
                return [_filled(one, vault, store, days) for one in some]
            # What it crosses waits in the outbox until the daemon runs.
            watch = context.effective(store).alerts.watch(
                tuple(one.name for one in accounts), now()
            )
            return side_by_side(wanted, lambda one: _refreshed(one, accounts, vault, store, watch))


def _filled(account: Account, vault: Vault, store: Store, days: int) -> dict[str, Any]:
    from bot.refreshing import fill  # noqa: PLC0415 - a moment

    return fill(
        account,
        vault.reveal,
        store,
        now,
        days=days,
        wait=threading.Event().wait,
        progress=lambda step: _progress(f"{account.name}: {step}"),
    )


def _refreshed(
    account: Account, beside: Sequence[Account], vault: Vault, store: Store, watch: Watch
) -> dict[str, Any]:
    from bot.refreshing import failure_shape, outcome_shape, refresh  # noqa: PLC0415 - a moment

    try:
        outcome = refresh(
            account,
            vault.reveal,
            store,
            now,
            wait=threading.Event().wait,
            progress=lambda step: _progress(f"{account.name}: {step}"),
            watch=watch,
            beside=beside,
        )
    except CostCompassError as error:
        return failure_shape(account.name, error)
    return outcome_shape(outcome)


def _progress(text: str) -> None:
    """Show what is being read on a terminal's one line; clear it when `text` is empty."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{progress_line(text)}")
        sys.stderr.flush()


def progress_line(text: str) -> str:
    """Return what is being read in at most 79 columns, days of a backfill as a bar."""
    if not text:
        return ""
    match = re.fullmatch(r"(.*): backfill ([0-9]+)/([0-9]+)", text)
    if match is None:
        return fit(f"reading {text} …", _COLUMNS).rstrip()
    done, total = int(match[2]), int(match[3])
    filled = _BAR * done // total
    bar = "#" * filled + "." * (_BAR - filled)
    return f"reading {fit(match[1], 24).rstrip()} [{bar}] {done}/{total} days"


def _tell(results: list[dict[str, Any]]) -> None:
    for one in results:
        if one["ok"]:
            click.echo(f"{one['account']}: {one['line']}")
        else:
            click.echo(f"costcompass: {one['account']}: {one['error']}", err=True)
