"""How long a look of Prometheus takes: from the question to the whole text, on a year of rows."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.history import ACCOUNT, write_history
from benchmarks.installation import now
from benchmarks.stopwatch import alternate, median_ms, timed
from benchmarks.table import Figure, Goal
from bot.health.checks import readiness
from bot.health.exposition import Exposition
from bot.health.facts import Facts, Process
from bot.meters import Meters
from costcompass_core.domain.rules.views import Limits
from costcompass_core.storage.store import Store
from costcompass_core.usecases.report import Questions

_LOOKS: Final = 100
_ACCOUNTS: Final = {ACCOUNT: "openrouter"}


def scrape() -> list[Figure]:
    """Measure /metrics without its socket, on 400 models with 2 endpoints each."""
    with TemporaryDirectory(prefix="costcompass-bench-") as name:
        year = write_history(Path(name, "a-year"), 365, now())
        month = write_history(Path(name, "a-month"), 31, now())
        try:
            looks = [Exposition(lambda store=one: _facts(store)).text for one in (year, month)]
            taken = alternate(_LOOKS, *(lambda look=look: timed(look) for look in looks))
        finally:
            year.close()
            month.close()
    long, short = map(median_ms, taken)
    return [
        Figure("/metrics p50: a year ÷ 31 days", _LOOKS, "ms", long, short, Goal("≤", 1.3)),
        Figure("/metrics p50, a year", _LOOKS, "ms", long),
    ]


def _facts(store: Store) -> Facts:
    at = now()
    known = Questions(store).measures([ACCOUNT], Limits(), None, at)
    process = Process(at - at, False, True, True, None, Meters().read())
    checks = readiness(process, known.conditions, _ACCOUNTS, at)
    return Facts(at, {"version": "0"}, _ACCOUNTS, process, checks, known)
