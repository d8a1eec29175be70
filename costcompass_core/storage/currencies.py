"""What is paid in other currencies than USD: read apart, so that no dollar figure can include it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import date
from decimal import Decimal

from costcompass_core.domain.burn import History
from costcompass_core.domain.money import Usd, exact_sum
from costcompass_core.storage.codec import sum_of
from costcompass_core.storage.spend import NAMES, PROVIDER, Grouping, unseen
from costcompass_core.storage.usage import DECLARED

_Costs = dict[date, list[Decimal]]


def foreign(
    tx: sqlite3.Connection, first: date, last: date, by: Grouping
) -> list[tuple[str, str, str, str, Decimal]]:
    """Return currency, provider, name, model and cost (major units) of all that is not in USD."""
    name = "model" if by in {"key", "offer"} else NAMES[by]
    return [
        (currency, provider or "", name or "", model, sum_of(joined))
        for currency, provider, name, model, joined in tx.execute(
            f"SELECT currency, {PROVIDER} AS provider, {name} AS name, model,"
            " group_concat(cost, ' ') FROM cost INDEXED BY cost_foreign"
            " WHERE currency <> 'USD' AND day BETWEEN ? AND ?"
            " AND +account IN (SELECT name FROM account)"
            " GROUP BY currency, provider, name, model",
            (first.isoformat(), last.isoformat()),
        )
    ]


def foreign_histories(tx: sqlite3.Connection, since: date) -> dict[str, dict[str, History]]:
    """Return by currency and account what `histories` does, in major units of each currency.

    An `Usd` in it is an exact amount of that currency.
    """
    found: dict[str, dict[str, History]] = {}
    unknown = unseen(tx, since)
    for currency, account, days in tx.execute(
        "SELECT currency, account, json_group_array(json_array(day, once, cost))"
        " FROM cost INDEXED BY cost_foreign WHERE currency <> 'USD' AND day >= ?"
        " AND +account IN (SELECT name FROM account WHERE name != ?)"
        " GROUP BY currency, account",
        (since.isoformat(), DECLARED),
    ):
        costs: tuple[_Costs, _Costs] = ({}, {})
        for day, once, cost in json.loads(days):
            costs[once].setdefault(date.fromisoformat(day), []).append(Decimal(cost))
        whole = _whole(tx, account, *costs, since)
        seen = {d: c for d, c in whole.spent.items() if (account, d, currency) not in unknown}
        found.setdefault(currency, {})[account] = replace(whole, spent=seen)
    return found


def _whole(
    tx: sqlite3.Connection, account: str, usual: _Costs, once: _Costs, since: date
) -> History:
    """Return a history with a zero on final days of the account without any cost in the currency."""
    final = tx.execute(
        "SELECT day FROM usage_day WHERE account = ? AND final AND day >= ?",
        (account, since.isoformat()),
    )
    known = [date.fromisoformat(day) for [day] in final]
    return History(
        {day: Usd(exact_sum(usual.get(day, ()))) for day in known},
        min({**usual, **once}, default=None),
        {day: Usd(exact_sum(once[day])) for day in known if day in once},
    )
