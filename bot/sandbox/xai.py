"""The loopback xAI: daily spend of one team, and prepaid credits as negative cents."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from bot.sandbox.biller import Asked, Biller, KeyKind
from bot.sandbox.wire import Answer, answered, json_text
from costcompass_core.domain.days import each_day

_BELOW = "/billing/teams/"
_DOLLARS = {"name": "usd", "aggregation": "AGGREGATION_SUM"}


class XAI(Biller):
    """A stand-in with one team, whose credits are `bought` less what was spent by now."""

    PREFIX: ClassVar[str] = "/v1"
    RIGHT: ClassVar[str] = "mgmt-right-0123456789abcdef"
    WRONG: ClassVar[str | None] = "mgmt-weak-0123456789abcdef"
    TEAM: ClassVar[str] = "4f0f2a1c-acme"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.bought = Decimal(500)
        self.limit_reached = False
        super().__init__(now)

    def answer(self, asked: Asked) -> Answer:
        """Tell the team's balance or usage."""
        if not asked.path.startswith(f"{_BELOW}{self.TEAM}/"):
            return _refused(404, "team not found")
        path = asked.path.removeprefix(f"{_BELOW}{self.TEAM}")
        if (asked.method, path) == ("GET", "/prepaid/balance"):
            today = self.now().date()
            used = sum((usd for day, usd in self.spent.items() if day <= today), Decimal(0))
            return answered({"total": {"val": f"{(used - self.bought) * 100:.0f}"}})
        if (asked.method, path) == ("POST", "/usage"):
            return self._usage(json.loads(asked.body)["analyticsRequest"])
        return _refused(404, "no such path")

    def _usage(self, question: dict[str, Any]) -> Answer:
        span = question["timeRange"]
        asked = (question["timeUnit"], span["timezone"], question["groupBy"], question["values"])
        if asked != ("TIME_UNIT_DAY", "Etc/GMT", [], [_DOLLARS]):
            return _refused(400, "unsupported question")
        first, last = (_day(span[name]) for name in ("startTime", "endTime"))
        points = [
            {"timestamp": f"{day}T00:00:00Z", "values": [self.spent.get(day, 0)]}
            for day in each_day(first, last)
        ]
        return answered(
            {"timeSeries": [{"dataPoints": points}], "limitReached": self.limit_reached}
        )

    def refuse(self, kind: KeyKind) -> Answer:
        """Turn a key down."""
        if kind == "wrong type":
            return _refused(403, "permission denied: a management key is needed")
        return _refused(401, "invalid credentials")


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()


def _refused(status: int, message: str) -> Answer:
    return Answer(status, json_text({"error": {"code": status, "message": message}}).encode())
