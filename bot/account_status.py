"""How each account is, for `status`: through when its spend is known, when it was read, what fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Any

from bot.terminal.shapes import moment_shape
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.reports import Health
from costcompass_core.storage.bills import filed_through
from costcompass_core.storage.refreshes import attempts, health
from costcompass_core.storage.store import Store


def accounts_shape(store: Store, accounts: Collection[Account]) -> list[dict[str, Any]]:
    """Return how each account is, as JSON values. Raises `StorageError`."""
    with store.reading() as tx:
        known = {one.account: one for one in health(tx)}
        return [_account_shape(tx, one, known.get(one.name)) for one in accounts]


def _account_shape(tx: sqlite3.Connection, account: Account, one: Health | None) -> dict[str, Any]:
    tries = attempts(tx, account.name)
    read, balance = tries.get("activity"), tries.get("balance")
    through = (one.data_through if one else None) or filed_through(tx, account.name)
    return {
        "account": account.name,
        "provider": account.provider,
        "data_through": str(through) if through else None,
        "refreshed_at": moment_shape(read.succeeded_at if read else None),
        "balance_at": moment_shape(balance.succeeded_at if balance else None),
        "error": one.error if one else None,
        "failures": max((each.failures for each in tries.values()), default=0),
    }
