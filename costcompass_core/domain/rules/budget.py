"""Rules about budgets: what is spent, and where the period lands."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from costcompass_core.domain.days import utc_day
from costcompass_core.domain.facts import Fact
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.pace import is_whole
from costcompass_core.domain.rules.views import (
    RELIEVED,
    STALE_AFTER,
    BudgetView,
    Finding,
    Limits,
    tenths,
)

_LANDING_DAYS: Final = 3
"""Known days that a landing needs at least, or one busy first day would raise an alarm."""


def budget_spent(view: BudgetView, limits: Limits) -> Finding | None:
    """Say which of a budget's percentages its spend has reached."""
    if view.read_at is None or view.now - view.read_at > STALE_AFTER * limits.activity_every:
        return None
    percents = sorted(view.budget.percents)
    percent = view.spent.ratio() / view.budget.amount.ratio() * 100
    level = sum(percent >= one for one in percents)
    facts = {**_standing(view), "percent": tenths(percent), "crossed": tuple(percents[:level])}
    # A sum that lacks a day can show that a level is reached, but not that it no longer is.
    holds = (
        sum(percent >= Fraction(one) * RELIEVED for one in percents)
        if view.complete
        else len(percents)
    )
    return Finding(level, holds, len(percents), facts, view.read_at)


def budget_forecast(view: BudgetView, limits: Limits) -> Finding | None:
    """Say whether a budget will be exceeded at the burn rate of the last 7 days."""
    if view.read_at is None or view.now - view.read_at > STALE_AFTER * limits.activity_every:
        return None
    burn = view.burn
    if burn is None or burn.days < _LANDING_DAYS or not is_whole(burn, view.now):
        return None
    amount = view.budget.amount.ratio()
    landing = max(view.reported.ratio() + burn.over(view.days_ahead), view.spent.ratio())
    facts = {
        **_standing(view),
        "landing": Usd.of_ratio(landing),
        "per_day": Usd.of_ratio(burn.over(1)),
    }
    level = int(landing > amount)
    holds = int(landing > amount * RELIEVED or not view.complete)
    return Finding(level, holds, 1, facts, view.read_at)


def _standing(view: BudgetView) -> dict[str, Fact]:
    start, end = view.budget.span(utc_day(view.now))
    return {
        "spent": view.spent,
        "amount": view.budget.amount,
        "per": view.budget.per,
        "from": start,
        "to": end,
    }
