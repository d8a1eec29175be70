"""OpenRouter's analytics as a pure function of a question: what was used, by day and up to two names.

Shapes, limits and words follow OpenRouter's OpenAPI document and what was seen live.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.catalog import CATALOG
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.openrouter_quirks import Quirks, money_writer
from bot.sandbox.openrouter_rows import total
from bot.sandbox.wire import Answer, Row, answered, refusal

if TYPE_CHECKING:
    from bot.sandbox.openrouter_answers import Question

_COUNTS: Final = {
    "request_count": "requests",
    "tokens_prompt": "prompt_tokens",
    "tokens_completion": "completion_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "cached_tokens": "cached_tokens",
}
_COSTS: Final = {
    "credits_usage": ("usage",),
    "byok_usage": ("byok_usage_inference",),
    "total_usage": ("usage", "byok_usage_inference"),
}
_DIMENSIONS: Final = {"model": "model_permaslug", "provider": "provider_name"}
_TITLES: Final = {one.permaslug: one.title for one in CATALOG}
_LONG, _SHORT, _MOST = 365, 31, 10_000
_DAY: Final = timedelta(days=1)


class _Invalid(Exception):
    """What is wrong with a question, in the words of the answer."""


def meta(_: StandInAccount, question: Question) -> Answer:
    """Answer which metrics and dimensions there are."""
    names = [*_COUNTS, *_COSTS]
    body = {
        "metrics": [{"name": name} for name in names],
        "dimensions": [{"name": name} for name in _DIMENSIONS],
        "granularities": [{"name": "day"}],
    }
    return answered({"data": body}) if question.method == "GET" else refusal(405)


def query(account: StandInAccount, question: Question) -> Answer:
    """Answer a query, or refuse it as OpenRouter does."""
    if question.method != "POST":
        return refusal(405)
    allowed = question.quirks.analytics_per_minute
    if question.queries > allowed:
        return refusal(429, headers={"Retry-After": str(question.quirks.analytics_retry_after)})
    try:
        asked = json.loads(question.body)
        metrics, dimensions, limit = _what(asked)
        days = _days(asked, question, dimensions)
    except _Invalid as why:
        return refusal(400, str(why))
    except (ValueError, KeyError, TypeError, AttributeError):
        return refusal(400)
    rows = _rows(account, question, days, metrics, dimensions)
    kept = rows[: min(limit, question.quirks.analytics_most_rows)]
    about = {"query_time_ms": 42, "row_count": len(kept), "truncated": len(kept) < len(rows)}
    data: dict[str, Any] = {"data": kept, "metadata": about}
    if (age := question.quirks.analytics_cached_for) is not None:
        data["cachedAt"] = int((question.now - timedelta(seconds=age)).timestamp() * 1000)
    return answered({"data": data}, money_writer(question.quirks))


def _what(asked: Mapping[str, Any]) -> tuple[list[str], list[str], int]:
    metrics, dimensions = asked["metrics"], asked.get("dimensions", [])
    limit = asked.get("limit", 1000)
    if not metrics:
        raise _Invalid("At least one metric is required")
    if unknown := [name for name in metrics if name not in _COUNTS and name not in _COSTS]:
        raise _Invalid(f"Unknown metric: {unknown[0]}")
    if len(dimensions) > 2 or any(name not in _DIMENSIONS for name in dimensions):
        raise _Invalid("Invalid dimensions")
    if asked.get("granularity") != "day" or not 1 <= limit <= _MOST:
        raise _Invalid("Invalid granularity or limit")
    return metrics, dimensions, limit


def _days(asked: Mapping[str, Any], question: Question, dimensions: list[str]) -> list[date]:
    start, end = (datetime.fromisoformat(asked["time_range"][one]) for one in ("start", "end"))
    oldest = _SHORT if "provider" in dimensions else _LONG
    if end <= start:
        raise _Invalid("time_range.start must be before time_range.end")
    first, now = start.astimezone(UTC).date(), question.now
    passed = question.quirks.analytics_to_the_minute and now - start > timedelta(days=oldest)
    if passed or first < now.date() - timedelta(days=oldest):
        raise _Invalid(f"Time range exceeds the maximum of {oldest} days")
    count = (end - timedelta(microseconds=1)).astimezone(UTC).date() - first
    return [first + age * _DAY for age in range(count.days + 1)]


def _rows(
    account: StandInAccount,
    question: Question,
    days: list[date],
    metrics: list[str],
    dimensions: list[str],
) -> list[Row]:
    """Return one row per day and names, the newest day first."""
    found = []
    for day in sorted(days, reverse=True):
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in account.rows_so_far(day, question.now):
            names = tuple(row[_DIMENSIONS[one]] for one in dimensions)
            groups.setdefault(names, []).append(row)
        for names, rows in groups.items():
            labels = dict(zip(dimensions, names, strict=True))
            found.append(_row(day, labels, rows, metrics, question.quirks))
    return found


def _row(
    day: date, names: dict[str, str], rows: list[Row], metrics: list[str], quirks: Quirks
) -> Row:
    if "model" in names and quirks.analytics_titles:
        names["model"] = _TITLES.get(names["model"], names["model"])
    shape: Row = {quirks.analytics_day_key: day.isoformat() + quirks.analytics_day_suffix} | names
    write: Callable[[int], Any] = int if quirks.analytics_number_counts else str
    for metric in metrics:
        if metric in _COUNTS:
            shape[metric] = write(sum(row[_COUNTS[metric]] for row in rows))
            continue
        cost: Decimal = total(row[name] for row in rows for name in _COSTS[metric])
        shape[metric] = cost or None
        if cost and quirks.analytics_text_costs:
            shape[metric] = format(cost, "f")
    return shape
