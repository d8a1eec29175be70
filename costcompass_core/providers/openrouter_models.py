"""OpenRouter's price list: `GET /models`, prices as decimal text in USD per token.

One odd model is left out with a remark. A price below zero is OpenRouter's way to say that it
varies, so it is left out as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from costcompass_core.domain.catalogue import Listed, PriceList
from costcompass_core.domain.errors import UnreadableAnswer
from costcompass_core.domain.money import Usd, parse_amount
from costcompass_core.providers.base import Client
from costcompass_core.providers.fields import Days, clean

_MOST_PAGES: Final = 50
_MOST_TOKENS: Final = 10**12
_NO_PRICE: Final = frozenset({"discount", "overrides"})
"""What stands among the prices and is none: a share, and prices under conditions."""
_KIND: Final = re.compile(r"[a-z0-9_]{1,64}")
_KEPT: Final = "the price list read before stays as it is"


def read_models(client: Client) -> PriceList:
    """Read every model on offer, page by page. Raises `UnreadableAnswer` where none is readable."""
    items: list[Any] = []
    params = {"output_modalities": "all"}
    for _ in range(_MOST_PAGES):
        body = client.get("/models", params).body
        page = body.get("data") if isinstance(body, dict) else None
        if not isinstance(page, list):
            raise _unreadable("has no data of the documented shape")
        items += page
        links = body.get("links")
        if not page or not isinstance(links, dict) or not links.get("next"):
            return parse_models(items)
        params = {"output_modalities": "all", "offset": str(len(items))}
    raise _unreadable(f"does not end after {_MOST_PAGES} pages")


def parse_models(items: list[Any]) -> PriceList:
    """Return the readable models of `items`, and remarks about the others."""
    days = Days()
    found: dict[str, Listed] = {}
    odd: list[str] = []
    unread: set[str] = set()
    for number, item in enumerate(items, 1):
        try:
            model = _model(item, days)
        except (KeyError, TypeError, ValueError) as why:
            odd.append(f"entry {number}: {_reason(why)}")
            unread |= _ident(item)
            continue
        found.setdefault(model.ident, model)
    if not found:
        raise _unreadable(f"has no readable model ({odd[0]})" if odd else "lists no model")
    more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
    return PriceList(
        tuple(found.values()),
        (f"left out of the price list: {odd[0]}{more}",) if odd else (),
        frozenset(unread - found.keys()),
    )


def _model(item: Any, days: Days) -> Listed:
    if not isinstance(item, dict):
        raise TypeError("is no object")
    ident = _name(item["id"])
    pricing = item["pricing"]
    if not isinstance(pricing, dict):
        raise TypeError("has no prices")
    slug, name = item.get("canonical_slug"), item.get("name")
    return Listed(
        ident,
        _name(slug) if slug else ident,
        _name(name) if name else ident,
        _prices(pricing),
        _expiry(item.get("expiration_date"), days),
        bool(pricing.get("overrides")),
        _context(item.get("context_length")),
        _writes(item.get("architecture")),
    )


def _context(raw: object) -> int | None:
    return raw if type(raw) is int and 0 < raw < _MOST_TOKENS else None


def _writes(architecture: object) -> bool:
    """Return whether text alone comes out: no embeddings, pictures or speech. Unsaid is text."""
    out = architecture.get("output_modalities") if isinstance(architecture, dict) else None
    return not isinstance(out, list) or out == ["text"]


def _ident(item: Any) -> set[str]:
    """Return the name of an entry that is otherwise unreadable, if it has any."""
    try:
        return {_name(item["id"])}
    except (KeyError, TypeError):
        return set()


def _prices(pricing: Mapping[str, Any]) -> dict[str, Usd]:
    found = {}
    for kind, raw in sorted(pricing.items()):
        if kind in _NO_PRICE or raw is None or not _KIND.fullmatch(kind):
            continue
        try:
            price = parse_amount(raw)
        except ValueError as why:
            raise ValueError(f"the {kind} price {why}") from None
        if price >= 0:
            found[kind] = Usd(price)
    return found


def _expiry(raw: object, days: Days) -> date | None:
    return None if raw is None else days[raw]


def _name(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise TypeError("a name is no text")
    return clean(raw)


def _reason(why: Exception) -> str:
    return f"has no {why.args[0]}" if isinstance(why, KeyError) else str(why)


def _unreadable(why: str) -> UnreadableAnswer:
    return UnreadableAnswer(f"the answer of OpenRouter's /models {why}", _KEPT)
