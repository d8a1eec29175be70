"""Rules about budgets: what is spent, and where the period lands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Final, NamedTuple

from costcompass_core.domain.budgets import Standing
from costcompass_core.domain.burn import Burn
from costcompass_core.domain.days import ONE_DAY, utc_day
from costcompass_core.domain.facts import Fact
from costcompass_core.domain.money import Usd
from costcompass_core.domain.outlook import Outlook, rounded
from costcompass_core.domain.rules.pace import is_whole
from costcompass_core.domain.rules.views import (
    RELIEVED,
    STALE_AFTER,
    BudgetView,
    Finding,
    Limits,
    is_fresh,
    tenths,
)

_UNSEEN_RAISES: Final = Fraction(3, 2)
"""Times its share of the 7-day mean, how far what is unseen may raise an expected day; 1.23 was the
most on made-up accounts of 3 to 10 days, and from 14 days on it was under 1."""
_LANDING_DAYS: Final = 3
"""Known days that a landing needs at least, or one busy first day would raise an alarm."""


def budget_spent(view: BudgetView, limits: Limits) -> Finding | None:
    """Say which of a budget's percentages its spend has reached."""
    known = _Known.of(view, limits)
    if known is None:
        return None
    percents = sorted(view.budget.percents)
    percent = _percent(view, view.spent)
    level = sum(percent >= one for one in percents)
    facts = {
        **_standing(view, known),
        "percent": tenths(percent),
        "crossed": tuple(percents[:level]),
    }
    # A sum that lacks something can show that a level is reached, but not that it no longer is.
    most = _percent(view, view.spent + view.unseen)
    holds = sum(most >= Fraction(one) * RELIEVED for one in percents)
    if not known.complete:
        holds = len(percents)
    return Finding(level, holds, len(percents), facts, known.as_of, tuple(percents))


def budget_forecast(view: BudgetView, limits: Limits) -> Finding | None:
    """Say whether a budget will be exceeded by what the rest of its period is expected to cost."""
    known, burn, ahead = _Known.of(view, limits), view.burn, _ahead(view)
    if known is None or burn is None or ahead is None:
        return None
    amount, landing = view.budget.amount.ratio(), view.completed.ratio() + ahead
    facts = {
        **_standing(view, known),
        "landing": Usd.of_ratio(landing),
        "per_day": Usd.of_ratio(round(ahead / max(view.days_ahead, 1), 9)),
    }
    exceeded = any(100 <= one <= _percent(view, view.spent) for one in view.budget.percents)
    level = int(landing > amount and not exceeded)  # `budget_spent` has told it by then
    # Were it all from the newest day, a young account's level would rise by more than its mean.
    most = landing + view.unseen.ratio() * (1 + _UNSEEN_RAISES * view.days_ahead / burn.days)
    holds = int(most > amount * RELIEVED or not known.complete)
    return Finding(level, holds, 1, facts, known.as_of)


def standing(view: BudgetView) -> Standing:
    """Return where a budget stands, for answers: a sum that lacks something says so."""
    ahead = _ahead(view)
    landing = None if ahead is None else Usd.of_ratio(view.completed.ratio() + ahead)
    read = all(one is not None for one in view.reads)
    return Standing(view.budget, view.spent, view.span, landing, view.complete and read)


def _ahead(view: BudgetView) -> Fraction | None:
    """Return what the days ahead are expected to cost (USD), today at least what it already has.

    `None` while too little is known to expect anything. A slow account that is too young to expect
    anything of adds nothing.
    """
    lanes = [
        ahead
        for one in view.slow
        if (ahead := _expected(view, one.burn, one.outlook, one.days_ahead, one.partly)) is not None
    ]
    partly = Usd.total(one.partly for one in view.slow)
    taken = view.spent - view.completed - partly
    burn = view.burn
    if burn is not None and not is_whole(burn, view.now):
        return None
    ahead = _expected(view, burn, view.outlook, view.days_ahead, taken)
    if ahead is None:
        # Young or silent accounts hold nothing up where only slow ones cost anything.
        return sum(lanes, Fraction(0)) if lanes and burn is None else None
    return ahead + sum(lanes, Fraction(0))


def _expected(
    view: BudgetView, burn: Burn | None, outlook: Outlook | None, ahead: int, taken: Usd
) -> Fraction | None:
    """Return what `ahead` days up to the end of the period should cost, `taken` being sure."""
    if burn is None or burn.days < _LANDING_DAYS:
        return None
    _, end = view.span
    if outlook is None:
        rest, now = burn.over(max(ahead - 1, 0)), burn.over(min(ahead, 1))
        return rest + max(now, taken.ratio())
    days = [end - age * ONE_DAY for age in range(ahead)]
    expected = {day: rounded(outlook.day(day), 12) for day in days}
    now = expected.pop(utc_day(view.now), Fraction(0))
    return sum(expected.values(), max(now, taken.ratio()))


class _Known(NamedTuple):
    """From when (UTC) the oldest figure is that counts, and whether none is missing."""

    as_of: datetime
    complete: bool

    @classmethod
    def of(cls, view: BudgetView, limits: Limits) -> _Known | None:
        """Return it, or `None` where no account's usage is fresh."""
        within = STALE_AFTER * limits.activity_every
        fresh = [one for one in view.reads if one is not None and is_fresh(one, view.now, within)]
        if not fresh:
            return None
        return cls(min(fresh), view.complete and len(fresh) == len(view.reads))


def _percent(view: BudgetView, spent: Usd) -> Fraction:
    return spent.ratio() / view.budget.amount.ratio() * 100


def _standing(view: BudgetView, known: _Known) -> Mapping[str, Fact]:
    start, end = view.span
    facts: dict[str, Fact] = {
        "spent": view.spent,
        "amount": view.budget.amount,
        "per": view.budget.per,
        "from": start,
        "to": end,
    }
    return facts if known.complete else facts | {"partly": 1}
