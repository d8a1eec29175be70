"""Welcome: put the one message of a first start into the outbox, once there is something to say."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from costcompass_core.domain.days import each_day, newest_completed, utc_day
from costcompass_core.domain.reports import ranked
from costcompass_core.domain.welcome import WelcomeReport
from costcompass_core.storage.balance import newest_balances
from costcompass_core.storage.outbox import mark_once, marked_at, put
from costcompass_core.storage.refreshes import attempts, health
from costcompass_core.storage.spend import amounts, first_day, unread_days

_NAME = "welcome"


def welcome(tx: sqlite3.Connection, accounts: Sequence[str], now: datetime) -> None:
    """Write the welcome, exactly once, when every account has been tried; call it once connected."""
    if marked_at(tx, _NAME) is None and all(attempts(tx, one) for one in accounts):
        mark_once(tx, _NAME, now)
        put(tx, "slack", _NAME, "welcome", now)


def welcome_report(tx: sqlite3.Connection, now: datetime) -> WelcomeReport:
    """Return what has been found so far."""
    conditions, first, newest = health(tx), first_day(tx), newest_completed(utc_day(now))
    balances = tuple(newest_balances(tx))
    if first is None or first > newest:
        rows, total, _ = ranked(())
        return WelcomeReport(tuple(conditions), balances, total, 0, 0, None)
    rows, total, _ = ranked(amounts(tx, first, newest, "model", None))
    days = list(each_day(first, newest))
    unread = unread_days(tx, days, [one.account for one in conditions])
    known = len(days) - len(unread)
    return WelcomeReport(tuple(conditions), balances, total, known, len(rows), first)
