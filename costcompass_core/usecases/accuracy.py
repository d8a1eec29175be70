"""How far the forecast has been off on everything that is stored."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from costcompass_core.domain.accuracy import HORIZONS, AccuracyReport, Evenings, replay
from costcompass_core.domain.burn import combined
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.errors import UsageError
from costcompass_core.storage.accounts import slow_accounts
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.spend import first_day, histories


def accuracy_report(tx: sqlite3.Connection, words: str, now: datetime) -> AccuracyReport:
    """Answer the words after `forecast accuracy`, which are none. Raises `UsageError` for others."""
    if words.strip():
        raise UsageError(f"`forecast accuracy` knows no `{words.strip()[:40]}`", "use it alone")
    every, late = histories(tx, first_day(tx) or utc_day(now)), slow_accounts(tx)
    prompt = [one for name, one in every.items() if name not in late]
    together = combined(prompt or list(every.values()))  # only days that all of them know count
    began = together.began
    known = [day for day in together.spent if began is not None and day >= began]
    evenings: Evenings = {}
    return AccuracyReport(
        tuple(replay(together, days, evenings=evenings) for days in HORIZONS),
        len(known),
        together.through,
        tuple(health(tx)),
    )
