"""Why cost changed: effects that add up to the last digit, whatever was used."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.attribution import attribute
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import Amounts

M = 1_000_000


def used(name, cost, tokens, byok="0"):
    """Return a slice with all of its tokens in the prompt, `None` where they were not reported."""
    prompt = None if tokens is None else tokens
    return Amounts(name, Decimal(cost), Decimal(byok), 1, prompt, 0, 0, None)


def told(attribution):
    return {
        one.name: None
        if one.effects is None
        else tuple(
            round(float(each.amount), 2)
            for each in (one.effects.volume, one.effects.mix, one.effects.price, one.change)
        )
        for one in attribution.shifts
    }


def test_the_worked_example_of_two_weeks():
    before = [used("a", 60, 10 * M), used("b", 20, 40 * M), used("c", 10, 10 * M)]
    after = [used("a", 110, 20 * M), used("b", 15, 30 * M), used("d", 45, 15 * M)]
    found = attribute(before, after)
    assert told(found) == {
        "a": (5.0, 55.0, -10.0, 50.0),
        "d": (0.0, 45.0, 0.0, 45.0),
        "c": (0.83, -10.83, 0.0, -10.0),
        "b": (1.67, -6.67, 0.0, -5.0),
    }
    assert [found.total.volume.text(), found.total.mix.text(), found.total.price.text()] == [
        "7.5", "82.5", "-10",
    ]  # fmt: skip
    assert {one.name: one.tag for one in found.shifts} == {
        "a": None, "b": None, "c": "gone", "d": "new",
    }  # fmt: skip


def test_cost_without_tokens_has_no_effects_but_is_in_the_total():
    found = attribute(
        [used("a", 10, M), used("image", 1, 0)], [used("a", 10, M), used("image", "4.5", 0)]
    )
    [image] = [one for one in found.shifts if one.name == "image"]
    assert (image.effects, image.tag, image.change.text()) == (None, "non-token", "3.5")
    assert (found.untold.text(), found.total.mix.text()) == ("3.5", "3.5")
    unreported = attribute([used("a", 1, None)], [used("a", 2, M)])
    assert unreported.shifts[0].tag == "non-token"


def test_free_and_own_key_models_need_no_special_case():
    found = attribute(
        [used("free", 0, 5 * M), used("own", 0, M, byok=3), used("paid", 4, M)],
        [used("free", 0, 9 * M), used("own", 0, M, byok=3), used("paid", 4, M)],
    )
    effects = {one.name: one.effects for one in found.shifts}
    assert not effects["free"].change
    assert effects["paid"].volume == -effects["paid"].mix  # it kept its tokens in a larger whole


def test_from_nothing_everything_is_new_and_to_nothing_everything_is_gone():
    [new] = attribute([], [used("a", 5, M)]).shifts
    assert (new.tag, new.effects.mix.text(), new.effects.volume.text()) == ("new", "5", "0")
    [gone] = attribute([used("a", 5, M)], []).shifts
    assert (gone.tag, gone.effects.volume.text(), gone.effects.mix.text()) == ("gone", "-5", "0")
    assert attribute([], []).shifts == ()


amounts = st.lists(
    st.builds(
        used,
        st.sampled_from("abcdef"),
        st.decimals(0, 10**6, places=12),
        st.none() | st.integers(0, 10**12),
    ),
    max_size=8,
)


@given(amounts, amounts)
def test_effects_add_up_to_the_change_to_the_last_digit(before, after):
    found = attribute(before, after)
    for one in found.shifts:
        assert one.effects is None or one.effects.change == one.change
    assert found.total.change == found.change == Usd.total(one.change for one in found.shifts)
    rows = [one.effects for one in found.shifts if one.effects]
    assert Usd.total(one.volume for one in rows) == found.total.volume
    assert Usd.total(one.price for one in rows) == found.total.price
    assert Usd.total(one.mix for one in rows) + found.untold == found.total.mix


@given(amounts)
def test_nothing_moves_where_nothing_changed(period):
    for one in attribute(period, period).shifts:
        assert one.effects is None or not (one.effects.volume or one.effects.price)
