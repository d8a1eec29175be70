"""The checks behind `costcompass doctor`: each finds one thing out and names the mend."""

from __future__ import annotations

import platform
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Final

from bot.config import Config
from bot.control import NotRunning, ask
from bot.doctor.finding import Finding, bad
from bot.doctor.slack import examine_slack
from bot.exchange import read_ecb
from bot.refreshing import connected
from bot.words import plural
from costcompass_core import __version__
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.providers.folder import files_in
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.store import open_reader
from costcompass_core.vault.file import Vault

_SKEW: Final = timedelta(seconds=60)
"""More than this between our clock and the provider's is told."""
_ROOM: Final = 50 * 1024 * 1024
"""Bytes that should be free where the database grows."""
_WAL_RESET_FIXED: Final = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""SQLite releases with the fix of the WAL-reset bug, newest branch last (sqlite.org/wal.html)."""


def examine(
    load: Callable[[], Config], open_vault: Callable[[], Vault], now: Callable[[], datetime]
) -> list[Finding]:
    """Run every check that the ones before it allow."""
    findings = [_versions()]
    try:
        config = load()
    except CostCompassError as error:
        lines = getattr(error, "lines", [str(error)])
        return [*findings, *(Finding("config", "bad", one, "", error.exit_code) for one in lines)]
    findings.append(Finding("config", "ok", f"{config.path}"))
    findings += _rates(config)
    findings += _state_dir(config)
    findings += _database(config, now())
    findings.append(_daemon(config))
    try:
        vault = open_vault()
        findings.append(Finding("vault", "ok", f"opens, {len(vault.names())} entries"))
    except CostCompassError as error:
        return [*findings, bad("vault", error)]
    if not config.accounts:
        findings.append(Finding("account", "bad", "none is configured", "add an [[account]]", 78))
    for account in config.accounts:
        findings += _account(account, vault, now)
    return [*findings, *examine_slack(config.slack, config.alerts.desk.places, vault, now())]


def _versions() -> Finding:
    python = platform.python_version()
    text = f"costcompass {__version__}, Python {python}, SQLite {sqlite3.sqlite_version}"
    info = sqlite3.sqlite_version_info
    fixed = [one for one in _WAL_RESET_FIXED if one[:2] == info[:2]]
    if info >= _WAL_RESET_FIXED[-1] or (fixed and info >= fixed[0]):
        return Finding("versions", "ok", text)
    # Harmless here: one connection writes and checkpoints, all others only read.
    return Finding("versions", "ok", f"{text} (has the WAL-reset bug, which one writer avoids)")


def _rates(config: Config) -> Iterator[Finding]:
    """Check the file of exchange rates, where one is configured."""
    if not config.money.ecb_file:
        return
    try:
        read_ecb(config.money.ecb_file)
    except CostCompassError as error:
        yield bad("rates", error)
    else:
        yield Finding("rates", "ok", config.money.ecb_file)


def _state_dir(config: Config) -> Iterator[Finding]:
    path = config.state_dir
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / ".doctor"
        probe.write_bytes(b"?")
        probe.unlink()
    except OSError as error:
        mend = "make it writable for this user, or set state_dir to another folder"
        yield Finding("state_dir", "bad", f"{path}: {error.strerror}", mend, 1)
        return
    free = shutil.disk_usage(path).free
    if free < _ROOM:
        yield Finding(
            "state_dir", "bad", f"{path}: only {free >> 20} MB free", "free some space", 1
        )
    elif path.stat().st_mode & 0o077:
        yield Finding("state_dir", "warn", f"{path} is open to others", f"chmod 700 {path}")
    else:
        yield Finding("state_dir", "ok", f"{path}, {free >> 30} GB free")


def _database(config: Config, now: datetime) -> Iterator[Finding]:
    try:
        store = open_reader(config.state_dir, config.backup.folder)
        if store is None:
            yield Finding("database", "ok", "not there yet; the first refresh makes it")
            return
        with store.reading() as tx:
            [verdict] = tx.execute("PRAGMA quick_check(1)").fetchone()
            conditions = health(tx)
    except CostCompassError as error:
        yield bad("database", error)
        return
    if verdict != "ok":
        yield bad("database", store.damaged(verdict))
        return
    newest = max((one.refreshed_at for one in conditions if one.refreshed_at), default=None)
    age = "never refreshed" if newest is None else f"refreshed {newest:%Y-%m-%d %H:%M} UTC"
    stale = newest is not None and now - newest > timedelta(days=1)
    mend = "is the daemon running? `costcompass status`" if stale else ""
    yield Finding("database", "warn" if stale else "ok", f"sound, {age}", mend)


def _daemon(config: Config) -> Finding:
    try:
        status = ask(config.state_dir, {"do": "status"})
    except NotRunning:
        return Finding("daemon", "warn", "not running", "start it with `costcompass run`")
    if status["vault"] == "locked":
        return Finding("daemon", "bad", "running, vault locked", "run `costcompass unlock`", 77)
    if status["database_refuses_since"]:
        mend = "free some space, or see the daemon's log"
        return Finding("daemon", "bad", "running, but the database refuses its writes", mend, 1)
    if parked := status["outbox"]["parked"]:
        mend = f"{parked[0]['error']}; then reload or restart the daemon"
        return Finding("daemon", "bad", f"refused: {plural(len(parked), 'message')}", mend, 69)
    if failing := status["outbox"]["failing"]:
        found = f"{plural(len(failing), 'message')} not taken yet"
        return Finding("daemon", "warn", found, failing[0]["error"])
    return Finding("daemon", "ok", f"running, process {status['pid']}")


def _account(account: Account, vault: Vault, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Check one account's key with its provider, or its folder, and our clock on the way."""
    provider = PROVIDERS[account.provider]
    if provider.read_file is not None:
        yield _folder(account)
        return
    check = f"key {account.name}"
    try:
        key = vault.reveal(account.secret_name)
        with connected(account, key, Event().wait, now) as source:
            kind = provider.identify(source.client)
            provider.require_type(kind)
            told = source.client.server_time
    except CostCompassError as error:
        yield bad(check, error)
        return
    yield Finding(check, "ok", f"{kind.value} key, accepted by {account.base_url}")
    if told is None:
        return
    skew = abs(now() - told)
    if skew > _SKEW:
        seconds = int(skew.total_seconds())
        yield Finding("clock", "bad", f"{seconds} s away from {provider.title}'s", "set up NTP", 1)
    else:
        yield Finding("clock", "ok", f"agrees with {provider.title}'s")


def _folder(account: Account) -> Finding:
    """Check that an account's folder can be read and has something in it."""
    folder = Path(account.options["folder"]).expanduser()
    try:
        files = files_in(folder)
    except CostCompassError as error:
        return bad(f"folder {account.name}", error)
    if not files:
        mend = "put CSV or Parquet files of costs into it"
        return Finding(f"folder {account.name}", "warn", f"{folder} holds no files", mend)
    return Finding(f"folder {account.name}", "ok", f"{folder}, {plural(len(files), 'file')}")
