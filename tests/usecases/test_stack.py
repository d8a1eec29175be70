"""Several providers in one ledger: spend and forecasts over all of them, exact to the last digit."""

import tempfile
from contextlib import closing
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stack_world import FINAL, Ledger, ago, usage

from costcompass_core.domain.burn import burn_of
from costcompass_core.domain.money import Usd
from costcompass_core.storage.spend import histories
from costcompass_core.storage.store import open_store


def told(rows):
    return [(row.provider, row.name, row.cost.text()) for row in rows]


def test_models_rank_under_their_provider_and_everything_adds_up(ledger):
    day = ago(1)
    ledger.put(
        "main", {day: [usage(day, "same/model", "0.1"), usage(day, "x/y", "0.0000000000001")]}
    )
    ledger.put("acme/one", {day: [usage(day, "same/model", "5")]}, slow=True)
    ledger.put(
        "acme/two", {day: [usage(day, "same/model", "-0.25"), usage(day, "z", "1")]}, slow=True
    )
    report = ledger.spend("yesterday")
    assert told(report.rows) == [
        ("acme", "same/model", "4.75"),
        ("acme", "z", "1"),
        ("openrouter", "same/model", "0.1"),
        ("openrouter", "x/y", "0.0000000000001"),
    ]
    sellers = report.stack.sellers
    assert [(one.title, one.cost.text()) for one in sellers] == [
        ("Acme Cloud", "5.75"),
        ("OpenRouter", "0.1000000000001"),
    ]
    assert [row for one in sellers for row in one.rows] == list(report.rows)
    assert Usd.total(one.cost for one in sellers) == report.total
    assert Usd.total(row.cost for row in report.rows) == report.total


def test_one_name_for_one_model_is_asked_for_and_never_assumed(two):
    apart, merged = two.spend("30d"), two.spend("30d merged")
    assert told(apart.rows) == [
        ("anthropic", "claude-sonnet-4-5", "86"),
        ("openrouter", "anthropic/claude-sonnet-4.5", "60"),
    ]
    assert told(merged.rows) == [("", "claude-sonnet-4.5", "146")]
    assert merged.total == apart.total


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("by provider", [("anthropic", "86"), ("openrouter", "60")]),
        ("by account", [("anthropic/main", "86"), ("main", "60")]),
        ("by service", [("claude-sonnet-4-5", "86"), ("OpenRouter", "60")]),
        ("sonnet-4-5", [("claude-sonnet-4-5", "86")]),
    ],
)
def test_ranked_otherwise_it_is_the_same_money(two, words, rows):
    report = two.spend(f"30d {words}")
    assert [(row.name, row.cost.text()) for row in report.rows] == rows


def test_a_late_provider_is_named_and_holds_nobody_back(two):
    report = two.spend("7d")
    assert (report.data_through, report.missing_days) == (ago(1), ())
    assert [(one.kind, one.account, one.day) for one in report.stack.caveats] == [
        ("lags", "anthropic/main", FINAL)
    ]
    assert report.change is None  # two of its days may still grow
    changes = {row.provider: report.change_of(row) for row in report.rows}
    assert changes == {"anthropic": None, "openrouter": Decimal(0)}
    assert two.spend("2026-11-01..2026-11-20").stack.caveats == ()


def test_a_gap_between_the_days_of_a_late_provider_is_missing_all_the_same(two):
    with two.store.writing() as tx:
        tx.execute(
            "DELETE FROM usage_day WHERE account = 'anthropic/main' AND day = ?", (str(ago(5)),)
        )
    assert two.spend("7d").missing_days == (ago(5),)


def test_each_provider_is_expected_by_its_own_seven_final_days(two):
    report = two.forecast()
    plans = {one.provider: one.plan for one in report.providers}
    assert (plans["anthropic"].burn.start, plans["anthropic"].burn.end) == (ago(9), FINAL)
    assert (plans["openrouter"].burn.start, plans["openrouter"].burn.end) == (ago(7), ago(1))
    assert {name: one.usage.text() for name, one in plans.items()} == {
        "anthropic": "93",
        "openrouter": "62",
    }
    assert report.next_month.usage.text() == "155"
    assert report.next_month.burn_per_day.text() == "5"
    # OpenRouter's 22 days of November and the 20 of Anthropic's that are final
    assert report.this_month.so_far.text() == "104"


COSTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12)


@settings(max_examples=25)
@given(
    st.dictionaries(st.sampled_from(["main", "anthropic/a", "acme/b", "xai/c"]), COSTS, min_size=2)
)
def test_the_whole_is_the_sum_of_the_parts_rounded_once(spent):
    with tempfile.TemporaryDirectory() as folder, closing(open_store(Path(folder))) as store:
        ledger = Ledger(store)
        for lag, (account, costs) in enumerate(sorted(spent.items())):
            days = {
                ago(lag + age): [usage(ago(lag + age), "m", Decimal(cost).scaleb(-9))]
                for age, cost in enumerate(costs, 1)
            }
            ledger.put(account, days, slow=account != "main")
        with store.reading() as tx:
            own = histories(tx, ago(60))
        wholes = [burn_of(one).over(31) for one in own.values()]
        assert ledger.forecast().next_month.usage == Usd.of_ratio(sum(wholes, Fraction(0)))


def test_what_happens_once_is_spent_and_not_expected(ledger):
    ledger.steady("main", "1", ago(22), ago(1))
    ledger.steady("acme/one", "1", ago(22), ago(1), slow=True)
    rows = [usage(ago(2), "m", "1"), usage(ago(2), "Tax", "100", once=True)]
    ledger.put("acme/one", {ago(2): rows}, slow=True)
    report = ledger.forecast()
    assert ledger.spend("mtd").total.text() == "144"
    assert report.next_month.usage.text() == "62"
    assert report.this_month.so_far.text() == "144"
    assert report.this_month.total.text() == "160"  # and eight more days of two


def test_an_account_that_ended_holds_its_neighbours_back_in_nothing(ledger):
    ledger.steady("acme/old", "7", ago(50), ago(33), slow=True)
    ledger.steady("acme/new", "3", ago(50), ago(2), slow=True)
    report = ledger.forecast()
    assert (report.data_through, report.providers) == (ago(2), ())
    assert report.next_month.burn.end == ago(2)
    assert ledger.spend("7d").data_through == ago(2)
    ledger.steady("main", "2", ago(50), ago(1))
    acme, _ = ledger.forecast().providers
    assert (acme.title, acme.through) == ("Acme Cloud", ago(2))
    assert acme.plan.usage.text() == "310"  # each by its own seven newest days
