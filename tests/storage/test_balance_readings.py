"""What left a balance between two readings, whatever was bought, refunded or expired meanwhile."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costcompass_core.domain.money import Usd
from costcompass_core.domain.usage import Balance
from costcompass_core.storage.balance import (
    add_balance,
    counter_near,
    newest_balances,
    newest_counter,
)
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import remember_account

START = datetime(2026, 11, 1, tzinfo=UTC)
MONEY = st.decimals(0, 10**6, allow_nan=False, places=9)


@pytest.fixture
def store(tmp_path):
    store = open_store(tmp_path)
    yield store
    store.close()


def read(tx, minutes, purchased, used):
    balance = Balance(Usd.of(purchased) - Usd.of(used), Usd.of(purchased), Usd.of(used))
    add_balance(tx, "main", balance, START + timedelta(minutes=minutes))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(MONEY, MONEY, MONEY), min_size=1, max_size=8))
def test_what_is_gone_is_what_was_used_and_what_was_taken_back(store, steps):
    purchased = used = lost = Decimal(0)
    with store.writing() as tx:
        tx.execute("DELETE FROM balance")
        read(tx, 0, 0, 0)
        for minute, (spent, bought, refunded) in enumerate(steps, 1):
            used += spent
            purchased += bought - refunded
            lost += spent + max(refunded - bought, Decimal(0))
            read(tx, minute, purchased, used)
        assert newest_counter(tx, "main").gone == Usd(lost)


def test_the_reading_nearest_to_a_moment_stands_for_it(store):
    with store.writing() as tx:
        remember_account(tx, "main", "openrouter")
        for minute in (-16, -9, 8, 20):
            read(tx, minute, 100, 20 + minute)
        remember_account(tx, "unread", "openrouter")
    with store.reading() as tx:
        assert counter_near(tx, "main", START).gone == Usd.of(28)
        assert counter_near(tx, "main", START + timedelta(hours=1)) is None
        assert counter_near(tx, "unread", START) is None
        [newest] = newest_balances(tx)
        assert (newest.left, newest.at) == (Usd.of(60), START + timedelta(minutes=20))
