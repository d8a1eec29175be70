"""Incidents as they are now, and everything that ever happened to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from costcompass_core.domain.incidents import Change, Home, Incident
from costcompass_core.domain.money import plain
from costcompass_core.domain.rules.views import Key
from costcompass_core.storage.codec import facts_of, facts_text, moment_of, moment_text

_COLUMNS: Final = (
    "id, rule, account, subject, opened_at, resolved_at, level, levels, worst, facts, as_of,"
    " told_at, seq, acknowledged_at, snooze, snoozed_until, changed_by, channel, ts, thread, scale"
)


def open_incidents(tx: sqlite3.Connection) -> list[Incident]:
    """Return every incident that is not resolved, the oldest first."""
    return _select(tx, "WHERE resolved_at IS NULL ORDER BY id", ())


def incidents_by_id(tx: sqlite3.Connection, idents: Iterable[int]) -> dict[int, Incident]:
    """Return the incidents of these ids, resolved ones as well; unknown ids are left out."""
    wanted = tuple(idents)
    marks = ", ".join("?" * len(wanted))
    return {one.ident: one for one in _select(tx, f"WHERE id IN ({marks})", wanted)}


def _select(tx: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Incident]:
    found = tx.execute(f"SELECT {_COLUMNS} FROM incident {where}", values).fetchall()
    return [_incident(*row) for row in found]


def _incident(*row: Any) -> Incident:
    (
        ident, rule, account, subject, opened, resolved, level, of, worst, facts, as_of, told, seq,
        acknowledged, snooze, until, by, channel, ts, thread, scale,
    ) = row  # fmt: skip
    return Incident(
        ident,
        Key(rule, account, subject),
        datetime.fromisoformat(opened),
        level,
        of,
        worst,
        facts_of(facts),
        datetime.fromisoformat(as_of),
        datetime.fromisoformat(told),
        seq,
        moment_of(resolved),
        moment_of(acknowledged),
        snooze,
        moment_of(until),
        by,
        Home(channel, ts, thread) if channel else None,
        tuple(Decimal(one) for one in scale.split()),
    )


def record(tx: sqlite3.Connection, change: Change, at: datetime) -> Incident:
    """Store a change and return the incident as stored, with its id and its next `seq`."""
    incident = keep(tx, replace(change.incident, seq=change.incident.seq + 1))
    tx.execute(
        "INSERT INTO incident_change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            incident.ident,
            incident.seq,
            moment_text(at),
            change.what,
            incident.level,
            facts_text(incident.facts),
            moment_text(incident.as_of),
            _text(incident.acknowledged_at),
            _text(incident.snoozed_until),
            incident.by,
        ),
    )
    return incident


def keep(tx: sqlite3.Connection, incident: Incident) -> Incident:
    """Store an incident as it is now, without a change, and return it with its id."""
    cursor = tx.execute(
        f"INSERT OR REPLACE INTO incident ({_COLUMNS}) VALUES ({', '.join('?' * 21)})",
        (incident.ident or None, *_values(incident)),
    )
    return replace(incident, ident=incident.ident or int(cursor.lastrowid or 0))


def _values(one: Incident) -> tuple[object, ...]:
    home = one.home or Home("")
    return (
        *one.key,
        moment_text(one.opened_at),
        _text(one.resolved_at),
        one.level,
        one.of,
        one.worst,
        facts_text(one.facts),
        moment_text(one.as_of),
        moment_text(one.told_at),
        one.seq,
        _text(one.acknowledged_at),
        one.snooze,
        _text(one.snoozed_until),
        one.by,
        home.channel,
        home.ts,
        home.thread,
        " ".join(plain(level) for level in one.scale),
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)


def incident_at(tx: sqlite3.Connection, ident: int, seq: int) -> Incident | None:
    """Return an incident as one of its changes left it."""
    found = tx.execute(
        "SELECT what, at, level, facts, as_of, acknowledged_at, snoozed_until, who"
        " FROM incident_change WHERE incident = ? AND seq = ?",
        (ident, seq),
    ).fetchone()
    now = incidents_by_id(tx, [ident]).get(ident)
    if found is None or now is None:
        return None
    what, at, level, facts, as_of, acknowledged, snoozed, who = found
    return replace(
        now,
        level=level,
        facts=facts_of(facts),
        as_of=datetime.fromisoformat(as_of),
        by=who,
        seq=seq,
        resolved_at=moment_of(at) if what == "resolved" else None,
        acknowledged_at=moment_of(acknowledged),
        snoozed_until=moment_of(snoozed),
    )


def settle(tx: sqlite3.Connection, ident: int, home: Home | None) -> None:
    """Note where an incident's message stands, or with `None` that it stands nowhere any more."""
    place = home or Home("")
    tx.execute(
        "UPDATE incident SET channel = ?, ts = ?, thread = ? WHERE id = ?",
        (place.channel, place.ts, place.thread, ident),
    )
