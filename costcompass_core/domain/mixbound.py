"""A quick bound of what moved traffic cost, so that only weeks that may matter are split exactly."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from costcompass_core.domain.money import ENDLESS_DECIMALS, EXACT
from costcompass_core.domain.past import Used, before_week, in_week
from costcompass_core.domain.reports import Amounts, tokens_of

_UNIT: Final = 10**ENDLESS_DECIMALS


class _Side:
    """What one model or host took on one side (USD)."""

    __slots__ = ("cost", "tokens")

    def __init__(self) -> None:
        self.cost = Decimal(0)
        self.tokens: int | None = 0

    def add(self, one: Amounts) -> None:
        self.cost = EXACT.add(self.cost, one.cost)
        more = tokens_of(one)
        self.tokens = None if self.tokens is None or more is None else self.tokens + more

    @property
    def told(self) -> bool:
        """Return whether its cost came with tokens (see `attribution`)."""
        return bool(self.tokens) if self.cost else self.tokens is not None

    @property
    def units(self) -> int:
        """The cost in whole 10**-12 USD; what it leaves out is less than one."""
        return int(EXACT.scaleb(self.cost, ENDLESS_DECIMALS))


def mix_at_most(used: Iterable[Used], *, by_host: bool = False) -> Fraction:
    """Return USD that the mix effect of the last 7 days does not exceed (see `compare_week`).

    With tokens q and cost c, older 0 and newer 1, and totals Q and C, that effect is the sum of
    q1 * c0 / q0, with c1 of what is new, less Q1 * C0 / Q0. Each term is rounded against us.
    """
    sides: dict[str, tuple[_Side, _Side]] = {}
    for one in used:
        name = one.host if by_host else one.amounts.name
        pair = sides.get(name)
        if pair is None:
            pair = sides[name] = (_Side(), _Side())
        if in_week(one):
            pair[1].add(one.amounts)
        elif before_week(one):
            pair[0].add(one.amounts)
    told = [(old, new) for old, new in sides.values() if old.told and new.told]
    most, rounded = 0, 4 * (len(told) + 1)
    for old, new in told:
        if old.tokens:
            most -= -(new.tokens or 0) * (old.units + 1) // old.tokens
        else:
            most += new.units
    if tokens_before := sum(old.tokens or 0 for old, _ in told):
        tokens_after = sum(new.tokens or 0 for _, new in told)
        costs_before = sum(old.units - 1 for old, _ in told)
        most -= tokens_after * costs_before // tokens_before
    return Fraction(most + rounded, _UNIT)
