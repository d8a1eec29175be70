"""Letters that wait in the outbox, where they go, and the messages they become.

A letter says that something happened; what people read is made when it is sent, from what is then
stored. Which letters are told together is decided in `domain.outbox`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple, get_args

from costcompass_core.domain.days import Month
from costcompass_core.domain.incidents import Incident, What
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.quiet import QuietHours

Kind = Literal["incident", "notice", "digest", "monthly", "test", "welcome"]

DELAYED: Final = timedelta(minutes=5)
"""A letter that is told later than this says when it was written."""
_FIRST_RETRY: Final = timedelta(seconds=1)
LONGEST_RETRY: Final = timedelta(minutes=5)
PARKED_RETRY: Final = timedelta(hours=1)
"""How often a parked letter is tried without anybody having changed anything here."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing to tell. `name` is unique; `what` says what happened to incident `incident`.

    `parked` letters were refused for a reason that trying again does not cure. `seq` is the
    incident's change that a webhook is told of, `to` where a test goes. Not `readable` is what a
    later version wrote.
    """

    ident: int
    name: str
    kind: Kind
    at: datetime
    what: What | None = None
    incident: int | None = None
    notice: Notice | None = None
    day: date | None = None
    who: str = ""
    to: str = ""
    seq: int = 0
    tries: int = 0
    try_at: datetime | None = None
    parked: bool = False
    error: str = ""
    readable: bool = True

    def can_be_told(self, *, incident: bool) -> bool:
        """Return whether this version knows how to; `incident` says that the letter's is there."""
        if self.kind == "incident":
            return self.readable and incident and self.what in get_args(What)
        if self.kind == "notice":
            return self.readable and self.notice is not None
        dated = self.kind in {"digest", "monthly"} and self.day is not None
        return self.readable and (dated or self.kind in {"test", "welcome"})


@dataclass(frozen=True, slots=True)
class Subject:
    """What a route can tell letters apart by."""

    kind: Literal["alert", "digest", "monthly"]
    rule: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Sends matching letters `to` another channel or person; `None` matches everything."""

    to: str
    kind: Literal["alert", "digest", "monthly"] | None = None
    rule: str | None = None
    account: str | None = None

    def takes(self, subject: Subject) -> bool:
        """Return whether the route matches; a rule or an account matches alerts only."""
        return (
            self.kind in {None, subject.kind}
            and self.rule in {None, subject.rule}
            and self.account in {None, subject.account}
        )


def destination(subject: Subject, routes: Sequence[Route], default: str) -> str:
    """Return where a letter goes: the first route that takes it, else `default`."""
    return next((one.to for one in routes if one.takes(subject)), default)


class Late(NamedTuple):
    """Since when (UTC) something waited to be told, and whether quiet hours held it back."""

    since: datetime
    held: bool


@dataclass(frozen=True, slots=True)
class Telling:
    """One message to send now; `letters` are done with it. `late` says since when they waited."""

    to: str
    letters: tuple[Letter, ...]
    late: Late | None = None


@dataclass(frozen=True, slots=True)
class TellIncident(Telling):
    """Post an incident's message, or edit it and reply in its thread with the `loud` changes."""

    incident: Incident = field(kw_only=True)
    loud: What | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class TellSummary(Telling):
    """Tell in one message what happened during quiet hours, or was over before it could be told.

    `follow` are the incidents whose own messages go into the summary's thread next.
    """

    incidents: tuple[Incident, ...] = field(kw_only=True)
    notices: tuple[Notice, ...] = field(kw_only=True)
    follow: tuple[Incident, ...] = field(kw_only=True)
    quiet: bool = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class TellNotice(Telling):
    """Tell one notice."""

    notice: Notice = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class TellDigest(Telling):
    """Tell the digest of a local date; older ones among `letters` are dropped with it."""

    day: date = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class TellMonthly(Telling):
    """Tell how a UTC month that is over went."""

    month: Month = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class TellTest(Telling):
    """Tell that this is only a test, asked for by `who` (a member's id, or "")."""

    who: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class TellWelcome(Telling):
    """Tell, once ever, what was found and what will be told from now on."""


def retry_at(now: datetime, tries: int, at_least: float = 0.0, *, parked: bool) -> datetime:
    """Return when a letter that failed for the `tries`th time is tried again.

    After a second, doubling up to five minutes, and no sooner than the `at_least` seconds that the
    other side asked for; hourly where only a change of the set-up can help.
    """
    if parked:
        return now + PARKED_RETRY
    doubled = min(LONGEST_RETRY, _FIRST_RETRY * (1 << min(tries - 1, 20)))
    return now + max(doubled, timedelta(seconds=at_least))


@dataclass(frozen=True, slots=True)
class Desk:
    """What the plan needs to know of the set-up."""

    channel: str
    routes: tuple[Route, ...] = ()
    quiet: QuietHours | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Every channel and person that hears of something, each once."""
        found = (self.channel, *(one.to for one in self.routes))
        return tuple(dict.fromkeys(one for one in found if one))

    @property
    def alert_places(self) -> tuple[str, ...]:
        """Every channel and person that hears of some alert, each once."""
        routed = (one.to for one in self.routes if one.kind in {None, "alert"})
        found = (self.goes_to(Subject("alert")), *routed)
        return tuple(dict.fromkeys(one for one in found if one))

    def goes_to(self, subject: Subject) -> str:
        """Return the channel or person that hears of `subject`."""
        return destination(subject, self.routes, self.channel)
