"""Which accounts and providers there are, and which of them tell their newest days late."""

from __future__ import annotations

import sqlite3
from datetime import date

from costcompass_core.domain.usage import Basis


def slow_accounts(tx: sqlite3.Connection) -> set[str]:
    """Return the accounts whose newest days come late by nature."""
    return {name for [name] in tx.execute("SELECT name FROM account WHERE slow")}


def providers(tx: sqlite3.Connection) -> dict[str, str]:
    """Return what people call each provider of which anything is known, by its name."""
    found = tx.execute(
        "SELECT provider, max(title) FROM account"
        " WHERE EXISTS (SELECT 1 FROM usage_day WHERE account = name) GROUP BY provider"
    )
    return {name: title or name for name, title in found}


def bases(tx: sqlite3.Connection, first: date, last: date) -> dict[str, set[Basis]]:
    """Return how the costs of each slow provider are known, from `first` to `last`."""
    found: dict[str, set[Basis]] = {}
    for provider, basis in tx.execute(
        # A cross join keeps the order: OpenRouter's rows, which can be a million, are never read.
        "SELECT DISTINCT a.provider, c.basis FROM account a CROSS JOIN cost c ON c.account = a.name"
        " WHERE a.slow AND c.day BETWEEN ? AND ?",
        (first.isoformat(), last.isoformat()),
    ):
        found.setdefault(provider, set()).add(basis)
    return found


def slow_spans(tx: sqlite3.Connection) -> dict[str, tuple[date, date]]:
    """Return the first and the newest UTC day that is known of each slow account."""
    found = tx.execute(
        "SELECT name, min(day), max(day) FROM account LEFT JOIN usage_day ON account = name"
        " WHERE slow GROUP BY name"
    )
    return {
        name: (date.max, date.min)
        if first is None
        else (date.fromisoformat(first), date.fromisoformat(last))
        for name, first, last in found
    }
