"""The split of usage by key: replaced with its day, read again until it is whole, no name hidden."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from costcompass_core.domain.money import ZERO
from costcompass_core.domain.usage import Activity, ApiKey, Usage
from costcompass_core.storage.keys import days_without_keys, key_amounts, store_keys
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import remember_account, replace_days

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ONE, TWO = date(2026, 11, 21), date(2026, 11, 22)


def used(day, usd):
    return Usage(day, "m", "m", "e", "h", 1, 1, 1, 1, None, Decimal(usd), Decimal(0))


@pytest.fixture
def tx(tmp_path):
    store = open_store(tmp_path)
    with store.writing() as tx:
        remember_account(tx, "main", "openrouter")
        replace_days(tx, "main", {ONE: [used(ONE, "3")], TWO: [used(TWO, "3")]}, NOW)
        yield tx
    store.close()


def split(tx):
    return sorted((one.name, str(one.cost)) for one in key_amounts(tx, ONE, TWO, None))


def test_a_day_that_the_answer_does_not_speak_of_is_asked_for_again(tx):
    activity = Activity({TWO: (used(TWO, "3"),)})
    store_keys(tx, "main", [ApiKey("k1", "app", ZERO)], {"k1": activity}, [ONE, TWO])
    assert days_without_keys(tx, "main", ONE) == [ONE]
    assert split(tx) == [("app", "3")]


def test_a_restated_day_loses_its_split_until_that_is_read_again(tx):
    activity = Activity({ONE: (used(ONE, "3"),), TWO: (used(TWO, "3"),)})
    store_keys(tx, "main", [ApiKey("k1", "app", ZERO)], {"k1": activity}, [ONE, TWO])
    replace_days(tx, "main", {TWO: [used(TWO, "4")], ONE: []}, NOW)
    assert (split(tx), days_without_keys(tx, "main", ONE)) == ([], [TWO])


def test_keys_of_one_name_are_told_apart(tx):
    names = [("k1aaaaaaaa", "app"), ("k2bbbbbbbb", "app"), ("k3cccccccc", "other")]
    keys = [ApiKey(ident, name, ZERO) for ident, name in names]
    by_key = {key.ident: Activity({ONE: (used(ONE, "1"),), TWO: ()}) for key in keys}
    store_keys(tx, "main", keys, by_key, [ONE, TWO])
    assert split(tx) == [("app (main k1aaaa)", "1"), ("app (main k2bbbb)", "1"), ("other", "1")]
