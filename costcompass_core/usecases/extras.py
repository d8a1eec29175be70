"""What a refresh reads beside an account's rows and balance, each where it can be had.

A failure here is a remark, not a failed refresh: the account's own figures are complete without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

from costcompass_core.domain.catalogue import too_short
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.storage import catalogue as catalogue_queries
from costcompass_core.storage import keys as key_queries
from costcompass_core.storage.refreshes import Part
from costcompass_core.storage.store import Store
from costcompass_core.usecases.source import Outcome, Progress, Source

_MANY_DAYS: Final = 10
"""From this many days on, one call for everything on offer is kinder than one call a day."""


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
    if "activity" in parts:
        _split_by_key(source, store, now, outcome, progress)
        _price_list(source, store, now, outcome, progress)


def _split_by_key(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    outcome: Outcome,
    progress: Progress,
) -> None:
    """Read what each key used on the days whose split is not known yet.

    A failure here is a remark, not a failed refresh: the account's own rows are complete without
    it, and the days stay marked for the next time.
    """
    account, provider, today = source.account.name, source.provider, utc_day(now())
    with store.reading() as tx:
        since = today - timedelta(days=provider.window_days)
        days = key_queries.days_without_keys(tx, account, since)
    if not days:
        return
    progress("keys")
    asked = None if len(days) >= _MANY_DAYS else days
    try:
        keys = provider.list_keys(source.client)
        by_key = {
            key.ident: provider.read_key_activity(source.client, key.ident, asked, today)
            for key in keys
            if key.used
        }
    except CostCompassError as error:
        outcome.notes.append(f"usage by key was not read: {error}")
        return
    with store.writing() as tx:
        key_queries.store_keys(tx, account, keys, by_key, days)


def _price_list(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    outcome: Outcome,
    progress: Progress,
) -> None:
    """Read the provider's price list once a UTC day; a failure is tried again next time."""
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
    if too_short(known, found.models):
        outcome.notes.append(
            f"the price list was not believed: {len(found.models)} models, {len(known)} before"
        )
        return
    with store.writing() as tx:
        catalogue_queries.store_list(tx, name, found.models, now())
