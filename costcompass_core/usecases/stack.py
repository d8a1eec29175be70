"""What an answer over several providers or currencies says beyond dollars: totals, doubts, rates."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal

from costcompass_core.domain.days import ONE_DAY, Period, midnight
from costcompass_core.domain.money import Usd, exact_sum
from costcompass_core.domain.purses import Flow, flows
from costcompass_core.domain.query import SpendQuery
from costcompass_core.domain.reports import Health, SpendRow
from costcompass_core.domain.stack import (
    Caveat,
    CurrencyTotal,
    Exchange,
    ForeignRow,
    Stack,
    by_currency,
    known_by,
    lagging,
    sellers_of,
)
from costcompass_core.domain.usage import USD
from costcompass_core.storage.accounts import bases, providers
from costcompass_core.storage.currencies import foreign
from costcompass_core.storage.purses import turns


def stack_of(
    tx: sqlite3.Connection,
    query: SpendQuery,
    rows: Sequence[SpendRow],
    conditions: Sequence[Health],
    exchange: Exchange,
) -> Stack | None:
    """Return what several providers or currencies bring; `None` where there is one of each.

    `rows` are the ranked ones in USD.
    """
    period = query.period
    if period.end is None or period.today:
        return None
    titles, total = providers(tx), Usd.total(row.cost for row in rows)
    currencies = _currencies(tx, query, total, exchange)
    caveats = _caveats(tx, period, conditions)
    ways = bases(tx, period.start, period.end)
    known = {name: known_by(some) for name, some in ways.items()}
    if len(titles) < 2 and not currencies and not caveats and not known:
        return None
    offers = any(row.provider for row in rows)
    return Stack(
        titles,
        known,
        sellers_of(rows, total, titles, known) if offers else (),
        currencies,
        exchange.of({one.currency: one.total for one in currencies}),
        tuple(caveats),
    )


def _currencies(
    tx: sqlite3.Connection, query: SpendQuery, dollars: Usd, exchange: Exchange
) -> tuple[CurrencyTotal, ...]:
    """Return the total of every currency, the home currency first, empty where all is in USD."""
    period = query.period
    costs: dict[tuple[str, str, str], list[Decimal]] = {}
    for currency, provider, name, model, cost in foreign(
        tx, period.start, period.end or period.start, query.by
    ):
        if query.keeps(model):
            costs.setdefault((currency, provider, name), []).append(cost)
    found = [
        (currency, ForeignRow(name, provider, exact_sum(some)))
        for (currency, provider, name), some in costs.items()
    ]
    if not found and exchange.home == USD:
        return ()
    totals = by_currency(found, exchange.home)
    if dollars or not found:
        totals = (*totals, CurrencyTotal(USD, dollars.amount))
    return tuple(sorted(totals, key=lambda one: (one.currency != exchange.home, one.currency)))


def _caveats(tx: sqlite3.Connection, period: Period, conditions: Sequence[Health]) -> list[Caveat]:
    last = period.end or period.start
    found = lagging(conditions, period.start, last)
    for one in conditions:
        if not one.slow:
            continue
        begin, end = midnight(period.start), midnight(last + ONE_DAY)
        for currency, *readings in turns(tx, one.account, begin):
            found += [
                caveat
                for flow in flows(readings)
                if begin <= flow.until < end
                for caveat in _doubts(one, currency, flow)
            ]
    return found


def _doubts(one: Health, currency: str, flow: Flow) -> list[Caveat]:
    about = (one.account, one.provider, one.title, flow.day)
    found = []
    if flow.hidden:
        found.append(Caveat("at_least", *about, flow.came_in, currency))
    if flow.expired:
        found.append(Caveat("lapsed", *about, flow.expired, currency))
    if flow.over_days and flow.spent:
        found.append(Caveat("unattributed", *about, flow.spent, currency))
    return found
