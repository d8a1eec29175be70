"""The outbox: letters that wait to be told, and the pure plan of what is told next.

A letter says that something happened; what people read is made when it is sent, from what is then
stored. So letters that waited together are told together: an incident that opened and got worse is
one message, one that opened and resolved is one line, and of several digests only the newest goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

from costcompass_core.domain.days import Month
from costcompass_core.domain.incidents import LOUD, Incident, What
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.quiet import QuietHours

Kind = Literal["incident", "notice", "digest", "monthly", "test"]

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
    incident's change that a webhook is told of.
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
    seq: int = 0
    tries: int = 0
    try_at: datetime | None = None
    parked: bool = False
    error: str = ""


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


def retry_at(now: datetime, tries: int, at_least: float = 0.0, *, parked: bool) -> datetime:
    """Return when a letter that failed for the `tries`th time is tried again.

    After a second, doubling up to five minutes, and no sooner than the `at_least` seconds that the
    other side asked for; hourly where only a change of the set-up can help.
    """
    if parked:
        return now + PARKED_RETRY
    doubled = min(LONGEST_RETRY, _FIRST_RETRY * (1 << min(tries - 1, 20)))
    return now + max(doubled, timedelta(seconds=min(at_least, 3600)))


@dataclass(frozen=True, slots=True)
class Desk:
    """What the plan needs to know of the set-up."""

    channel: str
    routes: tuple[Route, ...] = ()
    quiet: QuietHours | None = None

    def goes_to(self, subject: Subject) -> str:
        """Return the channel or person that hears of `subject`."""
        return destination(subject, self.routes, self.channel)


def plan(
    letters: Iterable[Letter], incidents: Mapping[int, Incident], desk: Desk, now: datetime
) -> list[Telling]:
    """Return what to tell at `now`, the most pressing first.

    Quiet hours hold back everything but tests and what would run out before they end. What they
    held back is told in one summary per channel.
    """
    waiting = [one for one in letters if one.try_at is None or one.try_at <= now]
    tellings: list[Telling] = [
        TellTest(desk.goes_to(Subject("alert")), (one,), who=one.who)
        for one in waiting
        if one.kind == "test"
    ]
    groups = _by_incident(waiting, incidents)
    until = desk.quiet.until(now) if desk.quiet else None
    if until is not None:
        pressing = {i: some for i, some in groups.items() if _runs_out(incidents[i], until)}
        tellings += [_incident(incidents[i], some, desk, now) for i, some in pressing.items()]
        return tellings
    notices = [one for one in waiting if one.kind == "notice"]
    summaries, rest_groups, rest_notices = _summaries(groups, notices, incidents, desk, now)
    tellings += summaries
    tellings += [_incident(incidents[i], some, desk, now) for i, some in rest_groups.items()]
    tellings += [_notice(one, desk, now) for one in rest_notices]
    return tellings + _reports(waiting, desk, now)


def _by_incident(
    letters: Iterable[Letter], incidents: Mapping[int, Incident]
) -> dict[int, list[Letter]]:
    groups: dict[int, list[Letter]] = {}
    for one in letters:
        if one.kind == "incident" and one.incident is not None and one.incident in incidents:
            groups.setdefault(one.incident, []).append(one)
    worst_first = sorted(groups, key=lambda i: (-incidents[i].level, i))
    return {i: groups[i] for i in worst_first}


def _runs_out(incident: Incident, until: datetime) -> bool:
    """Return whether what the incident is about ends before `until`."""
    empty = incident.facts.get("empty_at")
    return incident.resolved_at is None and isinstance(empty, datetime) and empty < until


def _late(letters: Sequence[Letter], desk: Desk, now: datetime) -> Late | None:
    oldest = min(one.at for one in letters)
    if now - oldest < DELAYED:
        return None
    return Late(oldest, bool(desk.quiet and desk.quiet.until(oldest)))


def _incident(incident: Incident, letters: list[Letter], desk: Desk, now: datetime) -> TellIncident:
    loud = [one.what for one in letters if one.what in LOUD]
    return TellIncident(
        _where(incident, desk),
        tuple(letters),
        _late([one for one in letters if one.what in LOUD], desk, now) if loud else None,
        incident=incident,
        loud="resolved" if "resolved" in loud else loud[-1] if loud else None,
    )


def _where(incident: Incident, desk: Desk) -> str:
    key = incident.key
    return desk.goes_to(Subject("alert", key.rule, key.account))


def _notice(letter: Letter, desk: Desk, now: datetime) -> TellNotice:
    assert letter.notice is not None  # noqa: S101 - the store writes no such letter without one
    return TellNotice(
        _notice_to(letter, desk), (letter,), _late([letter], desk, now), notice=letter.notice
    )


def _notice_to(letter: Letter, desk: Desk) -> str:
    notice = letter.notice
    return desk.goes_to(
        Subject("alert", notice.rule, notice.account) if notice else Subject("alert")
    )


def _summaries(
    groups: Mapping[int, list[Letter]],
    notices: Sequence[Letter],
    incidents: Mapping[int, Incident],
    desk: Desk,
    now: datetime,
) -> tuple[list[Telling], dict[int, list[Letter]], list[Letter]]:
    """Split off what is told together; return that, and the groups and notices that are not."""
    over = {i for i in groups if incidents[i].home is None and incidents[i].resolved_at}
    held = {
        i
        for i, some in groups.items()
        if _was_held(some, desk) and not _follows(incidents[i])  # told of in a summary already
    }
    held_notices = [one for one in notices if _was_held([one], desk)]
    if len(held) + len(held_notices) < 2:  # a single one speaks for itself
        held, held_notices = set(), []
    found: list[Telling] = []
    for members, also, quiet in ((held, held_notices, True), (over - held, [], False)):
        places = {_where(incidents[i], desk) for i in members}
        for to in sorted(places | {_notice_to(one, desk) for one in also}):
            mine = tuple(
                incidents[i] for i in groups if i in members and _where(incidents[i], desk) == to
            )
            told = [one for one in also if _notice_to(one, desk) == to]
            found.append(_summary(desk, to, told, groups, mine=mine, now=now, quiet=quiet))
    rest = {i: some for i, some in groups.items() if i not in held | over}
    return found, rest, [one for one in notices if one not in held_notices]


def _was_held(letters: Sequence[Letter], desk: Desk) -> bool:
    """Return whether quiet hours were on when the first of the loud letters was written."""
    loud = [one for one in letters if one.what is None or one.what in LOUD]
    return bool(desk.quiet and loud and desk.quiet.until(loud[0].at))


def _follows(incident: Incident) -> bool:
    """Return whether its first message is about to go into a summary's thread."""
    return incident.home is not None and not incident.home.ts


def _summary(
    desk: Desk,
    to: str,
    notices: Sequence[Letter],
    groups: Mapping[int, list[Letter]],
    *,
    mine: tuple[Incident, ...],
    now: datetime,
    quiet: bool,
) -> TellSummary:
    letters = [one for each in mine for one in groups[each.ident]] + list(notices)
    return TellSummary(
        to,
        tuple(letters),
        _late(letters, desk, now),
        incidents=mine,
        notices=tuple(one.notice for one in notices if one.notice),
        follow=tuple(one for one in mine if one.resolved_at is None or one.home),
        quiet=quiet,
    )


def _reports(letters: Iterable[Letter], desk: Desk, now: datetime) -> list[Telling]:
    """Return the newest digest and every month's report that waits."""
    found: list[Telling] = []
    digests = sorted(
        (one for one in letters if one.kind == "digest" and one.day), key=lambda one: str(one.day)
    )
    if digests and digests[-1].day:
        late = _late(digests[-1:], desk, now)
        to = desk.goes_to(Subject("digest"))
        found.append(TellDigest(to, tuple(digests), late, day=digests[-1].day))
    for one in letters:
        if one.kind == "monthly" and one.day:
            late = _late([one], desk, now)
            to = desk.goes_to(Subject("monthly"))
            found.append(TellMonthly(to, (one,), late, month=Month.of(one.day)))
    return found
