"""Usage reported of a UTC day that is not over: valid on that day only, then the feed has it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from costcompass_core.domain.errors import CostCompassError
from costcompass_core.domain.money import Usd, plain
from costcompass_core.domain.query import Dimension
from costcompass_core.domain.reports import Amounts
from costcompass_core.domain.usage import SoFar
from costcompass_core.storage.codec import moment_of, moment_text, sum_of
from costcompass_core.storage.spend import NAMES
from costcompass_core.storage.usage import AMOUNTS, DECLARED, SUMS

_KNOWN: Final = (
    "account IN (SELECT name FROM account JOIN today_read r ON r.account = name AND r.day = ?1)"
)


@dataclass(frozen=True, slots=True)
class TodayTry:
    """The newest try at today's usage (UTC); `error` is why it failed."""

    tried_at: datetime
    error: str | None
    permanent: bool


def last_try(tx: sqlite3.Connection, account: str) -> TodayTry | None:
    """Return how the newest try went, `None` before the first."""
    found = tx.execute(
        "SELECT tried_at, error, permanent FROM today_read WHERE account = ?", (account,)
    ).fetchone()
    return TodayTry(datetime.fromisoformat(found[0]), found[1], bool(found[2])) if found else None


def store_today(
    tx: sqlite3.Connection, account: str, day: date, so_far: SoFar, tried_at: datetime
) -> None:
    """Store what is reported of `day` so far in place of what was there."""
    tx.execute("DELETE FROM usage_today WHERE account = ?", (account,))
    marks = ", ".join("?" * 12)
    tx.executemany(
        f"INSERT INTO usage_today VALUES ({marks})",
        [
            (account, day.isoformat(), row.model, row.permaslug, row.host, *row[5:10],
             plain(row.cost), plain(row.byok_cost))
            for row in so_far.rows
        ],
    )  # fmt: skip
    tx.execute(
        "INSERT OR REPLACE INTO today_read VALUES (?, ?, NULL, 0, ?, ?)",
        (account, moment_text(tried_at), day.isoformat(), moment_text(so_far.at)),
    )


def note_refused(
    tx: sqlite3.Connection, account: str, tried_at: datetime, error: CostCompassError
) -> None:
    """Note a try that failed; what was read before stays."""
    tx.execute(
        "INSERT INTO today_read VALUES (?1, ?2, ?3, ?4, NULL, NULL) ON CONFLICT (account)"
        " DO UPDATE SET tried_at = ?2, error = ?3, permanent = ?4",
        (account, moment_text(tried_at), str(error), error.permanent),
    )


def today_amounts(
    tx: sqlite3.Connection, day: date, by: Dimension, models: str | None
) -> list[Amounts]:
    """Return what is reported of the UTC day so far, grouped by a dimension.

    `models` is a JSON array of the model names to keep (`None`: all).
    """
    return [
        Amounts(row[0] or "", sum_of(row[6]), sum_of(row[7]), *row[1:6])
        for row in tx.execute(
            f"SELECT {NAMES[by]} AS name, {SUMS}, {AMOUNTS} FROM usage_today"
            f" WHERE {_KNOWN} AND day = ?1"
            " AND (?2 IS NULL OR model IN (SELECT value FROM json_each(?2))) GROUP BY name",
            (day.isoformat(), models),
        )
    ]


def today_models(tx: sqlite3.Connection, day: date) -> list[str]:
    """Return the models that are reported of the UTC day so far."""
    found = tx.execute(
        f"SELECT DISTINCT model FROM usage_today WHERE {_KNOWN} AND day = ?1", (day.isoformat(),)
    )
    return [row[0] for row in found]


def today_reported(tx: sqlite3.Connection, day: date) -> tuple[datetime, Usd] | None:
    """Return how old the oldest account's rows of the UTC day are, and their sum (USD).

    `None` where none were read, and nothing is known of the day but the balance.
    """
    [oldest] = tx.execute(
        "SELECT min(read_at) FROM today_read JOIN account ON name = today_read.account"
        " WHERE day = ?",
        (day.isoformat(),),
    ).fetchone()
    at = moment_of(oldest)
    if at is None:
        return None
    rows = today_amounts(tx, day, "provider", None)
    return at, Usd.total(Usd(one.cost) for one in rows)


def today_silent(tx: sqlite3.Connection, day: date) -> tuple[str, ...]:
    """Return the configured accounts of which nothing is reported of the UTC day.

    What people declared is no account, and a folder is none beside those found in its files.
    """
    found = tx.execute(
        "SELECT name FROM account a WHERE name != ? AND NOT EXISTS"
        " (SELECT 1 FROM account WHERE part_of = a.name) AND NOT EXISTS"
        " (SELECT 1 FROM today_read r WHERE r.account = name AND r.day = ?) ORDER BY name",
        (DECLARED, day.isoformat()),
    )
    return tuple(row[0] for row in found)


def today_labels(tx: sqlite3.Connection, account: str, day: date) -> dict[str, str]:
    """Return which model each label of the UTC day's rows was found to stand for."""
    found = tx.execute(
        "SELECT permaslug, model FROM usage_today WHERE account = ? AND day = ?",
        (account, day.isoformat()),
    )
    return dict(found.fetchall())
