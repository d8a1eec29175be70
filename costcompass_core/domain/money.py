"""US dollars, exact. Sums never round; only `Usd.of_ratio` may, and only where decimals never end.

Providers send costs as JSON doubles, of which some need hundreds of decimals to be written out.
All arithmetic therefore runs in one decimal context wide enough for any accepted amount, which
raises `decimal.Inexact` instead of rounding should that ever be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
)
from fractions import Fraction
from functools import reduce, total_ordering
from typing import Final

MAX_MAGNITUDE: Final = 18
"""Amounts stay below 10**18 USD; more is a broken answer, not a bill."""
MAX_DECIMALS: Final = 340
"""Every finite double, written out, has a shortest form of fewer decimals than this."""
ENDLESS_DECIMALS: Final = 12
"""Decimals kept (half-even) of an amount that has no end, such as a seventh."""

EXACT: Final = Context(
    prec=600, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation, Overflow, Clamped]
)
"""The one context for money: 600 digits hold 10**240 rows of the largest, most precise amount."""

_BOUNDS: Final = Context(
    prec=MAX_DECIMALS + 1,
    Emin=0,
    Emax=MAX_MAGNITUDE - 1,
    traps=[Overflow, Rounded, Clamped, InvalidOperation],
)
"""Says no to any amount beyond the two limits: with this `Emin`, decimals end with `prec`."""

_PLAIN: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)


def parse_amount(raw: object) -> Decimal:
    """Return `raw` (a `Decimal`, an `int`, or plain decimal text) as a bounded, finite `Decimal`.

    Raises `ValueError` with a short reason for anything else: floats, booleans, NaN, infinities,
    and magnitudes or precisions that no bill has. The exponent is checked before any use, because
    turning 1E+999999 into digits takes half a minute.
    """
    if isinstance(raw, Decimal):
        amount = raw
    elif isinstance(raw, int) and not isinstance(raw, bool):
        if raw.bit_length() > 64:
            raise ValueError("is out of range")
        amount = Decimal(raw)
    elif isinstance(raw, str) and len(raw) <= 400 and _PLAIN.fullmatch(raw):
        amount = Decimal(raw)
    else:
        raise ValueError("is not a plain decimal number")
    if not amount.is_finite():
        raise ValueError("is not a finite number")
    try:
        _BOUNDS.plus(amount)
    except ArithmeticError:
        raise ValueError("is out of range") from None
    return amount


def plain(amount: Decimal) -> str:
    """Return `amount` in plain notation with every digit it has (`1E-7` becomes `0.0000001`).

    Zero is `0` however it was written, for no digit of `0.0` says anything.
    """
    return format(amount, "f") if amount else "0"


def half_even(over: int, under: int) -> int:
    """Return the quotient of whole numbers, rounded half-even."""
    if under < 0:
        over, under = -over, -under
    whole, rest = divmod(over, under)
    return whole + (2 * rest > under or (2 * rest == under and whole % 2 == 1))


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum, independent of order."""
    return reduce(EXACT.add, amounts, Decimal(0))


@total_ordering
@dataclass(frozen=True, slots=True)
class Usd:
    """An exact amount of US dollars."""

    amount: Decimal

    @classmethod
    def of(cls, raw: object) -> Usd:
        """Parse a `Decimal`, `int` or plain decimal text. Raises `ValueError` (see `parse_amount`)."""
        return cls(parse_amount(raw))

    @classmethod
    def total(cls, amounts: Iterable[Usd]) -> Usd:
        """Return the exact sum, independent of order."""
        return cls(exact_sum(one.amount for one in amounts))

    @classmethod
    def of_ratio(cls, ratio: Fraction) -> Usd:
        """Return `ratio` exactly where its decimals end, else rounded half-even to 12 decimals."""
        reduced = ratio.denominator
        twos = (reduced & -reduced).bit_length() - 1
        reduced >>= twos
        fives = 0
        while reduced % 5 == 0:
            reduced //= 5
            fives += 1
        if reduced == 1:
            places = max(twos, fives)
            scaled = Decimal(ratio.numerator * 10**places // ratio.denominator)
            return cls(scaled.scaleb(-places, EXACT))
        units = round(ratio * 10**ENDLESS_DECIMALS)
        return cls(Decimal(units).scaleb(-ENDLESS_DECIMALS, EXACT))

    def ratio(self) -> Fraction:
        """Return the exact value as a fraction, for estimates that multiply before they divide."""
        return Fraction(self.amount)

    def __add__(self, other: Usd) -> Usd:
        """Add exactly."""
        return Usd(EXACT.add(self.amount, other.amount))

    def __sub__(self, other: Usd) -> Usd:
        """Subtract exactly."""
        return Usd(EXACT.subtract(self.amount, other.amount))

    def __neg__(self) -> Usd:
        """Change the sign."""
        return Usd(EXACT.minus(self.amount))

    def __lt__(self, other: Usd) -> bool:
        """Order by amount."""
        return self.amount < other.amount

    def __bool__(self) -> bool:
        """Be false for nothing at all."""
        return bool(self.amount)

    def text(self) -> str:
        """Return every digit in plain notation, as stored and as printed in JSON."""
        return plain(self.amount)


ZERO: Final = Usd(Decimal(0))
CENT: Final = Usd(Decimal("0.01"))
"""What is less is seldom worth a word."""
