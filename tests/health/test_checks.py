"""What /readyz says of stored states, each at moments that are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.health.checks import readiness
from bot.health.facts import Check, Process
from bot.meters import Meters
from costcompass_core.domain.errors import Unavailable, Undelivered, VaultLocked, WrongKeyType
from costcompass_core.domain.money import Usd
from costcompass_core.domain.quiet import QuietHours
from costcompass_core.domain.rules.views import Limits
from costcompass_core.domain.usage import Balance, Usage
from costcompass_core.storage import outbox
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.refreshes import note_failure, note_success
from costcompass_core.storage.store import Store, open_store
from costcompass_core.storage.usage import remember_account, replace_days
from costcompass_core.usecases.report import Questions

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ACCOUNTS = {"main": "openrouter"}
MINUTE = timedelta(minutes=1)
WELL = Process(
    silent=timedelta(seconds=3), stalled=False, vault_open=True, slack=True,
    refused_since=None, reading=Meters().read(),
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An account that was read well at noon, with a week of days."""
    store = open_store(tmp_path)
    days = {
        date(2026, 11, 15 + n): [
            Usage(date(2026, 11, 15 + n), "a/m", "a/m", "e", "h", 1, 1, 1, 0, None, Decimal(1), Decimal(0))
        ]
        for n in range(8)
    }  # fmt: skip
    with store.writing() as tx:
        remember_account(tx, "main", "openrouter")
        replace_days(tx, "main", days, NOW)
        note_success(tx, "main", "activity", NOW)
        note_success(tx, "main", "balance", NOW)
        add_balance(tx, "main", Balance(Usd.of(50), Usd.of(100), Usd.of(50)), NOW)
    yield store
    store.close()


def checks(
    store: Store, now: datetime, process: Process = WELL, quiet: QuietHours | None = None
) -> dict[str, Check]:
    known = Questions(store).conditions(list(ACCOUNTS), Limits(), quiet, now)
    return {one.check: one for one in readiness(process, known, ACCOUNTS, now)}


def test_all_is_well(store: Store):
    found = checks(store, NOW + MINUTE)
    assert [name for name, one in found.items() if not one.ok] == []
    assert found["data"] == ("data", True, "fresh", "main")
    assert set(found) == {"ticks", "vault", "slack", "database", "outbox", "data"}


def test_the_process_s_own_troubles_are_named(store: Store):
    late = replace(WELL, silent=timedelta(seconds=121), stalled=True)
    assert checks(store, NOW, late)["ticks"][1:3] == (False, "no tick for 121 s")
    locked = checks(store, NOW, replace(WELL, vault_open=False))["vault"]
    assert locked[1:3] == (False, "locked: run `costcompass unlock`")
    assert not checks(store, NOW, replace(WELL, slack=False))["slack"].ok
    none = checks(store, NOW, replace(WELL, slack=None))["slack"]
    assert none[1:3] == (True, "not configured")
    refused = checks(store, NOW, replace(WELL, refused_since=NOW))["database"]
    assert refused.reason.startswith("refuses writes since 2026-11-23T12:00:00Z")


def test_a_database_that_cannot_be_read_leaves_nothing_known():
    found = {one.check: one.ok for one in readiness(WELL, None, ACCOUNTS, NOW)}
    assert [name for name, ok in found.items() if not ok] == ["database", "outbox", "data"]


def test_data_is_stale_when_the_rule_says_so_without_its_patience(store: Store):
    """Three intervals of five minutes: the balance is the first that gets old."""
    assert checks(store, NOW + 14 * MINUTE)["data"].ok
    late = checks(store, NOW + 15 * MINUTE)["data"]
    assert late[1:3] == (False, "no balance read since 2026-11-23T12:00:00Z")


def test_a_day_that_is_overdue_is_named(store: Store):
    morning = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    with store.writing() as tx:
        for part in ("balance", "activity"):
            note_success(tx, "main", part, morning)
    assert checks(store, morning)["data"].reason == "the usage of 2026-11-23 is overdue"


def test_an_account_that_was_never_read_is_not_fresh(tmp_path: Path):
    store = open_store(tmp_path)
    assert checks(store, NOW)["data"][1:3] == (False, "no balance read yet")
    store.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (WrongKeyType("sk-or-v1-secret"), "its key is of a type that cannot read spend"),
        (VaultLocked("locked"), "its key is in the locked vault"),
    ],
)
def test_a_key_that_does_not_work_is_named_at_once(store: Store, error: Exception, reason: str):
    with store.writing() as tx:
        note_failure(tx, "main", "activity", NOW + MINUTE, error)
    assert checks(store, NOW + MINUTE)["data"][1:3] == (False, reason)


def test_one_failure_is_no_trouble_yet(store: Store):
    with store.writing() as tx:
        note_failure(tx, "main", "balance", NOW + MINUTE, Unavailable("down"))
    assert checks(store, NOW + 2 * MINUTE)["data"].ok


def put(store: Store, at: datetime) -> None:
    with store.writing() as tx:
        outbox.put(tx, "slack", f"letter:{at}", "digest", at)


def test_a_message_may_wait_for_ten_minutes(store: Store):
    put(store, NOW)
    assert checks(store, NOW + 9 * MINUTE)["outbox"][1:3] == (True, "1 message waiting")
    late = checks(store, NOW + 12 * MINUTE)["outbox"]
    assert not late.ok
    assert late.reason.startswith("a message waits for 12 minutes")


def test_quiet_hours_hold_messages_back_and_then_give_them_their_time(store: Store):
    quiet = QuietHours(time(22), time(7), UTC)
    put(store, datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    morning = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert checks(store, morning - MINUTE, quiet=quiet)["outbox"].ok
    assert checks(store, morning + 9 * MINUTE, quiet=quiet)["outbox"].ok
    assert not checks(store, morning + 11 * MINUTE, quiet=quiet)["outbox"].ok
    assert not checks(store, morning - MINUTE)["outbox"].ok


def test_a_refused_message_counts_at_once(store: Store):
    put(store, NOW)
    refusal = Undelivered("channel_not_found", permanent=True)
    with store.writing() as tx:
        outbox.failed(tx, outbox.waiting(tx, "slack"), NOW, str(refusal), parked=True)
    refused = checks(store, NOW + MINUTE)["outbox"]
    assert not refused.ok
    assert refused.reason.startswith("1 message refused")
