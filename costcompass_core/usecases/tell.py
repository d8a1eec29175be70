"""Tell: turn one telling of the outbox's plan into messages, and return what is to be marked then."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Protocol

from costcompass_core.domain.days import Month
from costcompass_core.domain.digest import DigestReport, MonthlyReport
from costcompass_core.domain.errors import MessageGone, Undelivered
from costcompass_core.domain.incidents import Home
from costcompass_core.domain.letters import (
    Letter,
    TellDigest,
    TellIncident,
    Telling,
    TellMonthly,
    TellNotice,
    TellSummary,
    TellTest,
    TellWelcome,
)
from costcompass_core.domain.welcome import WelcomeReport
from costcompass_core.storage import outbox
from costcompass_core.storage.incidents import settle
from costcompass_core.usecases.pages import (
    DigestPage,
    IncidentPage,
    MonthlyPage,
    Page,
    ReplyPage,
    WelcomePage,
)

Mark = Callable[[sqlite3.Connection], None]
"""Notes in a transaction what was told."""


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

    def welcome(self, now: datetime) -> WelcomeReport:
        """Return what a first start has found."""


def done(letters: Iterable[Letter], at: datetime) -> Mark:
    """Return the mark of letters with which nothing else changes."""
    return lambda tx: outbox.done(tx, letters, at)


def stands(telling: Telling) -> bool:
    """Return whether it is about a message that is already there, wherever others go by now."""
    if not isinstance(telling, TellIncident):
        return False
    home = telling.incident.home
    return home is not None and bool(home.ts)


def tell(
    telling: Telling,
    teller: Teller,
    reports: Reports,
    now: datetime,
    stopping: Callable[[], bool],
) -> Mark | None:
    """Tell one thing and return what is to be marked then, `None` where a stop cut it short.

    Raises what `teller` and `reports` do.
    """
    name = telling.letters[-1].name
    if isinstance(telling, TellIncident):
        return _tell_incident(telling, teller, name, now, stopping)
    if isinstance(telling, TellSummary):
        return _tell_summary(telling, teller, name, now)
    page: Page
    if isinstance(telling, TellDigest):
        page = DigestPage(reports.digest(telling.day, now), telling.late)
    elif isinstance(telling, TellMonthly):
        page = MonthlyPage(reports.monthly(telling.month, now), telling.late)
    elif isinstance(telling, TellWelcome):
        page = WelcomePage(reports.welcome(now))
    elif isinstance(telling, TellNotice | TellTest):
        page = telling
    else:
        raise TypeError(f"nobody knows how to tell {type(telling).__name__}")
    teller.post(telling.to, page, name)
    return done(telling.letters, now)


def _tell_incident(
    telling: TellIncident,
    teller: Teller,
    name: str,
    now: datetime,
    stopping: Callable[[], bool],
) -> Mark | None:
    incident, loud = telling.incident, telling.loud
    page = IncidentPage(incident, telling.late)
    home = incident.home
    if home is not None and home.ts:
        try:
            teller.edit(home, page)
            if loud is not None:
                if stopping():
                    return None
                reply = ReplyPage(incident, loud, telling.late)
                aloud = loud != "resolved"
                teller.post(home.channel, reply, name, thread=home.root, broadcast=aloud)
            return done(telling.letters, now)
        except MessageGone:  # somebody deleted it, or nobody may reply: it is posted anew
            home = None
        except Undelivered as error:
            if not error.permanent or home.channel == telling.to:
                raise
            home = None  # its old channel is closed to us and another one is configured now
    if loud is None or not telling.to:
        return done(telling.letters, now)
    place = _post_first(telling, teller, name, page, home)

    def mark(tx: sqlite3.Connection) -> None:
        outbox.done(tx, telling.letters, now)
        settle(tx, incident.ident, place)

    return mark


def _post_first(
    telling: TellIncident, teller: Teller, name: str, page: Page, home: Home | None
) -> Home:
    """Post an incident's own message: below the summary that told of it, where that can be."""
    if home is not None and home.thread and home.channel == telling.to:
        try:
            return teller.post(telling.to, page, name, thread=home.thread)
        except MessageGone:  # nothing can hang there
            pass
    return teller.post(telling.to, page, name)


def _tell_summary(telling: TellSummary, teller: Teller, name: str, now: datetime) -> Mark:
    place = teller.post(telling.to, telling, f"{name}:summary")
    own = {one.ident for one in telling.follow if one.home is None}

    def mark(tx: sqlite3.Connection) -> None:
        outbox.done(tx, [one for one in telling.letters if one.incident not in own], now)
        for incident in telling.follow:
            if incident.home is None:
                # Named as it was asked for: a member's id is not that of the direct message.
                settle(tx, incident.ident, Home(telling.to, "", place.ts))
            else:
                again = f"incident:{incident.ident}:{incident.seq}:drawn"
                outbox.put(
                    tx, "slack", again, "incident", now, incident=incident.ident, what="refreshed"
                )

    return mark
