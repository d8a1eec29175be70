"""The loopback OpenAI: the costs and the token usage of an organization, for Admin keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from bot.sandbox.biller import Asked, Biller, KeyKind
from bot.sandbox.buckets import BadQuery, Rows, Shape, made_up, page_of, shares
from bot.sandbox.wire import Answer, answered, json_text
from costcompass_core.domain.days import midnight

_BIG: Final = "gpt-6-astra"
_SMALL: Final = "gpt-6-astra-mini"
_KINDS: Final = (
    (_BIG, "input_tokens"),
    (_BIG, "cached_input_tokens"),
    (_SMALL, "input_tokens"),
    (_SMALL, "output_tokens"),
    (_BIG, "output_tokens"),
)


def _day(text: str) -> date:
    return datetime.fromtimestamp(int(text), UTC).date()


def _seconds(day: date) -> int:
    return int(midnight(day).timestamp())


_COSTS: Final = Shape(
    "start_time",
    "end_time",
    _day,
    _seconds,
    most=180,
    groups=frozenset({"project_id", "line_item", "api_key_id"}),
    marks=True,
)
_USAGE: Final = Shape(
    "start_time",
    "end_time",
    _day,
    _seconds,
    most=31,
    groups=frozenset({"project_id", "user_id", "api_key_id", "model", "batch", "service_tier"}),
    marks=True,
)


class OpenAI(Biller):
    """A stand-in whose organization uses two models; each day's cost is split over five line items.

    `text_amounts` writes amounts as text, which was seen live and is documented nowhere.
    """

    PREFIX: ClassVar[str] = "/v1"
    RIGHT: ClassVar[str] = "sk-admin-" + "A1b2C3d4" * 5
    WRONG: ClassVar[str | None] = "sk-" + "0a1B2c3D" * 6

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.text_amounts = False
        super().__init__(now)

    def answer(self, asked: Asked) -> Answer:
        """Tell costs or usage."""
        today = self.now().date()
        try:
            if (asked.method, asked.path) == ("GET", "/organization/costs"):
                return answered(page_of(asked, _COSTS, today, lambda day: self._costs(asked, day)))
            if (asked.method, asked.path) == ("GET", "/organization/usage/completions"):
                return answered(page_of(asked, _USAGE, today, lambda day: self._usage(asked, day)))
        except BadQuery as why:
            return _refused(400, str(why), "invalid_request_error", None)
        return _refused(404, "Invalid URL", "invalid_request_error", None)

    def refuse(self, kind: KeyKind) -> Answer:
        """Turn a key down as was seen live; the words about scopes are the whole `error`."""
        if kind == "wrong type":
            said = "You have insufficient permissions for this operation."
            said += " Missing scopes: api.usage.read."
            return Answer(403, json_text({"error": said}).encode())
        said = "Incorrect API key provided" if kind == "unknown" else "No API key provided"
        return _refused(401, said, "invalid_request_error", "invalid_api_key")

    def _split(self, day: date) -> list[tuple[str, str, Decimal]]:
        usd = self.spent.get(day)
        if not usd:
            return []
        parts = shares(usd, "0.25", "0.05", "0.1", "0.2")
        return [(*kind, cost) for kind, cost in zip(_KINDS, parts, strict=True)]

    def _costs(self, asked: Asked, day: date) -> Rows:
        split = self._split(day)
        if "line_item" not in asked.values("group_by[]"):
            return [self._result(self.spent[day], None, None)] if split else []
        return [
            self._result(cost, f"{model}, {kind}", made_up(cost, 400_000))
            for model, kind, cost in split
        ]

    def _result(self, cost: Decimal, line_item: str | None, quantity: int | None) -> dict[str, Any]:
        return {
            "object": "organization.costs.result",
            "amount": {"value": f"{cost:f}" if self.text_amounts else cost, "currency": "usd"},
            "line_item": line_item,
            "project_id": None,
            "api_key_id": None,
            "quantity": quantity,
            "quantity_unit": "tokens" if line_item else None,
        }

    def _usage(self, asked: Asked, day: date) -> Rows:
        found: dict[str | None, dict[str, Any]] = {}
        for model, kind, cost in self._split(day):
            name = model if "model" in asked.values("group_by[]") else None
            row = found.setdefault(name, _no_usage(name))
            tokens = made_up(cost, 400_000)
            if kind == "output_tokens":
                row["output_tokens"] += tokens
                row["num_model_requests"] += 1 + tokens // 1000
            else:
                cached = "cached" if kind.startswith("cached") else "uncached"
                row[f"input_{cached}_tokens"] += tokens
                row["input_tokens"] += tokens
        return list(found.values())


def _no_usage(model: str | None) -> dict[str, Any]:
    inputs = ("input_tokens", "input_cached_tokens", "input_cache_write_tokens")
    counts = (*inputs, "input_uncached_tokens", "output_tokens", "num_model_requests")
    nothing = ("project_id", "user_id", "api_key_id", "batch", "service_tier")
    return {
        "object": "organization.usage.completions.result",
        **dict.fromkeys(counts, 0),
        **dict.fromkeys(nothing),
        "model": model,
    }


def _refused(status: int, message: str, kind: str, code: str | None) -> Answer:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return Answer(status, json_text({"error": error}).encode())
