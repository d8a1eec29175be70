"""Short easy calls on an expensive model.

saving = reported cost - list cost of the same tokens on the cheaper model
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from costcompass_core.domain.advice.view import Advice, Known, View
from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.prices import list_cost

_SHORT_ANSWER: Final = 200
_SHORT_PROMPT: Final = 2_000
"""Tokens of a request, on average, up to which calls count as short."""
_ROOM: Final = 32_000
"""Tokens that a request may have elsewhere at least, or as many as now: averages hide long ones."""
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
        found = _nearest(one, mine - {one.name}, view) or _nearest(one, _author(one, view), view)
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


def _nearest(one: Known, names: set[str], view: View) -> tuple[Fraction, str] | None:
    """Return what the tokens cost on the dearest of `names` that costs a third or less.

    The dearest of them is the likeliest to answer well enough; the cheapest is often a toy.
    """
    costs = []
    for name in names:
        listed = view.listed.get(name)
        if listed is None or not _suits(listed, view.listed.get(one.name)):
            continue
        cost = list_cost(listed.prices, one.used)
        if cost is not None and cost <= one.cost * _CHEAPER:
            costs.append((cost, name))
    return max(costs, default=None)


def _suits(other: Listed, now: Listed | None) -> bool:
    """Return whether `other` may be advised in place of `now`."""
    if not other.prices.get("completion") or not other.writes or other.expires is not None:
        return False  # no price for output is a free model, with its limits, or no chat model
    if now is not None and not now.writes:
        return False
    enough = min(_ROOM, now.context) if now is not None and now.context is not None else _ROOM
    return other.context is None or other.context >= enough
