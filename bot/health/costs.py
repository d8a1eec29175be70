"""Costs by account and model with a bound on how many series there are, and a sum that stays right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from bot.health.gauge import label
from costcompass_core.domain.money import exact_sum
from costcompass_core.usecases.measures import PartCost

MOST_MODELS: Final = 20
"""Models of an account and currency that have a series of their own."""
OTHER: Final = "other"
"""The label of all the others together, always there: no sum ever lacks them."""


def bounded(
    parts: Iterable[PartCost], always: Iterable[tuple[str, str]] = ()
) -> Iterator[PartCost]:
    """Yield the dearest models of each account and currency, then the rest of each as one.

    Each account and currency of `always` has at least a rest: what cost nothing is zero, not absent.
    """
    groups: dict[tuple[str, str], dict[str, list[Decimal]]] = {one: {} for one in always}
    for part in parts:
        models = groups.setdefault((part.account, part.currency), {})
        models.setdefault(label(part.model), []).append(part.cost)
    for (account, currency), models in sorted(groups.items()):
        rest = models.pop(OTHER, [])
        costs = [(exact_sum(some), model) for model, some in models.items()]
        costs.sort(key=lambda one: (-one[0], one[1]))
        for cost, model in costs[:MOST_MODELS]:
            yield PartCost(account, model, currency, cost)
        rest += [cost for cost, _ in costs[MOST_MODELS:]]
        yield PartCost(account, OTHER, currency, exact_sum(rest))
