"""How fast 12,000 rows come from bytes into the ledger, beside SQLite's own speed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.installation import now
from benchmarks.stopwatch import alternate, median_ms, timed
from benchmarks.table import Figure, Goal
from bot.sandbox.scenario import big_account
from bot.sandbox.wire import json_text
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.money import plain
from costcompass_core.domain.usage import Activity, Reading
from costcompass_core.providers import strict_json
from costcompass_core.providers.openrouter import WINDOW_DAYS, parse_activity
from costcompass_core.storage.store import Store, open_store
from costcompass_core.usecases.refresh import commit

_ROUNDS: Final = 25
_ACCOUNT: Final = Account("main", "openrouter", "")
_AT: Final = now()
_TODAY: Final = utc_day(_AT)


def ingest() -> list[Figure]:
    """Measure a first read whole: strict JSON, checks, rows, rollups, commit; on new ledgers.

    The second figure is as far as one could get with the standard library: rows decoded without any
    check, their costs as floats, and thrown away; then the ready tuples.
    """
    body = _body()
    tuples = _ready_tuples(_read(body))

    def ours(store: Store) -> None:
        commit(_ACCOUNT, store, Reading(_AT, None, _read(body)))

    def raw(store: Store) -> None:
        with store.writing() as tx:
            marks = ", ".join("?" * len(tuples[0]))
            tx.executemany(f"INSERT INTO cost VALUES ({marks})", tuples)

    def unchecked(store: Store) -> None:
        json.loads(body)
        raw(store)

    works = [partial(_on_new_ledger, work) for work in (ours, raw, unchecked)]
    rate, yardstick, ceiling = (
        len(tuples) * 1000 / median_ms(seconds) for seconds in alternate(_ROUNDS, *works)
    )
    goal = Goal("≥", 0.55)
    return [
        Figure("ingest from bytes ÷ raw executemany", _ROUNDS, "rows/s", rate, yardstick, goal),
        Figure("json.loads + executemany ÷ the same", _ROUNDS, "rows/s", ceiling, yardstick),
    ]


def _body() -> bytes:
    """Return what `/activity` answers for 30 days of 200 models on 2 hosts."""
    account = big_account(_TODAY, WINDOW_DAYS, 200, 2)
    days = [_TODAY - timedelta(days=age) for age in range(1, WINDOW_DAYS + 1)]
    return json_text({"data": [row for day in days for row in account.rows(day, _AT)]}).encode()


def _read(body: bytes) -> Activity:
    return parse_activity(strict_json.decode(body), None, _TODAY)


def _ready_tuples(activity: Activity) -> list[tuple[object, ...]]:
    return [
        (
            _ACCOUNT.name,
            str(day),
            *row[1:4],
            row.currency,
            "",
            *row[4:10],
            plain(row.cost),
            plain(row.byok_cost),
            None,
            row.raw,
            row.basis,
            row.once,
            None,
            row.unit,
        )
        for day, rows in activity.days.items()
        for row in rows
    ]


def _on_new_ledger(work: Callable[[Store], None]) -> float:
    with TemporaryDirectory(prefix="costcompass-bench-") as folder:
        store = open_store(Path(folder))
        taken = timed(lambda: work(store))
        store.close()
    return taken
