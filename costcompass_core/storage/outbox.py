"""The outbox: what was committed to be told, until it was; and markers of what was written once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from costcompass_core.domain.incidents import What
from costcompass_core.domain.letters import Kind, Letter
from costcompass_core.domain.notices import Notice
from costcompass_core.storage.codec import (
    day_of,
    facts_of,
    facts_text,
    moment_of,
    moment_text,
)

Via = Literal["slack", "webhook"]

_VERSION: Final = 1
"""Of a letter's body: a later version has to read the letters that an earlier one left."""
_FAILING: Final = 5
"""How often a letter has failed when people are told why, though it is tried again."""
_KEPT: Final = timedelta(days=90)
"""How long told letters are kept to look things up."""
_NOT_HELD: Final = " AND NOT (via = 'slack' AND kind <> 'test' AND tries = 0)"
"""Leaves out what quiet hours hold back."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not been told yet: how many letters, since when, and those that were refused."""

    letters: int
    oldest: datetime | None
    parked: tuple[tuple[str, str], ...]
    """Name and error of each parked letter."""
    failing: tuple[tuple[str, str, int], ...]
    """Name, newest error and tries of each letter that has failed often and is not parked."""


def put(
    tx: sqlite3.Connection,
    via: Via,
    name: str,
    kind: Kind,
    at: datetime,
    *,
    incident: int | None = None,
    what: What | None = None,
    notice: Notice | None = None,
    day: date | None = None,
    who: str = "",
    to: str = "",
    seq: int = 0,
) -> bool:
    """Put a letter into the outbox, once for each `name`; return whether it is new.

    It says what happened; the words are found when it is sent. `seq` is the incident's change.
    """
    body = {
        "version": _VERSION,
        "what": what,
        "day": None if day is None else day.isoformat(),
        "who": who,
        "to": to,
        "notice": None if notice is None else _notice_shape(notice),
        "seq": seq,
    }
    done = tx.execute(
        "INSERT OR IGNORE INTO outbox (via, name, kind, incident, body, at, tries, parked, error)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, 0, '')",
        (via, name, kind, incident, json.dumps(body), moment_text(at)),
    )
    return done.rowcount == 1


def _notice_shape(notice: Notice) -> dict[str, str]:
    return {
        "rule": notice.rule,
        "account": notice.account,
        "name": notice.name,
        "facts": facts_text(notice.facts),
        "at": moment_text(notice.at),
    }


def _notice(shape: Any) -> Notice | None:
    if shape is None:
        return None
    at = datetime.fromisoformat(shape["at"])
    return Notice(shape["rule"], shape["account"], shape["name"], facts_of(shape["facts"]), at)


def waiting(tx: sqlite3.Connection, via: Via) -> list[Letter]:
    """Return the letters that are not done, in the order in which they were written."""
    found = tx.execute(
        "SELECT id, name, kind, at, incident, body, tries, try_at, parked, error FROM outbox"
        " WHERE via = ? AND done_at IS NULL ORDER BY id",
        (via,),
    )
    return [_letter(*row) for row in found]


def _letter(*row: Any) -> Letter:
    ident, name, kind, at, incident, body, tries, try_at, parked, error = row
    letter = Letter(
        ident,
        name,
        kind,
        datetime.fromisoformat(at),
        incident=incident,
        tries=tries,
        try_at=moment_of(try_at),
        parked=bool(parked),
        error=error,
    )
    try:
        return _with_body(letter, json.loads(body))
    except Exception:  # noqa: BLE001 - whatever is in it, the letters beside it have to be read
        return replace(letter, readable=False)


def _with_body(letter: Letter, body: Any) -> Letter:
    return replace(
        letter,
        what=body.get("what"),
        notice=_notice(body.get("notice")),
        day=day_of(body.get("day")),
        who=body.get("who", ""),
        to=body.get("to", ""),
        seq=body.get("seq", 0),
        readable=body.get("version", _VERSION) == _VERSION,
    )


def done(tx: sqlite3.Connection, letters: Iterable[Letter], at: datetime) -> None:
    """Mark letters as told, or as told together with a newer one."""
    tx.executemany(
        "UPDATE outbox SET done_at = ?, parked = 0, error = '' WHERE id = ?",
        [(moment_text(at), one.ident) for one in letters],
    )


def failed(
    tx: sqlite3.Connection, letters: Iterable[Letter], try_at: datetime, error: str, *, parked: bool
) -> None:
    """Note that letters could not be told, and when to try again."""
    tx.executemany(
        "UPDATE outbox SET tries = tries + 1, try_at = ?, parked = ?, error = ? WHERE id = ?",
        [(moment_text(try_at), int(parked), error, one.ident) for one in letters],
    )


def untold(tx: sqlite3.Connection) -> list[int]:
    """Return the open incidents that stand nowhere in Slack and that no letter is about to tell."""
    found = tx.execute(
        "SELECT id FROM incident WHERE resolved_at IS NULL AND channel = '' AND NOT EXISTS"
        " (SELECT 1 FROM outbox WHERE via = 'slack' AND incident = incident.id AND done_at IS NULL)"
    )
    return [row[0] for row in found]


def retry_all(tx: sqlite3.Connection) -> None:
    """Make every letter due at once: the set-up changed, so what was refused may be taken."""
    tx.execute("UPDATE outbox SET try_at = NULL, parked = 0 WHERE done_at IS NULL")


def give_up(tx: sqlite3.Connection, ways: Sequence[Via], at: datetime) -> None:
    """Close the letters of every way that is not one of `ways`: nobody would ever send them."""
    marks = ", ".join("?" * len(ways))
    tx.execute(
        "UPDATE outbox SET done_at = ?, parked = 0, error = ''"
        f" WHERE done_at IS NULL AND via NOT IN ({marks})",
        (moment_text(at), *ways),
    )


def still_waiting(tx: sqlite3.Connection) -> Waiting:
    """Return what the outbox holds, over all ways out."""
    [count, oldest] = tx.execute(
        "SELECT count(*), min(at) FROM outbox WHERE done_at IS NULL"
    ).fetchone()
    parked = tx.execute(
        "SELECT via || ' ' || name, error FROM outbox"
        " WHERE done_at IS NULL AND parked = 1 ORDER BY id"
    ).fetchall()
    failing = tx.execute(
        "SELECT via || ' ' || name, error, tries FROM outbox"
        " WHERE done_at IS NULL AND parked = 0 AND tries >= ? ORDER BY id",
        (_FAILING,),
    ).fetchall()
    return Waiting(count, moment_of(oldest), tuple(parked), tuple(failing))


def is_waiting(tx: sqlite3.Connection, via: Via) -> bool:
    """Return whether a letter waits for this way out."""
    found = tx.execute("SELECT 1 FROM outbox WHERE via = ? AND done_at IS NULL LIMIT 1", (via,))
    return found.fetchone() is not None


def all_told(tx: sqlite3.Connection, *, quiet: bool) -> bool:
    """Return whether nothing waits, but for what was never tried because hours are `quiet`."""
    held = _NOT_HELD if quiet else ""
    found = tx.execute(f"SELECT 1 FROM outbox WHERE done_at IS NULL{held} LIMIT 1")
    return found.fetchone() is None


def oldest_to_tell(tx: sqlite3.Connection, *, quiet: bool) -> datetime | None:
    """Return when (UTC) the oldest letter that waits was written.

    What was never tried because hours are `quiet` does not count.
    """
    held = _NOT_HELD if quiet else ""
    [oldest] = tx.execute(f"SELECT min(at) FROM outbox WHERE done_at IS NULL{held}").fetchone()
    return moment_of(oldest)


def next_try(tx: sqlite3.Connection, via: Via, after: datetime) -> datetime | None:
    """Return the soonest moment (UTC) later than `after` at which a letter is to be tried again."""
    [soonest] = tx.execute(
        "SELECT min(try_at) FROM outbox WHERE via = ? AND done_at IS NULL AND try_at > ?",
        (via, moment_text(after)),
    ).fetchone()
    return moment_of(soonest)


def is_done(tx: sqlite3.Connection, name: str) -> tuple[bool, str]:
    """Return whether all letters whose names begin so were told, and the error of one that was not."""
    found = tx.execute(
        "SELECT done_at, error FROM outbox WHERE substr(name, 1, ?) = ?", (len(name), name)
    ).fetchall()
    wrong = next((error for at, error in found if at is None and error), "")
    return all(at is not None for at, _ in found), wrong


def mark_once(tx: sqlite3.Connection, name: str, at: datetime) -> bool:
    """Set a marker; return whether it was not there yet."""
    made = tx.execute("INSERT OR IGNORE INTO marker VALUES (?, ?)", (name, moment_text(at)))
    return made.rowcount == 1


def marked_at(tx: sqlite3.Connection, name: str) -> datetime | None:
    """Return when (UTC) a marker was set, `None` where it never was."""
    found = tx.execute("SELECT at FROM marker WHERE name = ?", (name,)).fetchone()
    return moment_of(found[0]) if found else None


def marked_before(tx: sqlite3.Connection, kind: str, name: str) -> datetime | None:
    """Return when (UTC) the marker of a kind (`digest:`) that sorts just before `name` was set."""
    found = tx.execute(
        "SELECT at FROM marker WHERE name >= ? AND name < ? ORDER BY name DESC LIMIT 1",
        (kind, name),
    ).fetchone()
    return moment_of(found[0]) if found else None


def forget_old(tx: sqlite3.Connection, now: datetime) -> None:
    """Drop letters that were told long ago."""
    tx.execute("DELETE FROM outbox WHERE done_at < ?", (moment_text(now - _KEPT),))
