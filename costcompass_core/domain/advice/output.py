"""A model whose cost is mostly output.

saving = a fifth * share of completion in the list cost * reported cost
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from costcompass_core.domain.advice.view import Advice, View, share
from costcompass_core.domain.prices import list_cost

_MOSTLY: Final = Fraction(3, 5)
"""Share of the list cost from which on output is what counts."""
_LONG: Final = 200
"""Tokens of an answer, on average, below which there is little to cut."""
_LESS: Final = Fraction(1, 5)
"""How much less output is asked for."""


def output(view: View) -> Iterator[Advice]:
    """Yield each model whose output makes up most of its cost at list prices."""
    for one in view.known():
        listed = view.listed.get(one.name)
        whole = list_cost(listed.prices, one.used) if listed else None
        if listed is None or not listed.writes or not whole:
            continue
        if one.completion < _LONG * one.requests:
            continue
        part = one.completion * listed.prices["completion"].ratio() / whole
        if part < _MOSTLY:
            continue
        shares = {"output": share(part, 1)}
        if one.used.reasoning_tokens is not None and one.completion:
            thinking = min(Fraction(one.used.reasoning_tokens, one.completion), Fraction(1))
            shares["reasoning"] = share(thinking, 1)
        yield Advice(
            "output",
            one.name,
            view.monthly(one.cost * part * _LESS),
            view.monthly(one.cost),
            counts={"completion_tokens": one.completion // one.requests},
            shares=shares,
        )
