"""A cached share that is low where cached reads are offered.

saving = prompt tokens * half of the gap to the account's best share * (prompt - cache-read price)
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from costcompass_core.domain.advice.view import Advice, View, share
from costcompass_core.domain.prices import list_cost

_LEAST_PROMPT: Final = 1_024
"""Tokens of a prompt, on average, below which providers do not cache."""
_GAP: Final = Fraction(1, 5)
"""How far the share is below the account's best before it is told."""
_ENOUGH: Final = 100_000
"""Prompt tokens from which on a model's cached share says something."""


def caching(view: View) -> Iterator[Advice]:
    """Yield each model whose prompts could be cached more, going by the account's other models."""
    shares = {
        one.name: min(Fraction(one.used.cached_tokens, one.prompt), Fraction(1))
        for one in view.known()
        if one.used.cached_tokens is not None and one.prompt >= _ENOUGH
    }
    for one in view.known():
        listed = view.listed.get(one.name)
        others = [(value, name) for name, value in shares.items() if name != one.name]
        if listed is None or listed.varies or not others or one.name not in shares:
            continue
        prompt, read = listed.prices["prompt"], listed.prices.get("input_cache_read")
        best, other = max(others)
        gap = best - shares[one.name]
        at_list = list_cost(listed.prices, one.used)
        if read is None or read >= prompt or gap < _GAP or not at_list:
            continue
        if one.prompt < _LEAST_PROMPT * one.requests:
            continue
        saving = one.prompt * gap / 2 * (prompt - read).ratio()
        yield Advice(
            "caching",
            one.name,
            view.monthly(min(saving, one.cost)),
            view.monthly(one.cost),
            other,
            {"prompt_tokens": one.prompt // one.requests},
            {"cached": share(shares[one.name], 1), "best": share(best, 1)},
        )
