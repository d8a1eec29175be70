"""What the budget rules look at, gathered from the ledger at one moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.burn import BURN_DAYS, History, burn_of
from costcompass_core.domain.days import ONE_DAY, each_day, missing, newest_completed, utc_day
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.outlook import LEVEL_DAYS, outlook_of
from costcompass_core.domain.rules.views import BudgetView, Lane
from costcompass_core.storage.codec import sum_of
from costcompass_core.storage.refreshes import attempts
from costcompass_core.storage.spend import IN_DOLLARS, histories, read_days
from costcompass_core.storage.views import day_state, today_of

_LOOKS_BACK = LEVEL_DAYS + BURN_DAYS
"""Days; enough for expectations and a burn window that end a few days ago."""


def budget_views(
    tx: sqlite3.Connection, budgets: Iterable[Budget], accounts: Sequence[str], now: datetime
) -> list[BudgetView]:
    """Return where each budget stands at `now`."""
    return [_budget_view(tx, one, accounts, now) for one in budgets]


def _budget_view(
    tx: sqlite3.Connection, budget: Budget, accounts: Sequence[str], now: datetime
) -> BudgetView:
    today = utc_day(now)
    yesterday = newest_completed(today)
    every, late = _covered(tx, budget, accounts)
    names = [one for one in every if one not in late]
    so_far = None if budget.model else today_of(tx, names, now)
    # What is known of completed days only is judged until the last day of its period is known.
    start, end = budget.span(today if so_far is not None else yesterday)
    since = min(start, today - _LOOKS_BACK * ONE_DAY)
    spent, read = _spent_by_day(tx, budget, names, since), _read_by_all(tx, names, since, today)
    missed = Usd.total(day_state(tx, name, yesterday).unreported for name in names)
    counted = set(read)
    if missed and not budget.model:
        spent[yesterday] = spent.get(yesterday, ZERO) + missed
        counted.add(yesterday)
    completed = Usd.total(cost for day, cost in spent.items() if start <= day <= end)
    history = History({day: spent.get(day, ZERO) for day in read}, min(spent, default=None))
    first = max(start, min(read, default=start))
    lanes = [_lane(tx, budget, name, (start, end), since) for name in every if name in late]
    known = Usd.total(one.known for one in lanes)
    partly = Usd.total(one.partly for one in lanes)
    today_so_far = max(so_far.spent, ZERO) if so_far else ZERO
    tries = [attempts(tx, name).get("activity") for name in names or every]
    gaps = missing(list(each_day(first, min(end, yesterday))), read) if names else ()
    return BudgetView(
        budget,
        now,
        (start, end),
        spent=completed + today_so_far + known + partly,
        completed=completed + known,
        unseen=missed if budget.model and yesterday >= start else ZERO,
        complete=not gaps,
        burn=burn_of(history),
        days_ahead=(end - max(counted, default=start - ONE_DAY)).days,
        reads=tuple(one.succeeded_at if one else None for one in tries),
        outlook=outlook_of(history),
        slow=tuple(lanes),
    )


def _covered(
    tx: sqlite3.Connection, budget: Budget, accounts: Sequence[str]
) -> tuple[list[str], set[str]]:
    """Return the accounts that a budget covers, and which of them are slow.

    An account of a folder stands for those found in its files.
    """
    rows = tx.execute("SELECT name, provider, slow, part_of FROM account").fetchall()
    known = [
        (name, provider, slow) for name, provider, slow, of in rows if {name, of} & {*accounts}
    ]
    known += [(name, "", 0) for name in accounts if all(name != row[0] for row in rows)]
    folders = {of for *_, of in rows}
    every = [
        (name, slow)
        for name, provider, slow in known
        if budget.covers_account(name, provider) and name not in folders
    ]
    return [name for name, _ in every], {name for name, slow in every if slow}


def _lane(
    tx: sqlite3.Connection, budget: Budget, name: str, span: tuple[date, date], since: date
) -> Lane:
    """Return what a slow account adds: its final days, what is known of later ones, what is ahead."""
    start, end = span
    final = histories(tx, since).get(name, History({}, None))
    spent = _spent_by_day(tx, budget, [name], since)
    through = final.through or start - ONE_DAY
    inside = {day: cost for day, cost in spent.items() if start <= day <= end}
    usual = final.spent if budget.model is None else {d: spent.get(d, ZERO) for d in final.spent}
    history = History(usual, final.began)
    return Lane(
        Usd.total(cost for day, cost in inside.items() if day <= through),
        Usd.total(cost for day, cost in inside.items() if day > through),
        burn_of(history),
        outlook_of(history),
        max((end - max(through, start - ONE_DAY)).days, 0),
    )


def _spent_by_day(
    tx: sqlite3.Connection, budget: Budget, names: Sequence[str], since: date
) -> dict[date, Usd]:
    """Return the USD per UTC day with rows that a budget covers."""
    if budget.model is None:  # a day's total is summed up already
        whole = tx.execute(
            f"SELECT day, group_concat(cost, ' ') FROM usage_day d WHERE day >= ? AND {IN_DOLLARS}"
            " AND account IN (SELECT value FROM json_each(?)) GROUP BY day",
            (since.isoformat(), json.dumps(list(names))),
        )
        return {date.fromisoformat(day): Usd(sum_of(costs)) for day, costs in whole}
    models = [
        model
        for [model] in tx.execute("SELECT DISTINCT model FROM usage_month")
        if budget.covers_model(model)
    ]
    found = tx.execute(
        "SELECT day, group_concat(cost, ' ') FROM usage WHERE day >= ?"
        " AND account IN (SELECT value FROM json_each(?))"
        " AND model IN (SELECT value FROM json_each(?)) GROUP BY day",
        (since.isoformat(), json.dumps(list(names)), json.dumps(models)),
    )
    return {date.fromisoformat(day): Usd(sum_of(costs)) for day, costs in found}


def _read_by_all(
    tx: sqlite3.Connection, names: Sequence[str], since: date, today: date
) -> set[date]:
    read = [read_days(tx, name, since, today) for name in names]
    return read[0].intersection(*read[1:]) if read else set()
