"""What notices are made from, gathered from the ledger: credits, losses, settled days, first uses."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime

from costcompass_core.domain.days import ONE_DAY, Month, midnight, newest_completed, utc_day
from costcompass_core.domain.money import Usd
from costcompass_core.domain.notices import DayLoss, FirstUse, all_rows_by, settled_at
from costcompass_core.domain.past import BASE_LEAST, WEEK
from costcompass_core.storage.balance import (
    counter_near,
    first_counter,
    first_read_on,
    newest_counter,
)
from costcompass_core.storage.codec import day_of, moment_of, moment_text, sum_of, usd_of
from costcompass_core.storage.spend import spent_between
from costcompass_core.storage.usage import AMOUNTS, SUMS


def previous_credits(tx: sqlite3.Connection, account: str, at: datetime) -> Usd | None:
    """Return the credits (USD) that were ever bought by the newest reading up to `at`."""
    found = tx.execute(
        "SELECT purchased FROM balance WHERE account = ? AND at <= ? ORDER BY at DESC LIMIT 1",
        (account, moment_text(at)),
    ).fetchone()
    return usd_of(found[0]) if found and found[0] is not None else None


def day_losses(tx: sqlite3.Connection, account: str, since: date) -> list[DayLoss]:
    """Return what each UTC day since `since` took and reported, where both are known.

    Of a day whose rows may still be coming, no loss is known.
    """
    found = tx.execute(
        "SELECT day, read_at, cost FROM usage_day WHERE account = ? AND day >= ? ORDER BY day",
        (account, since.isoformat()),
    ).fetchall()
    losses = []
    for text, read_at, cost in found:
        day = date.fromisoformat(text)
        begin, end = midnight(day), midnight(day + ONE_DAY)
        if (moment_of(read_at) or begin) < all_rows_by(day):
            continue
        first, last = counter_near(tx, account, begin), counter_near(tx, account, end)
        opens, closes = first_counter(tx, account, begin), newest_counter(tx, account, end)
        if first and last and opens and closes:
            sure, lost = closes.used - opens.used, last.used - first.used
            losses.append(DayLoss(account, day, lost, sure, usd_of(cost)))
    return losses


def settled_days(tx: sqlite3.Connection, account: str, since: date) -> set[date]:
    """Return the UTC days since `since` that were read after they counted as reported."""
    found = tx.execute(
        "SELECT day, read_at FROM usage_day WHERE account = ? AND day >= ? AND final",
        (account, since.isoformat()),
    )
    read = {day_of(day): moment_of(at) for day, at in found}
    return {day for day, at in read.items() if day and at and at >= settled_at(day)}


def first_uses(tx: sqlite3.Connection, account: str, now: datetime) -> list[FirstUse]:
    """Return the models that an account used for the first time within the last 7 completed days.

    Only while it is watched, and of an account whose usage is known for 14 days before.
    """
    newest = newest_completed(utc_day(now))
    since, watched = newest - (WEEK - 1) * ONE_DAY, first_read_on(tx, account)
    month = Month.of(since)
    [began] = tx.execute(
        "SELECT min(day) FROM usage_day WHERE account = ? AND rows > 0", (account,)
    ).fetchone()
    if watched is None or began is None:
        return []
    found = tx.execute(
        f"SELECT model, min(day), {SUMS}, {AMOUNTS} FROM usage"
        " WHERE account = ?1 AND day BETWEEN ?2 AND ?3 AND model NOT IN"
        " (SELECT model FROM usage WHERE account = ?1 AND day >= ?4 || '-01' AND day < ?2)"
        # Nearly all were used a month ago: the years before are then not even read.
        " AND model NOT IN (SELECT model FROM usage_month WHERE account = ?1 AND month = ?5)"
        " AND model NOT IN (SELECT model FROM usage_month WHERE account = ?1 AND month < ?4)"
        " GROUP BY model",
        (account, since.isoformat(), newest.isoformat(), month.text(), month.previous.text()),
    ).fetchall()
    least = max(watched, date.fromisoformat(began) + BASE_LEAST * ONE_DAY)
    return [
        FirstUse(
            account,
            model,
            date.fromisoformat(first),
            Usd(sum_of(cost)),
            requests,
            spent_between(tx, account, date.fromisoformat(first), newest),
        )
        for model, first, requests, *_, cost, _byok in found
        if date.fromisoformat(first) >= least
    ]
