"""A forecast over several providers: each by its own days, then added up exactly.

A provider whose newest days come late is expected by the seven newest days that are final, wherever
those end: its window is neither cut short nor does it hold back anybody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from costcompass_core.domain.burn import Burn, History, burn_of, combined
from costcompass_core.domain.days import Month, each_day
from costcompass_core.domain.forecast import (
    RECENT_DAYS,
    AccountBalance,
    CurrencyPlan,
    ForecastReport,
    NextMonth,
    ProviderPlan,
    ThisMonth,
    next_month,
    runway,
    soonest_first,
)
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.outlook import outlook_of
from costcompass_core.domain.reports import Health, known_through
from costcompass_core.domain.subscriptions import Subscription, due_in, in_other_currencies

_RECENT: Final = timedelta(days=4)
"""How old a provider's newest final day may be for it to be in the picture of the last two weeks."""


def added_up(
    today: date,
    parts: Mapping[str, ForecastReport],
    histories: Mapping[str, History],
    subscriptions: Sequence[Subscription],
    health: Sequence[Health],
) -> ForecastReport:
    """Return the forecast that the `parts` make together, by the accounts that each is about.

    `histories` are those of every account. Where one of the parts cannot tell its band of this
    month yet, the whole has none; otherwise the bands add up, as if all went high or low at once.
    """
    runways = soonest_first([one for part in parts.values() for one in part.runways])
    month = Month.of(today).next
    plans = _plans(today, [one for one in parts.values() if one.next_month.burn is not None])
    picture = _picture(histories, known_through(health))
    return ForecastReport(
        _next(month, [one.next_month for one in parts.values()], due_in(month, subscriptions)),
        _this(Month.of(today), [part.this_month for part in parts.values()]),
        tuple(one for part in parts.values() for one in part.balances),
        next(iter(runways), None),
        known_through(health),
        tuple(health),
        tuple(in_other_currencies(month, subscriptions)),
        tuple(sorted(picture.items())[-RECENT_DAYS:]),
        min((part.known_days for part in parts.values() if part.known_days), default=0),
        runways=runways,
        providers=plans if len({one.provider for one in health}) > 1 else (),
    )


def _plans(today: date, parts: Sequence[ForecastReport]) -> tuple[ProviderPlan, ...]:
    """Return what each provider adds, the dearest first; one of late accounts can have many parts."""
    own: dict[str, list[ForecastReport]] = {}
    for part in parts:
        own.setdefault(part.health[0].provider, []).append(part)
    month = Month.of(today)
    plans = [
        ProviderPlan(
            provider,
            some[0].health[0].title or provider,
            _next(month.next, [one.next_month for one in some], ZERO),
            _this(month, [one.this_month for one in some]),
            known_through([one for part in some for one in part.health]),
        )
        for provider, some in own.items()
    ]
    return tuple(sorted(plans, key=lambda one: (-(one.plan.usage or ZERO).ratio(), one.title)))


def next_of_all(
    today: date, histories: Sequence[History], subscriptions: Sequence[Subscription]
) -> NextMonth:
    """Apply the plain rule to histories that each count by their own newest days, and add up."""
    month = Month.of(today).next
    plans = [next_month(today, burn_of(one), ()) for one in histories]
    return _next(month, plans, due_in(month, subscriptions))


def _next(
    month: Month, plans: Sequence[NextMonth], due: Usd, *, only_due: bool = False
) -> NextMonth:
    burns = [one.burn for one in plans if one.burn is not None]
    if not burns:
        return NextMonth(month, None, None, None, due, due if only_due else None)
    newest = max(burns, key=lambda one: (one.end, one.days))

    def together(days: int) -> Usd:
        return Usd.of_ratio(sum((one.over(days) for one in burns), Fraction(0)))

    burn = Burn(newest.start, newest.end, newest.days, together(newest.days))
    usage = together(month.days)
    return NextMonth(month, burn, together(1), usage, due, usage + due)


def _this(month: Month, parts: Sequence[ThisMonth]) -> ThisMonth:
    known = [one for one in parts if one.so_far is not None and one.total is not None]
    if not known:
        return ThisMonth(month, None, None)
    low = [one.low for one in known if one.low is not None]
    high = [one.high for one in known if one.high is not None]
    whole = len(low) == len(high) == len(known)
    return ThisMonth(
        month,
        Usd.total(one.so_far for one in known if one.so_far is not None),
        Usd.total(one.total for one in known if one.total is not None),
        Usd.total(low) if whole else None,
        Usd.total(high) if whole else None,
    )


def _picture(histories: Mapping[str, History], newest: date | None) -> Mapping[date, Usd]:
    """Return what the days cost that every provider up to date knows, for the picture."""
    if newest is None:
        return {}
    fresh = [one for one in histories.values() if one.through and newest - one.through <= _RECENT]
    return combined(fresh).spent


def currency_plan(
    today: date,
    currency: str,
    histories: Mapping[str, History],
    balances: Sequence[AccountBalance],
    subscriptions: Sequence[Subscription],
) -> CurrencyPlan:
    """Return the forecast of one other currency: every account by its own newest final days."""
    month, due = Month.of(today).next, due_in(Month.of(today).next, subscriptions, currency)
    plans = [next_month(today, burn_of(one), ()) for one in histories.values()]
    begun = set(each_day(Month.of(today).first, today))
    so_far = Usd.total(
        cost
        for one in histories.values()
        for day, cost in (*one.spent.items(), *one.once.items())
        if day in begun
    )
    nothing = History({}, None)
    runways = [runway(one, outlook_of(histories.get(one.account, nothing))) for one in balances]
    return CurrencyPlan(
        currency,
        _next(month, plans, due, only_due=not histories and not balances),
        so_far,
        tuple(balances),
        soonest_first(runways),
    )


def without_counted(report: ForecastReport, taken: Collection[str]) -> ForecastReport:
    """Return the report without the subscriptions that are counted under their own currency."""
    left = tuple(one for one in report.foreign_subscriptions if one.currency not in taken)
    return replace(report, foreign_subscriptions=left)
