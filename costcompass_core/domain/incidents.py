"""Incidents: one per account and rule, from the first crossing until it has recovered.

Everything here is pure. `reconcile` compares the open incidents with what the rules find now; what
people press changes one incident. Both return changes, which the store keeps and the outbox tells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from costcompass_core.domain.facts import Facts
from costcompass_core.domain.rules.views import Finding, Key

What = Literal[
    "opened", "worse", "better", "reminded", "resolved",
    "acknowledged", "unacknowledged", "snoozed", "woken", "refreshed",
]  # fmt: skip
"""What can happen to an incident; "refreshed" only draws its message again."""

LOUD: Final[frozenset[What]] = frozenset({"opened", "worse", "reminded", "resolved"})
"""Changes that people are told of; the others only edit the message, which notifies nobody."""

Snooze = Literal["4h", "24h", "top_up"]
SNOOZES: Final[Mapping[Snooze, timedelta]] = {
    "4h": timedelta(hours=4),
    "24h": timedelta(hours=24),
    "top_up": timedelta(days=7),
}
"""How long each snooze lasts at most: none is for ever, not even one until a top-up."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where an incident's message stands: its channel, its own `ts` and the thread it is in."""

    channel: str
    ts: str = ""
    thread: str = ""

    @property
    def root(self) -> str:
        """The thread that replies belong to."""
        return self.thread or self.ts


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that is wrong, from `opened_at` until `resolved_at` (UTC).

    `level` is how many of the `of` levels are crossed now, `worst` the most there ever were.
    `told_at` is when people were last told, `seq` counts its changes, `by` is whoever acknowledged
    or snoozed it last.
    """

    ident: int
    key: Key
    opened_at: datetime
    level: int
    of: int
    worst: int
    facts: Facts
    as_of: datetime
    told_at: datetime
    seq: int = 0
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    snooze: Snooze | None = None
    snoozed_until: datetime | None = None
    by: str = ""
    home: Home | None = None

    @property
    def critical(self) -> bool:
        """Whether the last of its levels is crossed."""
        return self.level >= self.of

    def asleep(self, now: datetime) -> bool:
        """Return whether it is snoozed at `now`."""
        return self.snoozed_until is not None and now < self.snoozed_until


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to an incident, which is as it is afterwards; `ident` 0 is a new one."""

    what: What
    incident: Incident


def reconcile(
    incidents: Iterable[Incident],
    findings: Mapping[Key, Finding | None],
    now: datetime,
    repeat_every: timedelta,
    topped_up: Collection[str] = (),
) -> list[Change]:
    """Return what changes, given the open `incidents` and what the rules find.

    Without a judgement (`None`) an incident stays as it is and nobody is reminded of it; one that
    no rule watches any more is resolved. `topped_up` names the accounts that just were.
    """
    open_ones = {one.key: one for one in incidents}
    changes = [
        Change("opened", _opened(key, finding, now))
        for key, finding in findings.items()
        if finding is not None and finding.level > 0 and key not in open_ones
    ]
    for key, incident in open_ones.items():
        if key not in findings:
            changes.append(_resolved(incident, {**incident.facts, "unwatched": 1}, now))
        elif (finding := findings[key]) is not None:
            awake = _awake(incident, now, topped_up=key.account in topped_up)
            changes.extend(_judged(awake, finding, now, repeat_every, was=incident))
    return changes


def _opened(key: Key, finding: Finding, now: datetime) -> Incident:
    return Incident(
        0, key, now, finding.level, finding.of, finding.level, finding.facts, finding.as_of, now
    )


def _awake(incident: Incident, now: datetime, *, topped_up: bool) -> Incident:
    """Return the incident without a snooze that is over."""
    over = not incident.asleep(now) or (incident.snooze == "top_up" and topped_up)
    if incident.snoozed_until is None or not over:
        return incident
    return replace(incident, snooze=None, snoozed_until=None)


def _judged(
    incident: Incident, finding: Finding, now: datetime, repeat_every: timedelta, was: Incident
) -> Iterable[Change]:
    fresh = replace(incident, facts=finding.facts, as_of=finding.as_of, of=finding.of)
    if finding.holds == 0:
        yield _resolved(fresh, finding.facts, now)
    elif finding.level > incident.level:
        yield Change("worse", _heard(fresh, finding.level, now))
    elif finding.holds < incident.level:
        yield Change("better", replace(fresh, level=max(finding.holds, 1)))
    elif finding.level > 0 and _due_again(incident, was, now, repeat_every):
        yield Change("reminded", replace(fresh, told_at=now))
    elif incident != was:
        yield Change("woken", fresh)


def _resolved(incident: Incident, facts: Facts, now: datetime) -> Change:
    # What it was about stays in the facts, so that the message can still say it.
    kept = {**incident.facts, **facts}
    return Change("resolved", replace(incident, facts=kept, resolved_at=now, told_at=now))


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


def _due_again(incident: Incident, was: Incident, now: datetime, repeat_every: timedelta) -> bool:
    """Return whether to remind of it: a snooze ran out, or nobody took it on for too long."""
    if incident.snoozed_until is not None:
        return False
    if was.snoozed_until is not None:
        return True
    return incident.acknowledged_at is None and now >= incident.told_at + repeat_every


def acknowledged(incident: Incident, who: str, now: datetime) -> Change:
    """Return the incident as taken on by `who`: no more reminders until it gets worse."""
    after = replace(incident, acknowledged_at=now, snooze=None, snoozed_until=None, by=who)
    return Change("acknowledged", after)


def unacknowledged(incident: Incident, who: str, now: datetime) -> Change:
    """Return the incident as open for everybody again."""
    return Change("unacknowledged", replace(incident, acknowledged_at=None, told_at=now, by=who))


def snoozed(incident: Incident, kind: Snooze, who: str, now: datetime) -> Change:
    """Return the incident as silent for a while, though not for a worse level."""
    after = replace(
        incident, snooze=kind, snoozed_until=now + SNOOZES[kind], acknowledged_at=None, by=who
    )
    return Change("snoozed", after)


def woken(incident: Incident, who: str, now: datetime) -> Change:
    """Return the incident with its snooze ended by `who`."""
    after = replace(incident, snooze=None, snoozed_until=None, told_at=now, by=who)
    return Change("woken", after)
