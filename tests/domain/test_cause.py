"""The likely cause of a change: one model, one effect, in the direction of the whole."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.attribution import attribute
from costcompass_core.domain.cause import likely_cause
from costcompass_core.domain.reports import Amounts

M = 1_000_000


def used(name, cost, tokens):
    return Amounts(name, Decimal(cost), Decimal(0), 1, tokens, 0, 0, None)


def cause(before, after):
    found = likely_cause(attribute(before, after))
    return found and (found.kind, found.model, round(float(found.usd.amount), 2))


def test_the_model_and_the_effect_that_explain_most():
    steady = used("a", 10, M)
    assert cause([steady], [used("a", 30, 3 * M)]) == ("volume", "a", 20)
    assert cause([steady], [used("a", 30, M)]) == ("price", "a", 20)
    assert cause([steady], [steady, used("b", 5, M)]) == ("new", "b", 5)
    assert cause([steady, used("b", 5, M)], [steady]) == ("gone", "b", -5)
    assert cause([steady], [steady, used("image", 5, 0)]) == ("non-token", "image", 5)
    assert cause([steady], [steady]) is None


def test_a_model_that_kept_its_tokens_while_another_grew_is_no_cause():
    before = [used("large", 900, 90 * M), used("small", 10, M)]
    after = [used("large", 900, 90 * M), used("small", 500, 50 * M)]
    assert cause(before, after)[:2] == ("mix", "small")


amounts = st.lists(
    st.builds(
        used,
        st.sampled_from("abcd"),
        st.decimals(0, 10**6, places=6),
        st.none() | st.integers(0, 10**9),
    ),
    max_size=6,
)


@given(amounts, amounts)
def test_a_cause_has_the_sign_of_the_change(before, after):
    found = attribute(before, after)
    told = likely_cause(found)
    assert (told is None) == (not found.change)
    assert told is None or told.usd.amount * found.change.amount > 0
