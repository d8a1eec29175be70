"""What traffic would cost elsewhere: nothing changes at the same prices, and it scales."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.burn import Burn
from costcompass_core.domain.catalogue import Listed, named
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.forecast import next_month
from costcompass_core.domain.money import Usd
from costcompass_core.domain.prices import effect, list_cost
from costcompass_core.domain.reports import Amounts
from costcompass_core.domain.whatif import parse_if, what_if

TODAY = date(2026, 11, 23)
READ = datetime(2026, 11, 23, tzinfo=UTC)
BURN = Burn(date(2026, 11, 16), date(2026, 11, 22), 7, Usd.of("1000000"))
PRICE = st.decimals("0", "0.001", places=9).map(Usd)
PRICES = st.fixed_dictionaries(
    {"prompt": PRICE, "completion": PRICE}, optional={"input_cache_read": PRICE, "request": PRICE}
)
TOKENS = st.tuples(*[st.integers(0, 10**9)] * 4)


def used(prices, tokens, times=1):
    requests, prompt, completion, cached = (one * times for one in tokens)
    plain = Amounts("a/x", Decimal(0), Decimal(0), requests, prompt, completion, 0, cached)
    return plain._replace(cost=Usd.of_ratio(list_cost(prices, plain)).amount)


def asked(prices, other, tokens, percent=100, times=1):
    return what_if(
        next_month(TODAY, BURN, []),
        used(prices, tokens, times),
        Listed("a/x", "a/x", "X", prices),
        Listed("b/y", "b/y", "Y", other),
        percent=percent,
        read_at=READ,
    )


@given(PRICES, TOKENS, st.integers(1, 100))
def test_at_its_own_prices_nothing_changes(prices, tokens, percent):
    report = asked(prices, prices, tokens, percent)
    assert report.on_other == report.now == report.at_list
    assert report.difference in (None, Usd.of(0))
    assert report.skew is None


@given(PRICES, PRICES, TOKENS, st.integers(1, 50), st.integers(1, 9))
def test_it_scales_with_the_share_and_the_tokens(prices, other, tokens, percent, times):
    one = asked(prices, other, tokens, percent).on_other.ratio()
    for more, factor in (
        (asked(prices, other, tokens, percent * 2), 2),
        (asked(prices, other, tokens, percent, times), times),
    ):
        assert abs(more.on_other.ratio() - one * factor) <= Fraction(factor, 10**12)


@given(PRICES, PRICES, TOKENS)
def test_an_effect_of_a_price_change_reverses_with_it(old, new, tokens):
    amounts = used(old, tokens)
    assert effect(old, new, amounts, 30) == -effect(new, old, amounts, 30)
    assert effect(old, old, amounts, 7) == Usd.of(0)
    assert effect(old, new, amounts._replace(byok_cost=Decimal(1)), 30) is None


def test_a_price_or_a_count_that_is_not_known_is_no_estimate():
    prices = {"prompt": Usd.of("0.1"), "completion": Usd.of("0.1")}
    assert asked(prices, {}, (1, 1, 1, 0)).unknown == "price"
    cheap_reads = {**prices, "input_cache_read": Usd.of("0.01")}
    nothing_cached = used(prices, (1, 10, 1, 0))._replace(cached_tokens=None)
    assert list_cost(cheap_reads, nothing_cached) is None
    assert list_cost(prices, nothing_cached) == Fraction(11, 10)
    assert list_cost(cheap_reads, nothing_cached._replace(cached_tokens=25)) == Fraction(35, 100)


@pytest.mark.parametrize(
    "words", ["a -> b 40%", "a→b 40", "a to b 40%", "a  TO  b  40 %", "`a` => `b` 40%", "a->b 40"]
)
def test_the_ways_to_ask(words):
    assert parse_if(words) == type(parse_if(words))("a", "b", 40)


@pytest.mark.parametrize(
    "words",
    ["", "a b", "a to", "-> b", "` to b", "a to b 0%", "a to b 101", "a to b 150%", "a to b c d"],
)
def test_words_that_make_no_sense_are_refused(words):
    with pytest.raises(UsageError):
        parse_if(words)


def test_what_is_wrong_is_said():
    with pytest.raises(UsageError, match=r"`0.5%` is not a share of traffic: write a whole number"):
        parse_if("a -> b 0.5")
    with pytest.raises(UsageError, match="a shell takes `->` apart"):
        parse_if("a -")


def test_a_name_is_itself_or_the_only_one_that_contains_the_word():
    names = ["openai/gpt-4.1", "openai/gpt-4.1-mini", "z-ai/glm-4.6"]
    assert named("OpenAI/gpt-4.1", names, "them") == "openai/gpt-4.1"
    assert named("glm", names, "them") == "z-ai/glm-4.6"
    assert named("GPT-4.1", names, "them") == "openai/gpt-4.1"
    with pytest.raises(UsageError, match=r"which one: openai/gpt-4.1, openai/gpt-4.1-mini"):
        named("gpt", names, "them")
    with pytest.raises(UsageError, match=r"did you mean z-ai/glm-4.6"):
        named("z-ai/glm4.6", names, "them")
