"""Answer questions from what is stored. The terminal and Slack ask here and nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo

from costcompass_core.domain.accuracy import AccuracyReport
from costcompass_core.domain.advice import AdviceReport
from costcompass_core.domain.days import (
    ONE_DAY,
    Month,
    Period,
    clipped,
    midnight,
    utc_day,
)
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.outlook import LEVEL_DAYS
from costcompass_core.domain.query import SpendQuery, nearest_name, parse_spend
from costcompass_core.domain.reports import (
    Amounts,
    SpendReport,
    known_at,
    known_through,
    ranked,
    remainder,
)
from costcompass_core.domain.subscriptions import Subscription, due_in, in_other_currencies
from costcompass_core.domain.whatif import IfReport
from costcompass_core.domain.why import WhyReport
from costcompass_core.storage import spend as queries
from costcompass_core.storage.balance import counter_near, newest_balances, newest_counter
from costcompass_core.storage.keys import key_amounts
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.store import Store
from costcompass_core.storage.today import today_amounts, today_models, today_reported, today_silent
from costcompass_core.storage.views import today_of
from costcompass_core.usecases.accuracy import accuracy_report
from costcompass_core.usecases.expect import forecast_at
from costcompass_core.usecases.levers import answer_advice, answer_if
from costcompass_core.usecases.why import why_report

NO_KEY = "(no key known)"
"""Usage that no listed key accounts for: deleted keys, other workspaces, the chat room."""
NO_HOST = "(host not reported)"
"""Usage of days that only analytics speak of: by model, without the upstream."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Everything people may ask, over one store and the declared subscriptions.

    `zone` is the one that moments are told in; days of spend are UTC all the same.
    """

    store: Store
    subscriptions: Sequence[Subscription] = ()
    zone: tzinfo = UTC

    def spend(self, words: str, now: datetime) -> SpendReport:
        """Answer the words after `/spend`. Raises `UsageError` for words that make no sense."""
        today = utc_day(now)
        with self.store.reading() as tx:
            query = parse_spend(
                words,
                today=today,
                first_day=queries.first_day(tx),
                models=lambda: {*queries.model_names(tx), *today_models(tx, today)},
            )
            return self._spend(tx, query, now)

    def why(self, words: str, now: datetime) -> WhyReport:
        """Answer the words after `/spend why`. Raises `UsageError` for those that make no sense."""
        with self.store.reading() as tx:
            return why_report(tx, words, now)

    def accuracy(self, words: str, now: datetime) -> AccuracyReport:
        """Answer `/forecast accuracy`. Raises `UsageError` for words after it."""
        with self.store.reading() as tx:
            return accuracy_report(tx, words, now)

    def forecast(self, words: str, now: datetime) -> ForecastReport:
        """Answer the words after `/forecast`, which are none. Raises `UsageError` for others."""
        if words.strip():
            raise UsageError(
                f"`forecast` knows no `{words.strip()[:40]}`",
                "use it alone, or with `accuracy` or `if MODEL to OTHER`",
            )
        with self.store.reading() as tx:
            return self._forecast(tx, now)

    def forecast_if(self, words: str, now: datetime) -> IfReport:
        """Answer the words after `/forecast if`. Raises `UsageError` for words that make no sense."""
        with self.store.reading() as tx:
            return answer_if(tx, words, self._forecast(tx, now), now)

    def advice(self, words: str, now: datetime) -> AdviceReport:
        """Answer `/spend advice`, which takes no words. Raises `UsageError` for others."""
        if words.strip():
            raise UsageError("`advice` takes no other words", "use it alone: `spend advice`")
        with self.store.reading() as tx:
            return answer_advice(tx, now)

    def _forecast(self, tx: sqlite3.Connection, now: datetime) -> ForecastReport:
        conditions = health(tx)
        newest = known_through(conditions) or utc_day(now)  # what is expected looks back from there
        since = min(Month.of(utc_day(now)).first, newest - LEVEL_DAYS * ONE_DAY)
        histories, balances = queries.histories(tx, since), newest_balances(tx)
        return forecast_at(
            tx,
            now,
            histories,
            balances,
            subscriptions=self.subscriptions,
            conditions=conditions,
        )

    def _spend(self, tx: sqlite3.Connection, query: SpendQuery, now: datetime) -> SpendReport:
        rows, total, byok = ranked(_amounts(tx, query))
        period, conditions = query.period, health(tx)
        month, accounts = period.month, [one.account for one in conditions]
        unknown = _missing_days(tx, period, accounts)
        today = today_of(tx, accounts, now) if period.today else None
        reported = today_reported(tx, period.start) if period.today else None
        return SpendReport(
            query=query,
            total=total,
            byok=byok,
            rows=rows,
            subscriptions=None if month is None else due_in(month, self.subscriptions),
            foreign_subscriptions=(
                () if month is None else tuple(in_other_currencies(month, self.subscriptions))
            ),
            unattributed=None if unknown else _unattributed(tx, period, accounts),
            missing_days=unknown,
            data_through=known_through(conditions),
            refreshed_at=known_at(conditions),
            health=tuple(conditions),
            meant=None if rows else nearest_name(query.filters, _names(tx, period)),
            last_month=_total_before(tx, query, utc_day(now)),
            today=today.spent if today else None,
            today_since=today.since if today else None,
            today_until=today.until if today else None,
            today_reported=reported[0] if reported else None,
            today_silent=today_silent(tx, period.start) if reported else (),
        )


def _amounts(tx: sqlite3.Connection, query: SpendQuery) -> list[Amounts]:
    period = query.period
    if period.end is None and not period.today:
        return []
    models = None
    if query.filters:
        models = queries.models_json([name for name in _names(tx, period) if query.keeps(name)])
    if period.today:
        whole = today_amounts(tx, period.start, query.by, models)
    else:
        whole = queries.amounts(tx, period.start, period.end or period.start, query.by, models)
    if query.by == "host":
        return [one if one.name else one._replace(name=NO_HOST) for one in whole]
    if query.by != "key":
        return whole
    if period.today:
        return [one._replace(name=NO_KEY) for one in whole]
    parts = key_amounts(tx, period.start, period.end or period.start, models)
    rest = remainder(NO_KEY, whole, parts)
    return [*parts, rest] if any(rest[1:]) else parts


def _names(tx: sqlite3.Connection, period: Period) -> list[str]:
    """Return every model that a filter may mean."""
    return today_models(tx, period.start) if period.today else queries.model_names(tx)


def _missing_days(
    tx: sqlite3.Connection, period: Period, accounts: Sequence[str]
) -> tuple[date, ...]:
    """Return the completed days that at least one account was never read for."""
    days = list(period.days())
    if not days or not accounts:
        return tuple(days)
    return queries.unread_days(tx, days, accounts)


def _total_before(tx: sqlite3.Connection, query: SpendQuery, today: date) -> Usd | None:
    """Return last month's total (USD), filtered alike, while this month has no completed day."""
    if query.period.end is not None or query.period.month != Month.of(today):
        return None
    before = Month.of(today).previous
    period = clipped(before.label, before.first, before.last, today, before)
    return ranked(_amounts(tx, replace(query, period=period)))[1]


def _unattributed(tx: sqlite3.Connection, period: Period, accounts: Sequence[str]) -> Usd | None:
    """Return what the balances lost beyond the reported usage (USD).

    It is known when each account has a reading near both edges of the period, all of whose days
    were read. Of the current day, it is what is not reported yet.
    """
    if period.end is None or not accounts:
        return None
    begin, lost = midnight(period.start), ZERO
    for account in accounts:
        before = counter_near(tx, account, begin)
        after = (
            newest_counter(tx, account)
            if period.today
            else counter_near(tx, account, midnight(period.end + ONE_DAY))
        )
        if before is None or after is None or after.at < begin:
            return None
        lost += after.gone - before.gone
        if not period.today:
            lost -= queries.spent_between(tx, account, period.start, period.end)
    reported = today_reported(tx, period.start) if period.today else None
    return lost - reported[1] if reported else lost
