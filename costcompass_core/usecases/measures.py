"""Measure: what monitoring wants to know of the ledger at one moment, read and never written."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from costcompass_core.domain.days import Month, newest_completed, utc_day
from costcompass_core.domain.facts import Facts
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.money import Usd
from costcompass_core.domain.quiet import QuietHours
from costcompass_core.domain.reports import BETWEEN
from costcompass_core.domain.rules.upkeep import data_stale, key_rejected
from costcompass_core.domain.rules.views import AccountView, Limits
from costcompass_core.domain.subscriptions import Subscription, due_in
from costcompass_core.domain.usage import USD
from costcompass_core.storage import outbox, spend
from costcompass_core.storage.currencies import foreign
from costcompass_core.storage.incidents import open_incidents
from costcompass_core.storage.outbox import Waiting
from costcompass_core.storage.refreshes import Attempt, attempts, health
from costcompass_core.storage.views import account_views

STUCK_AFTER: Final = timedelta(minutes=10)
"""How long a letter may wait for its turn; tries that fail are five minutes apart at most."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
"""As the beginning of watching it leaves no patience: what is asked is how the data is now."""


class PartCost(NamedTuple):
    """What an account spent on a model, in major units of a currency."""

    account: str
    model: str
    currency: str
    cost: Decimal


class Freshness(NamedTuple):
    """Whether an account's data is fresh: `refused` or `stale` say why it is not.

    `refused` is the reason of failures that have an alert of their own, `stale` what the rule of
    that name found.
    """

    account: str
    refused: str = ""
    stale: Facts | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to be well for everything to work, as far as the ledger knows."""

    accounts: tuple[Freshness, ...]
    waiting: Waiting
    stuck_since: datetime | None
    """When (UTC) the oldest letter was written that waits for longer than it should."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Figures of one moment."""

    conditions: Conditions
    month: tuple[PartCost, ...]
    """Of this UTC month up to yesterday."""
    day: tuple[PartCost, ...]
    """Of each account's own newest completed day."""
    through: Mapping[str, date]
    """Each account's newest completed UTC day that is known."""
    sold_by: Mapping[str, str]
    """Each account's provider."""
    attempts: Mapping[tuple[str, str], Attempt]
    """By account and part."""
    subscriptions: Mapping[str, Usd]
    """What is due for this month, by currency."""
    incidents: Mapping[str, int]
    """Open ones, by rule."""
    forecast: ForecastReport


def conditions(
    tx: sqlite3.Connection,
    accounts: Collection[str],
    limits: Limits,
    quiet: QuietHours | None,
    now: datetime,
) -> Conditions:
    """Return what has to be well, by the same rules that alerts go by."""
    views = account_views(tx, accounts, now, _LONG_AGO)
    return Conditions(
        tuple(_freshness(view, limits) for view in views),
        outbox.still_waiting(tx),
        _stuck_since(tx, quiet, now),
    )


def _freshness(view: AccountView, limits: Limits) -> Freshness:
    refused = key_rejected(view, limits)
    if refused is not None and refused.level:
        return Freshness(view.account, str(refused.facts["reason"]))
    if any(one.reason == "vault_locked" for one in (view.parts or {}).values()):
        return Freshness(view.account, "vault_locked")
    stale = data_stale(view, limits)
    return Freshness(view.account, stale=stale.facts if stale and stale.level else None)


def _stuck_since(
    tx: sqlite3.Connection, quiet: QuietHours | None, now: datetime
) -> datetime | None:
    """Return since when a letter waits too long; what quiet hours held gets its time after them."""
    before = now - STUCK_AFTER
    held = quiet is not None and any(quiet.until(one) for one in (now, before))
    oldest = outbox.oldest_to_tell(tx, quiet=held)
    return oldest if oldest is not None and oldest <= before else None


def measures(
    tx: sqlite3.Connection,
    forecast: ForecastReport,
    subscriptions: Sequence[Subscription],
    well: Conditions,
    now: datetime,
) -> Measures:
    """Return everything that monitoring shows as of `now`."""
    today = utc_day(now)
    known = health(tx)
    through = {one.account: one.data_through for one in known if one.data_through}
    names = {one.account for one in known} | {one.account for one in well.accounts}
    return Measures(
        well,
        tuple(_month(tx, today)),
        tuple(
            PartCost(account, *row)
            for account, day in through.items()
            for row in spend.day_costs(tx, account, day)
        ),
        through,
        {one.account: one.provider for one in known},
        {
            (name, part): attempt
            for name in sorted(names)
            for part, attempt in attempts(tx, name).items()
        },
        _due(Month.of(today), subscriptions),
        Counter(one.key.rule for one in open_incidents(tx)),
        forecast,
    )


def _month(tx: sqlite3.Connection, today: date) -> Iterator[PartCost]:
    """Yield what this month cost up to yesterday; on its first day nothing of it is completed."""
    first, last = Month.of(today).first, newest_completed(today)
    if last < first:
        return
    for name, cost in spend.costs(tx, first, last, "part", None).items():
        account, _, model = name.partition(BETWEEN)
        yield PartCost(account, model, USD, cost.amount)
    for currency, _, account, model, amount in foreign(tx, first, last, "account"):
        yield PartCost(account, model, currency, amount)


def _due(month: Month, subscriptions: Sequence[Subscription]) -> dict[str, Usd]:
    currencies = {USD, *(one.currency for one in subscriptions if one.active_in(month))}
    return {one: due_in(month, subscriptions, one) for one in sorted(currencies)}
