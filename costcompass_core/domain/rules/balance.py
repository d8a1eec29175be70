"""Rules about a prepaid balance: how much is left, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from costcompass_core.domain.facts import Fact
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.rules.pace import prospect
from costcompass_core.domain.rules.views import (
    RECOVERED,
    STALE_AFTER,
    AccountView,
    Finding,
    Limits,
    PurseView,
    is_fresh,
    tenths,
)

_FARTHEST: Final = 36_500
"""Days; what lasts beyond a century has no end worth printing."""


def _fresh(balance: AccountBalance, view: AccountView, limits: Limits) -> bool:
    return is_fresh(balance.at, view.now, STALE_AFTER * limits.balance_every)


def _prospects(view: AccountView, balance: AccountBalance) -> dict[str, Fact]:
    """Return the facts that every alert about a balance tells: what is left, and for how long."""
    days, rate = prospect(view, balance)
    facts: dict[str, Fact] = {"left": balance.left}
    if rate is not None:
        facts |= {"per_day": rate.per_day, "rate": rate.rate}
    if view.today is not None:
        facts |= {"today": view.today.spent, "today_since": view.today.since}
    if days is not None:
        facts["days"] = tenths(days)
        if days < 36_500:
            facts["empty_at"] = balance.at + timedelta(seconds=int(days * 86_400))
    return facts | _at_the_soonest(view, balance, facts.get("empty_at"))


def _at_the_soonest(
    view: AccountView, balance: AccountBalance, empty_at: Fact | None
) -> dict[str, Fact]:
    """Return when it runs dry at the pace of the last hour, where that is sooner than `empty_at`.

    An hour is too short to judge by, or every burst would be an alarm; it is told beside the rest.
    """
    lately = view.lately
    if lately is None or lately.spent <= ZERO or balance.left <= ZERO:
        return {}
    hours = balance.left.ratio() / lately.spent.ratio()
    if hours > 36_500:
        return {}
    soonest = balance.at + timedelta(seconds=int(hours * 3600))
    if isinstance(empty_at, datetime) and empty_at <= soonest:
        return {}
    return {"last_hour": lately.spent, "soonest_at": soonest}


def _scale(levels: Iterable[Decimal]) -> tuple[Decimal, ...]:
    """Return levels of what gets worse as it falls, the more the worse."""
    return tuple(sorted(one.copy_negate() for one in levels))


def _crossed(value: Fraction, levels: Iterable[Fraction]) -> int:
    """Return how many levels `value` is at or below."""
    return sum(value <= level for level in levels)


def balance_low(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether the balance is at or below a level of `balance_below`, or used up."""
    balance = view.balance
    if balance is None or not _fresh(balance, view, limits):
        return None
    levels = limits.balance_below and (*limits.balance_below, ZERO)
    left, ratios = balance.left.ratio(), [one.ratio() for one in levels]
    return Finding(
        _crossed(left, ratios),
        _crossed(left, [one * RECOVERED for one in ratios]),
        len(limits.balance_below),
        {
            **_prospects(view, balance),
            "crossed": tuple(
                sorted((one for one in limits.balance_below if balance.left <= one), reverse=True)
            ),
        },
        balance.at,
        _scale(one.amount for one in levels),
    )


def purse_short(purse: PurseView, view: AccountView, limits: Limits) -> Finding | None:
    """Say whether money in another currency lasts for no more days than `runway_below_days`.

    The rate is the mean of its seven newest days; what is used up is past every level.
    """
    if not is_fresh(purse.at, view.now, STALE_AFTER * limits.balance_every):
        return None
    burn, left = purse.burn, max(purse.left, ZERO).ratio()
    if left and (burn is None or burn.spent <= ZERO):
        return None
    days = left / burn.over(1) if left and burn is not None else Fraction(0)
    levels = [Fraction(one) for one in limits.runway_below]
    level = _crossed(days, levels)
    facts: dict[str, Fact] = {
        "left": purse.left.amount,
        "days": tenths(days),
        "crossed": tuple(sorted(limits.runway_below, reverse=True)[:level]),
    }
    if days <= _FARTHEST:
        facts["empty_at"] = purse.at + timedelta(seconds=int(days * 86_400))
    holds = _crossed(days, [one * RECOVERED for one in levels])
    return Finding(level, holds, len(levels), facts, purse.at, _scale(limits.runway_below))


def runway_short(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether the balance lasts for no more days than a level of `runway_below_days`."""
    balance = view.balance
    if balance is None or not _fresh(balance, view, limits):
        return None
    days, rate = prospect(view, balance)
    if rate is None and balance.left > ZERO:
        return None
    levels = [Fraction(one) for one in limits.runway_below]
    level = 0 if days is None else _crossed(days, levels)
    crossed = tuple(sorted(limits.runway_below, reverse=True)[:level])
    return Finding(
        level,
        0 if days is None else _crossed(days, [one * RECOVERED for one in levels]),
        len(levels),
        {**_prospects(view, balance), "crossed": crossed},
        balance.at,
        _scale(limits.runway_below),
    )
