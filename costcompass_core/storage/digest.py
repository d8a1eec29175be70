"""What a digest asks beyond what reports do: models by day, balances back then, restated days."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime

from costcompass_core.domain.days import Month
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.ledger import DayChange
from costcompass_core.domain.money import Usd
from costcompass_core.domain.movers import ModelDay
from costcompass_core.storage.codec import moment_text, sum_of, usd_of

_CONFIGURED = "account IN (SELECT name FROM account)"


def model_days(
    tx: sqlite3.Connection, first: date, last: date, accounts: Sequence[str]
) -> list[ModelDay]:
    """Return what each model of the accounts cost on each UTC day of the range."""
    found = tx.execute(
        "SELECT day, model, group_concat(cost, ' ') FROM usage"
        " WHERE account IN (SELECT value FROM json_each(?)) AND day BETWEEN ? AND ?"
        " GROUP BY day, model",
        (json.dumps(list(accounts)), first.isoformat(), last.isoformat()),
    )
    return [
        ModelDay(date.fromisoformat(day), model, Usd(sum_of(all_))) for day, model, all_ in found
    ]


def models_before(tx: sqlite3.Connection, day: date) -> set[str]:
    """Return the models that were used on any UTC day before `day`."""
    month = Month.of(day)
    found = tx.execute(
        f"SELECT model FROM usage_month WHERE {_CONFIGURED} AND month < ?"
        f" UNION SELECT model FROM usage WHERE {_CONFIGURED} AND day >= ? AND day < ?",
        (month.text(), month.first.isoformat(), day.isoformat()),
    )
    return {row[0] for row in found}


def balances_at(tx: sqlite3.Connection, at: datetime) -> list[AccountBalance]:
    """Return each account's newest balance reading that is not after `at`."""
    found = tx.execute(
        "SELECT name, at, remaining FROM account JOIN balance ON account = name"
        " WHERE at = (SELECT max(at) FROM balance WHERE account = name AND at <= ?) ORDER BY name",
        (moment_text(at),),
    )
    return [
        AccountBalance(name, usd_of(left), datetime.fromisoformat(at)) for name, at, left in found
    ]


def day_changes(tx: sqlite3.Connection, since: datetime, until: datetime) -> list[DayChange]:
    """Return how stored days changed after `since`, up to `until`, in that order."""
    found = tx.execute(
        "SELECT account, day, changed_at, cost_before, cost_after FROM usage_change"
        f" WHERE settled AND {_CONFIGURED} AND changed_at > ? AND changed_at <= ? ORDER BY id",
        (moment_text(since), moment_text(until)),
    )
    return [
        DayChange(
            account,
            date.fromisoformat(day),
            datetime.fromisoformat(at),
            usd_of(before),
            usd_of(after),
        )
        for account, day, at, before, after in found
    ]
