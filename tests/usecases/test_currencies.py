"""Several currencies in one ledger: side by side, never added, and none in a figure in dollars."""

import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stack_world import NOW, TODAY, WORDS, Ledger, ago, usage, view

from costcompass_core.domain.accounts import Account
from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.days import Month, each_day
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rates import Rate
from costcompass_core.domain.stack import Exchange
from costcompass_core.domain.usage import Activity, Reading
from costcompass_core.storage.outbox import waiting
from costcompass_core.storage.store import open_store
from costcompass_core.usecases.digest import Reporter
from costcompass_core.usecases.refresh import commit
from costcompass_core.usecases.report import Questions
from costcompass_core.usecases.watch import Watch


@pytest.fixture
def abroad(two):
    days = {day: [usage(day, "DeepSeek", "7", "CNY")] for day in each_day(ago(40), ago(1))}
    two.put("deepseek/main", days, slow=True)
    days = {day: [usage(day, "Server", "1.5", "EUR")] for day in each_day(ago(40), ago(1))}
    days[ago(1)].append(usage(ago(1), "Server", "0.25", endpoint="usd"))
    two.put("acme/one", days, slow=True)
    return two


RATES = {
    "CNY": Rate("CNY", Fraction(1, 8), TODAY, "ECB"),
    "USD": Rate("USD", Fraction(1, 2), TODAY, "ECB"),
}


def test_currencies_stand_side_by_side_and_are_never_added(abroad):
    report = abroad.spend("7d")
    assert report.total.text() == "31.25"  # 14 + 17 + 0.25, all in USD
    shown = [(one.currency, str(one.total)) for one in report.stack.currencies]
    assert shown == [("USD", "31.25"), ("CNY", "49"), ("EUR", "10.5")]
    assert report.stack.converted is None
    [row] = report.stack.currencies[1].rows
    assert (row.provider, row.name, row.cost) == ("deepseek", "DeepSeek", Decimal(49))


def test_the_home_currency_comes_first_and_all_are_one_only_with_every_rate(abroad):
    def asked(rates):
        exchange = Exchange("EUR", rates)
        return Questions(abroad.store, exchange=lambda _: exchange).spend("7d", NOW).stack

    stack = asked(RATES)
    assert [one.currency for one in stack.currencies] == ["EUR", "CNY", "USD"]
    assert stack.converted.total == Decimal("10.5") + Decimal(49) / 8 + Decimal("31.25") / 2
    assert [one.currency for one in stack.converted.rates] == ["CNY", "USD"]
    partly = asked({"CNY": RATES["CNY"]}).converted
    assert (partly.total, partly.without) == (None, ("USD",))
    assert asked(None).converted is None


@pytest.mark.parametrize(
    "words", ["7d deep", "7d by provider deep", "7d by account deep", "7d by day deep"]
)
def test_a_filter_keeps_the_same_models_of_every_currency(abroad, words):
    [cny] = [one for one in abroad.spend(words).stack.currencies if one.currency != "USD"]
    assert (cny.currency, cny.total) == ("CNY", Decimal(49))


@pytest.mark.parametrize("today", [TODAY, date(2026, 12, 2)])
def test_another_currency_is_expected_by_its_own_seven_days_at_any_time_of_the_month(abroad, today):
    """On the second of December as well, when the month itself has one day."""
    days = {day: [usage(day, "DeepSeek", "7", "CNY")] for day in each_day(ago(1), ago(1, today))}
    abroad.put("deepseek/main", days, slow=True)
    abroad.now = datetime(today.year, today.month, today.day, 9, tzinfo=UTC)
    cny = next(one for one in abroad.forecast().currencies if one.currency == "CNY")
    assert (cny.plan.burn.days, cny.plan.burn.end) == (7, ago(1, today))
    assert cny.plan.usage.text() == str(7 * Month.of(today).next.days)
    assert cny.so_far.text() == str(7 * (today.day - 1))


def test_a_correction_in_another_currency_is_none_in_dollars(ledger):
    """Google bills in the currency of the country: such a day is read again and has grown."""
    account, day = Account("google/main", "google", ""), ago(9)
    watch = Watch((account.name,), NOW - timedelta(days=9), running=True)

    def read(euro, dollars, at):
        rows = (usage(day, "Gemini API", euro, "EUR"), usage(day, "Other", dollars))
        activity = Activity({day: rows})
        return commit(account, ledger.store, Reading(at, activity=activity), watch).restated

    assert read("100", "1", NOW - timedelta(days=2)) == []
    [one] = read("900", "1", NOW - timedelta(days=1))
    assert (one.settled, one.before.text(), one.after.text()) == (True, "1", "1")
    with ledger.store.reading() as tx:
        assert waiting(tx, "slack") == []
    [one] = read("900", "3", NOW)
    assert (one.before.text(), one.after.text()) == ("1", "3")
    with ledger.store.reading() as tx:
        [letter] = waiting(tx, "slack")
    assert letter.notice.rule == "history_restated"


def test_a_digest_of_a_day_long_past_knows_no_later_day_of_any_currency(abroad):
    at = datetime(2026, 11, 10, 9, tzinfo=UTC)
    report = Reporter(abroad.store).digest(at.date(), at)
    cny = next(one for one in report.outlook.currencies if one.currency == "CNY")
    assert (cny.plan.burn.end, cny.so_far.text()) == (date(2026, 11, 9), "63")


ACCOUNTS = ("main", "anthropic/a", "acme/b")
ROWS = st.lists(
    st.builds(
        lambda model, currency, cost, once: usage(TODAY, model, Decimal(cost), currency, once=once),
        st.sampled_from(["a/large", "b"]),
        st.sampled_from(["USD", "CNY", "EUR"]),
        st.integers(-3, 50),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda row: (row.model, row.currency),
)
WRITES = st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.integers(1, 45), ROWS), max_size=12)


def dollars(folder, writes):
    """Return every figure in USD that the ledger answers with."""
    with closing(open_store(folder)) as store:
        ledger = Ledger(store)
        ledger.steady("main", "1", ago(60), ago(60))  # since then, all that there is is known
        for account, age, rows in writes:
            day = ago(age)
            days = {day: [row._replace(day=day) for row in rows]}
            ledger.put(account, days, slow=account != "main", final=ago(2))
        budgets = [Budget("all", Usd.of(9)), Budget("a", Usd.of(9), model="a*")]
        asked = Questions(store, budgets=budgets)
        spent = [replace(asked.spend(words, NOW), stack=None, meant=None) for words in WORDS]
        forecast = replace(asked.forecast("", NOW), currencies=())
        digest = ledger.digest()
        outlook = replace(digest.outlook, currencies=())
        views = [view(ledger, one) for one in budgets]
        month, why = ledger.monthly(Month(2026, 11)), asked.why("7d", NOW)
        return spent, forecast, replace(digest, outlook=outlook), views, month, why


@settings(max_examples=20)
@given(WRITES)
def test_no_figure_in_dollars_knows_of_any_other_currency(writes):
    alone = [(*one, [row for row in rows if row.currency == "USD"]) for *one, rows in writes]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "all").mkdir()
        (Path(folder) / "usd").mkdir()
        mixed, pure = dollars(Path(folder) / "all", writes), dollars(Path(folder) / "usd", alone)
    for one, other in zip(mixed, pure, strict=True):
        assert one == other
