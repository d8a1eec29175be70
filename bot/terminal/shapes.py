"""Reports in the JSON shapes that scripts rely on: money is text with every digit it has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.terminal.stack_shapes import forecast_stack, spend_stack
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import SpendReport, SpendRow


def spend_shape(report: SpendReport) -> dict[str, Any]:
    """Return the `spend --json` object."""
    period = report.query.period
    return {
        "period": {
            "label": period.label,
            "from": str(period.start),
            "to": None if period.end is None else str(period.end),
        },
        "total_usd": report.total.text(),
        "by": report.query.by,
        "rows": [_row(one) for one in report.rows],
        "subscriptions_usd": _usd(report.subscriptions),
        "byok_usd": report.byok.text(),
        "unattributed_usd": _usd(report.unattributed),
        "missing_days": [str(day) for day in report.missing_days],
        "data_through": None if report.data_through is None else str(report.data_through),
        "refreshed_at": moment_shape(report.refreshed_at),
        **(spend_stack(report) if report.stack else {}),
    }


def _row(row: SpendRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "cost_usd": row.cost.text(),
        "share": str(row.share),
        **row.counts._asdict(),
        "byok_usd": row.byok.text(),
        **({"provider": row.provider} if row.provider else {}),
    }


def forecast_shape(report: ForecastReport) -> dict[str, Any]:
    """Return the `forecast --json` object; what can't be known yet is `None`."""
    return {
        "next_month": _next_month(report),
        "this_month": {
            "month": report.this_month.month.text(),
            "so_far_usd": _usd(report.this_month.so_far),
            "total_usd": _usd(report.this_month.total),
            "low_usd": _usd(report.this_month.low),
            "high_usd": _usd(report.this_month.high),
        },
        "balance": _balance(report),
        "runway": _runway(report),
        "data_through": None if report.data_through is None else str(report.data_through),
        **forecast_stack(report),
    }


def _next_month(report: ForecastReport) -> dict[str, Any]:
    plan, burn = report.next_month, report.next_month.burn
    return {
        "month": plan.month.text(),
        "days": plan.month.days,
        "burn_from": burn and str(burn.start),
        "burn_to": burn and str(burn.end),
        "burn_days": burn and burn.days,
        "burn_per_day_usd": _usd(plan.burn_per_day),
        "usage_usd": _usd(plan.usage),
        "subscriptions_usd": plan.subscriptions.text(),
        "total_usd": _usd(plan.total),
    }


def _balance(report: ForecastReport) -> dict[str, Any]:
    balances = report.balances
    return {
        "usd": Usd.total(one.left for one in balances).text() if balances else None,
        "at": moment_shape(min((one.at for one in balances), default=None)),
        "accounts": [{"account": one.account, "usd": one.left.text()} for one in balances],
    }


def _runway(report: ForecastReport) -> dict[str, Any]:
    runway = report.runway
    return {
        "days": runway and str(runway.days),
        "empty_on": str(runway.empty_on) if runway and runway.empty_on else None,
        "low_days": str(runway.early) if runway and runway.early is not None else None,
        "high_days": str(runway.late) if runway and runway.late is not None else None,
        "account": runway and runway.account,
    }


def _usd(amount: Usd | None) -> str | None:
    return None if amount is None else amount.text()


def moment_shape(moment: datetime | None) -> str | None:
    """Return RFC 3339 in UTC, to the second."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
