"""Deliver: tell what the outbox holds, then mark it as told.

Posting comes before marking: whoever dies in between tells once more, never less. A mark that the
database refuses is kept in memory and made good before anything else is posted.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Protocol

from costcompass_core.domain.days import Month
from costcompass_core.domain.digest import DigestReport, MonthlyReport
from costcompass_core.domain.errors import MessageGone, Undelivered
from costcompass_core.domain.incidents import Home, Incident
from costcompass_core.domain.letters import (
    Desk,
    Letter,
    TellDigest,
    TellIncident,
    Telling,
    TellMonthly,
    TellNotice,
    TellSummary,
    TellTest,
    retry_at,
)
from costcompass_core.domain.outbox import is_put_off, plan
from costcompass_core.storage import outbox
from costcompass_core.storage.incidents import incident_at, incidents_by_id, settle
from costcompass_core.storage.store import Store
from costcompass_core.usecases.pages import DigestPage, IncidentPage, MonthlyPage, Page, ReplyPage

_log: Final = logging.getLogger(__name__)


class Teller(Protocol):
    """Where messages go. Both raise `Undelivered`, and `MessageGone` for a missing original."""

    def post(
        self, to: str, page: Page, name: str, *, thread: str = "", broadcast: bool = False
    ) -> Home:
        """Post once, without retries; `name` is the delivery's id, the same at every try."""

    def edit(self, home: Home, page: Page) -> None:
        """Draw a message again where it stands."""


class Reports(Protocol):
    """Makes the reports that are told, from what is stored when they are."""

    def digest(self, day: date, now: datetime) -> DigestReport:
        """Return the digest of a local date."""

    def monthly(self, month: Month, now: datetime) -> MonthlyReport:
        """Return the report of a UTC month."""


Mark = Callable[[sqlite3.Connection], None]


@dataclass
class Delivery:
    """The sender of one way out. One thread at a time."""

    store: Store
    now: Callable[[], datetime]
    _unmarked: list[Mark] = field(default_factory=list)
    _not_before: datetime | None = None
    """Until when (UTC) the other side wants to be left alone altogether."""

    def to_slack(self, desk: Desk, teller: Teller, reports: Reports) -> bool:
        """Tell what is due in Slack; return whether there may be more to tell at once.

        Raises `StorageError` where nothing can be marked.
        """
        self._make_good()
        now = self.now()
        if is_put_off(self._not_before, now):
            return False
        with self.store.reading() as tx:
            letters = outbox.waiting(tx, "slack")
            idents = {one.incident for one in letters if one.incident is not None}
            incidents = incidents_by_id(tx, idents)
        tellings = plan(letters, incidents, desk, now)
        told = False
        for telling in tellings:
            try:
                self._mark(_tell(telling, teller, reports, self.now()))
                told = True
            except Undelivered as error:
                if self._put_off(telling.letters, error):
                    return False
        return told

    def to_webhook(
        self, send: Callable[[Any], None], shape: Callable[[Letter, Incident | None], Any]
    ) -> None:
        """Send what is due to the webhook, oldest first, `shape` making the JSON of each letter."""
        self._make_good()
        with self.store.reading() as tx:
            waiting = [
                (one, incident_at(tx, one.incident, one.seq) if one.incident else None)
                for one in outbox.waiting(tx, "webhook")
            ]
        for letter, incident in waiting:
            if is_put_off(letter.try_at, self.now()):
                if letter.parked:
                    continue
                return  # the next one is to arrive after this one
            try:
                send(shape(letter, incident))
                self._mark(_done((letter,), self.now()))
            except Undelivered as error:
                self._put_off((letter,), error)
                if not error.permanent:
                    return

    def _make_good(self) -> None:
        """Mark what was told while the database refused to note it."""
        while self._unmarked:
            with self.store.writing() as tx:
                self._unmarked[0](tx)
            self._unmarked.pop(0)

    def _mark(self, mark: Mark) -> None:
        self._unmarked.append(mark)
        self._make_good()

    def _put_off(self, letters: tuple[Letter, ...], error: Undelivered) -> bool:
        """Note a failure; return whether the other side wants to be left alone altogether."""
        now = self.now()
        tries = max(one.tries for one in letters) + 1
        again = retry_at(now, tries, error.wait, parked=error.permanent)
        if tries == 1 or error.permanent:
            _log.warning("%s was not told: %s", letters[0].name, error)
        self._not_before = again if error.wait else None
        with self.store.writing() as tx:
            outbox.failed(tx, letters, again, str(error), parked=error.permanent)
        return error.wait > 0


def _done(letters: tuple[Letter, ...], at: datetime) -> Mark:
    return lambda tx: outbox.done(tx, letters, at)


def _tell(telling: Telling, teller: Teller, reports: Reports, now: datetime) -> Mark:
    """Tell one thing and return what is to be marked then."""
    name = telling.letters[-1].name
    if isinstance(telling, TellIncident):
        return _tell_incident(telling, teller, name, now)
    if isinstance(telling, TellSummary):
        return _tell_summary(telling, teller, name, now)
    page: Page
    if isinstance(telling, TellDigest):
        page = DigestPage(reports.digest(telling.day, now), telling.late)
    elif isinstance(telling, TellMonthly):
        page = MonthlyPage(reports.monthly(telling.month, now), telling.late)
    elif isinstance(telling, TellNotice | TellTest):
        page = telling
    else:
        raise TypeError(f"nobody knows how to tell {type(telling).__name__}")
    teller.post(telling.to, page, name)
    return _done(telling.letters, now)


def _tell_incident(telling: TellIncident, teller: Teller, name: str, now: datetime) -> Mark:
    incident, loud = telling.incident, telling.loud
    page = IncidentPage(incident, telling.late)
    home = incident.home
    if home is not None and home.ts:
        try:
            teller.edit(home, page)
            if loud is not None:
                reply = ReplyPage(incident, loud, telling.late)
                aloud = loud != "resolved"
                teller.post(home.channel, reply, name, thread=home.root, broadcast=aloud)
            return _done(telling.letters, now)
        except MessageGone:  # somebody deleted it: it is posted anew
            home = None
        except Undelivered as error:
            if not error.permanent or home.channel == telling.to:
                raise
            home = None  # its old channel is closed to us and another one is configured now
    if loud is None:
        return _done(telling.letters, now)
    place = teller.post(telling.to, page, name, thread=home.thread if home else "")

    def mark(tx: sqlite3.Connection) -> None:
        outbox.done(tx, telling.letters, now)
        settle(tx, incident.ident, place)

    return mark


def _tell_summary(telling: TellSummary, teller: Teller, name: str, now: datetime) -> Mark:
    place = teller.post(telling.to, telling, f"{name}:summary")
    own = {one.ident for one in telling.follow if one.home is None}

    def mark(tx: sqlite3.Connection) -> None:
        outbox.done(tx, [one for one in telling.letters if one.incident not in own], now)
        for incident in telling.follow:
            if incident.home is None:
                settle(tx, incident.ident, Home(place.channel, "", place.ts))
            else:
                again = f"incident:{incident.ident}:{incident.seq}:drawn"
                outbox.put(
                    tx, "slack", again, "incident", now, incident=incident.ident, what="refreshed"
                )

    return mark
