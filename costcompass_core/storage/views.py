"""What the alert rules look at, gathered from the ledger at one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from costcompass_core.domain.burn import BURN_DAYS, History, burn_of
from costcompass_core.domain.days import ONE_DAY, Month, midnight, utc_day
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import Usd
from costcompass_core.domain.notices import DayLoss, all_rows_by, settled_at
from costcompass_core.domain.rules.pace import recent_run
from costcompass_core.domain.rules.views import (
    AHEAD,
    AccountView,
    DayState,
    Lately,
    PartState,
    Today,
)
from costcompass_core.storage.balance import counter_near, first_counter, newest_counter
from costcompass_core.storage.codec import day_of, moment_of, moment_text, sum_of, usd_of
from costcompass_core.storage.digest import balances_at
from costcompass_core.storage.refreshes import attempts
from costcompass_core.storage.spend import day_cost, histories

_LOOKS_BACK = 2 * BURN_DAYS
"""Days; enough for a burn window that ends a few days ago, and for a run of unusual days."""
_LATELY = timedelta(hours=1)
"""Over how long the newest pace of a balance is taken."""


def account_views(
    tx: sqlite3.Connection, names: Iterable[str], now: datetime, since: datetime
) -> list[AccountView]:
    """Return each account as it is stored at `now`; `since` is when watching began."""
    balances = {one.account: one for one in balances_at(tx, now + AHEAD)}
    spent = histories(tx, utc_day(now) - _LOOKS_BACK * ONE_DAY)
    nothing = History({}, None)
    return [
        _account_view(tx, name, spent.get(name, nothing), balances.get(name), now, since)
        for name in names
    ]


def _account_view(
    tx: sqlite3.Connection,
    name: str,
    history: History,
    balance: AccountBalance | None,
    *moments: datetime,
) -> AccountView:
    now, since = moments
    today = utc_day(now)
    run = recent_run(_recent_days(tx, name, history, today))
    days = tuple(day_state(tx, name, today - age * ONE_DAY) for age in (1, 2))
    return AccountView(
        name,
        now,
        since,
        balance,
        burn_of(_with_unreported(history, days[0])),
        run.peak,
        today_spent(tx, name, now),
        _lately(tx, name, now),
        days,
        run.per_day,
        _byok(tx, name, Month.of(today)),
        _parts(tx, name),
    )


def day_state(tx: sqlite3.Connection, account: str, day: date) -> DayState:
    """Return what was reported of a day, and by how much its first and last reading differ."""
    begin, found = midnight(day), day_cost(tx, account, day)
    first, last = first_counter(tx, account, begin), newest_counter(tx, account, begin + ONE_DAY)
    if first is None or last is None or last.at < first.at:
        return DayState(day, found, None)
    return DayState(day, found, last.used - first.used)


def _with_unreported(history: History, day: DayState) -> History:
    """Return a history in which a day counts with what is clearly missing from its rows."""
    if day.reported is None or not day.unreported:
        return history
    return replace(history, spent={**history.spent, day.day: day.reported + day.unreported})


def _lately(tx: sqlite3.Connection, account: str, now: datetime) -> Lately | None:
    """Return what usage took in the hour before the newest reading."""
    newest = newest_counter(tx, account, now + AHEAD)
    if newest is None:
        return None
    before = first_counter(tx, account, newest.at - _LATELY)
    if before is None or before.at >= newest.at:
        return None
    return Lately(newest.used - before.used, newest.at)


def _recent_days(
    tx: sqlite3.Connection, account: str, history: History, today: date
) -> list[Usd | None]:
    """Return what the newest completed UTC days took (USD), newest first, `None` where unknown.

    While rows are still coming, the balance knows more than what is reported.
    """
    found = []
    for day in (today - age * ONE_DAY for age in range(1, _LOOKS_BACK + 1)):
        lost = _spent_on(tx, account, day, midnight(day + ONE_DAY))
        known = (history.spent.get(day), lost.spent if lost else None)
        found.append(max((one for one in known if one is not None), default=None))
    return found


def today_spent(tx: sqlite3.Connection, account: str, now: datetime) -> Today | None:
    """Return what the balance lost since midnight (UTC), or since the first reading of today."""
    return _spent_on(tx, account, utc_day(now), now + AHEAD)


def today_of(tx: sqlite3.Connection, accounts: Iterable[str], now: datetime) -> Today | None:
    """Return what usage took from all balances today, since when that is known of every one."""
    known = [one for name in accounts if (one := today_spent(tx, name, now))]
    if not known:
        return None
    return Today(
        Usd.total(one.spent for one in known),
        max(one.since for one in known),
        min((one.until for one in known if one.until), default=None),
    )


def _spent_on(tx: sqlite3.Connection, account: str, day: date, until: datetime) -> Today | None:
    """Return what usage took from the balance on a UTC day, as far as its readings show that."""
    begin = midnight(day)
    before = counter_near(tx, account, begin) or first_counter(tx, account, begin)
    after = newest_counter(tx, account, until)
    if before is None or after is None or after.at < begin or after.at <= before.at:
        return None
    return Today(after.used - before.used, before.at, after.at)


def _byok(tx: sqlite3.Connection, account: str, month: Month) -> Usd:
    [joined] = tx.execute(
        "SELECT group_concat(byok_cost, ' ') FROM usage_month WHERE account = ? AND month = ?",
        (account, month.text()),
    ).fetchone()
    return Usd(sum_of(joined))


def _parts(tx: sqlite3.Connection, account: str) -> dict[str, PartState]:
    return {
        part: PartState(one.tried_at, one.succeeded_at, one.failures, one.reason, one.error)
        for part, one in attempts(tx, account).items()
    }


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
        "SELECT day, read_at FROM usage_day WHERE account = ? AND day >= ?",
        (account, since.isoformat()),
    )
    read = {day_of(day): moment_of(at) for day, at in found}
    return {day for day, at in read.items() if day and at and at >= settled_at(day)}
