"""The loopback Vercel: billing charges as JSON Lines, in the FOCUS 1.3 form."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from bot.sandbox.biller import Asked, Biller, KeyKind
from bot.sandbox.wire import Answer, json_text
from costcompass_core.domain.days import ONE_DAY, each_day

_LONGEST = 366
"""Days that the real one answers for at most."""


class Vercel(Biller):
    """A stand-in with one project; each day's cost is split over functions and bandwidth."""

    PREFIX: ClassVar[str] = "/v1"
    RIGHT: ClassVar[str] = "vercelRight0123456789abcd"
    WRONG: ClassVar[str | None] = "vercelViewer0123456789abc"
    TEAM: ClassVar[str] = "team_acme"

    def answer(self, asked: Asked) -> Answer:
        """Tell the charges of the asked days, one object a line."""
        if (asked.method, asked.path) != ("GET", "/billing/charges"):
            return _refused(404, "not_found", "Not Found")
        if asked.value("teamId", self.TEAM) != self.TEAM:
            return _refused(403, "forbidden", 'Not authorized: no resource under scope "other"')
        try:
            first, end = (_day(asked.value(name)) for name in ("from", "to"))
        except ValueError:
            return _refused(400, "bad_request", "Invalid `from` or `to`")
        if not 0 < (end - first).days <= _LONGEST:
            return _refused(400, "bad_request", "The range is longer than a year, or empty")
        lines = [
            json_text(line)
            for day in each_day(first, end - ONE_DAY)
            if day in self.spent
            for line in self.lines(day)
        ]
        body = "".join(f"{line}\n" for line in lines).encode()
        return Answer(200, body, {"Content-Type": "application/jsonl"})

    def lines(self, day: date) -> list[dict[str, Any]]:
        """Return the charges of a day, which add up to what it cost."""
        whole = self.spent[day]
        some = (whole / 4).quantize(Decimal("0.0001"))
        return [
            _charge(day, "Vercel Functions", whole - some, "Compute", "GB-Hours"),
            _charge(day, "Fast Data Transfer", some, "Networking", "GB"),
        ]

    def refuse(self, kind: KeyKind) -> Answer:
        """Turn a token down."""
        if kind == "wrong type":
            return _refused(403, "forbidden", "You don't have permission to access this resource")
        said = (
            "The request is missing an authentication token" if kind == "none" else "Not authorized"
        )
        return _refused(403, "forbidden", said)


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()


def _charge(day: date, service: str, cost: Decimal, category: str, unit: str) -> dict[str, Any]:
    return {
        "BilledCost": cost,
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": f"{day}T00:00:00.000Z",
        "ChargePeriodEnd": f"{day + ONE_DAY}T00:00:00.000Z",
        "ConsumedQuantity": (cost * 30).quantize(Decimal("0.01")),
        "ConsumedUnit": unit,
        "EffectiveCost": cost,
        "ServiceName": service,
        "ServiceCategory": category,
        "ServiceProviderName": "Vercel",
        "Tags": {"ProjectId": "prj_1", "ProjectName": "site"},
        "PricingCategory": "Standard",
        "PricingCurrency": "USD",
    }


def _refused(status: int, code: str, message: str) -> Answer:
    return Answer(status, json_text({"error": {"code": code, "message": message}}).encode())
