"""What spend will be: the plain next-month rule, this month's landing, the balance's runway.

The rule is the product's promise: the mean of the 7 newest completed UTC days times the days of the
next calendar month, plus the subscriptions active in it. It is computed exactly, multiplying before
dividing, and rounded only where the decimals of a printed amount never end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from costcompass_core.domain.burn import Burn, History, burn_of, combined
from costcompass_core.domain.days import Month, each_day
from costcompass_core.domain.money import EXACT, ZERO, Usd
from costcompass_core.domain.reports import Health
from costcompass_core.domain.subscriptions import Subscription, due_in, in_other_currencies

RECENT_DAYS: Final = 14
"""Days of the small picture beside a forecast: two weeks show the weekly rhythm."""
_FOREVER: Final = 36_500
"""Days; a runway beyond a century has no date worth printing."""


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """The newest balance reading of one account (USD, may be negative) and its moment (UTC)."""

    account: str
    left: Usd
    at: datetime


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
    """Where this calendar month lands: reported so far plus the burn rate for every other day."""

    month: Month
    so_far: Usd | None
    total: Usd | None


@dataclass(frozen=True, slots=True)
class Runway:
    """Days that the shortest-lived prepaid balance lasts, counted from its reading.

    `days` has one decimal; `empty_on` is the UTC day, `None` when that is over a century away.
    """

    account: str
    days: Decimal
    empty_on: date | None


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


def next_month(today: date, burn: Burn | None, subscriptions: Sequence[Subscription]) -> NextMonth:
    """Apply the plain rule to the calendar month after `today`'s (UTC)."""
    month = Month.of(today).next
    due = due_in(month, subscriptions)
    if burn is None:
        return NextMonth(month, None, None, None, due, None)
    usage = Usd.of_ratio(burn.over(month.days))
    return NextMonth(month, burn, Usd.of_ratio(burn.over(1)), usage, due, usage + due)


def this_month(today: date, history: History, burn: Burn | None) -> ThisMonth:
    """Return the month to date and, at the burn rate for every day not known, its total (USD)."""
    month = Month.of(today)
    if burn is None:
        return ThisMonth(month, None, None)
    known = [day for day in each_day(month.first, month.last) if day in history.spent]
    so_far = Usd.total(history.spent[day] for day in known)
    rest = burn.over(month.days - len(known))
    return ThisMonth(month, so_far, so_far + Usd.of_ratio(rest))


def runway(balance: AccountBalance, burn: Burn | None) -> Runway | None:
    """Return how long `balance` lasts at `burn`; `None` where nothing burns."""
    if burn is None or burn.spent <= ZERO:
        return None
    days = max(balance.left, ZERO).ratio() * burn.days / burn.spent.ratio()
    tenths = Decimal(round(days * 10)).scaleb(-1, EXACT)
    if days > _FOREVER:
        return Runway(balance.account, tenths, None)
    seconds = int(days * 86_400)
    return Runway(balance.account, tenths, (balance.at + timedelta(seconds=seconds)).date())


def shortest(runways: Sequence[Runway | None]) -> Runway | None:
    """Return the runway that ends first."""
    return min((one for one in runways if one), key=lambda one: one.days, default=None)


def forecast(
    today: date,
    accounts: Mapping[str, History],
    balances: Sequence[AccountBalance],
    subscriptions: Sequence[Subscription],
    health: Sequence[Health],
) -> ForecastReport:
    """Put the whole answer together from each account's history and newest balance."""
    together = combined(list(accounts.values()))
    burn = burn_of(together)
    nothing = History({}, None)
    runways = [runway(one, burn_of(accounts.get(one.account, nothing))) for one in balances]
    month = Month.of(today).next
    return ForecastReport(
        next_month(today, burn, subscriptions),
        this_month(today, together, burn),
        tuple(balances),
        shortest(runways),
        together.through,
        tuple(health),
        tuple(in_other_currencies(month, subscriptions)),
        tuple((day, together.spent[day]) for day in sorted(together.spent)[-RECENT_DAYS:]),
    )
