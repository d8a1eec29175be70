"""Rules about spend that is not as usual: a day that stands out, and a level that stays.

Statistics find candidates, dollars decide. The modified z-score, 0.6745 (x - median) / MAD, and its
bound of 3.5 are Iglewicz and Hoaglin's (1993): unlike a mean and a standard deviation, neither the
median nor the median absolute deviation moves with the outliers that are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from costcompass_core.domain.days import utc_day
from costcompass_core.domain.facts import Fact
from costcompass_core.domain.money import Usd
from costcompass_core.domain.past import (
    WEEK,
    Past,
    cause_facts,
    compare_day,
    compare_week,
    mean,
)
from costcompass_core.domain.rules.views import (
    STALE_AFTER,
    AccountView,
    Finding,
    Limits,
    is_fresh,
)

SHARE: Final = Fraction(1, 5)
"""Of what 28 days cost, the least that an alert has to be about."""
RATIO: Final = 2
"""How many times as much as before a level is."""
LEVEL_LASTS: Final = timedelta(days=14)
_SPIKE_HOLDS: Final = 3
_MONTH_AT_ONCE: Final = 10
"""Times the floor; below it even a day that cost as much as 28 is not critical."""


class _Spike(NamedTuple):
    day: date
    spent: Usd
    base: list[Usd]
    over: Fraction
    level: int


def spend_spike(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether one of the last 3 completed days, or today so far, stands out from the 28 before.

    Today's spend so far is a lower bound, so it can raise an alert but not end one.
    """
    past, floor = view.past, limits.spike_above
    if past is None:
        return None
    today = _spike_today(view, past, floor)
    known = past_is_known(view, limits)
    ages = range(WEEK + _SPIKE_HOLDS)
    recent = [_spike_at(past, age, floor) if known else None for age in ages]
    spikes = [one for one in (today, *recent[:_SPIKE_HOLDS]) if one]
    news = [one for one in spikes if one.day >= past.watched and _is_news(one, recent)]
    level = max((one.level for one in news), default=0)
    if spikes:
        facts = _spike_facts(view, spikes[0], floor)
        as_of = view.balance.at if today and view.balance else usage_read_at(view)
        return Finding(level, max(one.level for one in spikes), 2, facts, as_of, once=True)
    if not known or not past.read or not _is_over(past):
        return None
    return Finding(0, 0, 2, {}, usage_read_at(view), once=True)


def _is_over(past: Past) -> bool:
    """Return whether the days that hold a spike are all known, and comparable with others."""
    ages = range(_SPIKE_HOLDS)
    return all(past.days[age] is not None and past.base(age + 1) is not None for age in ages)


def _is_news(spike: _Spike, recent: Sequence[_Spike | None]) -> bool:
    """Return whether a spike is dearer than those of the week before: people know of those."""
    week = timedelta(days=WEEK)
    before = [one for one in recent if one and one.day < spike.day <= one.day + week]
    return all(one.spent < spike.spent for one in before)


def usage_read_at(view: AccountView) -> datetime:
    """Return the moment (UTC) that what is said of completed days is from."""
    return _read_at(view) or view.now


def _read_at(view: AccountView) -> datetime | None:
    activity = (view.parts or {}).get("activity")
    return activity.succeeded_at if activity else None


def past_is_known(view: AccountView, limits: Limits) -> bool:
    """Return whether completed days can be judged by: read lately, and the newest is known."""
    fresh = is_fresh(_read_at(view), view.now, STALE_AFTER * limits.activity_every)
    return (
        fresh and view.past is not None and bool(view.past.days) and view.past.days[0] is not None
    )


def _spike_today(view: AccountView, past: Past, floor: Usd) -> _Spike | None:
    """Return today as a spike by what the balance lost; yesterday may not be known yet."""
    balance, today = view.balance, view.today
    if balance is None or today is None:
        return None
    if utc_day(balance.at) != utc_day(view.now):
        return None
    age = 0 if past.days and past.days[0] is not None else 1
    return _spike(utc_day(view.now), today.spent, past, age, floor)


def _spike_at(past: Past, age: int, floor: Usd) -> _Spike | None:
    spent = past.days[age] if age < len(past.days) else None
    return None if spent is None else _spike(past.day(age), spent, past, age + 1, floor)


def _spike(day: date, spent: Usd, past: Past, age: int, floor: Usd) -> _Spike | None:
    """Return a day as a spike against the days from `age` on.

    After a lasting rise it has to cost as much more than the new level too: one cause is one message.
    """
    base = past.base(age)
    if base is None or not stands_out(spent, base, floor):
        return None
    risen = past.week(age)
    is_level = risen is not None and _level_at(past, age, floor) is not None
    if risen and is_level and spent.ratio() - mean(risen) < least_over(base, floor):
        return None
    over, total = spent.ratio() - mean(base), Usd.total(base).ratio()
    month = over >= max(total, _MONTH_AT_ONCE * floor.ratio())
    return _Spike(day, spent, base, over, 2 if month else 1)


def stands_out(spent: Usd, base: Sequence[Usd], floor: Usd) -> bool:
    """Return whether a day is far from the median of others, by enough money to matter."""
    if spent.ratio() - mean(base) < least_over(base, floor):
        return False
    amounts = [one.ratio() for one in base]
    median = _median(amounts)
    spread = _median([abs(one - median) for one in amounts])
    return Fraction(6745, 10_000) * (spent.ratio() - median) > Fraction(7, 2) * spread


def least_over(base: Sequence[Usd], floor: Usd, share: Fraction = SHARE) -> Fraction:
    """Return USD that something has to be over: the floor, or a share of what those days cost."""
    return max(floor.ratio(), share * Usd.total(base).ratio())


def lacks_rows(view: AccountView, least: Fraction) -> bool:
    """Return whether the balance shows that rows of the newest days are missing, worth over `least`."""
    return Usd.total(one.unreported for one in view.days).ratio() > least


def _median(amounts: Sequence[Fraction]) -> Fraction:
    ordered, half = sorted(amounts), len(amounts) // 2
    return (ordered[half] + ordered[(len(ordered) - 1) // 2]) / 2


def _spike_facts(view: AccountView, spike: _Spike, floor: Usd) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "day": spike.day,
        "spent": spike.spent,
        "usual": Usd.of_ratio(mean(spike.base)),
        "over": Usd.of_ratio(spike.over),
        "days": len(spike.base),
        "least": Usd.of_ratio(least_over(spike.base, floor)),
        "floor": floor,
    }
    past = view.past
    if past is None or spike.day > past.newest:
        facts["today"] = 1
        if view.leader is not None:
            facts |= {"leader": view.leader.model, "leader_usd": view.leader.spent}
        return facts
    lacking = any(one.day == spike.day and one.unreported for one in view.days)
    if lacking or (spike.day == past.newest and not past.read):
        facts["partly"] = 1
    if view.used is not None and past.read and spike.day == past.newest:
        facts |= cause_facts(compare_day(view.used, len(spike.base)))
    return facts


class _Level(NamedTuple):
    per_day: Fraction
    base: list[Usd]
    over: Fraction


def spend_level(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether the last 7 completed days cost at least twice as much as the 28 before."""
    past, floor = view.past, limits.level_above
    if past is None or not past_is_known(view, limits) or not past.read:
        return None
    week, base = past.week(0), past.base(WEEK)
    if week is None or base is None:
        return None
    found = _level_at(past, 0, floor)
    latest: dict[str, Fact] = {"latest": Usd.of_ratio(mean(week))}
    if found is None:
        return Finding(0, 0, 1, latest, usage_read_at(view), lasts=LEVEL_LASTS, once=True)
    facts = latest | _level_facts(view, past, found, floor)
    told = any(_spike_at(past, age, floor) for age in range(WEEK))  # one cause is one message
    new = int(past.newest >= past.watched and not told)
    return Finding(new, 1, 1, facts, usage_read_at(view), lasts=LEVEL_LASTS, once=True)


def _level_at(past: Past, age: int, floor: Usd) -> _Level | None:
    """Return the 7 days from `age` on as a level; a spike among them has its own alert."""
    week, base = past.week(age), past.base(age + WEEK)
    if week is None or base is None or not _is_level(week, base, floor):
        return None
    spiky = any(stood_out(past, one, floor) for one in range(age, age + WEEK))
    if spiky and not _is_level(sorted(week, key=lambda one: one.amount)[:-1], base, floor):
        return None
    per_day, usual = mean(week), mean(base)
    return _Level(per_day, base, (per_day - usual) * WEEK)


def stood_out(past: Past, age: int, floor: Usd) -> bool:
    """Return whether the completed day of that age stands out from the days before it."""
    spent, base = past.days[age], past.base(age + 1)
    return spent is not None and base is not None and stands_out(spent, base, floor)


def _is_level(days: Sequence[Usd], base: Sequence[Usd], floor: Usd) -> bool:
    usual, spent = mean(base), Usd.total(days).ratio()
    over = spent - usual * len(days)
    return spent >= RATIO * usual * len(days) and over >= least_over(base, floor)


def _level_facts(view: AccountView, past: Past, found: _Level, floor: Usd) -> dict[str, Fact]:
    usual = mean(found.base)
    high = (found.per_day + usual) / 2
    days = past.week(0) or []
    first = max((age for age, one in enumerate(days) if one.ratio() >= high), default=0)
    facts: dict[str, Fact] = {
        "first": past.day(first),
        "per_day": Usd.of_ratio(found.per_day),
        "usual": Usd.of_ratio(usual),
        "over": Usd.of_ratio(found.over),
        "days": len(found.base),
        "least": Usd.of_ratio(least_over(found.base, floor)),
        "floor": floor,
    }
    if view.used is not None:
        facts |= cause_facts(compare_week(view.used, len(found.base)))
    return facts


def is_new_normal(usual: Usd, latest: Usd) -> bool:
    """Return whether spend stayed up (USD a day), nearer to twice as much than to the usual."""
    return latest.ratio() >= usual.ratio() * Fraction(RATIO + 1, 2)
