"""The checks behind `costcompass doctor`: each finds one thing out and names the mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from bot.config import Config
from bot.doctor.accounts import examine_account
from bot.doctor.database import examine_database
from bot.doctor.errands import Errand, side_by_side
from bot.doctor.finding import ClockReading, Finding, Told, bad
from bot.doctor.listening import examine_listen
from bot.doctor.machine import clock, examine_machine
from bot.doctor.running import examine_daemon
from bot.doctor.slack import examine_slack
from bot.doctor.state import examine_backups, examine_state
from bot.exchange import read_ecb
from bot.words import plural
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.providers.http import certificates
from costcompass_core.providers.reach import host_and_port, require_reachable
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.vault.file import Vault

PATIENCE: Final = 20.0
"""Seconds after which the report ends, whoever has not answered: all checks run side by side."""


def examine(
    load: Callable[[], Config],
    open_vault: Callable[[], Vault],
    now: Callable[[], datetime],
    patience: float = PATIENCE,
) -> list[Finding]:
    """Run every check that the ones before it allow; those that can take long, side by side.

    Returns within `patience` seconds after the vault was opened. Stores and posts nothing.
    """
    findings = list(examine_machine())
    try:
        config = load()
    except CostCompassError as error:
        lines = getattr(error, "lines", [str(error)])
        return [*findings, *(Finding("config", "bad", one, "", error.exit_code) for one in lines)]
    findings.append(Finding("config", "ok", f"{config.path}"))
    findings += _rates(config)
    vault, opened = _vault(open_vault)
    told = list(side_by_side(_errands(config, vault, opened, now), patience))
    findings += [one for one in told if isinstance(one, Finding)]
    return [*findings, *clock([one for one in told if isinstance(one, ClockReading)])]


def _vault(open_vault: Callable[[], Vault]) -> tuple[Vault | None, Finding]:
    try:
        vault = open_vault()
        return vault, Finding("vault", "ok", f"opens, {plural(len(vault.names()), 'secret')}")
    except CostCompassError as error:
        return None, bad("vault", error)


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


def _errands(
    config: Config, vault: Vault | None, opened: Finding, now: Callable[[], datetime]
) -> Sequence[Errand]:
    """Return all that may take its time, in the order in which people read it."""
    state, alerts, backup = config.state_dir, config.alerts, config.backup
    hooks = (("webhook", alerts.webhook_url), ("heartbeat", alerts.heartbeat_url))
    return [
        _local("state_dir", lambda: examine_state(state)),
        _local("database", lambda: examine_database(state, backup.folder, now())),
        *([_local("backups", lambda: examine_backups(backup.folder))] if backup.keep else []),
        _local("daemon", lambda: examine_daemon(config)),
        _local("http", lambda: examine_listen(config)),
        _local("vault", lambda: [opened, *_nothing_to_read(config)]),
        *(_account(config, place, vault, now) for place in range(len(config.accounts))),
        _remote(
            "slack",
            config.slack.api_url,
            lambda: examine_slack(config.slack, alerts.desk.places, vault, now),
        ),
        *(_hook(name, url) for name, url in hooks if url),
    ]


def _nothing_to_read(config: Config) -> Iterator[Finding]:
    if not config.accounts:
        yield Finding("account", "bad", "none is configured", "add an [[account]]", 78)


def _account(
    config: Config, place: int, vault: Vault | None, now: Callable[[], datetime]
) -> Errand:
    one = config.accounts[place]
    if PROVIDERS[one.provider].read_file is not None:
        return _local(f"folder {one.name}", lambda: examine_account(one, vault, now))
    return _remote(f"key {one.name}", one.base_url, lambda: examine_account(one, vault, now))


def _hook(name: str, url: str) -> Errand:
    """Go to the host of a webhook and back; nothing is sent there, and only the host is told."""

    def work() -> Iterator[Finding]:
        require_reachable(url, certificates)
        yield Finding(name, "ok", "its host can be reached")

    return _remote(name, url, work)


def _local(check: str, work: Callable[[], Iterable[Told]]) -> Errand:
    late = Finding(check, "bad", "the disk does not answer in time", "see `dmesg` and `df`", 1)
    return Errand(check, work, late)


def _remote(check: str, url: str, work: Callable[[], Iterable[Told]]) -> Errand:
    where = "{}:{}".format(*host_and_port(url))
    mend = f"allow outgoing TCP to {where}, and check the network on the way"
    return Errand(check, work, Finding(check, "bad", f"{where} does not answer in time", mend, 69))
