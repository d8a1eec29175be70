"""How each account's refreshes went: what is due, what failed, how often in a row."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from costcompass_core.domain.errors import (
    CostCompassError,
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    VaultLocked,
    WrongKeyType,
)
from costcompass_core.domain.reports import Health
from costcompass_core.storage.codec import day_of, moment_of, moment_text
from costcompass_core.storage.usage import DECLARED

Part = Literal["balance", "activity"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The newest try at one part of an account, and the newest that succeeded (UTC)."""

    tried_at: datetime
    succeeded_at: datetime | None
    failures: int
    error: str | None
    permanent: bool
    reason: str | None = None
    """Why it failed, in one word of `reason_of`."""


def reason_of(error: CostCompassError) -> str:
    """Return the word that rules tell failures apart by."""
    return next((word for kind, word in _REASONS if isinstance(error, kind)), _FAILED)


_REASONS: Final[tuple[tuple[type[CostCompassError], str], ...]] = (
    (WrongKeyType, "wrong_key_type"),
    (KeyRejected, "key_rejected"),
    (VaultLocked, "vault_locked"),
    (UnreadableAnswer, "unreadable"),
    (Unavailable, "unavailable"),
)
"""The first that fits; kinds before what they are kinds of."""
_FAILED: Final = "failed"
REASONS: Final = (*(word for _, word in _REASONS), _FAILED)
"""Every word of `reason_of`."""


def attempts(tx: sqlite3.Connection, account: str) -> dict[str, Attempt]:
    """Return the newest try at each part of the account, or of the folder that it is found in."""
    found = tx.execute(
        "SELECT part, tried_at, succeeded_at, failures, error, permanent, reason FROM refresh"
        " WHERE account = coalesce((SELECT nullif(part_of, '') FROM account WHERE name = ?1), ?1)",
        (account,),
    )
    return {
        part: Attempt(
            datetime.fromisoformat(tried), moment_of(good), failures, error, bool(permanent), reason
        )
        for part, tried, good, failures, error, permanent, reason in found
    }


def note_success(tx: sqlite3.Connection, account: str, part: Part, at: datetime) -> None:
    """Note that a part was read and stored."""
    moment = moment_text(at)
    tx.execute(
        "INSERT OR REPLACE INTO refresh VALUES (?, ?, ?, ?, 0, NULL, 0, NULL)",
        (account, part, moment, moment),
    )


def note_failure(
    tx: sqlite3.Connection, account: str, part: Part, at: datetime, error: CostCompassError
) -> None:
    """Note that a part could not be read; when it last could be stays known."""
    tx.execute(
        "INSERT INTO refresh VALUES (?, ?, ?, NULL, 1, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " tried_at = excluded.tried_at, failures = failures + 1, error = excluded.error,"
        " permanent = excluded.permanent, reason = excluded.reason",
        (account, part, moment_text(at), str(error), int(error.permanent), reason_of(error)),
    )


def health(tx: sqlite3.Connection) -> list[Health]:
    """Return how far each known account's data reaches and what is wrong with it now.

    A folder whose files were read stands for itself only while something is wrong with it: else the
    accounts found in its files do.
    """
    rows = tx.execute(
        "SELECT name, provider, title, slow, part_of FROM account WHERE name != ? ORDER BY name",
        (DECLARED,),
    ).fetchall()
    folders = {part_of for *_, part_of in rows}
    found = [(name, _health(tx, (name, *rest))) for name, *rest in rows]
    return [one for name, one in found if one.error or name not in folders]


def _health(tx: sqlite3.Connection, account: tuple[str, str, str, int, str]) -> Health:
    name, provider, title, slow, part_of = account
    own = "SELECT day FROM usage_day WHERE account = ?"
    newest = tx.execute(f"{own} AND final ORDER BY day DESC LIMIT 1", (name,)).fetchone()
    first = tx.execute(f"{own} ORDER BY day LIMIT 1", (name,)).fetchone() if slow else None
    tries = attempts(tx, name)
    activity = tries.get("activity")
    wrong = None if part_of else next((one for one in tries.values() if one.error), None)
    return Health(
        name,
        provider,
        day_of(newest[0]) if newest else None,
        activity.succeeded_at if activity else None,
        wrong.error if wrong else None,
        wrong.tried_at if wrong else None,
        title or provider,
        bool(slow),
        day_of(first[0]) if first else None,
    )
