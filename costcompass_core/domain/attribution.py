"""Why cost changed between two periods: volume, mix and price per model, exact.

With q for tokens (prompt + completion; reasoning is part of completion), c for cost, u = c/q the
effective price and Q, C their totals over all models with tokens, the older period 0 and the newer 1:

    volume = (Q1 - Q0) * c0 / Q0         more or fewer tokens, spread as they were before
    mix    = q1 * u0 - Q1 * c0 / Q0      tokens that moved between models, at the old prices
    price  = c1 - q1 * u0                the same tokens, dearer or cheaper

For every model the three add up to c1 - c0. The order matters: mix is told at old prices, price for
new quantities. "Price" is effective: it holds caching and the share of output as well as list prices.
A new model has no old price, so all of it is mix. This is the price-volume-mix split of management
accounting; the symmetric log-mean Divisia index, the usual alternative, is undefined at zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.reports import Amounts, grouped, tokens_of

Tag = Literal["new", "gone", "non-token"]


@dataclass(frozen=True, slots=True)
class Effects:
    """What volume, mix and price changed (USD)."""

    volume: Usd
    mix: Usd
    price: Usd

    @classmethod
    def of(cls, volume: Usd, price: Usd, change: Usd) -> Effects:
        """Return them with the mix that makes them add up to `change`, without idle zeros."""
        volume, price = Usd.of_ratio(volume.ratio()), Usd.of_ratio(price.ratio())
        return cls(volume, Usd.of_ratio((change - volume - price).ratio()), price)

    @property
    def change(self) -> Usd:
        """What they come to together."""
        return self.volume + self.mix + self.price


@dataclass(frozen=True, slots=True)
class Slice:
    """One model, or host, in one period: USD from the balance, USD under own keys, tokens.

    `tokens` is `None` where a part of them was not reported.
    """

    cost: Usd = ZERO
    byok: Usd = ZERO
    tokens: int | None = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """How one model, or host, changed; `effects` is `None` where cost came without tokens."""

    name: str
    before: Slice
    after: Slice
    effects: Effects | None
    tag: Tag | None

    @property
    def change(self) -> Usd:
        """How much more it cost (USD)."""
        return self.after.cost - self.before.cost


@dataclass(frozen=True, slots=True)
class Attribution:
    """Every model of either period, by falling size of its change, and the effects of all together.

    `total` adds up to `after - before` to the last digit: its mix holds what cost without tokens
    changed as well, which has no effects of its own (`untold`).
    """

    before: Usd
    after: Usd
    total: Effects
    shifts: tuple[Shift, ...]

    @property
    def change(self) -> Usd:
        """How much more was spent (USD)."""
        return self.after - self.before

    @property
    def untold(self) -> Usd:
        """What the cost that came without tokens changed (USD)."""
        return Usd.total(one.change for one in self.shifts if one.effects is None)


def attribute(before: Iterable[Amounts], after: Iterable[Amounts]) -> Attribution:
    """Split the change between two periods; slices of one name are added up first."""
    was, now = _slices(before), _slices(after)
    names = sorted(was.keys() | now.keys())
    pairs = [(name, was.get(name, Slice()), now.get(name, Slice())) for name in names]
    told = [(old, new) for _, old, new in pairs if _has_tokens(old) and _has_tokens(new)]
    tokens_before = sum(old.tokens or 0 for old, _ in told)
    growth = Fraction(sum(new.tokens or 0 for _, new in told) - tokens_before, tokens_before or 1)
    shifts = [_shift(name, old, new, growth) for name, old, new in pairs]
    shifts.sort(key=lambda one: (-abs(one.change.amount), one.name))
    spent_before = Usd.total(old.cost for _, old, _ in pairs)
    spent_after = Usd.total(new.cost for _, _, new in pairs)
    return Attribution(
        spent_before, spent_after, _total(shifts, spent_after - spent_before), tuple(shifts)
    )


def _slices(amounts: Iterable[Amounts]) -> dict[str, Slice]:
    return {
        one.name: Slice(Usd(one.cost), Usd(one.byok_cost), tokens_of(one))
        for one in grouped(amounts)
    }


def _has_tokens(one: Slice) -> bool:
    """Return whether all cost of the slice came with tokens; nothing at all counts as such."""
    return bool(one.tokens) if one.cost else one.tokens is not None


def _shift(name: str, old: Slice, new: Slice, growth: Fraction) -> Shift:
    """Split one model's change; mix takes what rounding leaves over."""
    if not (_has_tokens(old) and _has_tokens(new)):
        return Shift(name, old, new, None, "non-token")
    change = new.cost - old.cost
    if not old.tokens:
        return Shift(name, old, new, Effects.of(ZERO, ZERO, change), "new")
    volume = Usd.of_ratio(old.cost.ratio() * growth)
    price = new.cost - Usd.of_ratio(old.cost.ratio() * (new.tokens or 0) / old.tokens)
    tag: Tag | None = None if new.tokens else "gone"
    return Shift(name, old, new, Effects.of(volume, price, change), tag)


def _total(shifts: Sequence[Shift], change: Usd) -> Effects:
    told = [one.effects for one in shifts if one.effects is not None]
    volume, price = Usd.total(one.volume for one in told), Usd.total(one.price for one in told)
    return Effects.of(volume, price, change)
