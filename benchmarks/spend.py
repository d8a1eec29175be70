"""How `/spend` takes to years of history: this month must not notice, all of it needs no scan."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.history import write_history
from benchmarks.installation import now
from benchmarks.stopwatch import alternate, median_ms, percentile, timed
from benchmarks.table import Figure, Goal
from costcompass_core.domain.money import Usd, exact_sum
from costcompass_core.storage.store import Store
from costcompass_core.usecases.report import Questions

_FIVE_YEARS: Final = 5 * 365 + 1
_CALLS: Final = 200
_SCANS: Final = 5


def spend() -> list[Figure]:
    """Measure the question itself, from words to report, on 400 models with 2 endpoints each."""
    with TemporaryDirectory(prefix="costcompass-bench-") as name:
        long = write_history(Path(name, "five-years"), _FIVE_YEARS, now())
        short = write_history(Path(name, "a-month"), 31, now())
        try:
            return [_month_to_date(long, short), _all_time(long)]
        finally:
            long.close()
            short.close()


def _month_to_date(long: Store, short: Store) -> Figure:
    at = now()
    taken = alternate(
        _CALLS,
        lambda: timed(lambda: Questions(long).spend("", at)),
        lambda: timed(lambda: Questions(short).spend("", at)),
    )
    five_years, a_month = (1000 * percentile(seconds, 99) for seconds in taken)
    what = "/spend p99: 5 years ÷ 31 days"
    return Figure(what, _CALLS, "ms", five_years, a_month, Goal("≤", 1.3))


def _all_time(long: Store) -> Figure:
    at = now()
    if Questions(long).spend("all", at).total != Usd.total(_scan(long).values()):
        raise RuntimeError("the rollups and a plain scan disagree")
    ours, scans = alternate(
        _SCANS,
        lambda: timed(lambda: Questions(long).spend("all", at)),
        lambda: timed(lambda: _scan(long)),
    )
    what = "/spend all, 5 years ÷ a plain scan"
    return Figure(what, _SCANS, "ms", median_ms(ours), median_ms(scans))


def _scan(store: Store) -> dict[str, Usd]:
    """Return each model's cost by adding up every row."""
    costs: dict[str, list[Decimal]] = {}
    with store.reading() as tx:
        for model, cost in tx.execute("SELECT model, cost FROM usage"):
            costs.setdefault(model, []).append(Decimal(cost))
    return {model: Usd(exact_sum(some)) for model, some in costs.items()}
