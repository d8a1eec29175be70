"""Why spend changed: two periods of the ledger side by side, and the biggest mover by host."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

from costcompass_core.domain.attribution import Attribution, attribute
from costcompass_core.domain.days import ONE_DAY, Period, each_day, newest_completed, utc_day
from costcompass_core.domain.query import SpendQuery, nearest_name
from costcompass_core.domain.reports import BETWEEN, Amounts, Health, known_at, known_through
from costcompass_core.domain.stack import Caveat, lagging
from costcompass_core.domain.why import (
    DEFAULT_DAYS,
    DEFAULT_PERIOD,
    HostSplit,
    WhyReport,
    days_until,
    parse_why,
    period_before,
)
from costcompass_core.storage import spend as queries
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.spend import Grouping

_LATEST: Final = 4 * ONE_DAY
"""How far back slow providers are waited for; what is older is left out instead."""


def why_report(tx: sqlite3.Connection, words: str, now: datetime) -> WhyReport:
    """Answer the words after `spend why`. Raises `UsageError` for words that make no sense."""
    today, conditions = utc_day(now), health(tx)
    default = _default(tx, newest_completed(today), conditions)
    query = parse_why(
        words,
        today=today,
        first_day=queries.first_day(tx),
        models=lambda: queries.model_names(tx),
        default=default,
    )
    early = default != DEFAULT_PERIOD and query.period.label == default.replace("..", " to ")
    before = period_before(query.period)
    late = _late(conditions, before, query.period)
    kept, left_out = _kept(tx, query), frozenset(one.provider for one in late)
    found = attribute(*(_offers(tx, one, kept, left_out) for one in (before, query.period)))
    days = [*before.days(), *query.period.days()]
    accounts = [one.account for one in conditions]
    unknown = queries.unread_days(tx, days, accounts) if accounts else tuple(days)
    return WhyReport(
        query=query,
        before=before,
        found=found,
        hosts=None if unknown else _hosts(tx, before, query.period, found),
        missing_days=unknown,
        data_through=known_through(conditions),
        refreshed_at=known_at(conditions),
        health=tuple(conditions),
        not_yet=newest_completed(today) if early else None,
        left_out=tuple(late),
        meant=None if found.shifts else nearest_name(query.filters, queries.model_names(tx)),
    )


def _default(tx: sqlite3.Connection, newest: date, conditions: Sequence[Health]) -> str:
    """Return the period of words that name none: the last 7 completed UTC days.

    The newest is read some hours after it is over, and slow providers report days late: it is the
    newest 7 days that all of them know, where those can be compared and are not long past.
    """
    known = [
        one.data_through
        for one in conditions
        if one.data_through is not None and newest - one.data_through <= _LATEST
    ]
    prompt = [one.data_through for one in conditions if one.data_through and not one.slow]
    through = min(known, default=newest)
    if through >= newest or any(newest - day > ONE_DAY for day in prompt):
        return DEFAULT_PERIOD
    days = list(each_day(through - (2 * DEFAULT_DAYS - 1) * ONE_DAY, through))
    gaps = queries.unread_days(tx, days, [one.account for one in conditions])
    return DEFAULT_PERIOD if gaps else days_until(through)


def _kept(tx: sqlite3.Connection, query: SpendQuery) -> str | None:
    if not query.filters:
        return None
    return queries.models_json([name for name in queries.model_names(tx) if query.keeps(name)])


def _late(conditions: Sequence[Health], before: Period, after: Period) -> list[Caveat]:
    """Return the slow accounts that are not wholly known in both periods: nothing of them compares."""
    return [] if after.end is None else lagging(conditions, before.start, after.end)


def _offers(
    tx: sqlite3.Connection, period: Period, models: str | None, left_out: Collection[str]
) -> list[Amounts]:
    """Return a period's costs by model, without some providers.

    A model that several of the others sell is told apart by who sells it.
    """
    offers = [
        (*one.name.partition(BETWEEN)[::2], one) for one in _amounts(tx, period, "offer", models)
    ]
    kept = [(seller, model, one) for seller, model, one in offers if seller not in left_out]
    sellers: dict[str, set[str]] = {}
    for seller, model, _ in kept:
        sellers.setdefault(model, set()).add(seller)
    return [
        one._replace(name=model if len(sellers[model]) == 1 else f"{model} ({seller})")
        for seller, model, one in kept
    ]


def _split(
    tx: sqlite3.Connection, before: Period, after: Period, by: Grouping, models: str | None
) -> Attribution:
    return attribute(_amounts(tx, before, by, models), _amounts(tx, after, by, models))


def _amounts(
    tx: sqlite3.Connection, period: Period, by: Grouping, models: str | None
) -> list[Amounts]:
    if period.end is None:
        return []
    return queries.amounts(tx, period.start, period.end, by, models)


def _hosts(
    tx: sqlite3.Connection, before: Period, after: Period, found: Attribution
) -> HostSplit | None:
    """Split the model whose cost changed most by host, where it ran on more than one."""
    if not found.shifts or not found.shifts[0].change:
        return None
    model = found.shifts[0].name
    split = _split(tx, before, after, "host", queries.models_json([model]))
    return HostSplit(model, split) if len(split.shifts) > 1 else None
