"""What is shown: plain values of one moment, gathered before anything is put into words or metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.meters import Reading
from costcompass_core.usecases.measures import Measures


class Check(NamedTuple):
    """One thing that has to be well; `account` is empty where it is not about one."""

    check: str
    ok: bool
    reason: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """What the process knows of itself.

    `silent` is for how long the clock has not ticked; that `stalled` is up to the pulse.
    `slack` is whether it is connected, `None` where none is set up. `refused_since` is since when
    (UTC) the database refuses what is to be written.
    """

    silent: timedelta
    stalled: bool
    vault_open: bool
    slack: bool | None
    refused_since: datetime | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that one look at /metrics shows."""

    now: datetime
    versions: Mapping[str, str]
    accounts: Mapping[str, str]
    """Configured accounts and their providers."""
    process: Process
    checks: tuple[Check, ...]
    measures: Measures | None
    """What the database says, `None` where it can't be read."""
