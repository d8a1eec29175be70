"""What the alert rules look at, gathered from the ledger at one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from costcompass_core.domain.burn import BURN_DAYS, History, burn_of
from costcompass_core.domain.days import ONE_DAY, Month, midnight, newest_completed, utc_day
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import Usd
from costcompass_core.domain.outlook import LEVEL_DAYS, outlook_of
from costcompass_core.domain.past import BANDS, PAST_DAYS, Past, Used
from costcompass_core.domain.purses import Sample
from costcompass_core.domain.reports import Amounts
from costcompass_core.domain.rules.pace import recent_run
from costcompass_core.domain.rules.views import (
    AHEAD,
    AccountView,
    DayState,
    Lately,
    Leader,
    PartState,
    PurseView,
    Today,
)
from costcompass_core.domain.usage import USD
from costcompass_core.storage.accounts import slow_accounts
from costcompass_core.storage.balance import (
    counter_near,
    first_counter,
    first_read_on,
    newest_counter,
)
from costcompass_core.storage.codec import sum_of
from costcompass_core.storage.currencies import foreign_histories
from costcompass_core.storage.digest import balances_at
from costcompass_core.storage.purses import newest_purses
from costcompass_core.storage.refreshes import attempts
from costcompass_core.storage.spend import day_cost, histories
from costcompass_core.storage.usage import sum_if_known

_LOOKS_BACK = 2 * BURN_DAYS
"""Days; enough for a burn window that ends a few days ago, and for a run of unusual days."""
_EXPECTS_BY = LEVEL_DAYS + 2
"""Days that expectations rest on, though the newest be not known yet; the other rules need fewer."""
_ROWS_COME = 3
"""Newest days of which the balance may still know more than their rows."""
_TOKENS = ", ".join(sum_if_known(name) for name in ("prompt_tokens", "completion_tokens"))
_LATELY = timedelta(hours=1)
"""Over how long the newest pace of a balance is taken."""


def account_views(
    tx: sqlite3.Connection,
    names: Iterable[str],
    now: datetime,
    since: datetime,
    just_read: str | None = None,
) -> list[AccountView]:
    """Return each account as it is stored at `now`; `since` is when watching began.

    A slow account is looked at as of the end of its newest final UTC day: later ones may still grow.

    Who was used is only loaded for the account whose usage was `just_read`: it takes far longer
    than all the rest, and changes with nothing else.
    """
    balances = {one.account: one for one in balances_at(tx, now + AHEAD)}
    today = utc_day(now)
    spent = {
        name: _before(today, one)
        for name, one in histories(tx, today - _EXPECTS_BY * ONE_DAY).items()
    }
    nothing, late = History({}, None), slow_accounts(tx)
    readings = newest_purses(tx, now + AHEAD)
    other = foreign_histories(tx, today - _LOOKS_BACK * ONE_DAY) if readings else {}
    found = []
    for name in names:
        history = spent.get(name, nothing)
        pivot = history.through + ONE_DAY if name in late and history.through else today
        view = _account_view(tx, name, history, balances.get(name), (now, since, pivot))
        used = used_lately(tx, name, pivot) if name == just_read else None
        purses = _purses(name, readings.get(name, []), other)
        found.append(replace(view, used=used, slow=name in late, purses=purses))
    return found


def _purses(
    account: str, readings: Iterable[Sample], histories: Mapping[str, Mapping[str, History]]
) -> tuple[PurseView, ...]:
    """Return an account's prepaid money in other currencies, each with the burn of its own days."""
    found = []
    for one in readings:
        currency = one.purse.currency
        if currency != USD:
            history = histories.get(currency, {}).get(account, History({}, None))
            found.append(PurseView(currency, Usd(one.purse.total), one.at, burn_of(history)))
    return tuple(found)


def _before(today: date, history: History) -> History:
    """Return a history as it was on `today`; a moment long past must not know what came after."""
    return replace(history, spent={day: one for day, one in history.spent.items() if day < today})


def _account_view(
    tx: sqlite3.Connection,
    name: str,
    history: History,
    balance: AccountBalance | None,
    moments: tuple[datetime, datetime, date],
) -> AccountView:
    now, since, today = moments
    recent = _recent_days(tx, name, history, today)
    run, past = recent_run(recent), _past(tx, name, history, recent, today)
    oldest = today - _LOOKS_BACK * ONE_DAY
    days = tuple(day_state(tx, name, today - age * ONE_DAY) for age in (1, 2))
    outlook = outlook_of(_with_unreported(history, days[0]))
    history = replace(
        history, spent={day: one for day, one in history.spent.items() if day >= oldest}
    )
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
        past,
        outlook=outlook,
        leader=_leader(tx, name, today),
    )


def _leader(tx: sqlite3.Connection, account: str, today: date) -> Leader | None:
    """Return the model that is reported to have cost most today."""
    found = tx.execute(
        "SELECT model, group_concat(cost, ' ') FROM usage_today WHERE account = ? AND day = ?"
        " GROUP BY model",
        (account, today.isoformat()),
    )
    most = max(((sum_of(costs), model) for model, costs in found), default=None)
    return None if most is None or most[0] <= 0 else Leader(most[1], Usd(most[0]))


def _past(
    tx: sqlite3.Connection,
    account: str,
    history: History,
    recent: Sequence[Usd | None],
    today: date,
) -> Past | None:
    """Return the last weeks, the newest days with what the balance lost where that is more."""
    newest, began = newest_completed(today), history.began
    if began is None:
        return None
    days = [newest - age * ONE_DAY for age in range(min(PAST_DAYS, (today - began).days))]
    spent = [*recent[:_ROWS_COME], *(history.spent.get(day) for day in days[_ROWS_COME:])]
    return Past(
        newest,
        tuple(spent[: len(days)]),
        newest in history.spent,
        first_read_on(tx, account) or today,
    )


def used_lately(tx: sqlite3.Connection, account: str, today: date) -> list[Used]:
    """Return who was used in each band of the last completed UTC days: cost from the balance, tokens."""
    newest = newest_completed(today)
    return [
        Used(
            band,
            host,
            Amounts(model, sum_of(cost), Decimal(0), None, prompt, completion, None, None),
        )
        for band, (young, old) in enumerate(BANDS)
        for model, host, prompt, completion, cost in tx.execute(
            f"SELECT model, host, {_TOKENS}, group_concat(cost, ' ') FROM usage"
            " WHERE account = ? AND day BETWEEN ? AND ? GROUP BY model, host",
            (
                account,
                (newest - old * ONE_DAY).isoformat(),
                (newest - young * ONE_DAY).isoformat(),
            ),
        )
    ]


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
