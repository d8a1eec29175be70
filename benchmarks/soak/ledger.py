"""What the daemon's database and log hold when it is over, read without the product."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from costcompass_core.domain.money import EXACT

_LINE: Final = re.compile(r"\S+Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) +(\S+): (.*)")


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of the outbox."""

    via: str
    name: str
    kind: str
    incident: int | None
    at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Incident:
    """One row of the incidents; `ts` is where its message stands."""

    ident: int
    rule: str
    account: str
    resolved: bool
    ts: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The database. `days` is what each account's UTC days cost, `left` the newest balances."""

    sound: str
    letters: Sequence[Letter]
    incidents: Sequence[Incident]
    days: dict[tuple[str, date], Decimal]
    left: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Log:
    """The daemon's log: lines by level, refreshes by how they went, and what should not be there."""

    levels: Counter[str]
    refreshed: int
    failed: int
    errors: Sequence[str]
    tracebacks: int


def read_ledger(path: Path) -> Ledger:
    """Read the database of a daemon that has ended."""
    with closing(sqlite3.connect(path)) as tx:
        [sound] = tx.execute("PRAGMA integrity_check").fetchone()
        letters = tx.execute("SELECT via, name, kind, incident, at, done_at FROM outbox").fetchall()
        incidents = tx.execute(
            "SELECT id, rule, account, resolved_at IS NOT NULL, ts FROM incident ORDER BY id"
        ).fetchall()
        costs = tx.execute("SELECT account, day, cost FROM cost WHERE currency = 'USD'").fetchall()
        balances = tx.execute("SELECT account, remaining, max(at) FROM balance GROUP BY account")
        purses = tx.execute("SELECT account, total, max(at) FROM purse GROUP BY account")
        left = {name: Decimal(text) for name, text, _ in [*balances, *purses]}
    days: dict[tuple[str, date], Decimal] = {}
    for account, day, cost in costs:
        key = (account, date.fromisoformat(day))
        days[key] = EXACT.add(days.get(key, Decimal(0)), Decimal(cost))
    return Ledger(
        sound,
        [Letter(*row[:4], *map(_moment, row[4:])) for row in letters],
        [Incident(one, rule, of, bool(over), ts) for one, rule, of, over, ts in incidents],
        days,
        left,
    )


def read_log(path: Path) -> Log:
    """Read a log in the form that people read."""
    text = path.read_text(errors="replace")
    lines = [found.groups() for line in text.splitlines() if (found := _LINE.fullmatch(line))]
    told = [said for _, _, said in lines]
    return Log(
        Counter(level for level, _, _ in lines),
        sum(one.startswith("refreshed ") for one in told),
        sum(one.startswith("refresh of ") for one in told),
        [f"{name}: {said}" for level, name, said in lines if level in {"ERROR", "CRITICAL"}],
        text.count("Traceback (most recent call last)"),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
