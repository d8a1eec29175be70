"""Rules about a prepaid balance: how much is left, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction

from costcompass_core.domain.facts import Fact
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.rules.pace import days_left, pace
from costcompass_core.domain.rules.views import (
    RECOVERED,
    STALE_AFTER,
    AccountView,
    Finding,
    Limits,
    tenths,
)


def _fresh(balance: AccountBalance | None, view: AccountView, limits: Limits) -> bool:
    return balance is not None and view.now - balance.at <= STALE_AFTER * limits.balance_every


def _prospects(view: AccountView, balance: AccountBalance) -> dict[str, Fact]:
    """Return the facts that every alert about a balance tells: what is left, and for how long."""
    rate = pace(view)
    facts: dict[str, Fact] = {"left": balance.left}
    if rate is not None:
        facts |= {"per_day": rate.per_day, "rate": rate.rate}
    if view.today is not None:
        facts |= {"today": view.today.spent, "today_since": view.today.since}
    days = days_left(balance.left, rate)
    if days is not None:
        facts["days"] = tenths(days)
        if days < 36_500:
            facts["empty_at"] = balance.at + timedelta(seconds=int(days * 86_400))
    return facts


def _crossed(value: Fraction, levels: Iterable[Fraction]) -> int:
    """Return how many levels `value` is at or below."""
    return sum(value <= level for level in levels)


def balance_low(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether the balance is at or below a level of `balance_below`."""
    balance = view.balance
    if balance is None or not _fresh(balance, view, limits):
        return None
    left, levels = balance.left.ratio(), [one.ratio() for one in limits.balance_below]
    level = _crossed(left, levels)
    crossed = tuple(sorted(limits.balance_below, reverse=True)[:level])
    return Finding(
        level,
        _crossed(left, [one * RECOVERED for one in levels]),
        len(levels),
        {**_prospects(view, balance), "crossed": crossed},
        balance.at,
    )


def runway_short(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether the balance lasts for no more days than a level of `runway_below_days`."""
    balance, rate = view.balance, pace(view)
    if balance is None or not _fresh(balance, view, limits):
        return None
    if rate is None and balance.left > ZERO:
        return None
    days = days_left(balance.left, rate)
    levels = [Fraction(one) for one in limits.runway_below]
    level = 0 if days is None else _crossed(days, levels)
    crossed = tuple(sorted(limits.runway_below, reverse=True)[:level])
    return Finding(
        level,
        0 if days is None else _crossed(days, [one * RECOVERED for one in levels]),
        len(levels),
        {**_prospects(view, balance), "crossed": crossed},
        balance.at,
    )
