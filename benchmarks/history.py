"""Ledgers with a plain row per day, model and endpoint, written through the product's own storage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final

from costcompass_core.domain.days import Month, each_day, midnight
from costcompass_core.domain.money import Usd
from costcompass_core.domain.usage import Balance, Usage
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import Store, open_store
from costcompass_core.storage.usage import remember_account, replace_days

ACCOUNT: Final = "main"
ENDPOINTS: Final = 2
MODELS: Final = 400
_COSTS: Final = tuple(Decimal(1 + n * 7919 % 10_000_000).scaleb(-9) for n in range(9973))
_NONE: Final = Decimal(0)


def write_history(state_dir: Path, days: int, now: datetime, models: int = MODELS) -> Store:
    """Return a ledger whose `days` newest completed UTC days have two rows a model, month by month."""
    state_dir.mkdir(mode=0o700, exist_ok=True)
    store = open_store(state_dir)
    today = now.date()
    span = each_day(today - timedelta(days=days), today - timedelta(days=1))
    for _, month in groupby(span, Month.of):
        with store.writing() as tx:
            remember_account(tx, ACCOUNT, "openrouter")
            replace_days(tx, ACCOUNT, {day: tuple(_rows(day, models)) for day in month}, now)
            note_success(tx, ACCOUNT, "activity", now)
            note_success(tx, ACCOUNT, "balance", now)
    with store.writing() as tx:
        for hour in range(days * 24, -1, -6):
            balance = Balance(Usd.of(1000), Usd.of(5000), Usd.of(4000))
            add_balance(tx, ACCOUNT, balance, midnight(today) - timedelta(hours=hour))
    return store


def _rows(day: date, models: int) -> Iterator[Usage]:
    age = day.toordinal() * 31
    for model in range(models):
        name = f"author-{model % 40}/model-{model}"
        for endpoint in range(ENDPOINTS):
            cost = _COSTS[(age + model * 17 + endpoint) % len(_COSTS)]
            host = f"Host {(model + endpoint) % 15}"
            ident = f"{model:08x}-0000-4000-8000-{endpoint:012x}"
            yield Usage(day, name, name, ident, host, 7, 70_000, 9_000, 500, None, cost, _NONE)
