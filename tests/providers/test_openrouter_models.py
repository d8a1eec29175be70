"""The price list: prices to the digit, odd models left out, and an answer without any refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.errors import UnreadableAnswer
from costcompass_core.providers.openrouter_models import parse_models

PRICES = st.decimals(0, 1, allow_nan=False, allow_infinity=False, places=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=9),
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "pricing", "prompt", "expiration_date"]), some)
    ),
    max_leaves=9,
)
GOOD = {"id": "a/b", "pricing": {"prompt": "0.000003", "completion": "0.000015"}}


@given(PRICES, PRICES)
def test_prices_are_kept_to_the_digit(prompt, completion):
    pricing = {"prompt": format(prompt, "f"), "completion": format(completion, "f")}
    [model] = parse_models([{"id": "a/b", "pricing": pricing}]).models
    assert (model.prices["prompt"].amount, model.prices["completion"].amount) == (
        prompt, completion,
    )  # fmt: skip


@given(st.lists(JSON, max_size=5))
def test_whatever_else_is_listed_a_good_model_is_read(odd):
    found = parse_models([*odd, GOOD])
    model = {one.ident: one for one in found.models}["a/b"]
    assert model.prices["completion"].amount == Decimal("0.000015")
    assert all("\n" not in note for note in found.notes)


@pytest.mark.parametrize(
    "bad",
    [
        {"id": "a/b"},
        {"pricing": {}},
        {"id": "a/b", "pricing": {"prompt": "cheap"}},
        {"id": "a/b", "pricing": {"prompt": True}},
        {"id": "a/b", "pricing": {}, "expiration_date": "soon"},
    ],
)
def test_one_odd_model_is_a_remark_and_a_list_of_them_is_refused(bad):
    assert "entry 2" in parse_models([GOOD, bad]).notes[0]
    with pytest.raises(UnreadableAnswer, match="no readable model"):
        parse_models([bad])


def test_prices_below_zero_vary_and_no_price_is_made_of_a_discount():
    pricing = {"prompt": "-1", "completion": "-1", "discount": Decimal("0.5"), "overrides": [{}]}
    [model] = parse_models([{"id": "openrouter/auto", "pricing": pricing}]).models
    assert (model.varies, dict(model.prices), model.conditional) == (True, {}, True)


def test_what_comes_out_and_how_much_goes_in_is_kept_and_never_a_reason_to_leave_a_model_out():
    shapes = {
        "text": {"architecture": {"output_modalities": ["text"]}, "context_length": 8192},
        "image": {"architecture": {"output_modalities": ["image", "text"]}},
        "odd": {"architecture": 7, "context_length": "many"},
    }
    found = parse_models([{**GOOD, "id": name, **some} for name, some in shapes.items()])
    told = {one.ident: (one.writes, one.context) for one in found.models}
    assert told == {"text": (True, 8192), "image": (False, None), "odd": (True, None)}
    assert parse_models([GOOD, {"id": "b/c"}, {"id": "a/b"}]).unread == {"b/c"}
