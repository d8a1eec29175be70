"""`forecast if` and `spend advice` over a real store: the days they rest on, and own keys."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from install import usage

from bot.lever_words import advice_headline, if_headline
from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.money import Usd
from costcompass_core.storage.catalogue import store_list
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import remember_account, replace_days
from costcompass_core.usecases.report import Questions

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PRICES = {"prompt": Usd.of("0.000001"), "completion": Usd.of("0.000001")}


def ago(days):
    return NOW.date() - timedelta(days=days)


def used(days_ago, cost, **fields):
    tokens = {"prompt_tokens": 900_000, "completion_tokens": 100_000, "requests": 1000}
    return usage(ago(days_ago), "a/big", cost, **(tokens | fields))


@pytest.fixture
def ledger(tmp_path):
    """Make questions over accounts that know the days given, each with its rows."""
    store = open_store(tmp_path)

    def make(**accounts):
        with store.writing() as tx:
            for name, rows in accounts.items():
                remember_account(tx, name, "openrouter")
                replace_days(tx, name, {ago(age): some for age, some in rows.items()}, NOW)
                note_success(tx, name, "activity", NOW)
            names = ("a/big", "b/small")
            store_list(tx, "openrouter", [Listed(one, one, one, PRICES) for one in names], NOW)
        return Questions(store)

    yield make
    store.close()


def test_what_moves_is_what_the_forecast_counts(ledger):
    known = {age: [used(age, "7")] for age in range(1, 41)}
    with_a_gap = {age: [] for age in range(1, 41) if age != 3}
    report = ledger(main=known, other=with_a_gap).forecast_if("big to small", NOW)
    assert report.plan.burn.days == 6
    assert report.now == report.plan.usage == Usd.of(7 * 31)
    assert report.on_other == Usd.of(31)


def test_a_provider_that_is_late_takes_no_day_from_what_moves(ledger):
    questions = ledger(main={age: [used(age, "7")] for age in range(1, 41)})
    with questions.store.writing() as tx:
        remember_account(tx, "acme/main", "acme", slow=True)
        late = {ago(age): [usage(ago(age), "Servers", "1")] for age in range(4, 41)}
        replace_days(tx, "acme/main", late, NOW)
    report = questions.forecast_if("big to small", NOW)
    assert (report.plan.burn.days, report.now) == (7, Usd.of(7 * 31))
    assert report.on_other == Usd.of(31)


def test_no_estimate_is_made_of_what_own_keys_paid_in_part(ledger):
    mixed = [used(2, "5"), used(2, "0", byok_cost=Decimal(2), endpoint="2")]
    questions = ledger(main={age: mixed if age == 2 else [] for age in range(1, 41)})
    report = questions.forecast_if("big to small", NOW)
    assert (report.unknown, report.on_other, report.at_list) == ("own keys", None, None)
    assert "part of it is paid under your own keys" in if_headline(report)


def test_days_before_the_first_usage_are_no_history(ledger):
    rows = {age: [used(age, "7")] if age <= 13 else [] for age in range(1, 41)}
    report = ledger(main=rows).advice("", NOW)
    assert (report.days, report.too_early, report.total) == (13, True, Usd.of(210))
    rows[14] = [used(14, "7")]
    told = advice_headline(ledger(main=rows).advice("", NOW))
    assert told.endswith("$210.00 in 30 days like your 14 known ones.")
