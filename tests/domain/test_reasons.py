"""What a change is told with: the centred mix has the total of mix, and reasons go by size."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.attribution import attribute
from costcompass_core.domain.reasons import biggest_move, centred_mix, reasons
from costcompass_core.domain.reports import Amounts

M = 1_000_000


def used(name, cost, tokens):
    return Amounts(name, Decimal(cost), Decimal(0), 1, tokens, 0, 0, None)


amounts = st.lists(
    st.builds(
        used,
        st.sampled_from("abcdef"),
        st.decimals(0, 10**6, places=6),
        st.none() | st.integers(0, 10**9),
    ),
    max_size=8,
)


@given(amounts, amounts)
def test_centred_mix_is_another_split_of_the_same_total(before, after):
    found = attribute(before, after)
    mix = sum((one.effects.mix.ratio() for one in found.shifts if one.effects), Fraction(0))
    if any(one.before.tokens for one in found.shifts if one.effects):
        assert abs(sum(part for _, _, part in centred_mix(found)) - mix) < Fraction(1, 10**9)


@given(amounts, amounts)
def test_reasons_are_told_by_size_and_small_ones_not_at_all(before, after):
    found = attribute(before, after)
    told = [abs(one.usd.amount) for one in reasons(found)]
    assert told == sorted(told, reverse=True)
    assert all(size >= max(Decimal("0.01"), told[0] / 100) for size in told)
    left = found.change.ratio() - sum((one.usd.ratio() for one in reasons(found)), Fraction(0))
    assert abs(left) <= 4 * max(Fraction(1, 100), Fraction(told[0] if told else 0) / 100)


def test_mix_names_what_made_the_average_dearer_not_what_merely_grew():
    before = [used("dear", 90, 9 * M), used("cheap", 9, 90 * M)]
    [reason, *_] = reasons(attribute(before, [used("dear", 900, 90 * M), used("cheap", 9, 90 * M)]))
    assert (reason.kind, [one.name for one in reason.models]) == ("mix", ["dear"])


def test_a_dear_model_that_lost_its_traffic_is_named_as_left():
    before = [used("dear", 100, M), used("cheap", 99, 99 * M)]
    [reason, *_] = reasons(attribute(before, [used("cheap", 100, 100 * M)]))
    assert (reason.kind, reason.away, [one.name for one in reason.models]) == (
        "mix",
        True,
        ["dear"],
    )


def test_the_biggest_move_and_its_price():
    before = [used("a", 20, 18 * M), used("b", 5, 2 * M)]
    move = biggest_move(attribute(before, [used("a", 2, 2 * M), used("b", 45, 18 * M)]).shifts)
    assert (move.name, move.share, move.times) == ("b", Fraction(4, 5), Fraction(9, 4))
    assert biggest_move(attribute(before, before).shifts) is None
    assert biggest_move(attribute([], before).shifts) is None
