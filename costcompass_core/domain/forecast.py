"""What spend will be: the plain next-month rule, this month's landing, the balance's runway.

The rule is the product's promise: the mean of the 7 newest completed UTC days times the days of the
next calendar month, plus the subscriptions active in it. It is computed exactly, multiplying before
dividing, and rounded only where the decimals of a printed amount never end. Beside it stand two
estimates from `domain.outlook`: where this month lands, and how long the balance lasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from costcompass_core.domain.budgets import Standing
from costcompass_core.domain.burn import Burn, History, burn_of, combined
from costcompass_core.domain.days import Month, each_day, utc_day
from costcompass_core.domain.money import EXACT, ZERO, Usd
from costcompass_core.domain.outlook import ROUGH, Outlook, estimate, outlook_of
from costcompass_core.domain.reports import Health
from costcompass_core.domain.runway import walk
from costcompass_core.domain.stack import Converted
from costcompass_core.domain.subscriptions import Subscription, due_in, in_other_currencies
from costcompass_core.domain.usage import USD

RECENT_DAYS: Final = 14
"""Days of the small picture beside a forecast: two weeks show the weekly rhythm."""
_FOREVER: Final = 36_500
"""Days; a runway beyond a century has no date worth printing."""


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """The newest balance reading of one account (may be negative) and its moment (UTC).

    `left` is of `currency`, in major units.
    """

    account: str
    left: Usd
    at: datetime
    currency: str = USD


@dataclass(frozen=True, slots=True)
class NextMonth:
    """The plain rule's answer for the next calendar month, all amounts in USD."""

    month: Month
    burn: Burn | None
    burn_per_day: Usd | None
    usage: Usd | None
    subscriptions: Usd
    total: Usd | None


@dataclass(frozen=True, slots=True)
class ThisMonth:
    """Where this calendar month lands (USD): reported so far plus what its other days should cost.

    It ends between `low` and `high` four times out of five; both are `None` under 14 days of history.
    """

    month: Month
    so_far: Usd | None
    total: Usd | None
    low: Usd | None = None
    high: Usd | None = None


@dataclass(frozen=True, slots=True)
class Runway:
    """Days that the shortest-lived prepaid balance lasts, counted from its reading.

    `days` has one decimal; `empty_on` is the UTC day, `None` when that is over a century away. In one
    case out of ten it is used up before `early`, in one after `late`; both are `None` under 14 days
    of history. `at_pace` is how long it lasts if an unusual today or yesterday goes on.
    """

    account: str
    days: Decimal
    empty_on: date | None
    early: Decimal | None = None
    late: Decimal | None = None
    at_pace: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ProviderPlan:
    """One provider's part of a forecast, all amounts in `currency`.

    `plan` is the plain rule without subscriptions, `landing` where this month ends, `through` its
    newest final UTC day.
    """

    provider: str
    title: str
    plan: NextMonth
    landing: ThisMonth
    through: date | None
    currency: str = USD


@dataclass(frozen=True, slots=True)
class CurrencyPlan:
    """The forecast of what is paid in another currency than USD: amounts are of `currency`."""

    currency: str
    plan: NextMonth
    so_far: Usd
    balances: tuple[AccountBalance, ...]
    runways: tuple[Runway, ...]


@dataclass(frozen=True, slots=True)
class ForecastReport:
    """The answer to `/forecast`; what can't be known yet is `None`."""

    next_month: NextMonth
    this_month: ThisMonth
    balances: tuple[AccountBalance, ...]
    runway: Runway | None
    data_through: date | None
    health: tuple[Health, ...]
    foreign_subscriptions: tuple[Subscription, ...] = ()
    recent: tuple[tuple[date, Usd], ...] = ()
    """The newest known UTC days and what each cost, oldest first."""
    known_days: int = 0
    """Of the last 60 days since usage began, those that the estimates rest on."""
    budgets: tuple[Standing, ...] = ()
    """Where each budget stands, in the order of the configuration."""
    runways: tuple[Runway, ...] = ()
    """Of every prepaid account (USD), the one that is used up first before the others."""
    providers: tuple[ProviderPlan, ...] = ()
    """What each provider adds, the dearest first; empty where there is one."""
    currencies: tuple[CurrencyPlan, ...] = ()
    """What is paid in other currencies, which no figure above includes."""
    converted: Converted | None = None
    """Next month's total of all currencies in one, where rates are known."""


def next_month(today: date, burn: Burn | None, subscriptions: Sequence[Subscription]) -> NextMonth:
    """Apply the plain rule to the calendar month after `today`'s (UTC)."""
    month = Month.of(today).next
    due = due_in(month, subscriptions)
    if burn is None:
        return NextMonth(month, None, None, None, due, None)
    usage = Usd.of_ratio(burn.over(month.days))
    return NextMonth(month, burn, Usd.of_ratio(burn.over(1)), usage, due, usage + due)


def this_month(
    today: date, history: History, outlook: Outlook | None, taken: Usd = ZERO
) -> ThisMonth:
    """Return the month to date and, with what is expected of every day not known, its total (USD).

    `taken` is what today is sure to have cost already: it costs that at least.
    """
    month = Month.of(today)
    if outlook is None:
        return ThisMonth(month, None, None)
    known = [day for day in each_day(month.first, month.last) if day in history.spent]
    so_far = Usd.total(history.spent[day] for day in known)
    so_far += Usd.total(cost for day, cost in history.once.items() if Month.of(day) == month)
    ahead = [day for day in each_day(month.first, month.last) if day not in history.spent]
    if not ahead:
        return ThisMonth(month, so_far, so_far, so_far, so_far)
    sure = max(taken, ZERO) if today in ahead else ZERO
    with localcontext(ROUGH):
        expected = [
            max(outlook.day(day), sure.amount) if day == today else outlook.day(day)
            for day in ahead
        ]
        rest, band = sum(expected, Decimal(0)), outlook.band(len(ahead))
        sums = [rest, *(rest * factor for factor in band or ())]
    total, *ends = (so_far + max(estimate(one), sure) for one in sums)
    return ThisMonth(month, so_far, total, *ends)


def runway(
    balance: AccountBalance, outlook: Outlook | None, pace: Usd | None = None
) -> Runway | None:
    """Return how long `balance` lasts by what is expected; `None` where nothing burns.

    `pace` is what an unusual today or yesterday has cost (USD). Should that go on, the balance is
    used up sooner than the walk knows, so the early end is no later.
    """
    found = None if outlook is None else walk(outlook, balance.left, balance.at)
    if found is None:
        return None
    early, late = (None if one is None else _tenths(one) for one in found[1:])
    at_pace = None if not pace else _tenths(_at(pace, balance.left))
    if at_pace is not None and early is not None:
        early = min(early, at_pace)
    until = empty_on(balance, found.days)
    return Runway(balance.account, _tenths(found.days), until, early, late, at_pace)


def empty_on(balance: AccountBalance, days: Decimal) -> date | None:
    """Return the UTC day on which a balance is used up that lasts `days`, up to a century ahead."""
    if days > _FOREVER:
        return None
    return utc_day(balance.at + timedelta(seconds=int(days * 86_400)))


def _at(per_day: Usd, left: Usd) -> Decimal:
    return ROUGH.divide(max(left, ZERO).amount, per_day.amount)


def _tenths(days: Decimal) -> Decimal:
    return Decimal(round(days * 10)).scaleb(-1, EXACT)


def shortest(runways: Sequence[Runway | None]) -> Runway | None:
    """Return the runway that ends first."""
    return min((one for one in runways if one), key=lambda one: one.days, default=None)


def soonest_first(runways: Sequence[Runway | None]) -> tuple[Runway, ...]:
    """Return the known runways, the shortest first."""
    return tuple(sorted((one for one in runways if one), key=lambda one: (one.days, one.account)))


def forecast(
    today: date,
    accounts: Mapping[str, History],
    balances: Sequence[AccountBalance],
    subscriptions: Sequence[Subscription],
    health: Sequence[Health],
    *,
    taken: Usd = ZERO,
    paces: Mapping[str, Usd] | None = None,
) -> ForecastReport:
    """Put the whole answer together from each account's history and newest balance.

    `taken` is what today is sure to have cost by the balances (USD). `paces` says of each account with
    an unusual today or yesterday what that day has cost (USD).
    """
    together = combined(list(accounts.values()))
    burn, outlook = burn_of(together), outlook_of(together)
    nothing, unusual = History({}, None), paces or {}
    runways = [
        runway(one, outlook_of(accounts.get(one.account, nothing)), unusual.get(one.account))
        for one in balances
    ]
    month = Month.of(today).next
    return ForecastReport(
        next_month(today, burn, subscriptions),
        this_month(today, together, outlook, taken),
        tuple(balances),
        shortest(runways),
        together.through,
        tuple(health),
        tuple(in_other_currencies(month, subscriptions)),
        tuple((day, together.spent[day]) for day in sorted(together.spent)[-RECENT_DAYS:]),
        outlook.days if outlook else 0,
        runways=soonest_first(runways),
    )
