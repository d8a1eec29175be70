"""How fast a balance runs down: as expected, or at the rate of a day that may be a runaway job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from costcompass_core.domain.burn import BURN_DAYS, Burn
from costcompass_core.domain.days import ONE_DAY, newest_completed, utc_day
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.outlook import rounded
from costcompass_core.domain.rules.views import AccountView
from costcompass_core.domain.runway import walk

UNUSUAL: Final = Fraction(3, 2)
"""A day is unusual when it costs over half as much again as the dearest of the week before."""


class Run(NamedTuple):
    """What a recent day took (USD), and the dearest of the seven days before it, if all are known."""

    per_day: Usd | None
    peak: Usd | None


def recent_run(days: Sequence[Usd | None]) -> Run:
    """Return the longest run of unusual days up to yesterday, or else just yesterday.

    `days` are what the last 14 completed UTC days took, newest first, `None` where nobody knows.
    """
    for length in range(BURN_DAYS - 1, 1, -1):
        run = _known(days[:length])
        peak = max(_known(days[length : length + BURN_DAYS]), default=None)
        if run and peak is not None and is_unusual(min(run), peak):
            return Run(Usd.of_ratio(Usd.total(run).ratio() / length), peak)
    return Run(days[0], max(_known(days[1 : 1 + BURN_DAYS]), default=None))


def _known(days: Sequence[Usd | None]) -> list[Usd]:
    """Return the days, or none of them where one is unknown."""
    known = [one for one in days if one is not None]
    return known if len(known) == len(days) else []


def is_unusual(spent: Usd, peak: Usd) -> bool:
    """Return whether a day costs far more than the dearest of the week before."""
    return spent.ratio() > peak.ratio() * UNUSUAL


Rate = Literal["expected", "mean", "today", "yesterday"]
"""What a pace was taken from; the mean of 7 days only where nothing is known to expect."""


class Pace(NamedTuple):
    """What an account costs a day (USD), and what that was taken from."""

    per_day: Usd
    rate: Rate


def pace(view: AccountView) -> Pace | None:
    """Return the daily rate at which the balance runs down, `None` while it can't be known.

    It is the 7-day mean, unless today or yesterday is unusual: then a job may be running away, and
    what that day has cost so far is the least a day costs.
    """
    burn, today = view.burn, view.today
    mean = Usd.of_ratio(burn.over(1)) if burn is not None and is_whole(burn, view.now) else None
    recent: list[tuple[Usd, Rate]] = [(today.spent, "today")] if today is not None else []
    if view.yesterday is not None:
        recent.append((view.yesterday, "yesterday"))
    spent, rate = max(recent, default=(ZERO, "mean"), key=lambda one: one[0].amount)
    unusual = view.peak is not None and is_unusual(spent, view.peak)
    if unusual and (mean is None or spent > mean):
        return Pace(spent, rate)
    return None if mean is None else Pace(mean, "mean")


def prospect(view: AccountView, balance: AccountBalance) -> tuple[Fraction | None, Pace | None]:
    """Return how many days `balance` lasts, `None` where that can't be known, and at which pace.

    Usually it walks over the expected days; an unusual one is taken to go on.
    """
    rate, outlook, left = pace(view), view.outlook, balance.left
    if left <= ZERO or rate is None or rate.rate != "mean" or outlook is None:
        return days_left(left, rate), rate
    found = walk(outlook, left, balance.at)
    if found is None or not found.days:
        return (None if found is None else Fraction(0)), rate
    per_day = round(left.ratio() / Fraction(found.days), 9)
    return rounded(found.days, 9), Pace(Usd.of_ratio(per_day), "expected")


def unusual_pace(view: AccountView) -> Usd | None:
    """Return what an unusual today or yesterday has cost (USD), `None` where neither is unusual."""
    rate = pace(view)
    return rate.per_day if rate and rate.rate in {"today", "yesterday"} else None


def is_whole(burn: Burn, now: datetime) -> bool:
    """Return whether no day is missing inside the burn window and it is not out of date."""
    newest = newest_completed(utc_day(now))
    return burn.days == (burn.end - burn.start).days + 1 and burn.end >= newest - ONE_DAY


def days_left(left: Usd, rate: Pace | None) -> Fraction | None:
    """Return how many days `left` lasts at `rate`, none where it is used up, `None` where unknown."""
    if left <= ZERO:
        return Fraction(0)
    return left.ratio() / rate.per_day.ratio() if rate and rate.per_day > ZERO else None
