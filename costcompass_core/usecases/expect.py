"""A forecast as of a moment, with what the balances know of today."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from costcompass_core.domain.burn import History
from costcompass_core.domain.days import newest_completed, utc_day
from costcompass_core.domain.digest import looks_back
from costcompass_core.domain.forecast import AccountBalance, ForecastReport, forecast
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.reports import Health, known_through
from costcompass_core.domain.rules.pace import unusual_pace
from costcompass_core.domain.rules.views import AHEAD
from costcompass_core.domain.stack import DOLLARS, Exchange
from costcompass_core.domain.stack_forecast import added_up, currency_plan, without_counted
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.domain.usage import USD
from costcompass_core.storage.currencies import foreign_histories
from costcompass_core.storage.purses import newest_purses
from costcompass_core.storage.views import account_views, today_of


def forecast_at(
    tx: sqlite3.Connection,
    at: datetime,
    histories: Mapping[str, History],
    balances: Sequence[AccountBalance],
    *,
    subscriptions: Sequence[Subscription],
    conditions: Sequence[Health],
) -> ForecastReport:
    """Return the forecast as of `at`, from histories and balances that end there.

    Each provider is expected by its own days, and so is each account that is slow by nature, for one
    that ended must not hold back its neighbours; where there are several, they are added up.
    """
    groups: dict[str, list[Health]] = {}
    for one in conditions:
        if one.account in histories or any(b.account == one.account for b in balances):
            # No name of a provider holds a slash, and that of every slow account does.
            groups.setdefault(one.account if one.slow else one.provider, []).append(one)
    if len(groups) < 2:
        return _forecast(
            tx,
            at,
            histories=histories,
            balances=balances,
            conditions=conditions,
            subscriptions=subscriptions,
        )
    parts = {}
    for group, some in groups.items():
        names = {one.account for one in some}
        own = {name: one for name, one in histories.items() if name in names}
        left = [one for one in balances if one.account in names]
        parts[group] = _forecast(
            tx, at, histories=own, balances=left, conditions=some, subscriptions=()
        )
    return added_up(utc_day(at), parts, histories, subscriptions, conditions)


def _forecast(
    tx: sqlite3.Connection,
    at: datetime,
    *,
    histories: Mapping[str, History],
    balances: Sequence[AccountBalance],
    conditions: Sequence[Health],
    subscriptions: Sequence[Subscription],
) -> ForecastReport:
    names = [one.account for one in conditions]
    today = today_of(tx, names, at)
    paces = {one.account: unusual_pace(one) for one in account_views(tx, names, at, at)}
    return forecast(
        utc_day(at),
        histories,
        balances,
        subscriptions,
        conditions,
        taken=today.spent if today else ZERO,
        paces={name: pace for name, pace in paces.items() if pace is not None},
    )


def with_currencies(
    tx: sqlite3.Connection,
    report: ForecastReport,
    at: datetime,
    subscriptions: Sequence[Subscription],
    exchange: Exchange = DOLLARS,
) -> ForecastReport:
    """Return the forecast with what is paid in other currencies, and all in one where rates are known."""
    today = utc_day(at)
    since = looks_back(newest_completed(today), known_through(report.health))
    histories = {
        currency: {account: _until(one, today) for account, one in some.items()}
        for currency, some in foreign_histories(tx, since).items()
    }
    purses: dict[str, list[AccountBalance]] = {}
    for account, readings in newest_purses(tx, at + AHEAD).items():
        for one in readings:
            if one.purse.currency != USD:
                left = AccountBalance(account, Usd(one.purse.total), one.at, one.purse.currency)
                purses.setdefault(one.purse.currency, []).append(left)
    plans = tuple(
        currency_plan(today, name, histories.get(name, {}), purses.get(name, []), subscriptions)
        for name in sorted(
            {*histories, *purses, *_subscribed(report, exchange)},
            key=lambda one: (one != exchange.home, one),
        )
    )
    totals: dict[str, Decimal] = {
        one.currency: one.plan.total.amount for one in plans if one.plan.total is not None
    }
    if report.next_month.total is not None:
        totals[USD] = report.next_month.total.amount
    report = without_counted(report, [one.currency for one in plans])
    return replace(report, currencies=plans, converted=exchange.of(totals))


def _until(history: History, today: date) -> History:
    """Return a history as it was on `today`: a digest may be of a day long past."""
    spent, once = (
        {day: one for day, one in costs.items() if day < today}
        for costs in (history.spent, history.once)
    )
    return History(spent, history.began, once)


def _subscribed(report: ForecastReport, exchange: Exchange) -> set[str]:
    """Return the currencies of subscriptions, for people who think in another than USD."""
    if exchange.home == USD and not exchange.rates:
        return set()
    return {one.currency for one in report.foreign_subscriptions}
