"""Ranked rows: they add up to the last digit, fall by cost, and say unknown where it is unknown."""

from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.money import ZERO, Usd, half_even
from costcompass_core.domain.reports import Amounts, Counts, ranked, remainder, share_of

COSTS = st.integers(-(10**40), 10**40).map(lambda n: Decimal(n).scaleb(-24, Context(prec=50)))
COUNTS = st.none() | st.integers(0, 10**15 - 1)
SELLERS = st.sampled_from(["", "one", "other"])
SLICES = st.lists(
    st.builds(Amounts, st.sampled_from("abcde"), COSTS, COSTS, *[COUNTS] * 5, SELLERS),
    max_size=25,
)


def cost(name, usd, *counts):
    return Amounts(name, Decimal(usd), Decimal(0), *(counts or (1, 2, 3, 4, 5)))


@given(SLICES, st.randoms())
def test_rows_add_up_exactly_and_fall_by_cost_then_name(slices, chance):
    rows, total, byok = ranked(slices)
    assert Usd.total(row.cost for row in rows) == total
    assert total.ratio() == sum((Fraction(one.cost) for one in slices), Fraction(0))
    assert byok.ratio() == sum((Fraction(one.byok_cost) for one in slices), Fraction(0))
    places = [(-one.cost.ratio(), one.name, one.provider) for one in rows]
    assert all(a < b for a, b in pairwise(places))
    for row in rows:
        mine = [one for one in slices if (one.name, one.provider) == (row.name, row.provider)]
        columns = zip(*(one[3:8] for one in mine), strict=True)
        assert row.counts == Counts(*(None if None in c else sum(c) for c in columns))
        if total:
            assert abs(Fraction(row.share) - row.cost.ratio() / total.ratio()) <= Fraction(1, 20000)
    chance.shuffle(slices)
    assert ranked(slices) == (rows, total, byok)


def test_amounts_that_differ_in_their_fortieth_digit_are_told_apart():
    small, large = "1." + "0" * 39 + "1", "1." + "0" * 39 + "2"
    rows, total, _ = ranked([cost("a", small), cost("b", large), cost("c", small)])
    assert [row.name for row in rows] == ["b", "a", "c"]
    assert total.text() == "3." + "0" * 39 + "4"


def test_shares_have_four_decimals_half_even():
    rows, total, _ = ranked([cost("a", "61.22"), cost("b", "60.58"), cost("free", 0)])
    assert [str(row.share) for row in rows] == ["0.5026", "0.4974", "0.0000"]
    assert str(share_of(Usd.of("0.00005"), Usd.of(1))) == "0.0000"
    assert str(share_of(Usd.of("0.00015"), Usd.of(1))) == "0.0002"
    assert str(share_of(total, ZERO)) == "0.0000"


def test_a_share_beside_rows_that_cancel_out_is_huge_but_told():
    rows, _, _ = ranked([cost("a", 10**17), cost("b", -(10**17)), cost("c", "1e-18")])
    assert str(rows[0].share) == f"{10**35}.0000"


def test_nothing_at_all():
    assert ranked([]) == ((), ZERO, ZERO)


@given(SLICES, SLICES)
def test_what_no_part_accounts_for_makes_the_parts_add_up(whole, parts):
    rest = remainder("rest", whole, parts)
    _, total, byok = ranked([*parts, rest])
    assert (total, byok) == ranked(whole)[1:]
    if not any(None in one for one in (*whole, *parts)):
        for place in range(3, 8):
            assert rest[place] == sum(w[place] for w in whole) - sum(p[place] for p in parts)


@given(st.integers(-(10**24), 10**24), st.integers(-(10**24), 10**24).filter(bool))
def test_a_quotient_is_rounded_as_a_fraction_would_be(over, under):
    assert half_even(over, under) == round(Fraction(over, under))
