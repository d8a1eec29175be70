"""An installation with a little of everything in it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from backup_folders import NOW
from install import Install, usage


@pytest.fixture
def stored(install: Install) -> Install:
    """Ten days of spend and a vault with one key."""
    install.configure()
    install.keep(openrouter__main="made-up-key")
    today = NOW.date()
    days = {
        today - timedelta(days=n): [usage(today - timedelta(days=n), "openai/gpt-4.1", f"1.{n}")]
        for n in range(1, 11)
    }
    install.remember(days, at=NOW, left={NOW: "40"})
    return install


@pytest.fixture
def spends(stored: Install):
    """Store one more day, so that the ledger differs from any backup of before."""

    def spend(day: str = "2026-11-01", cost: str = "99") -> None:
        when = datetime.fromisoformat(day).date()
        stored.remember({when: [usage(when, "later/model", cost)]}, at=NOW)

    return spend
