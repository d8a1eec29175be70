"""Activity rows of a made-up account: making one, summing them, merging those of several keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Context, Decimal, Inexact
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from bot.sandbox.wire import Row

EXACT: Final = Context(prec=600, traps=[Inexact])
"""Sums in here never round."""

_MONEY: Final = ("usage", "byok_usage_inference")
_COUNTS: Final = (
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
)
_IDENTITY: Final = ("model", "model_permaslug", "endpoint_id")


class Entry(NamedTuple):
    """A row and the hash of the key that caused it; `gradual` ones build up during their day."""

    key: str
    row: Row
    gradual: bool = False


def activity_row(
    day: date,
    model: str,
    usage: Decimal | str | int,
    *,
    permaslug: str = "",
    host: str = "OpenAI",
    byok: Decimal | str | int = 0,
    requests: int = 1,
    prompt_tokens: int = 1000,
    completion_tokens: int = 100,
    reasoning_tokens: int = 0,
    cached_tokens: int = 0,
) -> Row:
    """Return one row in the documented shape; the endpoint follows from model and host."""
    slug = permaslug or model
    return {
        "date": day.isoformat(),
        "model": model,
        "model_permaslug": slug,
        "endpoint_id": str(uuid5(NAMESPACE_URL, f"{slug}@{host}")),
        "provider_name": host,
        "usage": Decimal(usage),
        "byok_usage_inference": Decimal(byok),
        "requests": requests,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "reasoning_tokens": reasoning_tokens,
        "cached_tokens": cached_tokens,
    }


def merged(entries: Iterable[Entry]) -> list[Row]:
    """Return one row per model and endpoint of a day, in order of appearance.

    A row that stands alone is passed on as it is, however odd a test made it.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for entry in entries:
        identity = tuple(entry.row.get(name) for name in _IDENTITY)
        groups.setdefault(identity, []).append(entry.row)
    return [rows[0] if len(rows) == 1 else _added(rows) for rows in groups.values()]


def total(amounts: Iterable[Any]) -> Decimal:
    """Sum money exactly, skipping what a hostile test put in its place."""
    so_far = Decimal(0)
    for amount in amounts:
        if isinstance(amount, Decimal) and amount.is_finite():
            so_far = EXACT.add(so_far, amount)
    return so_far


def _added(rows: list[Row]) -> Row:
    counts = {name: sum(row[name] for row in rows) for name in _COUNTS}
    return rows[0] | counts | {name: total(row[name] for row in rows) for name in _MONEY}
