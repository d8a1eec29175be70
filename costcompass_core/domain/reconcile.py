"""Reconcile: what changes, given the open incidents and what the rules find now. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from costcompass_core.domain.facts import Facts
from costcompass_core.domain.incidents import Change, Incident
from costcompass_core.domain.rules.views import AHEAD, Finding, Key

_EXPLAINS: Final = ("cause", "leader")
"""Facts that say what an incident is due to; they may come later than it, and redraw its message."""
_NOTED_AFTER: Final = timedelta(minutes=1)
"""How much newer facts that did not change must be to be kept: a tick need not write to the disk."""

_ABOUT: Final = frozenset({"day", "model", "to", "left"})
"""Facts that tell one event from another."""
_PLACES: Final = frozenset({"model", "to"})
"""Those that name where moved traffic went."""
_SO_FAR: Final = frozenset({"today", "partly", "leader", "leader_usd"})
"""Facts that hold for as long as a day's rows have not come."""


def reconcile(
    incidents: Iterable[Incident],
    findings: Mapping[Key, Finding | None],
    now: datetime,
    repeat_every: timedelta,
    topped_up: Collection[str] = (),
) -> list[Change]:
    """Return what changes, given the open `incidents` and what the rules find.

    Without a judgement (`None`) an incident stays as it is and nobody is reminded of it; one that
    no rule watches any more is resolved, and so is one whose period is over. `topped_up` names the
    accounts that just were.
    """
    open_ones = {one.key: one for one in incidents}
    changes = [
        change
        for key, finding in findings.items()
        if finding is not None and key not in open_ones
        for change in _opened(key, finding, now)
    ]
    for key, incident in open_ones.items():
        if key not in findings:
            changes.append(_resolved(incident, _because(incident, "unwatched"), now))
            continue
        finding, relieved = findings[key], key.account in topped_up
        if finding is None:
            changes.extend(_unjudged(incident, now, relieved=relieved))
        elif why := _why_over(incident, finding, now):
            changes.append(_resolved(incident, _because(incident, why), now))
            changes.extend(_opened(key, finding, now))
        else:
            changes.extend(_judged(incident, finding, now, repeat_every, relieved=relieved))
    return changes


def _opened(key: Key, finding: Finding, now: datetime) -> Iterable[Change]:
    level, of = finding.level, finding.of
    if level > 0:
        facts, as_of = finding.facts, finding.as_of
        found = Incident(0, key, now, level, of, level, facts, as_of, now, scale=finding.scale)
        yield Change("opened", found)


def _why_over(incident: Incident, finding: Finding, now: datetime) -> str:
    """Return why an incident gives way to another of its rule, empty where it does not."""
    if _is_over(incident, finding):
        return "ended"
    elsewhere = _is_elsewhere(incident, finding) and not _rests(incident, finding, now)
    return "elsewhere" if elsewhere else ""


def _is_over(incident: Incident, finding: Finding) -> bool:
    """Return whether the period that an incident is about, such as a budget's month, has ended."""
    was, now = incident.facts.get("from"), finding.facts.get("from")
    return was is not None and now is not None and was != now


def _is_elsewhere(incident: Incident, finding: Finding) -> bool:
    """Return whether what is told once is found again, of traffic that went to another place."""
    return (
        finding.once
        and finding.level > 0
        and any(
            incident.facts.get(one) != finding.facts[one] for one in _PLACES & finding.facts.keys()
        )
    )


def _rests(incident: Incident, finding: Finding, now: datetime) -> bool:
    """Return whether an incident is too young to end, or to make room for another."""
    return timedelta(0) <= now - incident.opened_at < finding.lasts


def _unjudged(incident: Incident, now: datetime, *, relieved: bool) -> Iterable[Change]:
    """Let a snooze until a top-up end with it; a reminder has to wait for a judgement."""
    if relieved and incident.snooze == "top_up" and incident.asleep(now):
        yield Change("woken", replace(incident, snoozed_until=now))


def _awake(incident: Incident, now: datetime, *, relieved: bool) -> Incident:
    """Return the incident without a snooze that is over."""
    over = not incident.asleep(now) or (incident.snooze == "top_up" and relieved)
    if incident.snoozed_until is None or not over:
        return incident
    return replace(incident, snooze=None, snoozed_until=None)


def _rescaled(incident: Incident, finding: Finding) -> Incident:
    """Return the incident by the levels that are set now, after the user changed them.

    A level that is no worse than one that was told counts as told; level 0 means that none is.
    """
    if incident.scale == finding.scale or not incident.scale:
        return replace(incident, of=finding.of, scale=finding.scale)

    def counted(level: int) -> int:
        return sum(one <= incident.scale[level - 1] for one in finding.scale)

    level, worst = counted(incident.level), counted(incident.worst)
    return replace(incident, level=level, worst=worst, of=finding.of, scale=finding.scale)


def _judged(
    was: Incident, finding: Finding, now: datetime, repeat_every: timedelta, *, relieved: bool
) -> Iterable[Change]:
    incident = _awake(_rescaled(was, finding), now, relieved=relieved)
    fresh = replace(incident, facts=_facts(incident, finding), as_of=finding.as_of)
    if _is_elsewhere(incident, finding):
        fresh = incident  # what was told stays what it is about
    if not max(incident.level, finding.level):  # the level it was about is not set any more
        yield _resolved(was, _because(was, "unwatched"), now)
    elif finding.holds == 0 and not _rests(incident, finding, now):
        yield _resolved(fresh, fresh.facts, now)
    elif finding.holds == 0:
        yield from _noted(was, fresh)
    elif finding.level > incident.level:
        yield Change("worse", _heard(fresh, finding.level, now))
    elif finding.holds < incident.level:
        yield Change("better", replace(fresh, level=max(finding.holds, 1)))
    elif finding.once and _reads_otherwise(was.facts, fresh.facts):
        yield Change("refreshed", fresh)
    elif finding.level > 0 and _is_due(finding, incident, was, now, repeat_every):
        yield Change("reminded", replace(fresh, told_at=now))
    else:
        yield from _noted(was, fresh)


def _facts(incident: Incident, finding: Finding) -> Facts:
    """Return the facts to keep: where the rule has none of a recovery, what it was about.

    What is told once keeps what a later look has no facts of, as long as it is about the same day.
    """
    was, found = incident.facts, finding.facts
    same = finding.once and all(
        was.get(one, found[one]) == found[one] for one in _ABOUT & found.keys()
    )
    kept = {name: fact for name, fact in was.items() if name not in _SO_FAR}
    return {**kept, **found} if same and found else found or was


def _reads_otherwise(was: Facts, now: Facts) -> bool:
    """Return whether it is known since what it is due to, or no longer only how much so far."""
    explained = any(fact in now and fact not in was for fact in _EXPLAINS)
    return explained or any((fact in was) != (fact in now) for fact in ("today", "partly"))


def _noted(was: Incident, fresh: Incident) -> Iterable[Change]:
    if fresh.snoozed_until != was.snoozed_until:
        yield Change("woken", fresh)
    elif _is_news(was, fresh):
        yield Change("noted", fresh)


def _is_news(was: Incident, fresh: Incident) -> bool:
    """Return whether newer facts are worth keeping for the next message or list."""
    same = replace(fresh, as_of=was.as_of) == was
    return not same or abs(fresh.as_of - was.as_of) >= _NOTED_AFTER


def _because(incident: Incident, why: str) -> Facts:
    """Return the facts of an incident that ends without a recovery, and `why`."""
    return {**incident.facts, why: 1}


def _resolved(incident: Incident, facts: Facts, now: datetime) -> Change:
    return Change("resolved", replace(incident, facts=facts, resolved_at=now, told_at=now))


def _heard(incident: Incident, level: int, now: datetime) -> Incident:
    """Return the incident at a worse level, which nothing pressed before may hide."""
    return replace(
        incident,
        level=level,
        worst=max(incident.worst, level),
        told_at=now,
        acknowledged_at=None,
        snooze=None,
        snoozed_until=None,
        by="",
    )


def _is_due(
    finding: Finding, incident: Incident, was: Incident, now: datetime, repeat_every: timedelta
) -> bool:
    """Return whether to remind of it; what is told once only where somebody snoozed it."""
    if finding.once and was.snoozed_until is None:
        return False
    return _due_again(incident, was, now, repeat_every)


def _due_again(incident: Incident, was: Incident, now: datetime, repeat_every: timedelta) -> bool:
    """Return whether to remind of it: a snooze ran out, or nobody took it on for too long."""
    if incident.snoozed_until is not None:
        return False
    if was.snoozed_until is not None:
        return True
    waits = -AHEAD <= now - incident.told_at < repeat_every
    return incident.acknowledged_at is None and not waits
