"""Alert rules: pure functions from what is stored to what is wrong.

A rule looks at one account, one budget or the installation and answers with a `Finding`, or with
`None` where stale, partial or rejected data allow no judgement: then an open incident stays as it
is. A new rule is one function, its entry in one of the tuples at the end, and its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.days import ONE_DAY, midnight, newest_completed, utc_day
from costcompass_core.domain.facts import Fact, Facts
from costcompass_core.domain.forecast import BURN_DAYS, AccountBalance, Burn
from costcompass_core.domain.money import EXACT, ZERO, Usd
from costcompass_core.domain.reread import SETTLES_AFTER

STALE_AFTER: Final = 3
"""Refresh intervals without a good refresh after which data counts as stale."""
RECOVERED: Final = Fraction(6, 5)
"""A balance or runway has recovered from a level when it is a fifth above it."""
RELIEVED: Final = Fraction(19, 20)
"""A budget has recovered from a level when it is a twentieth below it."""
LOCKED_FOR: Final = timedelta(minutes=10)
"""How long a daemon may wait for its passphrase before that is an incident."""
NOTICE_ABOVE: Final = Usd(Decimal(1))
BYOK_FREE: Final = Usd(Decimal(25_000))
"""USD a month; OpenRouter's pay-as-you-go terms as of 2026-08."""
BYOK_PERCENTS: Final = (Decimal(80), Decimal(100))
"""Per cent of the free BYOK volume that are told."""
UNUSUAL: Final = Fraction(3, 2)
"""A day is unusual when it costs over half as much again as the dearest of the week before."""
_LANDING_DAYS: Final = 3
"""Known days that a landing needs at least, or one busy first day would raise an alarm."""
_LANDS_LATE: Final = timedelta(hours=2)
"""How long after a day has settled its absence is an incident."""


class Key(NamedTuple):
    """What an incident is about: a rule, and an account or a budget (`subject`), or neither."""

    rule: str
    account: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says now. `level` is how many of its `of` levels are crossed, 0 for none.

    `holds` counts those that are crossed or not yet recovered from by the margin, so that a figure
    which wavers around a level is one incident. `as_of` is the moment (UTC) the facts are from.
    """

    level: int
    holds: int
    of: int
    facts: Facts
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user wants to hear about. Amounts are USD."""

    balance_below: tuple[Usd, ...] = ()
    runway_below: tuple[Decimal, ...] = ()
    """Days."""
    notice_above: Usd = NOTICE_ABOVE
    """Restated history and unexplained losses below this are not told."""
    byok_free: Usd = BYOK_FREE
    """List-price volume a month under own upstream keys that the provider takes no fee for."""
    balance_every: timedelta = timedelta(minutes=5)
    activity_every: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Today:
    """USD that the balance lost on the current UTC day, from the reading at `since` on.

    Where `since` is not around midnight it is a lower bound of what the day has cost so far.
    """

    spent: Usd
    since: datetime


@dataclass(frozen=True, slots=True)
class PartState:
    """How refreshing one part of an account goes. `reason` says why it fails, in one word."""

    tried_at: datetime
    succeeded_at: datetime | None
    failures: int
    reason: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as it is stored at `now`; `since` is when this daemon began to watch it.

    `yesterday` is what that UTC day took (USD), or on average each of the unusual days up to it;
    `peak` is the dearest of the seven days before, where all are known (see `recent_run`).
    """

    account: str
    now: datetime
    since: datetime
    balance: AccountBalance | None = None
    burn: Burn | None = None
    peak: Usd | None = None
    today: Today | None = None
    yesterday: Usd | None = None
    byok_month: Usd = ZERO
    parts: Mapping[str, PartState] | None = None


@dataclass(frozen=True, slots=True)
class BudgetView:
    """One budget at `now`: USD `spent` in its period, the current day included where known.

    `reported` is what completed days came to, `complete` whether every completed day of the period
    is known; `days_ahead` counts those after the newest known one.
    """

    budget: Budget
    now: datetime
    spent: Usd
    reported: Usd
    complete: bool
    burn: Burn | None
    days_ahead: int
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class SystemView:
    """The installation itself; `locked_since` is `None` while the vault is open."""

    now: datetime
    locked_since: datetime | None


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


Rate = Literal["mean", "today", "yesterday"]


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
    mean = Usd.of_ratio(burn.over(1)) if burn is not None and _whole(burn, view.now) else None
    recent: list[tuple[Usd, Rate]] = [(today.spent, "today")] if today is not None else []
    if view.yesterday is not None:
        recent.append((view.yesterday, "yesterday"))
    spent, rate = max(recent, default=(ZERO, "mean"), key=lambda one: one[0].amount)
    unusual = view.peak is not None and is_unusual(spent, view.peak)
    if unusual and (mean is None or spent > mean):
        return Pace(spent, rate)
    return None if mean is None else Pace(mean, "mean")


def _whole(burn: Burn, now: datetime) -> bool:
    """Return whether no day is missing inside the burn window and it is not out of date."""
    newest = newest_completed(utc_day(now))
    return burn.days == (burn.end - burn.start).days + 1 and burn.end >= newest - ONE_DAY


def _days_left(left: Usd, rate: Pace | None) -> Fraction | None:
    if left <= ZERO:
        return Fraction(0)
    return left.ratio() / rate.per_day.ratio() if rate and rate.per_day > ZERO else None


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
    days = _days_left(balance.left, rate)
    if days is not None:
        facts["days"] = _tenths(days)
        if days < 36_500:
            facts["empty_at"] = balance.at + timedelta(seconds=int(days * 86_400))
    return facts


def _tenths(value: Fraction) -> Decimal:
    return Decimal(round(value * 10)).scaleb(-1, EXACT)


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
    days = _days_left(balance.left, rate)
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


def byok_volume(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether this month's list-price volume under own keys nears what is free of a fee."""
    activity = (view.parts or {}).get("activity")
    if activity is None or activity.succeeded_at is None or _late(activity, view, limits):
        return None
    percent = view.byok_month.ratio() / limits.byok_free.ratio() * 100
    level = sum(percent >= one for one in BYOK_PERCENTS)
    facts: dict[str, Fact] = {
        "spent": view.byok_month,
        "amount": limits.byok_free,
        "percent": _tenths(percent),
        "crossed": BYOK_PERCENTS[:level],
    }
    holds = sum(percent >= Fraction(one) * RELIEVED for one in BYOK_PERCENTS)
    return Finding(level, holds, len(BYOK_PERCENTS), facts, activity.succeeded_at)


def _late(activity: PartState, view: AccountView, limits: Limits) -> bool:
    return view.now - (activity.succeeded_at or view.since) > STALE_AFTER * limits.activity_every


_OWN_RULE: Final = frozenset({"key_rejected", "wrong_key_type", "vault_locked"})
"""Reasons of failure that have a rule of their own: one problem is one incident."""


def data_stale(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether a part was not refreshed for three intervals, or the newest day is overdue."""
    parts = view.parts or {}
    if any(one.reason in _OWN_RULE for one in parts.values()):
        return None
    found = _stale_part(parts, view, limits) or _overdue(view, limits)
    if found is None:
        return Finding(0, 0, 1, {}, view.now)
    # Just started, or woken from sleep: what looks old may be read in a moment.
    part = "balance" if found["part"] == "balance" else "activity"
    patience = STALE_AFTER * _intervals(limits)[part]
    return Finding(1, 1, 1, found, view.now) if view.now - view.since >= patience else None


def _intervals(limits: Limits) -> dict[str, timedelta]:
    return {"balance": limits.balance_every, "activity": limits.activity_every}


def _stale_part(parts: Mapping[str, PartState], view: AccountView, limits: Limits) -> Facts | None:
    """Return the facts of the first part without a good refresh for three intervals."""
    for part, every in _intervals(limits).items():
        state = parts.get(part)
        good = state.succeeded_at if state else None
        if view.now - (good or view.since) < STALE_AFTER * every:
            continue
        facts: dict[str, Fact] = {"part": part}
        if good is not None:
            facts["good_at"] = good
        if state is not None and state.error:
            facts["error"] = state.error
        return facts
    return None


def _overdue(view: AccountView, limits: Limits) -> Facts | None:
    """Return the facts of a newest completed day that should have been read by now."""
    newest = newest_completed(utc_day(view.now))
    settled = midnight(newest + ONE_DAY) + SETTLES_AFTER + _LANDS_LATE + limits.activity_every
    known = view.burn.end if view.burn else None
    if known is None or known >= newest or view.now < settled:
        return None
    return {"part": "day", "day": newest, "known": known}


def key_rejected(view: AccountView, _limits: Limits) -> Finding | None:
    """Say whether the provider refuses the account's key, or it is of a kind that can't read spend."""
    parts = list((view.parts or {}).values())
    for part in parts:
        if part.reason in {"key_rejected", "wrong_key_type"}:
            facts: dict[str, Fact] = {"reason": part.reason, "error": part.error or ""}
            return Finding(1, 1, 1, facts, part.tried_at)
    if any(part.failures for part in parts) or not parts:
        return None
    return Finding(0, 0, 1, {}, view.now)


def budget_spent(view: BudgetView, limits: Limits) -> Finding | None:
    """Say which of a budget's percentages its spend has reached."""
    if view.read_at is None or view.now - view.read_at > STALE_AFTER * limits.activity_every:
        return None
    percents = sorted(view.budget.percents)
    percent = view.spent.ratio() / view.budget.amount.ratio() * 100
    level = sum(percent >= one for one in percents)
    facts = {**_standing(view), "percent": _tenths(percent), "crossed": tuple(percents[:level])}
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
    if burn is None or burn.days < _LANDING_DAYS or not _whole(burn, view.now):
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


def vault_locked(view: SystemView, _limits: Limits) -> Finding | None:
    """Say whether the daemon has been waiting for its passphrase for a while."""
    if view.locked_since is None or view.now - view.locked_since < LOCKED_FOR:
        return Finding(0, 0, 1, {}, view.now)
    return Finding(1, 1, 1, {"since": view.locked_since}, view.now)


AccountRule = Callable[[AccountView, Limits], Finding | None]
BudgetRule = Callable[[BudgetView, Limits], Finding | None]
SystemRule = Callable[[SystemView, Limits], Finding | None]

ACCOUNT_RULES: Final[tuple[AccountRule, ...]] = (
    balance_low,
    runway_short,
    byok_volume,
    data_stale,
    key_rejected,
)
BUDGET_RULES: Final[tuple[BudgetRule, ...]] = (budget_spent, budget_forecast)
SYSTEM_RULES: Final[tuple[SystemRule, ...]] = (vault_locked,)

RULE_NAMES: Final = tuple(
    rule.__name__ for rules in (ACCOUNT_RULES, BUDGET_RULES, SYSTEM_RULES) for rule in rules
)
"""Of everything that can become an incident."""


def findings(
    accounts: Sequence[AccountView],
    budgets: Sequence[BudgetView],
    system: SystemView | None,
    limits: Limits,
) -> dict[Key, Finding | None]:
    """Ask every rule about everything it looks at; a key that is not there is not watched.

    Without `system`, from a command beside the daemon, nothing is said of the installation.
    """
    found: dict[Key, Finding | None] = {
        Key(rule.__name__, view.account): rule(view, limits)
        for view in accounts
        for rule in ACCOUNT_RULES
    }
    found |= {
        Key(rule.__name__, view.budget.account or "", view.budget.name): rule(view, limits)
        for view in budgets
        for rule in BUDGET_RULES
    }
    for each in SYSTEM_RULES:
        found[Key(each.__name__)] = each(system, limits) if system else None
    return found
