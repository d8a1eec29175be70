"""OpenRouter's account API as a pure function of a question, the accounts and a moment.

Shapes, words and limits follow OpenRouter's OpenAPI document and what was seen live: activity covers
the 30 completed UTC days, keys come 100 a page, and both kinds of keys look alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from bot.sandbox import openrouter_analytics
from bot.sandbox.catalog import CATALOG, model_listing
from bot.sandbox.openrouter_account import DEFAULT_WORKSPACE, StandInAccount, StandInKey
from bot.sandbox.openrouter_quirks import Quirks, money_writer, shaped
from bot.sandbox.openrouter_shelf import Shelf
from bot.sandbox.wire import Answer, answered, refusal

WINDOW_DAYS: Final = 30
PAGE: Final = 100
_OUT_OF_WINDOW: Final = "Date must be within the last 30 (completed) UTC days"
_CREATOR: Final = "user_2dHFtVWx2n56w6HkM0000000000"


class Asker(NamedTuple):
    """Whose key a question came with."""

    account: StandInAccount
    key: StandInKey


class Question(NamedTuple):
    """A request below the base URL. `asker` is `None` without a key that anybody knows.

    `queries` counts the analytics queries of the asker's account in the last minute, this included.
    """

    path: str
    params: Mapping[str, str]
    has_key: bool
    asker: Asker | None
    now: datetime
    quirks: Quirks
    shelf: Shelf = Shelf()
    method: str = "GET"
    body: bytes = b""
    queries: int = 0


def reply(question: Question) -> Answer:
    """Return what OpenRouter would answer."""
    if question.path == "/models":
        return _models(question)
    if not question.has_key:
        return refusal(401, "Missing Authentication header")
    if question.asker is None:
        return refusal(401)
    if question.path in ("/key", "/auth/key"):
        return answered({"data": _current_key(question.asker, question)})
    return _managed(question.asker, question)


def _managed(asker: Asker, question: Question) -> Answer:
    """Answer what only management keys may ask, or refuse; other keys can be told zeros instead."""
    path = question.path
    route = _key_by_hash if path.startswith("/keys/") else _MANAGEMENT.get(path)
    if route is None:
        return refusal(404)
    if asker.key.management and not (question.quirks.no_analytics and "/analytics/" in path):
        return route(asker.account, question)
    if path == "/credits" and question.quirks.zero_credits:
        return answered({"data": {"total_credits": 0, "total_usage": 0}})
    return refusal(403)


def _models(question: Question) -> Answer:
    page_size = question.quirks.models_page
    start = _number(question.params.get("offset", "0"))
    count = _number(question.params.get("limit", str(page_size or 1000)))
    if start is None or count is None:
        return refusal(400)
    everything = [model_listing(model) for model in CATALOG]
    listed = question.shelf.shown(everything, question.now)
    page, end = listed[start : start + count], start + count
    more = f"/api/v1/models?offset={end}&limit={count}" if end < len(listed) else None
    body = {"data": page, "links": {"next": more}, "total_count": len(listed)}
    return answered(body)


def _credits(account: StandInAccount, question: Question) -> Answer:
    bought, used = account.credits(question.now)
    body = {"data": {"total_credits": bought, "total_usage": used}}
    return answered(body, money_writer(question.quirks))


def _activity(account: StandInAccount, question: Question) -> Answer:
    key_hash = question.params.get("api_key_hash")
    if key_hash is not None and key_hash not in {key.hash for key in account.keys}:
        return refusal(404)
    window = [question.now.date() - timedelta(days=age) for age in range(1, WINDOW_DAYS + 1)]
    asked = question.params.get("date")
    if asked is not None:
        day = _day(asked)
        if day is None:
            return refusal(400)
        if day not in window:
            return refusal(400, _OUT_OF_WINDOW)
        window = [day]
    rows = [row for day in window for row in account.rows(day, question.now, key_hash)]
    body = {"data": shaped(rows, question.quirks)}
    return answered(body, money_writer(question.quirks))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def _keys(account: StandInAccount, question: Question) -> Answer:
    params = question.params
    start = _number(params.get("offset", "0"))
    if start is None:
        return refusal(400)
    wanted_workspace = params.get("workspace_id", DEFAULT_WORKSPACE)
    listed = [
        key
        for key in account.keys
        if not (key.management or key.revoked)
        and key.workspace_id == wanted_workspace
        and (not key.disabled or params.get("include_disabled") == "true")
    ]
    page = listed[start : start + PAGE]
    return answered({"data": [_key_item(account, key, question.now) for key in page]})


def _key_by_hash(account: StandInAccount, question: Question) -> Answer:
    wanted = question.path.removeprefix("/keys/")
    for key in account.keys:
        if key.hash == wanted and not (key.management or key.revoked):
            return answered({"data": _key_item(account, key, question.now)})
    return refusal(404)


def _key_item(account: StandInAccount, key: StandInKey, now: datetime) -> dict[str, Any]:
    last = account.last_used(key.hash, now)
    return _usage_and_limits(account, key, now) | {
        "hash": key.hash,
        "name": key.name,
        "disabled": key.disabled,
        "created_at": key.created.isoformat(),
        "updated_at": None,
        "last_used_at": last.isoformat() if last else None,
        "external_user": None,
        "workspace_id": key.workspace_id,
    }


def _usage_and_limits(account: StandInAccount, key: StandInKey, now: datetime) -> dict[str, Any]:
    """Return what `/key` and `/keys` share; a management key's own usage is a misleading 0."""
    today = now.date()
    starts = {
        "": date.min,
        "_daily": today,
        "_weekly": today - timedelta(days=today.weekday()),
        "_monthly": today.replace(day=1),
    }
    usage = {
        f"{name}{suffix}": account.used(now, key_hash=key.hash, since=start, money=money)
        for name, money in (("usage", "usage"), ("byok_usage", "byok_usage_inference"))
        for suffix, start in starts.items()
    }
    return usage | {
        "label": key.label,
        "limit": None,
        "limit_remaining": None,
        "limit_reset": None,
        "include_byok_in_limit": False,
        "creator_user_id": _CREATOR,
        "expires_at": None,
    }


def _current_key(asker: Asker, question: Question) -> dict[str, Any]:
    account, key = asker
    shape = _usage_and_limits(account, key, question.now) | {
        "is_free_tier": False,
        "is_management_key": key.management,
        "is_provisioning_key": key.management,
        "rate_limit": {
            "requests": -1,
            "interval": "10s",
            "note": "This field is deprecated and safe to ignore.",
        },
    }
    if question.quirks.old_key_shape:
        return shape
    return shape | {
        "organization_id": account.organization_id,
        "workspace_id": None if key.management else key.workspace_id,
        "allowed_data_regions": ["global"],
        "budgets": [],
        "effective_budget": None,
        "free_model_daily_requests": {"limit": 1000, "used": 0, "remaining": 1000},
    }


_MANAGEMENT: Final[Mapping[str, Callable[[StandInAccount, Question], Answer]]] = {
    "/activity": _activity,
    "/analytics/meta": openrouter_analytics.meta,
    "/analytics/query": openrouter_analytics.query,
    "/credits": _credits,
    "/keys": _keys,
}
