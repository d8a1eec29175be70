"""What tokens cost at list prices, and what a change of prices means for an account: estimates.

    cost = (prompt - cached) * prompt price + cached * cache-read price
         + completion * completion price + requests * request price

with prompt - cached no less than 0, and cached tokens at the prompt's price where the model offers no
cheaper reads. Reasoning tokens are part of completion. Cache writes, images, searches and prices
under conditions (long prompts, hours of the day) are not in it, because no count of them is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from costcompass_core.domain.catalogue import Changed
from costcompass_core.domain.money import CENT, ZERO, Usd
from costcompass_core.domain.reports import Amounts

MONTH_DAYS: Final = 30
"""Completed UTC days that "in use" looks back on, and the month that effects are told for."""
WARNED_DAYS: Final = 7
"""The last days of a model on each of which its end is told."""

Prices = Mapping[str, Usd]


def list_cost(prices: Prices, used: Amounts) -> Fraction | None:
    """Return the USD of that usage at list prices, `None` where a price or count is not known."""
    prompt, completion = prices.get("prompt"), prices.get("completion")
    request = prices.get("request", ZERO)
    read = prices.get("input_cache_read", prompt)
    if prompt is None or completion is None or read is None:
        return None
    if used.prompt_tokens is None or used.completion_tokens is None:
        return None
    cached = used.cached_tokens
    if cached is None:
        if read != prompt:
            return None
        cached = 0
    if used.requests is None and request:
        return None
    return (
        max(used.prompt_tokens - cached, 0) * prompt.ratio()
        + cached * read.ratio()
        + used.completion_tokens * completion.ratio()
        + (used.requests or 0) * request.ratio()
    )


def effect(before: Prices, after: Prices, used: Amounts, days: int) -> Usd | None:
    """Return how many USD a month dearer the usage of `days` days becomes, `None` if unknown.

    So it is where own keys paid for a part: no count says which tokens the balance still pays.
    """
    if used.byok_cost:
        return None
    old, new = list_cost(before, used), list_cost(after, used)
    if old is None or new is None or days <= 0:
        return None
    return Usd.of_ratio((new - old) * MONTH_DAYS / days)


@dataclass(frozen=True, slots=True)
class PriceNews:
    """A price change of a model in use; `effect` is USD a month (estimate), `None` if unknown."""

    model: str
    before: Prices
    after: Prices
    effect: Usd | None


@dataclass(frozen=True, slots=True)
class EndNews:
    """A model in use that goes, went (`on` is `None`), stays after all (`stays`) or is back (`back`).

    `cost` is what it cost in the last 30 completed UTC days (USD, reported).
    """

    model: str
    on: date | None
    cost: Usd
    stays: bool = False
    back: bool = False


News = PriceNews | EndNews


@dataclass(frozen=True, slots=True)
class InUse:
    """What each model was used for in the last `days` known ones of 30 completed UTC days."""

    models: Mapping[str, Amounts]
    days: int


def news(
    changed: list[Changed], expiries: Mapping[str, date], in_use: InUse, today: date
) -> tuple[News, ...]:
    """Return what is worth telling about models in use, ends first.

    `changed` is what was noticed since the digest before; `expiries` are all announced ends, of
    which those within 7 days from `today` (UTC) are told again.
    """
    ends: dict[str, EndNews] = {}
    prices: dict[str, PriceNews] = {}
    for model, day in sorted(expiries.items(), key=lambda one: one[1]):
        if model in in_use.models and today <= day <= today + timedelta(days=WARNED_DAYS):
            ends[model] = EndNews(model, day, Usd(in_use.models[model].cost))
    for one in changed:
        used = in_use.models.get(one.model)
        if used is None:
            continue
        if one.what == "price" and one.before and one.after:
            first = prices[one.model].before if one.model in prices else one.before.prices
            change = effect(first, one.after.prices, used, in_use.days)
            prices[one.model] = PriceNews(one.model, first, one.after.prices, change)
        elif (end := _end(one, Usd(used.cost))) is not None:
            ends[one.model] = end
    told = [one for one in prices.values() if one.before != one.after and _matters(one)]
    return (*ends.values(), *told)


def _end(one: Changed, cost: Usd) -> EndNews | None:
    if one.what == "removed":
        return EndNews(one.model, None, cost)
    if one.what == "returned":
        return EndNews(one.model, None, cost, back=True)
    if one.what == "expiry" and one.after is not None:
        return EndNews(one.model, one.after.expires, cost, stays=one.after.expires is None)
    return None


def _matters(one: PriceNews) -> bool:
    """Return whether a change is a cent a month or more, or can't be weighted."""
    return one.effect is None or max(one.effect, -one.effect) >= CENT
