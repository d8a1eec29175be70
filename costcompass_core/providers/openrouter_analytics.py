"""OpenRouter's analytics: today by model and host, and days older than activity reaches back.

Shapes are those of OpenRouter's OpenAPI document; where live answers were seen to differ (days
under another name or with a time, counts as numbers, costs as text), all forms are taken. An answer
that was cut off is never taken for a whole one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from costcompass_core.domain.days import ONE_DAY, each_day, midnight
from costcompass_core.domain.errors import UnreadableAnswer
from costcompass_core.domain.money import parse_amount
from costcompass_core.domain.usage import Activity, SoFar, Usage
from costcompass_core.providers.base import Analytics, Client
from costcompass_core.providers.fields import Days, Names, clean, count_or_text

DAYS_BACK: Final = 365
"""How many completed UTC days are on offer by model alone; by host it is a month."""
PER_MINUTE: Final = 60
"""Requests a minute; 64 are allowed, and another program may use the same key."""
_PATH: Final = "/analytics/query"
_LIMIT: Final = 10_000
_METRICS: Final = (
    "request_count", "tokens_prompt", "tokens_completion", "reasoning_tokens", "cached_tokens",
    "credits_usage", "byok_usage",
)  # fmt: skip
"""`total_usage` is not among them, for it counts what own upstream keys paid as well."""
_DAY_KEYS: Final = ("date__day", "created_at__day")
_KEPT: Final = "earlier figures stay as they are; if this lasts, look for a newer CostCompass"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its rows, whether it was cut off, and how old it is where that was said (UTC)."""

    rows: tuple[Usage, ...]
    truncated: bool
    cached_at: datetime | None


def read_today(client: Client, today: date, now: datetime) -> SoFar:
    """Read the rows of the current UTC day by model and host. Raises what `Client.post` raises."""
    page = _ask(client, today, today, ("model", "provider"))
    if page.truncated:
        raise _unreadable(f"was cut off within {today}")
    return SoFar(page.rows, max(min(page.cached_at or now, now), midnight(today)))


def read_past(client: Client, first: date, last: date) -> Activity:
    """Read the rows of each UTC day from `first` to `last` by model, in as few answers as hold all.

    Raises what `Client.post` raises, and `UnreadableAnswer` where a single day was cut off.
    """
    page = _ask(client, first, last, ("model",))
    if page.truncated:
        if first == last:
            raise _unreadable(f"was cut off within {first}")
        middle = first + (last - first) // 2
        halves = read_past(client, first, middle), read_past(client, middle + ONE_DAY, last)
        return Activity({**halves[0].days, **halves[1].days})
    found: dict[date, list[Usage]] = {day: [] for day in each_day(first, last)}
    for row in page.rows:
        found[row.day].append(row)
    return Activity({day: tuple(rows) for day, rows in found.items()})


def _ask(client: Client, first: date, last: date, dimensions: tuple[str, ...]) -> Page:
    question = {
        "metrics": list(_METRICS),
        "dimensions": list(dimensions),
        "granularity": "day",
        "time_range": {
            "start": f"{midnight(first):%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{midnight(last + ONE_DAY):%Y-%m-%dT%H:%M:%SZ}",
        },
        "limit": _LIMIT,
    }
    return parse_page(client.post(_PATH, question).body, first, last, by_host=len(dimensions) > 1)


def parse_page(body: Any, first: date, last: date, *, by_host: bool) -> Page:
    """Return the rows of an answer about the UTC days `first` to `last`.

    Raises `UnreadableAnswer` naming row and field, also for a day that was not asked for.
    """
    data = body.get("data") if isinstance(body, dict) else None
    rows = data.get("data") if isinstance(data, dict) else None
    about = data.get("metadata") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(rows, list) or not isinstance(about, dict):
        raise _unreadable("has no data of the documented shape")
    truncated = about.get("truncated")
    if not isinstance(truncated, bool):
        raise _unreadable("does not say whether it is whole")
    days, names = Days(), Names()
    seen: dict[tuple[object, ...], Usage] = {}
    for number, row in enumerate(rows, 1):
        usage = _row(row, number, days, names, by_host=by_host)
        if not first <= usage.day <= last:
            raise _unreadable(f"has rows of {usage.day}, which was not asked for")
        if seen.setdefault(usage[:5], usage) != usage:
            raise _unreadable(f"contradicts itself about {usage.day} in row {number}")
    cut = truncated or len(rows) >= _LIMIT
    return Page(tuple(seen.values()), cut, _cached_at(data.get("cachedAt")))


def _row(row: object, number: int, days: Days, names: Names, *, by_host: bool) -> Usage:
    """Return one row; `field` always names the field being read, for the error."""
    if not isinstance(row, dict):
        raise _unreadable(f"has a row {number} that is no object")
    field = next((name for name in _DAY_KEYS if name in row), _DAY_KEYS[0])
    try:
        day = days[row[field]]
        model = names[row[field := "model"]]
        host = names[row[field := "provider"] or ""] if by_host else ""
        counts = tuple(count_or_text(row[field := name]) for name in _METRICS[:5])
        costs = tuple(_amount(row[field := name]) for name in _METRICS[5:])
    except KeyError:
        raise _unreadable(f"has no {field} in row {number}") from None
    except (ValueError, TypeError) as why:
        reason = "is not text" if isinstance(why, TypeError) else why
        raise _unreadable(f"is odd in row {number}: {field} {reason}") from None
    if not model:
        raise _unreadable(f"is odd in row {number}: model is empty")
    requests, prompt, completion, reasoning, cached = counts
    cost, byok = costs
    return Usage(
        day, model, model, host, host, requests, prompt, completion, reasoning, cached, cost, byok
    )


def _amount(raw: object) -> Decimal:
    """Return an amount (USD); a part of the cost that was not used comes as null."""
    return Decimal(0) if raw is None else parse_amount(raw)


def _cached_at(raw: object) -> datetime | None:
    if not isinstance(raw, int | Decimal) or isinstance(raw, bool):
        return None
    try:
        return datetime.fromtimestamp(int(raw // 1000), UTC)
    except (ArithmeticError, ValueError, OSError):
        return None


def read_labels(client: Client) -> Mapping[str, str]:
    """Read which model id each dated name and each display name of the catalogue stands for.

    A name that variants (`:free` and the like) share with their model stands for that; any other
    that several models share stands for none. Raises what `Client.get` raises.
    """
    body = client.get("/models").body
    listed = body.get("data") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise UnreadableAnswer("the answer of OpenRouter's /models has no list of models", _KEPT)
    found: dict[str, set[str]] = {}
    for field in ("id", "canonical_slug", "name"):
        known = frozenset(found)
        for model in listed:
            ident, label = (
                (model.get("id"), model.get(field)) if isinstance(model, dict) else (0, 0)
            )
            if isinstance(ident, str) and isinstance(label, str) and clean(label) not in known:
                found.setdefault(clean(label), set()).add(clean(ident))
    return {label: one for label, ids in found.items() if (one := _one_of(ids)) is not None}


def _one_of(idents: Collection[str]) -> str | None:
    """Return the one model that all of these are, themselves or as its variants."""
    if len(idents) == 1:
        return next(iter(idents))
    bases = {one.partition(":")[0] for one in idents}
    return next(iter(bases)) if len(bases) == 1 and bases <= set(idents) else None


def _unreadable(why: str) -> UnreadableAnswer:
    return UnreadableAnswer(f"the answer of OpenRouter's {_PATH} {why}", _KEPT)


ANALYTICS: Final = Analytics(read_today, read_past, read_labels, DAYS_BACK, PER_MINUTE)
