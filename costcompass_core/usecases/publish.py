"""Publish: put a digest or a month's report into the outbox, exactly once, when its time has come.

A marker is stored in the same transaction, so that neither a restart nor a clock that jumps can
bring the same local date twice; only today's digest is ever written, so a catch-up brings one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from costcompass_core.domain.days import ONE_DAY, Month, utc_day
from costcompass_core.storage.outbox import mark_once, marked_at, put
from costcompass_core.storage.store import Store
from costcompass_core.usecases.digest import digest_name, month_complete
from costcompass_core.usecases.tell import Reports
from costcompass_core.usecases.watch import Watch

PATIENCE: Final = timedelta(minutes=30)
"""How long a digest waits for a day that has not been read yet."""
_IN_TIME: Final = timedelta(minutes=2)
"""How long before its local date is over a digest goes out, whatever is missing."""
_WRAP_UP_DAYS: Final = 20
"""Days of a month on which the report of the month before is still worth sending."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When digests come: at a local `time` in `zone` on some weekdays (Monday is 0)."""

    time: time | None
    weekdays: frozenset[int]
    zone: tzinfo

    def moment(self, day: date) -> datetime | None:
        """Return when (UTC) the digest of a local date comes, `None` where digests are off.

        A time that the clocks skip counts as if they had not been put forward yet, or, where that
        is tomorrow (America/Nuuk skips to midnight), as if they had been; of one that they show
        twice it is the first.
        """
        if self.time is None:
            return None
        moment = datetime.combine(day, self.time, self.zone).astimezone(UTC)
        if moment.astimezone(self.zone).date() > day:
            moment = datetime.combine(day, self.time.replace(fold=1), self.zone).astimezone(UTC)
        return moment

    def over(self, day: date) -> datetime:
        """Return when (UTC) a local date is over."""
        return datetime.combine(day + ONE_DAY, time(), self.zone).astimezone(UTC)

    def due(self, now: datetime) -> date | None:
        """Return the local date of `now` once its digest time has come."""
        today = now.astimezone(self.zone).date()
        moment = self.moment(today)
        return today if moment is not None and now >= moment else None


def publish(
    store: Store, reports: Reports, calendar: Calendar, watch: Watch, now: datetime
) -> None:
    """Write what is due at `now` and was not written yet.

    A digest waits for yesterday's usage for `PATIENCE`, counted from when it was first found due,
    but not beyond its date. Neither it nor a report is written when it would be empty. Raises `StorageError`.
    """
    day = calendar.due(now)
    if day is None:
        return
    if day.weekday() in calendar.weekdays:
        _digest(store, reports, watch, day, now, at_last=calendar.over(day) - _IN_TIME)
    _monthly(store, reports, watch, now)


def _digest(
    store: Store, reports: Reports, watch: Watch, day: date, now: datetime, *, at_last: datetime
) -> None:
    name = digest_name(day)
    with store.reading() as tx:
        if marked_at(tx, name):
            return
    report = reports.digest(day, now)
    if report.waits_for_data and now < min(_found_due(store, day, now) + PATIENCE, at_last):
        return
    with store.writing() as tx:
        if mark_once(tx, name, now) and not report.is_empty:
            for via in watch.ways:
                put(tx, via, name, "digest", now, day=day)


def _found_due(store: Store, day: date, now: datetime) -> datetime:
    """Return when the digest was first found due: neither a restart nor a sleep begins it anew."""
    name = f"digest-due:{day}"
    with store.writing() as tx:
        mark_once(tx, name, now)
        return marked_at(tx, name) or now


def _monthly(store: Store, reports: Reports, watch: Watch, now: datetime) -> None:
    today = utc_day(now)
    month = Month.of(today).previous
    name = f"monthly:{month.text()}"
    if today.day > _WRAP_UP_DAYS:
        return
    with store.reading() as tx:
        if marked_at(tx, name) or not month_complete(tx, month, now):
            return
    spent = bool(reports.monthly(month, now).rows)
    with store.writing() as tx:
        if mark_once(tx, name, now) and spent:
            for via in watch.ways:
                put(tx, via, name, "monthly", now, day=month.first)
