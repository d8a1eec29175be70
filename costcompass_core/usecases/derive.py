"""Turn readings of a prepaid balance into rows of the days that are over."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from costcompass_core.domain.days import midnight, utc_day
from costcompass_core.domain.money import Usd, plain
from costcompass_core.domain.purses import Flow, day_rows, flows
from costcompass_core.domain.usage import USD, Balance, Reading
from costcompass_core.storage import usage as usage_queries
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.purses import add_purses, samples
from costcompass_core.storage.refreshes import note_success
from costcompass_core.usecases.source import Outcome

_LOOKS_BACK = timedelta(days=40)
"""How far back a day may lie that still gets its rows, after a long time without a reading."""


def store_purses(
    tx: sqlite3.Connection, account: str, service: str, reading: Reading, outcome: Outcome
) -> None:
    """Store a reading, and the rows of every completed UTC day that it finishes.

    The day of the first reading of all stays unknown: nobody saw its beginning.
    """
    add_purses(tx, account, reading.purses, reading.at)
    for one in reading.purses:
        if one.currency == USD:  # so that alerts, runway and digests know it like any balance
            add_balance(tx, account, Balance(Usd(one.total)), reading.at)
    note_success(tx, account, "balance", reading.at)
    note_success(tx, account, "activity", reading.at)
    known, today = usage_queries.day_states(tx, account), utc_day(reading.at)
    since = max(known, default=utc_day(reading.at - _LOOKS_BACK))
    found = [
        (currency, flow)
        for currency, readings in samples(tx, account, midnight(since)).items()
        for flow in flows(readings)
    ]
    first = min((utc_day(flow.since) for _, flow in found), default=today)
    fresh = {
        day: day_rows(day, service, [one for one in found if one[1].day == day])
        for day in sorted({flow.day for _, flow in found})
        if first < day < today and day not in known
    }
    usage_queries.replace_days(tx, account, fresh, reading.at)
    outcome.new_days += len(fresh)
    outcome.rows += sum(map(len, fresh.values()))
    outcome.notes += [
        _lapsed(currency, flow) for currency, flow in found if flow.expired and flow.day == today
    ]


def _lapsed(currency: str, flow: Flow) -> str:
    amount = f"{plain(flow.expired)} {currency}"
    return f"granted balance of {amount} is gone at once: expired, and not counted as spend"
