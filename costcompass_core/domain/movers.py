"""Movers: the models whose cost differs most from what is usual for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from costcompass_core.domain.money import CENT, ZERO, Usd

MOVERS: Final = 3
"""Models that are told to have moved, at most."""


class ModelDay(NamedTuple):
    """What one model cost on one UTC day (USD)."""

    day: date
    model: str
    cost: Usd


@dataclass(frozen=True, slots=True)
class Mover:
    """A model whose cost differs from what it usually is (USD); `new` ones never cost anything."""

    name: str
    cost: Usd
    usual: Usd
    new: bool

    @property
    def change(self) -> Usd:
        """How much more it cost than usual."""
        return self.cost - self.usual


def mean(amounts: Sequence[Usd]) -> Usd | None:
    """Return the mean (USD), `None` of nothing."""
    if not amounts:
        return None
    return Usd.of_ratio(Usd.total(amounts).ratio() / len(amounts))


def movers(
    newest: date, before: Sequence[date], costs: Sequence[ModelDay], known_models: Collection[str]
) -> tuple[Mover, ...]:
    """Return the models whose `newest` day differs most from their mean of the days `before`."""
    if not before:
        return ()
    counted = {newest, *before}
    by_model: dict[str, dict[date, Usd]] = {}
    for one in costs:
        if one.day in counted:
            by_model.setdefault(one.model, {})[one.day] = one.cost
    return most_moved(
        Mover(
            model,
            days.get(newest, ZERO),
            mean([days.get(one, ZERO) for one in before]) or ZERO,
            model not in known_models,
        )
        for model, days in by_model.items()
    )


def most_moved(found: Iterable[Mover]) -> tuple[Mover, ...]:
    """Return the few that changed most, by a cent at least."""
    told = [one for one in found if abs(one.change.amount) >= CENT.amount]
    told.sort(key=lambda one: (-abs(one.change.amount), one.name))
    return tuple(told[:MOVERS])
