"""The words after `/spend`: each of the contract's, in any order and case, and typos named."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.days import Month
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.query import MAX_WORDS, matches, parse_spend, wants_help

TODAY = date(2026, 11, 23)
FIRST = date(2026, 6, 30)
MODELS = ("anthropic/claude-sonnet-4.5", "openai/gpt-4.1", "google/gemini-2.5-flash")
NOVEMBER = Month(2026, 11)


def ask(words, today=TODAY, first_day=FIRST, models=MODELS):
    return parse_spend(words, today=today, first_day=first_day, models=lambda: models)


def span(words, today=TODAY, first_day=FIRST):
    period = ask(words, today, first_day).period
    return str(period.start), None if period.end is None else str(period.end), period.month


def refusal(words, **more):
    with pytest.raises(UsageError) as caught:
        ask(words, **more)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "first", "last", "month"),
    [
        ("", "2026-11-01", "2026-11-22", NOVEMBER),
        ("mtd", "2026-11-01", "2026-11-22", NOVEMBER),
        ("today", "2026-11-23", "2026-11-23", None),
        ("2026-11-23", "2026-11-23", "2026-11-23", None),
        ("yesterday", "2026-11-22", "2026-11-22", None),
        ("1d", "2026-11-22", "2026-11-22", None),
        ("7d", "2026-11-16", "2026-11-22", None),
        ("30d", "2026-10-24", "2026-11-22", None),
        ("90d", "2026-08-25", "2026-11-22", None),
        ("last month", "2026-10-01", "2026-10-31", Month(2026, 10)),
        ("ytd", "2026-01-01", "2026-11-22", None),
        ("all", "2026-06-30", "2026-11-22", None),
        ("2026-10", "2026-10-01", "2026-10-31", Month(2026, 10)),
        ("2026-11", "2026-11-01", "2026-11-22", NOVEMBER),
        ("2026-10-03", "2026-10-03", "2026-10-03", None),
        ("2026-10-01..2026-10-15", "2026-10-01", "2026-10-15", None),
        ("2026-11-20..2026-11-30", "2026-11-20", "2026-11-22", None),
        ("2026-11-23..2026-11-30", "2026-11-23", None, None),
        ("2026-12", "2026-12-01", None, Month(2026, 12)),
        ("2026-12-24", "2026-12-24", None, None),
    ],
)
def test_every_period_of_the_contract(words, first, last, month):
    assert span(words) == span(words.upper()) == (first, last, month)
    assert ask(words).period.today == (words in {"today", "2026-11-23"})


@pytest.mark.parametrize(
    ("today", "words", "first", "last"),
    [
        (date(2026, 12, 1), "mtd", "2026-12-01", None),
        (date(2026, 12, 1), "last month", "2026-11-01", "2026-11-30"),
        (date(2026, 12, 1), "yesterday", "2026-11-30", "2026-11-30"),
        (date(2026, 12, 2), "", "2026-12-01", "2026-12-01"),
        (date(2027, 1, 1), "ytd", "2027-01-01", None),
        (date(2027, 1, 1), "last month", "2026-12-01", "2026-12-31"),
        (date(2028, 3, 1), "last month", "2028-02-01", "2028-02-29"),
        (date(2028, 3, 1), "2d", "2028-02-28", "2028-02-29"),
        (date(2028, 3, 7), "2028-02-29", "2028-02-29", "2028-02-29"),
        (date(2027, 3, 1), "2027-02", "2027-02-01", "2027-02-28"),
    ],
)
def test_edges_of_months_and_years(today, words, first, last):
    assert span(words, today)[:2] == (first, last)


def test_all_time_of_an_empty_ledger_has_no_completed_day():
    assert span("all", first_day=None) == ("2026-11-23", None, None)
    assert list(ask("all", first_day=None).period.days()) == []


@pytest.mark.parametrize(
    ("word", "by"),
    [(d, d) for d in ("model", "provider", "host", "day", "account", "key")] + [("HOSTS", "host")],
)
def test_every_dimension(word, by):
    assert ask(f"by {word}").by == by


def test_order_and_case_do_not_matter():
    for parts in permutations(["Last Month", "BY Host", "Claude", "*4.5"]):
        query = ask("  ".join(parts))
        assert (query.period, query.by) == (ask("2026-10").period, "host")
        assert sorted(query.filters) == ["*4.5", "claude"]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("claude", [0]),
        ("G", [1, 2]),
        ("*/*flash", [2]),
        ("o*4", [0, 1]),
        ("4*o", []),
        ("c*o*4", [0]),
        ("open gpt", [1]),
        ("g*g*g*g", []),
        ("nothing-like-it", []),
        ("**", [0, 1, 2]),
        ("4.1", [1]),
        ("4?1", []),
    ],
)
def test_other_words_keep_the_models_that_contain_them(words, kept):
    query = ask(words)
    assert [n for n, name in enumerate(MODELS) if query.keeps(name)] == kept


@pytest.mark.timeout(10)
def test_a_filter_of_many_stars_is_no_trap():
    assert not matches("*a" * 200 + "*z", "a" * 512)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("yesturday", "`yesterday`"),
        ("tody", "`today`"),
        ("mdt", "`mtd`"),
        ("last mnth", "`last month`"),
        ("lastmonth", "`last month`"),
        ("this month", "`mtd`"),
        ("by modle", "`by model`"),
        ("bymodel", "`by model`"),
        ("host", "`by host`"),
        ("by", "one of model, provider, service, host, day, account, key"),
        ("by week", "one of model"),
        ("30days", "30d"),
        ("2026/10", "2026-10"),
        ("2026-13", "2026-10"),
        ("2026-02-30", "2026-10-03"),
        ("2026-1-1", "2026-10-03"),
        ("2026-10-15..2026-10-01", "2026-10-01..2026-10-15"),
        ("2026-10-01..", "2026-10-03"),
        ("0d", "1d to 3660d"),
        ("9999d", "1d to 3660d"),
        ("7d 30d", "more than one period"),
        ("by host by model", "more than one dimension"),
        ("x" * (MAX_WORDS + 1), "too long"),
    ],
)
def test_a_typo_is_met_with_a_suggestion(words, hint):
    assert hint in refusal(words)


def test_a_word_that_names_a_model_is_no_typo():
    assert ask("host", models=("acme/host-1",)).filters == ("host",)


@pytest.mark.parametrize("words", ["help", " HELP ", "-h", "--help", "?"])
def test_help_is_asked_for(words):
    assert wants_help(words)
    assert not wants_help("helper")


KNOWN = ["mtd", "today", "yesterday", "7d", "0d", "last month", "last", "ytd", "all", "by", "model"]
KNOWN += ["2026-10", "2026-10-03", "2026-10-01..2026-10-15", "..", "claude", "*", "why", "help"]
ANYTHING = st.lists(st.sampled_from(KNOWN) | st.text(max_size=20), max_size=6).map(" ".join)


@given(ANYTHING, st.dates(date(2001, 1, 1), date(9000, 1, 1)), st.integers(0, 4000))
def test_any_text_is_a_question_or_a_usage_error(words, today, age):
    try:
        period = ask(words, today, today - timedelta(days=age)).period
    except UsageError:
        return
    days = list(period.days())
    assert all(day < today for day in days)
    assert period.end is None or period.end >= period.start
    assert bool(days) == (period.end is not None and not period.today)


def test_a_name_after_an_equals_sign_is_a_whole_name():
    query = ask("7d =OpenAI/gpt-4.1")
    assert query.exactly == "openai/gpt-4.1"
    assert query.keeps("openai/gpt-4.1")
    assert not query.keeps("openai/gpt-4.1-mini")
    assert ask("7d gpt").exactly is None


@pytest.mark.parametrize("words", ["", "7d by host claude", "last month by day", "=openai/gpt-4.1"])
def test_the_words_of_a_question_ask_it_again(words):
    query = ask(words)
    assert ask(query.words()) == query
