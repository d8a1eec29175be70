"""The plan of the outbox: which of the waiting letters are told next, and which in one message.

Letters that waited together are told together: an incident that opened and got worse is one
message, one that opened and resolved is one line, and of several digests only the newest goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from costcompass_core.domain.days import Month
from costcompass_core.domain.incidents import LOUD, Incident, What
from costcompass_core.domain.letters import (
    DELAYED,
    PARKED_RETRY,
    Desk,
    Late,
    Letter,
    Subject,
    TellDigest,
    TellIncident,
    Telling,
    TellMonthly,
    TellNotice,
    TellSummary,
    TellTest,
    TellWelcome,
)

_LOUDEST: Final[tuple[What, ...]] = ("resolved", "worse", "reminded", "opened")
"""Of what happened while letters waited, the first of these is what people are told."""


def plan(
    letters: Iterable[Letter], incidents: Mapping[int, Incident], desk: Desk, now: datetime
) -> list[Telling]:
    """Return what to tell at `now`, the most pressing first.

    Quiet hours hold back everything but tests, what would run out before they end, and edits, which
    notify nobody. What they held back is told in one summary per channel.
    """
    waiting = _due(letters, now)
    tellings: list[Telling] = [
        TellTest(_tested(one, desk), (one,), who=one.who) for one in waiting if one.kind == "test"
    ]
    groups = _by_incident(waiting, incidents)
    until = desk.quiet.until(now) if desk.quiet else None
    if until is not None:
        for i, some in groups.items():
            pressing = _runs_out(incidents[i], until)
            if now_told := some if pressing else _edits(incidents[i], some):
                tellings.append(_incident(incidents[i], now_told, desk, now))
        return tellings
    notices = [one for one in waiting if one.kind == "notice"]
    summaries, rest_groups, rest_notices = _summaries(groups, notices, incidents, desk, now)
    tellings += summaries
    tellings += [_incident(incidents[i], some, desk, now) for i, some in rest_groups.items()]
    tellings += [_notice(one, desk, now) for one in rest_notices]
    return tellings + _reports(waiting, desk, now)


def _tested(letter: Letter, desk: Desk) -> str:
    """Return where a test goes; a place that is not configured any more is none."""
    return letter.to if letter.to in desk.places else desk.goes_to(Subject("alert"))


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
    """Return whether what the incident is about ends before `until`, at the soonest."""
    ends = [incident.facts.get(one) for one in ("empty_at", "soonest_at")]
    found = [one for one in ends if isinstance(one, datetime)]
    return incident.resolved_at is None and min(found, default=until) < until


def _edits(incident: Incident, letters: Iterable[Letter]) -> list[Letter]:
    """Return the letters that only draw a message again, where there is one."""
    if incident.home is None or not incident.home.ts:
        return []
    return [one for one in letters if one.what not in LOUD]


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
        loud=next((what for what in _LOUDEST if what in loud), None),
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


def _reports(letters: Sequence[Letter], desk: Desk, now: datetime) -> list[Telling]:
    """Return the welcome, the newest digest and every month's report that waits."""
    found: list[Telling] = [
        TellWelcome(desk.goes_to(Subject("digest")), (one,), _late([one], desk, now))
        for one in letters
        if one.kind == "welcome"
    ]
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


def is_put_off(until: datetime | None, now: datetime) -> bool:
    """Return whether `until` is still to come; no clock that was set back makes that a long wait."""
    return until is not None and now < until <= now + PARKED_RETRY


def _due(letters: Iterable[Letter], now: datetime) -> list[Letter]:
    """Return the letters that are due, and with each those that share a message with it.

    Otherwise what happens to an incident while its first letter is put off would be told before it,
    and an old digest after a newer one.
    """
    known = list(letters)
    due = {_message_of(one) for one in known if not is_put_off(one.try_at, now)}
    return [one for one in known if _message_of(one) in due]


def _message_of(letter: Letter) -> tuple[str, int | str | None]:
    """Return what letters that are told in one message have in common."""
    if letter.kind == "incident":
        return letter.kind, letter.incident
    return letter.kind, None if letter.kind == "digest" else letter.name
