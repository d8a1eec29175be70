"""The price list as last read, and how it changed from day to day."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import date, datetime

from costcompass_core.domain.catalogue import Catalogue, Changed, Listed, changes
from costcompass_core.storage.codec import day_of, moment_text, usd_of


def read_on(tx: sqlite3.Connection, provider: str) -> datetime | None:
    """Return when the provider's list was last read well (UTC)."""
    found = tx.execute("SELECT at FROM catalogue_read WHERE provider = ?", (provider,)).fetchone()
    return datetime.fromisoformat(found[0]) if found else None


def catalogue(tx: sqlite3.Connection, provider: str) -> Catalogue | None:
    """Return the provider's list, `None` before it was ever read."""
    at = read_on(tx, provider)
    return None if at is None else Catalogue(listed(tx, provider, removed=False), at)


def listed(tx: sqlite3.Connection, provider: str, *, removed: bool) -> dict[str, Listed]:
    """Return the models that are on the list, or with `removed` those that were."""
    found = tx.execute(
        "SELECT model, body FROM catalogue WHERE provider = ? AND removed = ?", (provider, removed)
    )
    return {model: _listed_of(body) for model, body in found}


def store_list(
    tx: sqlite3.Connection, provider: str, fresh: Iterable[Listed], at: datetime
) -> list[Changed]:
    """Replace the list and keep what changed; the first list changes nothing."""
    fresh, moment = list(fresh), moment_text(at)
    gone = listed(tx, provider, removed=True)
    found = changes(listed(tx, provider, removed=False), gone, fresh, at)
    tx.execute("UPDATE catalogue SET removed = 1 WHERE provider = ?", (provider,))
    tx.executemany(
        "INSERT INTO catalogue VALUES (?, ?, ?, ?, 0)"
        " ON CONFLICT DO UPDATE SET body = excluded.body, removed = 0",
        [(provider, one.ident, moment, _text(one)) for one in fresh],
    )
    tx.executemany(
        "INSERT INTO catalogue_change (provider, model, at, what, before, after)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (provider, one.model, moment, one.what, _text(one.before), _text(one.after))
            for one in found
        ],
    )
    tx.execute("INSERT OR REPLACE INTO catalogue_read VALUES (?, ?)", (provider, moment))
    return found


def list_changes(tx: sqlite3.Connection, since: datetime, until: datetime) -> list[Changed]:
    """Return what was noticed after `since`, up to `until`, at configured accounts' providers."""
    found = tx.execute(
        "SELECT model, at, what, before, after FROM catalogue_change"
        " WHERE provider IN (SELECT provider FROM account) AND at > ? AND at <= ? ORDER BY id",
        (moment_text(since), moment_text(until)),
    )
    return [
        Changed(
            model,
            datetime.fromisoformat(at),
            what,
            _listed_of(before) if before else None,
            _listed_of(after) if after else None,
        )
        for model, at, what, before, after in found
    ]


def expiries_at(tx: sqlite3.Connection, at: datetime) -> dict[str, date]:
    """Return the announced last day of each model, as it was known at `at`."""
    known = {
        model: one.expires
        for model, body in tx.execute(
            "SELECT model, body FROM catalogue"
            " WHERE provider IN (SELECT provider FROM account) AND since <= ? AND NOT removed",
            (moment_text(at),),
        )
        for one in (_listed_of(body),)
    }
    later = tx.execute(
        "SELECT model, what, before FROM catalogue_change"
        " WHERE provider IN (SELECT provider FROM account)"
        " AND what IN ('expiry', 'removed', 'returned') AND at > ? ORDER BY id DESC",
        (moment_text(at),),
    )
    for model, what, before in later:  # backwards, so that the oldest word is the last one taken
        known[model] = None if what == "returned" else _listed_of(before).expires
    return {model: day for model, day in known.items() if day is not None}


def _text(one: Listed | None) -> str | None:
    if one is None:
        return None
    return json.dumps(
        {
            "id": one.ident,
            "slug": one.slug,
            "name": one.name,
            "prices": {kind: price.text() for kind, price in sorted(one.prices.items())},
            "expires": one.expires and one.expires.isoformat(),
            "conditional": one.conditional,
            "context": one.context,
            "writes": one.writes,
        }
    )


def _listed_of(text: str) -> Listed:
    shape = json.loads(text)
    return Listed(
        shape["id"],
        shape["slug"],
        shape["name"],
        {kind: usd_of(price) for kind, price in shape["prices"].items()},
        day_of(shape["expires"]),
        shape["conditional"],
        shape.get("context"),
        shape.get("writes", True),
    )


def providers(tx: sqlite3.Connection) -> list[str]:
    """Return the providers of the configured accounts."""
    return [row[0] for row in tx.execute("SELECT DISTINCT provider FROM account ORDER BY 1")]
