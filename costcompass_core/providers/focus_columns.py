"""The columns and words of FOCUS 1.0 to 1.4 (the FinOps Open Cost and Usage Specification)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

MANDATORY: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost",
    "PricingQuantity", "PricingUnit", "ServiceCategory", "ServiceName",
)  # fmt: skip
"""What every version demands, beside one of the pairs of names below."""
OLD_NAMES: Final = ("ProviderName", "PublisherName")
NEW_NAMES: Final = ("ServiceProviderName", "HostProviderName")

_OPTIONAL_1_0: Final = (
    "AvailabilityZone", "ChargeFrequency", "CommitmentDiscountCategory", "CommitmentDiscountId",
    "CommitmentDiscountName", "CommitmentDiscountStatus", "CommitmentDiscountType",
    "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "ListUnitPrice", "PricingCategory",
    "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType", "SkuId", "SkuPriceId",
    "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip
# What each later version brought; 1.4 is also the one that took the old names away.
ADDED: Final = {
    "1.1": (
        "CapacityReservationId", "CapacityReservationStatus", "CommitmentDiscountQuantity",
        "CommitmentDiscountUnit", "ServiceSubcategory", "SkuMeter", "SkuPriceDetails",
    ),
    "1.2": (
        "BillingAccountType", "InvoiceId", "PricingCurrency", "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "SubAccountType",
    ),
    "1.3": (
        "AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId",
        "AllocatedResourceName", "AllocatedTags", "ContractApplied", *NEW_NAMES,
    ),
    "1.4": ("CommitmentProgramEligibilityDetails", "InvoiceDetailId"),
}  # fmt: skip
_KNOWN: Final = frozenset(
    (*MANDATORY, *OLD_NAMES, *_OPTIONAL_1_0, *(name for added in ADDED.values() for name in added))
)

CHARGE_CATEGORIES: Final = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
SERVICE_CATEGORIES: Final = frozenset((
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases",
    "Developer Tools", "Identity", "Integration", "Internet of Things",
    "Management and Governance", "Media", "Migration", "Mobile", "Multicloud", "Networking",
    "Other", "Security", "Storage", "Web",
))  # fmt: skip


def version_of(columns: Collection[str]) -> str:
    """Return the version whose columns these are: the oldest that has them all.

    Columns that no single version has together count for the newest of theirs. Raises `ValueError`
    naming every mandatory column that is not there.
    """
    there = frozenset(columns)
    lacking = [name for name in MANDATORY if name not in there]
    old, new = (there.issuperset(names) for names in (OLD_NAMES, NEW_NAMES))
    if not (old or new):
        pair = NEW_NAMES if there.intersection(NEW_NAMES) else OLD_NAMES
        lacking += [name for name in pair if name not in there]
    if lacking:
        raise ValueError(f"lacks {', '.join(lacking)}")
    if not old:
        return "1.4"
    return next(
        (version for version in reversed(ADDED) if there.intersection(ADDED[version])), "1.0"
    )


def strangers(columns: Collection[str]) -> list[str]:
    """Return the columns that no version knows and that are not marked as somebody's own (`x_`)."""
    return [name for name in columns if name and name not in _KNOWN and name[:2] != "x_"]
