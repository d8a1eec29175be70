"""What several providers or currencies add to the JSON shapes; absent where there is one of each."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from costcompass_core.domain.forecast import (
    AccountBalance,
    CurrencyPlan,
    ForecastReport,
    ProviderPlan,
    Runway,
)
from costcompass_core.domain.money import Usd, plain
from costcompass_core.domain.reports import SpendReport
from costcompass_core.domain.stack import Caveat, Converted, CurrencyTotal, Stack


def spend_stack(report: SpendReport) -> dict[str, Any]:
    """Return `providers`, `currencies`, `converted` and `caveats` of a spend report."""
    stack = report.stack
    if stack is None:
        return {}
    return {
        "providers": _providers(report, stack),
        "currencies": [_currency(one) for one in stack.currencies],
        "converted": _converted(stack.converted),
        "caveats": [_caveat(one) for one in stack.caveats],
    }


def _providers(report: SpendReport, stack: Stack) -> list[dict[str, Any]]:
    through = {one.provider: one.data_through for one in report.health}
    sold = {one.provider: one for one in stack.sellers}
    names = [*sold, *sorted(name for name in stack.titles if name not in sold)]
    return [
        {
            "name": name,
            "title": stack.titles.get(name, name),
            "total_usd": sold[name].cost.text() if name in sold else None,
            "share": str(sold[name].share) if name in sold else None,
            "basis": stack.known.get(name, "reported"),
            "data_through": str(through[name]) if through.get(name) else None,
        }
        for name in names
    ]


def _currency(one: CurrencyTotal) -> dict[str, Any]:
    return {
        "currency": one.currency,
        "total": plain(one.total),
        "rows": [
            {"name": row.name, "provider": row.provider, "cost": plain(row.cost)}
            for row in one.rows
        ],
    }


def _converted(one: Converted | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "currency": one.currency,
        "total": None if one.total is None else plain(one.total),
        "rates": [
            {
                "currency": rate.currency,
                "worth": Usd.of_ratio(rate.value).text(),
                "on": str(rate.day),
                "source": rate.source,
            }
            for rate in one.rates
        ],
        "without": list(one.without),
    }


def _caveat(one: Caveat) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "account": one.account,
        "provider": one.provider,
        "day": str(one.day) if one.day else None,
        "amount": None if one.amount is None else plain(one.amount),
        "currency": one.currency,
    }


def forecast_stack(report: ForecastReport) -> dict[str, Any]:
    """Return `providers`, `currencies`, `runways` and `converted` of a forecast."""
    if not (report.providers or report.currencies):
        return {}
    return {
        "providers": [_provider(one) for one in report.providers],
        "currencies": [_plan(one) for one in report.currencies],
        "runways": [_runway(one) for one in report.runways],
        "converted": _converted(report.converted),
    }


def _provider(one: ProviderPlan) -> dict[str, Any]:
    burn = one.plan.burn
    return {
        "name": one.provider,
        "title": one.title,
        "burn_from": burn and str(burn.start),
        "burn_to": burn and str(burn.end),
        "burn_days": burn and burn.days,
        "burn_per_day_usd": _text(one.plan.burn_per_day),
        "usage_usd": _text(one.plan.usage),
        "so_far_usd": _text(one.landing.so_far),
        "month_usd": _text(one.landing.total),
        "data_through": str(one.through) if one.through else None,
    }


def _plan(one: CurrencyPlan) -> dict[str, Any]:
    return {
        "currency": one.currency,
        "burn_per_day": _text(one.plan.burn_per_day),
        "usage": _text(one.plan.usage),
        "subscriptions": one.plan.subscriptions.text(),
        "total": _text(one.plan.total),
        "so_far": one.so_far.text(),
        "balances": [_balance(left) for left in one.balances],
        "runways": [_runway(each) for each in one.runways],
    }


def _balance(one: AccountBalance) -> dict[str, Any]:
    at = f"{one.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
    return {"account": one.account, "amount": one.left.text(), "at": at}


def _runway(one: Runway) -> dict[str, Any]:
    return {
        "account": one.account,
        "days": str(one.days),
        "empty_on": str(one.empty_on) if one.empty_on else None,
    }


def _text(amount: Usd | None) -> str | None:
    return None if amount is None else amount.text()
