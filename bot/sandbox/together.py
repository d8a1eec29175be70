"""The loopback Together: daily usage of a month, page by page, final through yesterday."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from bot.sandbox.biller import Asked, Biller, KeyKind
from bot.sandbox.wire import Answer, answered, json_text
from costcompass_core.domain.days import ONE_DAY, Month, each_day


class Together(Biller):
    """A stand-in that uses one model; each day's cost is split over input and output tokens."""

    PREFIX: ClassVar[str] = "/v1"
    RIGHT: ClassVar[str] = "tgp_v1_right0123456789abcdef"
    WRONG: ClassVar[str | None] = "tgp_v1_other0123456789abcdef"
    page_days = 10
    """Days that one page holds at most, whatever is asked for."""

    def answer(self, asked: Asked) -> Answer:
        """Tell a page of a month's days."""
        if (asked.method, asked.path) != ("GET", "/billing/usage"):
            return _refused(404, "Not found")
        try:
            year, number = map(int, asked.value("month").split("-"))
            month, start = Month(year, number), int(asked.value("after", "0"))
            size = min(int(asked.value("limit", "100")), self.page_days)
        except ValueError:
            return _refused(400, "Invalid month or cursor")
        if asked.value("granularity") != "day" or not (1 <= number <= 12 and size > 0):
            return _refused(400, "Invalid month, granularity or limit")
        last = min(month.last, self.now().date() - ONE_DAY)
        days = [day for day in each_day(month.first, last) if day in self.spent]
        page = days[start : start + size]
        more = start + size < len(days)
        return answered(
            {
                "object": "list",
                "billing_period": month.text(),
                "currency": "USD",
                "organization_id": "org_1",
                "next_cursor": str(start + size) if more else None,
                "data": [self._day(day) for day in page],
            }
        )

    def _day(self, day: date) -> dict[str, Any]:
        whole = self.spent[day]
        some = (whole / 3).quantize(Decimal("0.00000001"))
        return {
            "date": str(day),
            "start_time": f"{day}T00:00:00Z",
            "end_time": f"{day + ONE_DAY}T00:00:00Z",
            "line_items": [_item("Input", some), _item("Output", whole - some)],
        }

    def refuse(self, kind: KeyKind) -> Answer:
        """Turn a key down."""
        if kind == "wrong type":
            return _refused(403, "This key belongs to another organization")
        return _refused(401, "Invalid API key provided")


def _item(kind: str, cost: Decimal) -> dict[str, Any]:
    return {
        "product_name": f"Serverless Inference - {kind} Tokens",
        "quantity": str(int(cost * 1_000_000)),
        "unit_price": "0.00000100",
        "cost": f"{cost:f}",
        "attributes": {"model": "deepseek-v4"},
        "pricing_dimensions": {"tier": "standard"},
    }


def _refused(status: int, message: str) -> Answer:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Answer(status, json_text({"error": error}).encode())
