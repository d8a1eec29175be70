"""What goes over the wire: answers, and JSON in which money keeps every digit it was given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Final

Row = dict[str, Any]
"""One activity row as OpenRouter words it; money is `Decimal`."""

JSON_TYPE: Final = "application/json; charset=utf-8"

MESSAGES: Final[Mapping[int, str]] = {
    400: "Invalid request parameters",
    401: "User not found.",
    402: "Insufficient credits. Add more using https://openrouter.ai/credits",
    403: "Only management keys can perform this operation",
    404: "Resource not found",
    405: "Method Not Allowed",
    429: "Rate limit exceeded",
    500: "Internal Server Error",
    502: "Provider returned error",
}
"""OpenRouter's own words for a status, as documented or seen live."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer, still to be framed."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": JSON_TYPE})


def plainly(amount: Decimal) -> str:
    """Write `amount` with the digits it has, in the notation that `str` picks."""
    return str(amount).lower()


_name = cache(json.dumps)
"""A field's name in JSON: a benchmark's answer has the same dozen some 24,000 times."""


def json_text(value: Any, money: Callable[[Decimal], str] = plainly) -> str:
    """Return `value` as JSON with each `Decimal` written by `money`; floats are refused."""
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_name(k)}:{json_text(v, money)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(json_text(item, money) for item in value) + "]"
    if isinstance(value, float):
        raise TypeError("a stand-in's numbers are Decimal or int: a float would lose digits")
    return json.dumps(value)


def answered(value: Any, money: Callable[[Decimal], str] = plainly) -> Answer:
    """Return a good answer holding `value`."""
    return Answer(200, json_text(value, money).encode())


def refusal(status: int, message: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error in OpenRouter's shape; without `message`, in its usual words."""
    error = {"error": {"message": message or MESSAGES[status], "code": status}}
    return Answer(status, json_text(error).encode(), {"Content-Type": JSON_TYPE, **(headers or {})})
