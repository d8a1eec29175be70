"""At most three suggestions, each from the account's own numbers: one module a kind of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from costcompass_core.domain.advice.caching import caching
from costcompass_core.domain.advice.cheaper_model import cheaper_model
from costcompass_core.domain.advice.host import cheaper_host
from costcompass_core.domain.advice.output import output
from costcompass_core.domain.advice.view import Advice, View
from costcompass_core.domain.money import Usd

RULES: Final[tuple[Callable[[View], Iterable[Advice]], ...]] = (
    cheaper_model,
    caching,
    output,
    cheaper_host,
)
LEAST_DAYS: Final = 14
"""Known days below which nothing is advised."""
_MOST: Final = 3
_FLOOR: Final = Usd.of(1)
"""USD a month below which nothing is worth a word."""
_FLOOR_SHARE: Final = Fraction(1, 100)
"""Likewise as a share of all spend."""


@dataclass(frozen=True, slots=True)
class AdviceReport:
    """The answer: `found` by falling saving, over `days` known UTC days up to `newest`.

    `total` is what all models cost in 30 days (USD). `has_prices` says whether a price list is known.
    """

    found: tuple[Advice, ...]
    total: Usd
    days: int
    newest: date
    has_prices: bool

    @property
    def too_early(self) -> bool:
        """Whether there is too little history to advise on."""
        return self.days < LEAST_DAYS


def advise(view: View, newest: date) -> AdviceReport:
    """Return the best suggestions, one a model, as savings on the same tokens do not add up."""
    spent = sum((Fraction(one.cost) for one in view.models.values()), Fraction(0))
    total = view.monthly(spent) if view.days else Usd.of(0)
    best: dict[str, Advice] = {}
    for one in (found for rule in RULES for found in rule(view)) if view.days >= LEAST_DAYS else ():
        big = one.saving >= _FLOOR and one.saving.ratio() >= total.ratio() * _FLOOR_SHARE
        if big and (one.model not in best or best[one.model].saving < one.saving):
            best[one.model] = one
    ranked = sorted(best.values(), key=lambda one: (-one.saving.ratio(), one.model))
    return AdviceReport(tuple(ranked[:_MOST]), total, view.days, newest, bool(view.listed))
