"""Digests and monthly reports from what is stored; how they are told and sent is not known here."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from costcompass_core.domain.burn import History, combined
from costcompass_core.domain.days import ONE_DAY, Month, midnight, newest_completed, utc_day
from costcompass_core.domain.digest import (
    DigestReport,
    MonthlyReport,
    digest_of,
    health_at,
    looks_back,
)
from costcompass_core.domain.ledger import USUAL_DAYS, Ledger, restatements, whole_months
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.movers import Mover, most_moved
from costcompass_core.domain.notices import settled_at
from costcompass_core.domain.prices import News, news
from costcompass_core.domain.query import Dimension
from costcompass_core.domain.reports import Amounts, Health, SpendRow, known_through, ranked
from costcompass_core.domain.stack_forecast import next_of_all
from costcompass_core.domain.subscriptions import Subscription, due_in, in_other_currencies
from costcompass_core.domain.welcome import WelcomeReport
from costcompass_core.storage.catalogue import expiries_at, list_changes
from costcompass_core.storage.declared import every_subscription
from costcompass_core.storage.digest import balances_at, day_changes, model_days, models_before
from costcompass_core.storage.incidents import open_incidents
from costcompass_core.storage.outbox import marked_at, marked_before
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.spend import amounts, first_day, histories
from costcompass_core.storage.store import Store
from costcompass_core.storage.views import today_of
from costcompass_core.usecases.expect import forecast_at, with_currencies
from costcompass_core.usecases.levers import in_use
from costcompass_core.usecases.welcome import welcome_report

_EVERY: Final = ONE_DAY
"""How far back changes are news: to the digest before this one."""


_LONGEST_NEWS: Final = 31 * ONE_DAY
"""How far back prices are news where no digest came for long."""


_WAITS_FOR_SLOW: Final = 6 * ONE_DAY
"""How long after the last day of a month began its report waits for providers that report late."""
_LATEST: Final = 7 * ONE_DAY
"""How far a provider may be behind to be waited for: a folder of old bills is not."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes digests and monthly reports, over one store and the declared subscriptions."""

    store: Store
    subscriptions: Sequence[Subscription] = ()

    def digest(self, day: date, at: datetime) -> DigestReport:
        """Return the digest of the local date `day` as of `at`.

        Readings after `at` are left out; what each day cost is told as it is stored now.
        """
        with self.store.reading() as tx:
            return _digest(tx, day, at, every_subscription(tx, self.subscriptions))

    def monthly(self, month: Month, now: datetime) -> MonthlyReport:
        """Return the report of a UTC month that is over."""
        with self.store.reading() as tx:
            return _monthly(tx, month, now, every_subscription(tx, self.subscriptions))

    def welcome(self, now: datetime) -> WelcomeReport:
        """Return what a first start has found."""
        with self.store.reading() as tx:
            return welcome_report(tx, now)


def month_complete(tx: sqlite3.Connection, month: Month, now: datetime) -> bool:
    """Return whether every day of `month` is known for every account, and the last has settled."""
    if now < settled_at(month.last):
        return False
    conditions = health(tx)
    ledger = _ledger(tx, month.first, conditions)
    waits = now < midnight(month.last) + _WAITS_FOR_SLOW and any(
        one.slow and one.data_through and month.last - _LATEST <= one.data_through < month.last
        for one in conditions
    )
    return bool(ledger.accounts) and not ledger.missing(month.first, month.last) and not waits


def _ledger(tx: sqlite3.Connection, since: date, conditions: Sequence[Health]) -> Ledger:
    slow = frozenset(one.account for one in conditions if one.slow)
    return Ledger(tuple(one.account for one in conditions), histories(tx, since), slow)


def digest_name(day: date) -> str:
    """Return the marker of the digest of a local date."""
    return f"digest:{day}"


def _price_news(tx: sqlite3.Connection, day: date, at: datetime, newest: date) -> tuple[News, ...]:
    """Return what was noticed since the digest before, which may be days old or have come late."""
    until = marked_at(tx, digest_name(day)) or at
    since = marked_before(tx, "digest:", digest_name(day)) or until - _EVERY
    changed = list_changes(tx, max(since, until - _LONGEST_NEWS), until)
    return news(changed, expiries_at(tx, until), in_use(tx, newest), utc_day(at))


def _digest(
    tx: sqlite3.Connection, day: date, at: datetime, subscriptions: Sequence[Subscription]
) -> DigestReport:
    today = utc_day(at)
    newest = newest_completed(today)
    conditions = health_at(health(tx), at, newest, first_day(tx))
    since = looks_back(newest, known_through(conditions))
    ledger = _ledger(tx, since, conditions).until(newest)
    outlook = forecast_at(
        tx,
        at,
        ledger.histories,
        balances_at(tx, at),
        subscriptions=subscriptions,
        conditions=conditions,
    )
    return digest_of(
        day,
        at,
        newest,
        ledger,
        with_currencies(tx, outlook, at, subscriptions),
        costs=model_days(tx, newest - USUAL_DAYS * ONE_DAY, newest, ledger.prompt().accounts),
        known_models=models_before(tx, newest),
        incidents=[one for one in open_incidents(tx) if one.opened_at <= at],
        changes=day_changes(tx, at - _EVERY, at),
        today=today_of(tx, [one.account for one in conditions], at),
        prices=_price_news(tx, day, at, newest),
    )


def _monthly(
    tx: sqlite3.Connection, month: Month, now: datetime, subscriptions: Sequence[Subscription]
) -> MonthlyReport:
    conditions = health(tx)
    ledger = _ledger(tx, month.previous.first, conditions).until(month.last)
    rows, total, byok = ranked(_month_amounts(tx, month, "model"))
    against = whole_months(ledger, month)
    accounts = ranked(_month_amounts(tx, month, "account"))[0] if len(conditions) > 1 else ()
    daily = combined(list(ledger.prompt().histories.values())).spent
    return MonthlyReport(
        month=month,
        total=total,
        byok=byok,
        rows=rows,
        accounts=accounts,
        days=tuple(
            (day, ledger.spent(day, day) or ZERO) for day in sorted(daily) if day >= month.first
        ),
        against=against,
        movers=_month_movers(tx, month, rows) if against else (),
        subscriptions=due_in(month, subscriptions),
        foreign_subscriptions=tuple(in_other_currencies(month, subscriptions)),
        outlook=next_of_all(month.last, _apart(ledger, conditions), subscriptions),
        restated=restatements(
            one for one in day_changes(tx, midnight(month.first), now) if Month.of(one.day) == month
        ),
        missing_days=ledger.missing(month.first, month.last),
        health=tuple(conditions),
    )


def _apart(ledger: Ledger, conditions: Sequence[Health]) -> list[History]:
    """Return the histories that each count by their own newest days: see `forecast_at`."""
    groups: dict[str, list[History]] = {}
    for one in conditions:
        if one.account in ledger.histories:
            own = groups.setdefault(one.account if one.slow else one.provider, [])
            own.append(ledger.histories[one.account])
    return [combined(some) for some in groups.values()]


def _month_amounts(tx: sqlite3.Connection, month: Month, by: Dimension) -> list[Amounts]:
    return amounts(tx, month.first, month.last, by, None)


def _month_movers(
    tx: sqlite3.Connection, month: Month, rows: Sequence[SpendRow]
) -> tuple[Mover, ...]:
    """Return the models that changed most against the whole month before."""
    before = {one.name: one.cost for one in ranked(_month_amounts(tx, month.previous, "model"))[0]}
    now = {one.name: one.cost for one in rows}
    known = models_before(tx, month.first)
    return most_moved(
        Mover(name, now.get(name, ZERO), before.get(name, ZERO), name not in known)
        for name in now.keys() | before.keys()
    )
