"""The likely cause of a change of cost: the one model and effect that explain most of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from costcompass_core.domain.attribution import Attribution, Shift
from costcompass_core.domain.money import Usd

Kind = Literal["volume", "mix", "price", "new", "gone", "non-token"]


@dataclass(frozen=True, slots=True)
class Cause:
    """What one model's effect changed (USD, of the sign of the whole change).

    `new`, `gone` and `non-token` models are told with all of their change. `volume` is how much all
    traffic grew or shrank, as far as it fell on `model`; `mix` is traffic that moved to or from it.
    """

    kind: Kind
    model: str
    usd: Usd


def likely_cause(found: Attribution) -> Cause | None:
    """Return what explains most of a rise, or of a fall; `None` where the total is as it was.

    The model comes first, by its change: a model that only kept its tokens while others grew has a
    large volume effect, which its mix takes back, and is the cause of nothing.
    """
    rises = found.change.amount > 0
    if not found.change:
        return None
    most = max(found.shifts, key=lambda one: one.change.amount * (1 if rises else -1))
    return Cause(*_strongest(most, rises=rises))


def _strongest(one: Shift, *, rises: bool) -> tuple[Kind, str, Usd]:
    """Return the model's effect that moved it most in the direction of the whole."""
    if one.effects is None or one.tag is not None:
        return one.tag or "non-token", one.name, one.change
    effects: list[tuple[Usd, Kind]] = [
        (one.effects.price, "price"),
        (one.effects.mix, "mix"),
        (one.effects.volume, "volume"),
    ]
    usd, kind = max(effects, key=lambda each: each[0].amount * (1 if rises else -1))
    return kind, one.name, usd
