"""What a row of FOCUS has to be: also what the format's own validator lets pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from costcompass_core.domain.focus_shape import AMOUNTS, COLUMNS, COUNTS, MOMENTS, QUANTITIES

MAY_BE_EMPTY = {
    "ChargeClass", "InvoiceId", "ConsumedQuantity", "ConsumedUnit", "PricingQuantity",
    "PricingUnit", "SkuId", "SkuPriceId", "SkuMeter",
}  # fmt: skip
MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\dT00:00:00Z", re.ASCII)
FIGURE = re.compile(r"-?\d+\.\d+", re.ASCII)
DAY = timedelta(days=1)


def check(row: Mapping[str, str]) -> None:
    """Fail for anything that a row must not be."""
    assert tuple(row) == COLUMNS
    for name, cell in row.items():
        assert cell or name in MAY_BE_EMPTY or name.startswith("x_"), name
        assert cell == cell.strip() or name.startswith("x_"), name
    for name in AMOUNTS:
        assert FIGURE.fullmatch(row[name]), name
    for name in QUANTITIES:
        assert not row[name] or FIGURE.fullmatch(row[name]), name
    for name in COUNTS:
        assert re.fullmatch(r"\d*", row[name], re.ASCII), name
    assert re.fullmatch("[A-Z]{3}", row["BillingCurrency"])
    assert row["ProviderName"] == row["ServiceProviderName"] == row["InvoiceIssuerName"]
    assert row["ServiceCategory"] == "AI and Machine Learning"
    assert row["ServiceSubcategory"] == "Generative AI"
    assert row["InvoiceId"] == row["ChargeClass"] == ""
    assert row["x_Final"] in {"true", "false"}
    assert row["x_Counted"] in {"true", "false"}
    assert row["x_CostBasis"] in {"reported", "derived", "declared"}
    _check_periods(row)
    _check_category(row)


def _check_periods(row: Mapping[str, str]) -> None:
    assert all(MIDNIGHT.fullmatch(row[name]) for name in MOMENTS)
    begin, end, first, last = (datetime.fromisoformat(row[name]) for name in MOMENTS)
    assert begin <= first < last <= end
    assert begin.day == end.day == 1
    assert begin.month % 12 + 1 == end.month
    assert timedelta(days=28) <= end - begin <= timedelta(days=31)
    if row["ChargeFrequency"] != "Recurring":
        assert last - first == DAY


def _check_category(row: Mapping[str, str]) -> None:
    category, frequency = row["ChargeCategory"], row["ChargeFrequency"]
    assert frequency in {"One-Time", "Recurring", "Usage-Based"}
    assert category == "Usage" or frequency == "One-Time"
    billed = Decimal(row["BilledCost"])
    assert Decimal(row["EffectiveCost"]) == (0 if category == "Purchase" else billed)
    assert Decimal(row["ListCost"]) == Decimal(row["ContractedCost"]) == billed
    has = {name: bool(row[name]) for name in MAY_BE_EMPTY}
    assert has["ConsumedQuantity"] == has["ConsumedUnit"] == (category == "Usage")
    assert has["PricingQuantity"] == has["PricingUnit"]
    assert has["SkuId"] == has["SkuPriceId"] == has["SkuMeter"] == (category != "Tax")
    if category == "Usage":
        assert row["ConsumedQuantity"] == row["PricingQuantity"]
        assert row["ConsumedUnit"] == row["PricingUnit"]
    match category:
        case "Usage" | "Purchase":
            assert has["PricingQuantity"]
        case "Tax":
            assert not has["PricingQuantity"]
        case _:
            assert category in {"Credit", "Adjustment"}
