"""Incidents: one per account and rule, from the first crossing until it has recovered.

Everything here is pure. `domain.reconcile` compares the open incidents with what the rules find now;
what people press changes one incident, below. Both return changes, which the store keeps and the
outbox tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from costcompass_core.domain.facts import Facts
from costcompass_core.domain.rules.views import AHEAD, Key

What = Literal[
    "opened", "worse", "better", "reminded", "resolved",
    "acknowledged", "unacknowledged", "snoozed", "woken", "refreshed", "noted",
]  # fmt: skip
"""What can happen to an incident; "refreshed" only draws its message again, and "noted" keeps newer
facts for whoever is told of it next."""

LOUD: Final[frozenset[What]] = frozenset({"opened", "worse", "reminded", "resolved"})
"""Changes that people are told of; the others only edit the message, which notifies nobody."""

Snooze = Literal["4h", "24h", "top_up"]
SNOOZES: Final[Mapping[Snooze, timedelta]] = {
    "4h": timedelta(hours=4),
    "24h": timedelta(hours=24),
    "top_up": timedelta(days=7),
}
"""How long each snooze lasts at most: none is for ever, not even one until a top-up."""

TOP_UP_MENDS: Final = frozenset({"balance_low", "runway_short"})
"""Rules whose incidents a top-up can end."""


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

    `level` is how many of the `of` levels are crossed now, `worst` the most there ever were; a
    balance that is used up is one more than there are levels.
    `told_at` is when people were last told, `seq` counts its changes, `by` is whoever acknowledged
    or snoozed it last. `scale` has the levels that it was last judged by (see `Finding`).
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
    scale: tuple[Decimal, ...] = ()

    @property
    def critical(self) -> bool:
        """Whether the last of several levels is crossed, or a balance is used up altogether."""
        return self.level >= self.of > 1 or self.level > self.of

    def asleep(self, now: datetime) -> bool:
        """Return whether it is snoozed at `now`; a clock that was set back makes no snooze longer."""
        if self.snooze is None or self.snoozed_until is None:
            return False
        return now < self.snoozed_until <= now + SNOOZES[self.snooze] + AHEAD


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to an incident, which is as it is afterwards; `ident` 0 is a new one."""

    what: What
    incident: Incident


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
