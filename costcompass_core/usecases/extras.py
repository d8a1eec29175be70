"""What a refresh reads beside an account's rows and balance, each where it can be had.

A failure here is a remark, not a failed refresh: the account's own figures are complete without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from costcompass_core.domain.catalogue import too_short
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.domain.usage import SoFar
from costcompass_core.storage import catalogue as catalogue_queries
from costcompass_core.storage import keys as key_queries
from costcompass_core.storage import usage as usage_queries
from costcompass_core.storage.refreshes import Part
from costcompass_core.storage.store import Store
from costcompass_core.storage.today import (
    TodayTry,
    last_try,
    note_refused,
    store_today,
    today_labels,
)
from costcompass_core.usecases.labels import Labels
from costcompass_core.usecases.source import Outcome, Progress, Source

_MANY_DAYS: Final = 10
"""From this many days on, one call for everything on offer is kinder than one call a day."""
_TODAY_EVERY: Final = timedelta(minutes=15)
_REFUSED_EVERY: Final = timedelta(hours=1)


def read_extras(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    outcome: Outcome,
    *,
    parts: Collection[Part],
    progress: Progress,
) -> None:
    """Read and store what is due beside the `parts` that were just committed."""
    desk = _Desk(source, store, now, outcome, progress)
    _today(desk)
    if "activity" in parts:
        _split_by_key(desk)
        _price_list(desk)


class _Desk(NamedTuple):
    """What every reading here needs."""

    source: Source
    store: Store
    now: Callable[[], datetime]
    outcome: Outcome
    progress: Progress


def _split_by_key(desk: _Desk) -> None:
    """Read what each key used on the days whose split is not known yet.

    A failure here is a remark, not a failed refresh: the account's own rows are complete without
    it, and the days stay marked for the next time.
    """
    source, store, now, outcome, progress = desk
    account, provider, today = source.account.name, source.provider, utc_day(now())
    list_keys, read_key_activity = provider.list_keys, provider.read_key_activity
    if list_keys is None or read_key_activity is None:
        return
    with store.reading() as tx:
        since = today - timedelta(days=provider.window_days)
        days = key_queries.days_without_keys(tx, account, since)
    if not days:
        return
    progress("keys")
    asked = None if len(days) >= _MANY_DAYS else days
    try:
        keys = list_keys(source.client)
        by_key = {
            key.ident: read_key_activity(source.client, key.ident, asked, today)
            for key in keys
            if key.used
        }
    except CostCompassError as error:
        outcome.notes.append(f"usage by key was not read: {error}")
        return
    with store.writing() as tx:
        key_queries.store_keys(tx, account, keys, by_key, days)


def today_due(before: TodayTry | None, now: datetime) -> bool:
    """Return whether today's usage should be asked for, given the newest try."""
    if before is None or before.tried_at > now:
        return True
    return now - before.tried_at >= (_REFUSED_EVERY if before.permanent else _TODAY_EVERY)


def _today(desk: _Desk) -> None:
    """Read what is reported of the current UTC day, where the provider tells that."""
    source, store, now, outcome, progress = desk
    account, client, analytics = source.account.name, source.client, source.provider.analytics
    if analytics is None:
        return
    with store.reading() as tx:
        before = last_try(tx, account)
        if not today_due(before, now()):
            return
        # A label that nobody knew is asked about once a day, not with each reading.
        known = today_labels(tx, account, utc_day(now())) | usage_queries.labels(tx, account)
    labels = Labels(known, analytics, client)
    progress("today")
    at, today = now(), utc_day(now())
    try:
        so_far = analytics.read_today(client, today, at)
        rows = labels.named(so_far.rows)
    except CostCompassError as error:
        if before is None or not error.permanent or before.error != str(error):
            outcome.notes.append(f"today's usage by model was not read: {error}")
        with store.writing() as tx:
            note_refused(tx, account, at, error)
        return
    with store.writing() as tx:
        store_today(tx, account, today, SoFar(rows, so_far.at), at)


def _price_list(desk: _Desk) -> None:
    """Read the provider's price list once a UTC day; a failure is tried again next time."""
    source, store, now, outcome, progress = desk
    read, name = source.provider.read_models, source.provider.name
    if read is None:
        return
    with store.reading() as tx:
        last = catalogue_queries.read_on(tx, name)
        known = catalogue_queries.listed(tx, name, removed=False)
    if last is not None and utc_day(last) >= utc_day(now()):
        return
    progress("prices")
    try:
        found = read(source.client)
    except CostCompassError as error:
        outcome.notes.append(f"the price list was not read: {error}")
        return
    outcome.notes.extend(found.notes)
    models = found.with_known(known)
    if too_short(known, models):
        outcome.notes.append(
            f"the price list was not believed: {len(models)} models, {len(known)} before"
        )
        return
    with store.writing() as tx:
        catalogue_queries.store_list(tx, name, models, now())
