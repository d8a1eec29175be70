"""Why spend changed: two periods of the ledger side by side, and the biggest mover by host."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from costcompass_core.domain.attribution import Attribution, attribute
from costcompass_core.domain.days import Period, utc_day
from costcompass_core.domain.query import Dimension, SpendQuery, nearest_name
from costcompass_core.domain.reports import Amounts, known_at, known_through
from costcompass_core.domain.why import HostSplit, WhyReport, parse_why, period_before
from costcompass_core.storage import spend as queries
from costcompass_core.storage.refreshes import health


def why_report(tx: sqlite3.Connection, words: str, now: datetime) -> WhyReport:
    """Answer the words after `spend why`. Raises `UsageError` for words that make no sense."""
    conditions = health(tx)
    query = parse_why(
        words,
        today=utc_day(now),
        first_day=queries.first_day(tx),
        models=lambda: queries.model_names(tx),
        known=known_through(conditions),
    )
    before = period_before(query.period)
    found = _split(tx, before, query.period, "model", _kept(tx, query))
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
        meant=None if found.shifts else nearest_name(query.filters, queries.model_names(tx)),
    )


def _kept(tx: sqlite3.Connection, query: SpendQuery) -> str | None:
    if not query.filters:
        return None
    return queries.models_json([name for name in queries.model_names(tx) if query.keeps(name)])


def _split(
    tx: sqlite3.Connection, before: Period, after: Period, by: Dimension, models: str | None
) -> Attribution:
    return attribute(_amounts(tx, before, by, models), _amounts(tx, after, by, models))


def _amounts(
    tx: sqlite3.Connection, period: Period, by: Dimension, models: str | None
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
