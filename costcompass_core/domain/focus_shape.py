"""What a row of FOCUS looks like, the FinOps Open Cost and Usage Specification, for 1.2 to 1.4 at once.

A row is text by column, every figure with all the digits that are stored. Amounts and quantities have
a decimal point even where they are whole: a column of whole numbers alone passes for one of integers
in what reads it next. What FOCUS has no column for stands in columns of our own (`x_…`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from costcompass_core.domain.days import Month

AMOUNTS: Final = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "x_ByokCostUsd")
"""Columns of money; all but the last are in `BillingCurrency`."""
QUANTITIES: Final = ("ConsumedQuantity", "PricingQuantity")
MOMENTS: Final = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
COUNTS: Final = (
    "x_Requests", "x_InputTokens", "x_OutputTokens", "x_ReasoningTokens", "x_CachedInputTokens",
    "x_CacheWriteTokens",
)  # fmt: skip
FLAGS: Final = ("x_Final", "x_Counted")
COLUMNS: Final = (
    "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingCurrency",
    "BillingAccountId", "BillingAccountName", *MOMENTS, "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargeFrequency", "ConsumedQuantity", "ConsumedUnit", "PricingQuantity",
    "PricingUnit", "InvoiceId", "InvoiceIssuerName", "ProviderName", "PublisherName",
    "ServiceProviderName", "HostProviderName", "ServiceCategory", "ServiceSubcategory",
    "ServiceName", "SkuId", "SkuPriceId", "SkuMeter", "x_Model", "x_ModelVersion", "x_Endpoint",
    "x_Host", *COUNTS, "x_ByokCostUsd", "x_CostBasis", *FLAGS, "x_RawAmount", "x_Source",
)  # fmt: skip
"""Every column, in order: all that 1.2 to 1.4 demand or recommend, then ours."""
FIGURES: Final = frozenset((*AMOUNTS, *QUANTITIES, *COUNTS))
"""The columns of numbers."""

UNMEASURED: Final = "Charges"
"""The unit where nothing was measured: one row is one charge."""
BLANK: Final = {
    **dict.fromkeys(COLUMNS, ""),
    "ServiceCategory": "AI and Machine Learning",
    "ServiceSubcategory": "Generative AI",
}
"""A row of which nothing is known yet; the ledger does not tell services of other kinds apart."""

FocusRow = Mapping[str, str]
"""The cells of one row by column, in the order of `COLUMNS`; what is not known is empty."""


def figure(text: str) -> str:
    """Return a plain number with a decimal point."""
    return text if "." in text else f"{text}.0"


def money(amount: str, currency: str, category: str) -> dict[str, str]:
    """Return the columns of an amount. A purchase costs nothing in effect, as FOCUS has it."""
    billed = figure(amount)
    return {
        "BilledCost": billed,
        "EffectiveCost": "0.0" if category == "Purchase" else billed,
        "ListCost": billed,
        "ContractedCost": billed,
        "BillingCurrency": currency,
    }


def periods(begin: date, end: date) -> dict[str, str]:
    """Return the periods of a charge from `begin` to before `end` (UTC), and of its calendar month."""
    month = Month.of(begin)
    days = (month.first, month.next.first, begin, end)
    return dict(zip(MOMENTS, (f"{one}T00:00:00Z" for one in days), strict=True))


def measured(quantity: tuple[str, str], category: str) -> dict[str, str]:
    """Return what was consumed and priced: FOCUS wants both of usage, and neither of a tax."""
    known = quantity[1] != UNMEASURED
    if category == "Tax" or not (known or category in {"Usage", "Purchase"}):
        return {}
    priced = {"PricingQuantity": quantity[0], "PricingUnit": quantity[1]}
    if category != "Usage":
        return priced
    return {**priced, "ConsumedQuantity": quantity[0], "ConsumedUnit": quantity[1]}
