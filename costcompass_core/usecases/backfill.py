"""Fill in days that are older than the activity feed reaches back, chunk by chunk.

Each chunk is stored whole in a transaction of its own, so that a stop keeps what was read, and the
next run asks only for days that neither source has given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from costcompass_core.domain.days import ONE_DAY, each_day, missing, utc_day
from costcompass_core.domain.errors import (
    CostCompassError,
    Declined,
    StorageError,
    Unavailable,
)
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.usage import Activity
from costcompass_core.providers.base import Analytics
from costcompass_core.storage import usage as usage_queries
from costcompass_core.storage.spend import read_days
from costcompass_core.storage.store import Store
from costcompass_core.usecases.labels import Labels
from costcompass_core.usecases.source import Progress, Source

CHUNK_DAYS: Final = 30
"""UTC days asked for at once: about a thousand rows of an account with thirty models."""


@dataclass(slots=True)
class Filled:
    """What a backfill stored from analytics, in USD; `known` days were there before.

    `feed_days` of those asked for are left to the activity feed; `declined` is the oldest day where
    it was not on offer any more. `error` ended it early.
    """

    account: str
    asked: int
    feed_days: int
    known: int = 0
    days: int = 0
    rows: int = 0
    cost: Usd = ZERO
    first: date | None = None
    last: date | None = None
    declined: date | None = None
    error: CostCompassError | None = None


def chunks(days: Collection[date]) -> Iterator[tuple[date, date]]:
    """Yield runs of at most `CHUNK_DAYS` neighbouring UTC days (first, last), the newest first."""
    first: date | None = None
    last: date | None = None
    for day in sorted(days, reverse=True):
        if first is None or last is None:
            first = last = day
        elif first - day == ONE_DAY and (last - day).days < CHUNK_DAYS:
            first = day
        else:
            yield first, last
            first = last = day
    if first is not None and last is not None:
        yield first, last


def backfill(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    days_back: int,
    progress: Progress = lambda _: None,
) -> Filled:
    """Store the UTC days up to `days_back` ago that nothing has given yet.

    An error of the provider ends it early and stands in the outcome. Raises `StorageError`.
    """
    account, provider, today = source.account.name, source.provider, utc_day(now())
    window = provider.window_days
    filled = Filled(account, days_back, min(days_back, window))
    first, last = today - days_back * ONE_DAY, today - (window + 1) * ONE_DAY
    with store.reading() as tx:
        wanted = missing(
            list(each_day(first, last)), read_days(tx, account, first, max(first, last))
        )
    filled.known = days_back - filled.feed_days - len(wanted)
    if wanted:
        try:
            _fill(source, store, now, wanted, filled, progress=progress)
        except StorageError:
            raise
        except CostCompassError as error:
            filled.error = error
    return filled


def _fill(
    source: Source,
    store: Store,
    now: Callable[[], datetime],
    wanted: Collection[date],
    filled: Filled,
    *,
    progress: Progress,
) -> None:
    """Read and store `wanted` days; the key's type comes first, because a wrong one may tell zeros."""
    account, provider, client = source.account.name, source.provider, source.client
    if provider.analytics is None:
        raise Unavailable(f"{provider.title} reports no days older than {provider.window_days}")
    progress("key")
    provider.require_type(provider.identify(client))
    with store.reading() as tx:
        labels = Labels(usage_queries.labels(tx, account), provider.analytics, client)
    done = 0
    for first, last in chunks(wanted):
        progress(f"backfill {done}/{len(wanted)}")
        activity = _read(source, first, last, utc_day(now()))
        days = {day: labels.named(rows) for day, rows in activity.days.items()}
        filled.declined = None if first in days else first
        done += (last - first).days + 1
        if not days:
            continue
        with store.writing() as tx:
            usage_queries.remember_account(
                tx, account, provider.name, provider.title, slow=provider.slow
            )
            stored = usage_queries.add_past(tx, account, days, now())
        rows = [row for day in stored for row in days[day]]
        filled.days += len(stored)
        filled.rows += len(rows)
        filled.cost += Usd.total(Usd(row.cost) for row in rows)
        filled.first, filled.last = min(days), filled.last or last
    progress(f"backfill {done}/{len(wanted)}")


def _read(source: Source, first: date, last: date, today: date) -> Activity:
    """Read a chunk of days, without the oldest that is on offer where that is declined.

    Whether a year reaches back to a midnight or to this very time of day is not documented.
    """
    analytics = source.provider.analytics
    if analytics is None:
        raise Unavailable(f"{source.provider.title} reports no days as old as these")
    try:
        return _believed(source, analytics, first, last)
    except Declined:
        if first > today - analytics.days_back * ONE_DAY:
            raise
        if first == last:
            return Activity({})
        return _believed(source, analytics, first + ONE_DAY, last)


def _believed(source: Source, analytics: Analytics, first: date, last: date) -> Activity:
    """Read days; that not one of them has a row is only believed when it is said twice.

    A glitch looks like an unused month, and a day that was stored is never asked for again.
    """
    activity = analytics.read_past(source.client, first, last)
    if any(activity.days.values()):
        return activity
    return analytics.read_past(source.client, first, last)
