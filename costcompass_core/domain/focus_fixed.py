"""Fixed costs of each month as rows of FOCUS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from costcompass_core.domain.days import ONE_DAY, Month
from costcompass_core.domain.focus_shape import BLANK, FLAGS, FocusRow, measured, money, periods
from costcompass_core.domain.subscriptions import Subscription, due_in

SUBSCRIPTIONS: Final = "subscriptions"
"""The billing account that fixed costs stand under."""


def fixed_rows(subscriptions: Iterable[Subscription], first: Month, last: Month) -> list[FocusRow]:
    """Return a row a month for each subscription that is active in it, from `first` to `last`.

    It is what `/spend` says is due: all of a month, a twelfth of a year. They are usage that recurs,
    for a purchase would cost nothing in effect.
    """
    some = list(subscriptions)
    return [
        _fixed(one, month) for month in _months(first, last) for one in some if one.active_in(month)
    ]


def _months(first: Month, last: Month) -> Iterator[Month]:
    while first <= last:
        yield first
        first = first.next


def _fixed(one: Subscription, month: Month) -> FocusRow:
    amount = due_in(month, [one], one.currency).text()
    begin, end = (
        max(one.start or month.first, month.first),
        min(one.until or month.last, month.last),
    )
    who = dict.fromkeys(
        ("ChargeDescription", "InvoiceIssuerName", "ProviderName", "PublisherName",
         "ServiceProviderName", "HostProviderName", "ServiceName", "SkuId", "SkuPriceId", "SkuMeter",
         "x_Model", "x_ModelVersion", "x_Host"),
        one.name,
    )  # fmt: skip
    return {
        **BLANK,
        **money(amount, one.currency, "Usage"),
        **dict.fromkeys(("BillingAccountId", "BillingAccountName"), SUBSCRIPTIONS),
        **periods(begin, end + ONE_DAY),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Recurring",
        **measured(("1.0", "Months"), "Usage"),
        **who,
        "x_ByokCostUsd": "0.0",
        "x_CostBasis": "declared",
        **dict.fromkeys(FLAGS, "true"),
        "x_RawAmount": amount,
    }
