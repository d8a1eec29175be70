"""The loopback Anthropic: the cost and the message usage of an organization, for Admin keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from bot.sandbox.biller import Asked, Biller, KeyKind
from bot.sandbox.buckets import BadQuery, Rows, Shape, made_up, page_of, shares
from bot.sandbox.wire import Answer, answered, json_text
from costcompass_core.domain.money import EXACT

_MODEL: Final = "claude-opus-5-5"
_NAME: Final = "Claude Opus 5.5 Usage"
_LINES: Final = (
    ("uncached_input_tokens", f"{_NAME} - Input Tokens"),
    ("cache_read_input_tokens", f"{_NAME} - Cache Read"),
    ("cache_creation.ephemeral_5m_input_tokens", f"{_NAME} - 5m Cache Write"),
    ("cache_creation.ephemeral_1h_input_tokens", f"{_NAME} - 1h Cache Write"),
    (None, "Web Search Usage"),
    ("output_tokens", f"{_NAME} - Output Tokens"),
)
_COST_FIELDS: Final = ("workspace_id", "description", "cost_type", "context_window", "model")
_MORE_FIELDS: Final = ("service_tier", "token_type", "inference_geo")


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()


def _midnight(day: date) -> str:
    return f"{day}T00:00:00Z"


_COST: Final = Shape(
    "starting_at", "ending_at", _day, _midnight, 31, frozenset({"workspace_id", "description"})
)
_USAGE: Final = Shape(
    "starting_at",
    "ending_at",
    _day,
    _midnight,
    most=31,
    groups=frozenset({"api_key_id", "workspace_id", "model", "service_tier", "context_window"}),
)


class Anthropic(Biller):
    """A stand-in whose organization uses one model and web search; money is text in cents."""

    PREFIX: ClassVar[str] = "/v1"
    RIGHT: ClassVar[str] = "sk-ant-admin01-" + "A1b2C3d4" * 5
    WRONG: ClassVar[str | None] = "sk-ant-api03-" + "0a1B2c3D" * 6

    def secret(self, headers: Mapping[str, str]) -> str:
        """Return the key, which comes in a header of its own."""
        return headers.get("x-api-key", "")

    def answer(self, asked: Asked) -> Answer:
        """Tell cost or usage."""
        today = self.now().date()
        if asked.headers.get("anthropic-version") != "2023-06-01":
            return _refused(400, "invalid_request_error", "anthropic-version: header is required")
        try:
            if (asked.method, asked.path) == ("GET", "/organizations/cost_report"):
                return answered(page_of(asked, _COST, today, lambda day: self._costs(asked, day)))
            if (asked.method, asked.path) == ("GET", "/organizations/usage_report/messages"):
                return answered(page_of(asked, _USAGE, today, lambda day: self._usage(asked, day)))
        except BadQuery as why:
            return _refused(400, "invalid_request_error", str(why))
        return _refused(404, "not_found_error", "Not Found")

    def refuse(self, kind: KeyKind) -> Answer:
        """Turn a key down; a wrong type and an unknown one get the same words, as was seen live."""
        said = "x-api-key header is required" if kind == "none" else "invalid x-api-key"
        return _refused(401, "authentication_error", said)

    def _split(self, day: date) -> list[tuple[str | None, str, Decimal]]:
        usd = self.spent.get(day)
        if not usd:
            return []
        parts = shares(usd, "0.3", "0.04", "0.02", "0.04", "0.1")
        return [(*line, cost) for line, cost in zip(_LINES, parts, strict=True)]

    def _costs(self, asked: Asked, day: date) -> Rows:
        split = self._split(day)
        if "description" not in asked.values("group_by[]"):
            return [_result(self.spent[day])] if split else []
        return [
            _result(
                cost,
                description=description,
                cost_type="tokens" if token_type else "web_search",
                context_window="0-200k" if token_type else None,
                model=_MODEL if token_type else None,
                service_tier="standard" if token_type else None,
                token_type=token_type,
            )
            for token_type, description, cost in split
        ]

    def _usage(self, asked: Asked, day: date) -> Rows:
        counts = {kind: made_up(cost, 200_000) for kind, _, cost in self._split(day)}
        if not counts:
            return []
        written = ("ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens")
        plain = ("uncached_input_tokens", "cache_read_input_tokens", "output_tokens")
        nothing = ("api_key_id", "workspace_id", "service_tier", "context_window")
        return [
            {
                **{name: counts[name] for name in plain},
                "cache_creation": {name: counts[f"cache_creation.{name}"] for name in written},
                "server_tool_use": {"web_search_requests": counts[None] // 2000},
                **dict.fromkeys(nothing),
                "model": _MODEL if "model" in asked.values("group_by[]") else None,
            }
        ]


def _result(cost: Decimal, **told: str | None) -> dict[str, Any]:
    amount = f"{cost.scaleb(2, EXACT):f}"
    nothing = dict.fromkeys((*_COST_FIELDS, *_MORE_FIELDS))
    return {"currency": "USD", "amount": amount, **nothing, **told}


def _refused(status: int, kind: str, message: str) -> Answer:
    error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_0"}
    return Answer(status, json_text(error).encode())
