"""Short easy calls on an expensive model.

saving = reported cost - list cost of the same tokens on the cheaper model
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from costcompass_core.domain.advice.view import Advice, Known, View
from costcompass_core.domain.prices import list_cost

_SHORT_ANSWER: Final = 200
_SHORT_PROMPT: Final = 2_000
"""Tokens of a request, on average, up to which calls count as short."""
_CHEAPER: Final = Fraction(1, 3)
"""Share of the cost up to which another model is cheap enough to be worth a try."""


def cheaper_model(view: View) -> Iterator[Advice]:
    """Yield a cheaper model, in use or of the same author, for each with short calls."""
    mine = {one.name for one in view.known()}
    for one in view.known():
        if (
            one.completion > _SHORT_ANSWER * one.requests
            or one.prompt > _SHORT_PROMPT * one.requests
        ):
            continue
        found = _cheapest(one, mine - {one.name}, view) or _cheapest(one, _author(one, view), view)
        if found is None:
            continue
        cost, other = found
        yield Advice(
            "cheaper model",
            one.name,
            view.monthly(one.cost - cost),
            view.monthly(one.cost),
            other,
            {
                "requests": one.requests,
                "prompt_tokens": one.prompt // one.requests,
                "completion_tokens": one.completion // one.requests,
            },
        )


def _author(one: Known, view: View) -> set[str]:
    author = one.name.partition("/")[0]
    return {ident for ident in view.listed if ident.startswith(f"{author}/")} - {one.name}


def _cheapest(one: Known, names: set[str], view: View) -> tuple[Fraction, str] | None:
    """Return the least that the tokens cost on one of `names`, if that is a third or less."""
    costs = []
    for name in names:
        listed = view.listed.get(name)
        if listed is None or not listed.prices.get("completion") or listed.expires is not None:
            continue  # no price for output is a free model, with its limits, or no chat model
        cost = list_cost(listed.prices, one.used)
        if cost is not None and cost <= one.cost * _CHEAPER:
            costs.append((cost, name))
    return min(costs, default=None)
