"""Changes of prices and announced ends of models in use, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from bot import words
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.prices import EndNews, News, PriceNews

Name = Callable[[str], str]
_KINDS: Final = {
    "prompt": "input",
    "completion": "output",
    "input_cache_read": "cached input",
    "input_cache_write": "cache write",
    "internal_reasoning": "reasoning",
}
"""Prices told per million tokens, by what people call them."""
_TOKENS: Final = frozenset({"prompt", "completion"})
"""Prices that every model has, so that one that is not told varies."""


def per_million(price: Usd) -> str:
    """Return a price per token as `$15` or `$0.075`, per million tokens."""
    return _dollars(Usd.of_ratio(price.ratio() * 1_000_000))


def _dollars(amount: Usd) -> str:
    whole, _, part = amount.text().partition(".")
    part = part.rstrip("0")
    return f"${int(whole):,}" + (f".{part.ljust(2, '0')}" if part else "")


def news_line(one: News, day: date, name: Name = words.clean) -> str:
    """Return one piece of news as a sentence, as of the local date `day`."""
    if isinstance(one, PriceNews):
        return _price_line(one, name)
    return _end_line(one, day, name)


def _price_line(one: PriceNews, name: Name) -> str:
    told = list(_changes(one))
    more = f" and {words.plural(len(told) - 3, 'other price')}" if len(told) > 3 else ""
    return f"{name(one.model)}: {', '.join(told[:3])}{more}, {_effect(one.effect)}."


def _changes(one: PriceNews) -> Iterator[str]:
    kinds = [*_KINDS, *sorted((one.before.keys() | one.after.keys()) - _KINDS.keys())]
    for kind in kinds:
        before, after = one.before.get(kind), one.after.get(kind)
        if before == after:
            continue
        yield f"{_KINDS.get(kind, kind.replace('_', ' '))} price {_from_to(kind, before, after)}"


def _from_to(kind: str, before: Usd | None, after: Usd | None) -> str:
    tell, unit = (per_million, " per M tokens") if kind in _KINDS else (_dollars, "")
    nothing = "varies" if kind in _TOKENS else "none"
    if after is None:
        return f"{nothing if before is None else tell(before) + unit} → {nothing}"
    return f"{nothing if before is None else tell(before)} → {tell(after)}{unit}"


def _effect(effect: Usd | None) -> str:
    if effect is None:
        return "which can't be weighted with what you use"
    size = words.usd(max(effect, -effect))
    return f"about {'-' if effect < ZERO else '+'}{size} a month at your use"


def _end_line(one: EndNews, day: date, name: Name) -> str:
    cost = f"it cost {words.usd(one.cost)} in the last 30 days"
    if one.stays:
        return f"{name(one.model)} stays on the price list after all: {cost}."
    if one.back:
        return f"{name(one.model)} is back on the price list: {cost}."
    if one.on is None:
        return f"{name(one.model)} is no longer on the price list: {cost}."
    left = (one.on - day).days
    if left < 0:
        return f"{name(one.model)} may have been removed since {words.day(one.on)}: {cost}."
    when = "today" if left == 0 else f"in {words.plural(left, 'day')}"
    return f"{name(one.model)} will be removed on {words.day(one.on)} ({when}): {cost}."
