"""What Google Cloud's two files of costs have in common: names of columns, rows of a service's SKU."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from costcompass_core.domain.usage import Usage
from costcompass_core.providers import cells
from costcompass_core.providers.bills import Bills
from costcompass_core.providers.fields import Names

PROVIDER_NAME: Final = "Google Cloud"
USUAL: Final = ("", "regular", "usage")
"""Types of cost (lower case) that come day after day, unlike taxes and adjustments."""

_SIGN: Final = re.compile(r"\s*\([^)]*\)$")
_GROUPED: Final = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_UNNAMED: Final = "(not named)"
_LINE_CHARACTERS: Final = 200


def plain_name(column: str) -> str:
    """Return `service_description` for `service.description` and for `Service description`.

    A unit in parentheses at the end goes: `Cost ($)` is `cost`.
    """
    return re.sub(r"[ .]+", "_", _SIGN.sub("", column.strip()).lower())


def cost_type(row: Mapping[str, str]) -> str:
    """Return the type of a row's cost in lower case, nothing where none is given."""
    return row.get("cost_type", "").strip().casefold()


def ungrouped(text: str) -> str:
    """Return `1234.5` for `1,234.5`, and anything else as it is."""
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def add_row(
    bills: Bills,
    row: Mapping[str, str],
    names: Names,
    day: date,
    cost: tuple[Decimal, str | None, str],
) -> None:
    """Add a row to the bills; `cost` is the amount, how it was written, the currency. Raises `Odd`."""
    mend = "every row of costs has a service and a SKU; export it again"
    service = names[cells.filled(row, "service_description", mend)]
    sku = names[cells.filled(row, "sku_description", mend)[:_LINE_CHARACTERS]]
    quantity, unit = None, ""
    if text := row.get("usage_amount", "").strip():
        quantity = cells.amount({"usage_amount": ungrouped(text)}, "usage_amount")
        unit = names[row.get("usage_unit", "").strip()]
    amount, raw, currency = cost
    kind = cost_type(row)
    usage = Usage(
        day=day,
        model=service,
        permaslug=service,
        endpoint=sku,
        host=service,
        requests=None,
        prompt_tokens=None,
        completion_tokens=None,
        reasoning_tokens=None,
        cached_tokens=None,
        cost=amount,
        currency=currency,
        raw=raw,
        once=kind not in USUAL,
        quantity=quantity,
        unit=unit,
    )
    account = row.get("billing_account_id", "").strip() or _UNNAMED
    bills.add(PROVIDER_NAME, names[account], usage, kind if usage.once else "")
