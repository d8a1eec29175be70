"""Stored rows as rows of FOCUS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from costcompass_core.domain.days import ONE_DAY
from costcompass_core.domain.errors import StorageError
from costcompass_core.domain.focus_shape import (
    BLANK,
    COUNTS,
    UNMEASURED,
    FocusRow,
    figure,
    measured,
    money,
    periods,
)
from costcompass_core.domain.stored_row import LedgerRow

_ROUTER: Final = "openrouter"
_CATEGORIES: Final = {
    "purchase": "Purchase", "tax": "Tax", "credit": "Credit", "adjustment": "Adjustment",
    "rounding_error": "Adjustment",
}  # fmt: skip
"""Kinds of charges that come once, as lines of bills name them (lower case)."""
_MARK: Final = re.compile(r"\(([^()]*)\)$")
_MAKER: Final = re.compile(r"(?P<maker>[\w.~-]+)/\S+", re.ASCII)


class Seller(NamedTuple):
    """Who bills an account: our name of the provider, and what people call it."""

    provider: str
    title: str


def focus_row(row: LedgerRow, seller: Seller) -> FocusRow:
    """Return a stored row as FOCUS has it. Raises `StorageError` for a day at the calendar's end."""
    category = charge_category(row)
    return {
        **BLANK,
        **money(row.amount, row.currency, category),
        "BillingAccountId": row.account,
        "BillingAccountName": row.account,
        **_day(row.day),
        "ChargeCategory": category,
        "ChargeFrequency": _frequency(row),
        **measured(_quantity(row), category),
        **_names(row, seller),
        **_sku(row, seller, category),
        **_own(row),
    }


def charge_category(row: LedgerRow) -> str:
    """Return what kind of charge a row is, as far as the ledger knows.

    Of what came once only the line says more: a bill's own word for it (Tax, Credit …), if it is
    there. Else what was given back is a credit, what a person declared counts as usage (FOCUS would
    have a purchase cost nothing in effect), and the rest is what FOCUS calls an adjustment.
    """
    if not row.once or row.basis == "derived":
        return "Usage"
    if named := _CATEGORIES.get(_kind(row.endpoint_id)):
        return named
    if row.amount.startswith("-"):
        return "Credit"
    return "Usage" if row.basis == "declared" else "Adjustment"


def _kind(line: str) -> str:
    """Return the word for the kind of charge in `Tax`, `Tax, project` or `a line (Tax, derived)`."""
    mark = _MARK.search(line)
    return (mark[1] if mark else line).partition(",")[0].strip().casefold()


def _frequency(row: LedgerRow) -> str:
    return "One-Time" if row.once and row.basis != "derived" else "Usage-Based"


@lru_cache(maxsize=1024)
def _day(day: str) -> Mapping[str, str]:
    """Return the periods of a charge on a UTC day: that day, and its calendar month."""
    begin = date.fromisoformat(day)
    try:
        return periods(begin, begin + ONE_DAY)
    except OverflowError:
        raise StorageError(
            f"a row of {day} has no month after it in the calendar", "leave it out with --to"
        ) from None


_OURS: Final = frozenset({"tokens", "requests"})
"""Units of providers that are ours but for a capital."""


def _quantity(row: LedgerRow) -> tuple[str, str]:
    """Return how much a row is about, and in which unit.

    Cached tokens have a unit of their own, because some providers count them among the prompt's.
    """
    if row.quantity is not None:
        unit = row.unit.strip() or "Units"
        return figure(row.quantity), unit.capitalize() if unit in _OURS else unit
    prompt, completion = row.prompt_tokens, row.completion_tokens
    tokens = None if prompt is None or completion is None else prompt + completion
    for count, unit in (
        (tokens, "Tokens"),
        (row.cached_tokens, "Cached Tokens"),
        (row.cache_write_tokens, "Cache Write Tokens"),
        (row.requests, "Requests"),
    ):
        if count:
            return f"{count}.0", unit
    return "1.0", UNMEASURED


def _names(row: LedgerRow, seller: Seller) -> dict[str, str]:
    routed = seller.provider == _ROUTER
    title = seller.title.strip() or seller.provider
    maker = _MAKER.fullmatch(row.model)
    service = title if routed else row.host.strip() or row.model.strip() or title
    return {
        "ChargeDescription": _description(row, routed) or service,
        "InvoiceIssuerName": title,
        "ProviderName": title,
        "PublisherName": maker["maker"] if maker else title,
        "ServiceProviderName": title,
        "HostProviderName": (routed and row.host.strip()) or title,
        "ServiceName": service,
    }


def _description(row: LedgerRow, routed: bool) -> str:
    """Return what a person reads: OpenRouter's endpoints are opaque, the lines of others are not."""
    model, line = row.model.strip(), row.endpoint_id.strip()
    if routed:
        return " via ".join(filter(None, (model, row.host.strip())))
    return ", ".join(filter(None, dict.fromkeys((model, line))))


def _sku(row: LedgerRow, seller: Seller, category: str) -> dict[str, str]:
    if category == "Tax":
        return {}
    model = row.model.strip() or row.host.strip() or seller.title
    meter = "Tokens" if seller.provider == _ROUTER else row.endpoint_id.strip()
    return {"SkuId": model, "SkuPriceId": model, "SkuMeter": meter or model}


def _own(row: LedgerRow) -> dict[str, str]:
    counts = (
        row.requests, row.prompt_tokens, row.completion_tokens, row.reasoning_tokens,
        row.cached_tokens, row.cache_write_tokens,
    )  # fmt: skip
    return {
        "x_Model": row.model,
        "x_ModelVersion": row.permaslug,
        "x_Endpoint": row.endpoint_id,
        "x_Host": row.host,
        **{name: "" if one is None else str(one) for name, one in zip(COUNTS, counts, strict=True)},
        "x_ByokCostUsd": figure(row.byok_usd),
        "x_CostBasis": row.basis,
        "x_Final": _flag(bool(row.final)),
        "x_Counted": _flag(bool(row.provider)),
        "x_RawAmount": row.raw_amount,
        "x_Source": row.source,
    }


def _flag(yes: bool) -> str:
    return "true" if yes else "false"
