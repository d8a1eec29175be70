"""What the stand-ins of OpenAI and Anthropic share: reports in daily buckets, page by page."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from bot.sandbox.biller import Asked
from costcompass_core.domain.days import ONE_DAY
from costcompass_core.domain.money import EXACT

Rows = list[dict[str, Any]]


class BadQuery(Exception):
    """The question is one that the provider turns down; the text says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one provider asks for buckets and names them; `read` raises `ValueError`."""

    start: str
    end: str
    read: Callable[[str], date]
    write: Callable[[date], Any]
    most: int
    groups: frozenset[str]
    marks: bool = False
    """Whether each object says what it is (`"object": "bucket"`)."""


def page_of(asked: Asked, shape: Shape, today: date, rows: Callable[[date], Rows]) -> Any:
    """Return the asked page of buckets, empty ones too; raises `BadQuery`.

    No bucket is later than today's. A page token is good for the question it was given for only.
    """
    first, end = _bounds(asked, shape)
    if asked.value("bucket_width", "1d") != "1d":
        raise BadQuery("bucket_width must be 1d")
    if set(asked.values("group_by[]")) - shape.groups:
        raise BadQuery("group_by[] is not supported")
    limit = asked.value("limit", "7")
    if not limit.isdigit() or not 1 <= int(limit) <= shape.most:
        raise BadQuery(f"limit must be between 1 and {shape.most}")
    question = repr(sorted(one for one in asked.params if one[0] != "page"))
    day = _resumed(asked.value("page"), question) if asked.value("page") else first
    end = min(end, today + ONE_DAY)
    data: list[dict[str, Any]] = []
    while day < end and len(data) < int(limit):
        mark = {"object": "bucket"} if shape.marks else {}
        bounds = {shape.start: shape.write(day), shape.end: shape.write(day + ONE_DAY)}
        data.append({**mark, **bounds, "results": rows(day)})
        day += ONE_DAY
    more = day < end
    following = {"has_more": more, "next_page": _token(day, question) if more else None}
    return {**({"object": "page"} if shape.marks else {}), "data": data, **following}


def _bounds(asked: Asked, shape: Shape) -> tuple[date, date]:
    try:
        first = shape.read(asked.value(shape.start))
        end = shape.read(asked.value(shape.end)) if asked.value(shape.end) else date.max
    except ValueError:
        raise BadQuery(f"{shape.start} is required; both bounds must be moments") from None
    if end <= first:
        raise BadQuery(f"{shape.end} must be after {shape.start}")
    return first, end


def _token(day: date, question: str) -> str:
    return "page_" + urlsafe_b64encode(f"{day} {question}".encode()).decode()


def _resumed(token: str, question: str) -> date:
    try:
        day, _, of = urlsafe_b64decode(token.removeprefix("page_")).decode().partition(" ")
        if of == question:
            return date.fromisoformat(day)
    except (NoBase64, ValueError):
        pass
    raise BadQuery("page does not belong to this query")


def shares(usd: Decimal, *parts: str) -> list[Decimal]:
    """Return these parts of an amount and, last, the rest: together exactly the whole."""
    found = [EXACT.multiply(usd, Decimal(part)) for part in parts]
    for share in found:
        usd = EXACT.subtract(usd, share)
    return [*found, usd]


def made_up(cost: Decimal, per_dollar: int) -> int:
    """Return a count that goes with a cost, always the same."""
    return abs(int(cost * per_dollar))
