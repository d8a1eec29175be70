"""Money is exact: no sum rounds, no digit is lost, no float gets in."""

from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.money import ZERO, Usd, parse_amount

WIDE = Context(prec=2000)
WRITTEN = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent, WIDE),
    st.integers(-(10**18) + 1, 10**18 - 1),
    st.integers(-340, 0),
)
DOUBLES = st.floats(min_value=-9e17, max_value=9e17).map(lambda number: Decimal(repr(number)))
AMOUNTS = WRITTEN | DOUBLES


@given(st.lists(AMOUNTS, max_size=30), st.randoms())
def test_sums_are_exact_in_any_order(amounts, chance):
    exact = sum(map(Fraction, amounts), Fraction(0))
    one = Usd.total(Usd.of(amount) for amount in amounts)
    chance.shuffle(amounts)
    other = Usd.total(Usd.of(amount) for amount in amounts)
    assert one.ratio() == other.ratio() == exact
    assert one.text() == other.text()


@given(AMOUNTS, AMOUNTS)
def test_arithmetic_and_order_agree_with_fractions(one, other):
    a, b = Usd.of(one), Usd.of(other)
    assert (a + b).ratio() == a.ratio() + b.ratio()
    assert (a - b).ratio() == a.ratio() - b.ratio()
    assert (-a).ratio() == -a.ratio()
    assert (a < b, a == b, bool(a)) == (a.ratio() < b.ratio(), one == other, one != 0)


@given(AMOUNTS)
def test_every_digit_survives_being_written_and_read(amount):
    text = Usd.of(amount).text()
    assert "E" not in text.upper()
    assert Usd.of(text).ratio() == Fraction(amount)


@given(st.integers(-(10**30), 10**30), st.integers(0, 60), st.integers(0, 60))
def test_a_ratio_whose_decimals_end_is_exact(numerator, twos, fives):
    ratio = Fraction(numerator, 2**twos * 5**fives)
    assert Usd.of_ratio(ratio).ratio() == ratio


@given(AMOUNTS, st.integers(1, 31), st.sampled_from([3, 6, 7, 9, 12, 13]))
def test_a_ratio_without_end_is_half_even_to_twelve_decimals(amount, times, divisor):
    ratio = Fraction(amount) * times / divisor
    rest = ratio.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    expected = Fraction(round(ratio * 10**12), 10**12) if rest > 1 else ratio
    assert Usd.of_ratio(ratio).ratio() == expected


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Fraction(1, 7), "0.142857142857"),
        (Fraction(-1, 7), "-0.142857142857"),
        (Fraction(2, 3), "0.666666666667"),
        (Fraction(1, 3 * 10**13), "0.000000000000"),
        (Fraction(1, 8), "0.125"),
        (Fraction(1, 2**20), "0.00000095367431640625"),
        (Fraction(0), "0"),
    ],
)
def test_ratios_in_print(ratio, text):
    assert Usd.of_ratio(ratio) == Usd.of(text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0.10", "0.10"),
        ("1e-7", "0.0000001"),
        ("+1.5E+3", "1500"),
        (".5", "0.5"),
        (0, "0"),
        (Decimal("-0.00"), "0"),
        (10**18 - 1, "999999999999999999"),
        ("5e-324", "0." + "0" * 323 + "5"),
    ],
)
def test_amounts_are_printed_plainly(raw, text):
    assert Usd.of(raw).text() == text


NO_NUMBER = [0.1, 1.0, float("nan"), True, None, b"1", [], "", " 1", "1 ", "1\n", "1_000", "1,5"]
NO_NUMBER += ["0x1", "NaN", "Infinity", "-inf", "\u0661", "1e", "--1"]
NO_BILL = ["9" * 401, 10**18, -(10**18), 10**30, "1e18", "1e999999", "1e-341", "1e9999999", "0e400"]
NO_BILL += [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1e999999999")]


@pytest.mark.parametrize("raw", NO_NUMBER + NO_BILL)
def test_what_no_bill_says_is_refused(raw):
    with pytest.raises(ValueError, match=r"^is (not|out of)"):
        parse_amount(raw)


def test_nothing_is_zero():
    assert Usd.total([]) == ZERO
    assert not ZERO
