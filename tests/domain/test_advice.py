"""Advice: never more than is spent, at most three, the same in cents as in millions, silent if unknown."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.advice import advise
from costcompass_core.domain.advice.view import View
from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.money import Usd
from costcompass_core.domain.prices import list_cost
from costcompass_core.domain.reports import Amounts, grouped

NEWEST = date(2026, 11, 22)
NAMES = ["a/big", "a/small", "b/big", "b/small", "c/other"]
TOKENS = st.integers(0, 10**9)
SLICE = st.builds(
    Amounts,
    st.sampled_from(["East", "West"]),
    st.decimals(0, 10**6, places=4),
    st.sampled_from([Decimal(0), Decimal(0), Decimal(1)]),
    st.integers(0, 10**6) | st.none(),
    TOKENS | st.none(),
    TOKENS,
    TOKENS,
    TOKENS | st.none(),
)
PRICE = st.decimals("0", "0.001", places=9).map(Usd)
PRICES = st.dictionaries(
    st.sampled_from(["prompt", "completion", "input_cache_read", "request"]), PRICE
)


@st.composite
def views(draw):
    hosts = draw(
        st.dictionaries(
            st.sampled_from(NAMES),
            st.lists(SLICE, min_size=1, max_size=2, unique_by=lambda s: s[0]),
        )
    )
    models = {
        name: grouped([one._replace(name=name) for one in some])[0] for name, some in hosts.items()
    }
    listed = {
        name: Listed(name, name, name, prices)
        for name, prices in draw(st.dictionaries(st.sampled_from(NAMES), PRICES)).items()
    }
    return View(models, hosts, listed, draw(st.integers(1, 30)))


@given(views())
def test_at_most_three_savings_none_above_its_cost(view):
    report = advise(view, NEWEST)
    savings = [one.saving for one in report.found]
    assert len(savings) <= 3
    assert savings == sorted(savings, reverse=True)
    assert all(Usd.of(1) <= one.saving <= one.cost for one in report.found)
    assert not report.found or view.days >= 14
    for one in report.found:
        assert not view.models[one.model].byok_cost or one.kind == "host"


def scaled(view, times):
    def amounts(one):
        return one._replace(cost=one.cost * times)

    return View(
        {name: amounts(one) for name, one in view.models.items()},
        {name: [amounts(one) for one in some] for name, some in view.hosts.items()},
        {
            name: Listed(
                name,
                name,
                name,
                {kind: Usd.of_ratio(usd.ratio() * times) for kind, usd in one.prices.items()},
            )
            for name, one in view.listed.items()
        },
        view.days,
    )


@given(views(), st.integers(2, 9))
def test_ten_times_the_prices_is_ten_times_the_saving(view, times):
    more = {(one.model, one.kind): one for one in advise(scaled(view, times), NEWEST).found}
    found = advise(view, NEWEST).found
    if len(more) < 3:  # more of them may reach the floor and push others out
        assert {(one.model, one.kind) for one in found} <= more.keys()
    for one in found:
        if (other := more.get((one.model, one.kind))) is not None:
            difference = other.saving.ratio() - one.saving.ratio() * times
            assert abs(difference) <= Fraction(times, 10**11)


def listed(name, prompt, completion, read=None, **fields):
    prices = {"prompt": Usd.of(prompt), "completion": Usd.of(completion)}
    prices |= {"input_cache_read": Usd.of(read)} if read else {}
    return Listed(name, name, name, prices, **fields)


LIST = {
    one.ident: one
    for one in (
        listed("a/big", "0.000003", "0.000015", "0.0000003"),
        listed("a/small", "0.0000003", "0.0000015", "0.00000003"),
        listed("b/big", "0.000003", "0.000015", "0.0000003"),
        listed("a/toy", "0.00000001", "0.00000002"),
        listed("a/leaving", "0.0000009", "0.0000045", expires=date(2027, 1, 1)),
        listed("a/free", "0", "0"),
        listed("a/painter", "0.0000008", "0.000004", writes=False),
        listed("a/narrow", "0.0000007", "0.0000035", context=8_000),
    )
}


def used(name, requests, prompt, completion, cached=0, **fields):
    plain = Amounts(name, Decimal(0), Decimal(0), requests, prompt, completion, 0, cached)
    cost = Usd.of_ratio(list_cost(LIST[name].prices, plain)).amount
    return plain._replace(cost=cost)._replace(**fields)


def told(*models, hosts=None, days=30):
    view = View({one.name: one for one in models}, hosts or {}, LIST, days)
    return [(one.kind, one.model, one.other) for one in advise(view, NEWEST).found]


SHORT = used("a/big", 10_000, 10_000_000, 1_000_000)
LONG = used("b/big", 1_000, 9_000_000, 500_000)
CACHED = used("a/small", 1_000, 9_000_000, 300_000, cached=8_000_000)
TALKER = used("b/big", 1_000, 1_000_000, 2_000_000, reasoning_tokens=1_500_000)


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ([SHORT], [("cheaper model", "a/big", "a/small")]),
        ([LONG, CACHED], [("caching", "b/big", "a/small")]),
        ([TALKER], [("output", "b/big", "")]),
        ([SHORT._replace(byok_cost=Decimal(1))], []),
        ([SHORT._replace(requests=None)], []),
        ([SHORT._replace(cost=Decimal(0))], []),
        ([TALKER._replace(requests=50_000)], []),
        ([LONG._replace(cached_tokens=None), CACHED], []),
    ],
)
def test_each_kind_is_found_and_never_on_what_is_not_known(models, expected):
    assert told(*models) == expected
    assert told(*models, days=13) == []


def test_a_dearer_host_of_the_same_model_is_found():
    cheap = LONG._replace(name="West", cost=Decimal(30))
    hosts = {"b/big": [cheap, cheap._replace(name="East", cost=Decimal(45))]}
    [both] = grouped([one._replace(name="b/big") for one in hosts["b/big"]])
    assert told(both, hosts=hosts) == [("host", "b/big", "West")]
    unnamed = {"b/big": [cheap._replace(name=""), hosts["b/big"][1]]}
    assert told(both, hosts=unnamed) == [], "nobody can be sent to a host without a name"
