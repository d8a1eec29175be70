"""The digest in the JSON shape that scripts rely on: money is text with every digit it has."""

from __future__ import annotations

from datetime import date
from typing import Any

from bot.terminal.shapes import forecast_shape, moment_shape
from bot.webhook_shape import incident_shape
from costcompass_core.domain.days import Month
from costcompass_core.domain.digest import DigestReport, EndedMonth
from costcompass_core.domain.ledger import Pace, Restated
from costcompass_core.domain.money import Usd
from costcompass_core.domain.movers import Mover
from costcompass_core.domain.prices import EndNews, News, PriceNews
from costcompass_core.domain.rules.views import Today


def digest_shape(report: DigestReport) -> dict[str, Any]:
    """Return the `digest --json` object; what can't be known is `None`."""
    outlook = forecast_shape(report.outlook)
    totals = ("month", "total_usd")
    return {
        "date": str(report.day),
        "at": moment_shape(report.at),
        "yesterday": {"day": str(report.newest), "usd": _usd(report.yesterday)},
        "month": {
            "month": report.month.text(),
            "so_far_usd": _usd(report.so_far),
            "through": _day(report.through),
        },
        "today": _today(report.today),
        "pace": _pace(report.pace),
        "forecast": {
            part: {key: outlook[part][key] for key in totals}
            for part in ("next_month", "this_month")
        },
        "balance": outlook["balance"],
        "runway": outlook["runway"],
        "movers": [_mover(one) for one in report.movers],
        "incidents": [incident_shape(one) for one in report.incidents],
        "restated": [_restated(one) for one in report.restated],
        "missing_days": [str(day) for day in report.missing_days],
        "data_through": _day(report.data_through),
        "refreshed_at": moment_shape(report.refreshed_at),
        "last_month": _last_month(report.ended),
        "prices": [_news(one) for one in report.prices],
    }


def _usd(amount: Usd | None) -> str | None:
    return None if amount is None else amount.text()


def _day(day: date | None) -> str | None:
    return None if day is None else str(day)


def _today(today: Today | None) -> dict[str, Any] | None:
    """Return what the balances lost since `since`, which is what the current day cost so far."""
    if today is None:
        return None
    return {"usd": today.spent.text(), "since": moment_shape(today.since)}


def _pace(pace: Pace | None) -> dict[str, Any] | None:
    """Return what the same days of last month came to; `change` is a share of that."""
    if pace is None:
        return None
    month = Month.of(pace.through).text()
    return {"month": month, "usd": pace.usd.text(), "change": str(pace.change)}


def _mover(mover: Mover) -> dict[str, Any]:
    return {
        "name": mover.name,
        "usd": mover.cost.text(),
        "usual_usd": mover.usual.text(),
        "change_usd": mover.change.text(),
        "new": mover.new,
    }


def _restated(one: Restated) -> dict[str, Any]:
    return {
        "account": one.account,
        "day": str(one.day),
        "before_usd": one.before.text(),
        "after_usd": one.after.text(),
    }


def _last_month(ended: EndedMonth | None) -> dict[str, Any] | None:
    if ended is None:
        return None
    return {
        "month": ended.month.text(),
        "usd": _usd(ended.total),
        "before_usd": _usd(ended.against.usd if ended.against else None),
        "change": str(ended.against.change) if ended.against else None,
    }


def _what(one: EndNews) -> str:
    if one.stays or one.back:
        return "stays" if one.stays else "returned"
    return "removed" if one.on is None else "expires"


def _news(one: News) -> dict[str, Any]:
    """Return a change of prices with its effect (an estimate), or the end of a model."""
    if isinstance(one, PriceNews):
        return {
            "model": one.model,
            "what": "price",
            "before": {kind: price.text() for kind, price in one.before.items()},
            "after": {kind: price.text() for kind, price in one.after.items()},
            "effect_usd_per_month": _usd(one.effect),
            "estimate": True,
        }
    return {
        "model": one.model,
        "what": _what(one),
        "on": _day(one.on),
        "cost_usd_30_days": one.cost.text(),
    }
