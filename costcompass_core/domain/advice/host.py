"""A pricier host than the cheapest one used for the same model.

saving = cost on the other hosts - their tokens * effective price on the cheapest
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from costcompass_core.domain.advice.view import Advice, View, known, share

_ENOUGH: Final = 100_000
"""Tokens from which on a host's effective price says something."""
_DEARER: Final = Fraction(11, 10)
"""Times the cheapest price from which on a host is told."""


def cheaper_host(view: View) -> Iterator[Advice]:
    """Yield each model part of whose traffic ran on a host dearer than another used one."""
    for model, hosts in view.hosts.items():
        told = (one for some in hosts if (one := known(some)))
        found = [one for one in told if one.name and one.tokens >= _ENOUGH]
        if len(found) < 2:
            continue
        best = min(found, key=lambda one: (one.cost / one.tokens, one.name))
        price = best.cost / best.tokens
        dear = [one for one in found if one.cost / one.tokens >= price * _DEARER]
        if not dear:
            continue
        cost = sum((one.cost for one in dear), Fraction(0))
        tokens = sum(one.tokens for one in dear)
        yield Advice(
            "host",
            model,
            view.monthly(cost - tokens * price),
            view.monthly(sum((one.cost for one in found), Fraction(0))),
            best.name,
            {"tokens": tokens, "hosts": len(dear)},
            {"dearer": share(cost / tokens, price) - 1},
        )
