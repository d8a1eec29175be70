"""What a change of cost is told with: its effects by size, each with the models behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from costcompass_core.domain.attribution import Attribution, Shift, Slice
from costcompass_core.domain.money import CENT, ZERO, Usd

NAMED: Final = 2
"""Models that one reason names, at most."""
_SMALL: Final = Fraction(1, 100)
"""An effect below this part of the biggest one is not told."""
_SIDE: Final = Fraction(1, 10)
"""Likewise a model beside the biggest one of the same effect."""


class Spent(NamedTuple):
    """USD and tokens of the models that have both."""

    cost: Usd
    tokens: int

    @property
    def per_million(self) -> Usd | None:
        """USD per million tokens, `None` where there were none."""
        return Usd.of_ratio(self.cost.ratio() * 10**6 / self.tokens) if self.tokens else None


@dataclass(frozen=True, slots=True)
class Reason:
    """One effect (USD) and the models that did most of it.

    A `mix` names the models that traffic moved to, or left when `away`; a `volume` names none.
    """

    kind: Literal["volume", "mix", "price", "non-token"]
    usd: Usd
    models: tuple[Shift, ...] = ()
    away: bool = False


def spent(found: Attribution) -> tuple[Spent, Spent]:
    """Return what the models with tokens cost and used, before and after."""
    told = [one for one in found.shifts if one.effects is not None]
    return _spent(one.before for one in told), _spent(one.after for one in told)


def _spent(slices: Iterable[Slice]) -> Spent:
    ones = list(slices)
    return Spent(Usd.total(one.cost for one in ones), sum(one.tokens or 0 for one in ones))


def reasons(found: Attribution) -> tuple[Reason, ...]:
    """Return the effects worth telling, the biggest first.

    Left out is what is under a cent or under a hundredth of the biggest. Cost without tokens is
    a reason of its own here, which in `Attribution.total` is part of mix.
    """
    told = [
        Reason("volume", found.total.volume),
        _mix(found),
        _by_model("price", found.total.price, found.shifts, _price),
        _by_model("non-token", found.untold, found.shifts, _untold),
    ]
    told.sort(key=lambda one: -abs(one.usd.amount))
    least = max(CENT.ratio(), abs(told[0].usd.ratio()) * _SMALL)
    return tuple(one for one in told if abs(one.usd.ratio()) >= least)


def _price(one: Shift) -> Fraction:
    return one.effects.price.ratio() if one.effects else Fraction(0)


def _untold(one: Shift) -> Fraction:
    return Fraction(0) if one.effects else one.change.ratio()


def _by_model(
    kind: Literal["price", "non-token"],
    usd: Usd,
    shifts: Iterable[Shift],
    part: Callable[[Shift], Fraction],
) -> Reason:
    sign = 1 if usd.amount > 0 else -1
    return Reason(kind, usd, _biggest([(part(one) * sign, one) for one in shifts]))


def _mix(found: Attribution) -> Reason:
    """Name the moves that made the average token dearer (or cheaper) by their centred mix.

    Centred on the old average price U, a model's mix is Q1 (s1 - s0) (u0 - U) with s its share of
    the tokens. It adds up to the same total, and says of a cheap model that gained share what is
    true of it: that this saved money.
    """
    usd = Usd.total(one.effects.mix for one in found.shifts if one.effects)
    moves = centred_mix(found)
    sign = 1 if usd.amount > 0 else -1
    to = [(mix * sign, one) for one, gained, mix in moves if gained]
    away = [(mix * sign, one) for one, gained, mix in moves if not gained]
    leaves = _positive(away) > _positive(to)
    return Reason("mix", usd, _biggest(away if leaves else to), away=leaves)


def centred_mix(found: Attribution) -> list[tuple[Shift, bool, Fraction]]:
    """Return of each model with tokens: whether its share grew, and its centred mix (USD)."""
    before, after = spent(found)
    average = before.cost.ratio() / before.tokens if before.tokens else Fraction(0)
    moves = []
    for one in found.shifts:
        old, new = one.before.tokens or 0, one.after.tokens or 0
        if one.effects is None or not (old or new):
            continue
        gain = new - (Fraction(after.tokens * old, before.tokens) if before.tokens else 0)
        price = one.before.cost.ratio() / old if old else one.after.cost.ratio() / new
        moves.append((one, gain > 0, gain * (price - average)))
    return moves


def _positive(parts: Iterable[tuple[Fraction, Shift]]) -> Fraction:
    return sum((part for part, _ in parts if part > 0), Fraction(0))


def _biggest(parts: Iterable[tuple[Fraction, Shift]]) -> tuple[Shift, ...]:
    """Return the few with the largest positive parts."""
    ones = sorted((p for p in parts if p[0] > 0), key=lambda each: (-each[0], each[1].name))
    return tuple(one for part, one in ones[:NAMED] if part >= ones[0][0] * _SIDE)


@dataclass(frozen=True, slots=True)
class Move:
    """A part of the tokens (0 to 1) that went to `name`, and how its price compares.

    `times` is its newest price over the old price of those that lost tokens, `None` if unknown.
    """

    name: str
    share: Fraction
    times: Fraction | None


def biggest_move(shifts: Sequence[Shift]) -> Move | None:
    """Return where the largest share of the tokens moved to, `None` where nothing can have."""
    told = [one for one in shifts if one.effects is not None]
    before, after = _spent(one.before for one in told), _spent(one.after for one in told)
    if not (before.tokens and after.tokens):
        return None

    def gain(one: Shift) -> Fraction:
        old = Fraction(one.before.tokens or 0, before.tokens)
        return Fraction(one.after.tokens or 0, after.tokens) - old

    most = max(told, key=lambda one: (gain(one), one.name))
    if gain(most) <= 0:
        return None
    left = _spent(one.before for one in told if gain(one) < 0)
    return Move(most.name, gain(most), _times(_spent([most.after]), left))


def _times(new: Spent, old: Spent) -> Fraction | None:
    """Return how many times as much per token `new` costs."""
    if not (new.tokens and old.tokens and old.cost > ZERO):
        return None
    return new.cost.ratio() / new.tokens / (old.cost.ratio() / old.tokens)
