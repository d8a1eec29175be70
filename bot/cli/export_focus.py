"""`export --format focus`: the ledger as rows of FOCUS, one after the other, as CSV."""

from __future__ import annotations

import csv
import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Final, TextIO

from bot.cli.spreadsheet import RUN, inert, is_number
from costcompass_core.domain.days import Month
from costcompass_core.domain.focus_fixed import fixed_rows
from costcompass_core.domain.focus_row import Seller, focus_row
from costcompass_core.domain.focus_shape import COLUMNS, FIGURES, MOMENTS, FocusRow
from costcompass_core.domain.stored_row import LedgerRow
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.providers.openrouter import PROVIDER as OPENROUTER
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.storage.spend import every_row, first_day
from costcompass_core.storage.usage import DECLARED

_RAW: Final = "x_RawAmount"
_NAMES: Final = tuple(one for one in COLUMNS if one not in FIGURES and one not in {*MOMENTS, _RAW})


def focus_rows(
    tx: sqlite3.Connection,
    first: str,
    last: str,
    subscriptions: Iterable[Subscription],
    today: date,
) -> Iterator[FocusRow]:
    """Yield the rows of the ISO days `first` to `last` in order of time, a few in memory at once.

    Subscriptions stand on the day that they begin in a month, none after `today` (UTC).
    """
    stored = map(LedgerRow._make, every_row(tx, first, last))
    usage = (focus_row(row, _seller(row)) for row in stored)
    return heapq.merge(usage, _fixed(tx, first, last, subscriptions, today), key=_BEGIN)


_BEGIN: Final = itemgetter("ChargePeriodStart")


def _fixed(
    tx: sqlite3.Connection,
    first: str,
    last: str,
    subscriptions: Iterable[Subscription],
    today: date,
) -> list[FocusRow]:
    some = list(subscriptions)
    begun = [one.start for one in some if one.start] + [first_day(tx) or today]
    since = max(date.fromisoformat(first), min(begun))
    until = min(date.fromisoformat(last), today)
    rows = fixed_rows(some, Month.of(since), Month.of(until))
    return sorted((row for row in rows if first <= _BEGIN(row)[:10] <= str(until)), key=_BEGIN)


def _seller(row: LedgerRow) -> Seller:
    """Return who bills a row: its account's provider, or what the name says of one that is gone."""
    if row.account == DECLARED:
        return Seller(DECLARED, row.host or row.model)
    return _seller_of(row.account, row.provider)


@cache
def _seller_of(account: str, provider: str) -> Seller:
    before, slash, _ = account.partition("/")
    name = provider or (before if slash else OPENROUTER.name)
    return Seller(name, PROVIDERS[name].title if name in PROVIDERS else name)


def write_csv(rows: Iterable[FocusRow], stream: TextIO, *, verbatim: bool = False) -> None:
    """Write rows as CSV; unless `verbatim`, with names that no spreadsheet runs."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    told = rows if verbatim else map(_inert, rows)
    writer.writerows(row.values() for row in told)


def _inert(row: FocusRow) -> FocusRow:
    changed = {name: inert(cell) for name in _NAMES if (cell := row[name])[:1] in RUN}
    if row[_RAW][:1] in RUN and not is_number(row[_RAW]):
        changed[_RAW] = inert(row[_RAW])
    return {**row, **changed} if changed else row
