"""Answer `/spend`: ranked rows, the period before beside them, and the period over time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from costcompass_core.domain.days import ONE_DAY, Month, Period, clipped, midnight, utc_day
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.model_names import merged_name
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.query import SpendQuery, nearest_name, parse_spend
from costcompass_core.domain.reports import (
    BETWEEN,
    Amounts,
    Before,
    SpendReport,
    known_at,
    known_through,
    ranked,
    remainder,
)
from costcompass_core.domain.stack import DOLLARS, Exchange, lagging
from costcompass_core.domain.subscriptions import Subscription, due_in, in_other_currencies
from costcompass_core.domain.timeline import Timeline, cut, timeline
from costcompass_core.domain.why import period_before
from costcompass_core.storage import spend as queries
from costcompass_core.storage.accounts import providers
from costcompass_core.storage.balance import counter_near, newest_counter
from costcompass_core.storage.keys import key_amounts
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.today import today_amounts, today_models, today_reported, today_silent
from costcompass_core.storage.views import today_of
from costcompass_core.usecases.stack import stack_of

NO_KEY = "(no key known)"
"""Usage that no listed key accounts for: deleted keys, other workspaces, the chat room."""
NO_HOST = "(host not reported)"
"""Usage of days that only analytics speak of: by model, without the upstream."""


def spend_report(
    tx: sqlite3.Connection,
    words: str,
    now: datetime,
    subscriptions: Sequence[Subscription],
    exchange: Exchange = DOLLARS,
) -> SpendReport:
    """Answer the words after `/spend`. Raises `UsageError` for words that make no sense."""
    today = utc_day(now)
    query = parse_spend(
        words,
        today=today,
        first_day=queries.first_day(tx),
        models=lambda: {*queries.model_names(tx), *today_models(tx, today)},
    )
    return answer(tx, query, now, subscriptions, exchange)


def answer(
    tx: sqlite3.Connection,
    query: SpendQuery,
    now: datetime,
    subscriptions: Sequence[Subscription],
    exchange: Exchange = DOLLARS,
) -> SpendReport:
    """Answer a parsed question."""
    models, period, conditions = _models(tx, query), query.period, health(tx)
    titles = {} if period.today else providers(tx)
    by: queries.Grouping = query.by
    if len(titles) > 1 and query.by == "model" and not query.merged:
        by = "offer"
    rows, total, byok = ranked(_amounts(tx, query, models, by))
    month, accounts = period.month, [one.account for one in conditions]
    unknown = _missing_days(tx, period, accounts)
    today = today_of(tx, accounts, now) if period.today else None
    reported = today_reported(tx, period.start) if period.today else None
    return SpendReport(
        query=query,
        total=total,
        byok=byok,
        rows=rows,
        subscriptions=None if month is None else due_in(month, subscriptions),
        foreign_subscriptions=(
            () if month is None else tuple(in_other_currencies(month, subscriptions))
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
        before=None if unknown else _before(tx, query, models, accounts, by),
        stack=stack_of(tx, query, rows, conditions, exchange),
        timeline=_timeline(tx, period, models, unknown),
    )


def _models(tx: sqlite3.Connection, query: SpendQuery) -> str | None:
    """Return the models that the question is about, as the queries take them; `None` for all."""
    if not query.filters:
        return None
    return queries.models_json([name for name in _names(tx, query.period) if query.keeps(name)])


def _amounts(
    tx: sqlite3.Connection, query: SpendQuery, models: str | None, by: queries.Grouping
) -> list[Amounts]:
    period = query.period
    if period.end is None and not period.today:
        return []
    if period.today:
        whole = today_amounts(tx, period.start, query.by, models)
    else:
        whole = queries.amounts(tx, period.start, period.end or period.start, by, models)
    if query.by != "key":
        return [_called(one, query, by) for one in whole]
    if period.today:
        return [one._replace(name=NO_KEY) for one in whole]
    parts = key_amounts(tx, period.start, period.end or period.start, models)
    rest = remainder(NO_KEY, whole, parts)
    return [*parts, rest] if any(rest[1:]) else parts


def _called(one: Amounts, query: SpendQuery, by: queries.Grouping) -> Amounts:
    """Return a slice under the name that people read: an offer is its model's, with the provider."""
    if by == "offer":
        provider, _, model = one.name.partition(BETWEEN)
        return one._replace(name=model, provider=provider)
    if query.merged and by == "model":
        return one._replace(name=merged_name(one.name))
    return one._replace(name=NO_HOST) if by == "host" and not one.name else one


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
    asked = replace(query, period=period)
    return ranked(_amounts(tx, asked, _models(tx, asked), asked.by))[1]


def _unattributed(tx: sqlite3.Connection, period: Period, accounts: Sequence[str]) -> Usd | None:
    """Return what the balances lost beyond the reported usage (USD).

    It is known when each account with a balance has a reading near both edges of the period, all of
    whose days were read. Of the current day, it is what is not reported yet.
    """
    accounts = [one for one in accounts if newest_counter(tx, one)] or accounts
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


def _before(
    tx: sqlite3.Connection,
    query: SpendQuery,
    models: str | None,
    accounts: Sequence[str],
    by: queries.Grouping,
) -> Before | None:
    """Return what the period before cost; `None` where it isn't wholly known, or there is none."""
    first = queries.first_day(tx)
    if first is None or query.period.end is None or query.period.today:
        return None
    try:
        before = period_before(query.period)
    except UsageError:
        return None
    if before.start < first or _missing_days(tx, before, accounts):
        return None
    doubtful = lagging(health(tx), before.start, query.period.end)
    if doubtful and by not in {"offer", "provider", "account"}:
        return None  # no row says whose cost it is
    late = frozenset(one.account if by == "account" else one.provider for one in doubtful)
    if query.by == "key" or query.merged:  # rows know neither their key nor their common name
        rows, total, _ = ranked(_amounts(tx, replace(query, period=before), models, by))
        return Before(before, total, {one.key: one.cost for one in rows}, late)
    costs = queries.costs(tx, before.start, before.end or before.start, by, models)
    if query.by == "host":
        costs = {name or NO_HOST: cost for name, cost in costs.items()}
    return Before(before, Usd.total(costs.values()), costs, late)


def _timeline(
    tx: sqlite3.Connection, period: Period, models: str | None, unread: Sequence[date]
) -> Timeline | None:
    how = cut(period)
    if how is None:
        return None
    first, last = how.spans[0].first, how.spans[-1].last
    if how.unit == "months":
        spent = queries.spent_by_month(tx, first, last, models)
    else:
        spent = queries.spent_by_day(tx, first, last, models)
    return timeline(how, spent, unread)
