"""Stored rows as FOCUS: whatever is stored, every row is valid and every digit is there."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import focus_rules
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.days import Month
from costcompass_core.domain.errors import StorageError
from costcompass_core.domain.focus_fixed import fixed_rows
from costcompass_core.domain.focus_row import Seller, focus_row
from costcompass_core.domain.focus_shape import COLUMNS
from costcompass_core.domain.money import Usd, exact_sum, plain
from costcompass_core.domain.stored_row import LedgerRow
from costcompass_core.domain.subscriptions import Change, Subscription, due_in
from costcompass_core.providers.focus_columns import ADDED, MANDATORY, NEW_NAMES, OLD_NAMES

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
OPENROUTER = Seller("openrouter", "OpenRouter")
ACME = Seller("Acme Cloud", "Acme Cloud")
ROW = LedgerRow(
    "2026-11-20", "main", "openrouter", "anthropic/claude", "anthropic/claude-20261001", "e-1",
    "Amazon Bedrock", 3, 1000, 200, 0, None, "1.25", "0.5", "1.25", "USD", "reported", 1, 0, "1.25",
    None, "", None, "activity",
)  # fmt: skip

names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)
lines = names | st.sampled_from(
    [
        "Tax",
        "Credit, shop",
        "tokens (tax)",
        "Virtual machine (Purchase, declared)",
        "a (b)",
        "Usage",
    ]
)
counts = st.none() | st.integers(0, 10**12 - 1)
amounts = st.decimals(-(10**17), 10**17, places=20).map(plain) | st.sampled_from(["0", "7", "-0.1"])
rows = st.builds(
    LedgerRow,
    day=st.dates(max_value=date(9999, 11, 30)).map(str),
    account=st.sampled_from(["main", "Acme Cloud/a-1"]),
    provider=st.sampled_from(["openrouter", "Acme Cloud", ""]),
    model=names,
    permaslug=names,
    endpoint_id=lines,
    host=names,
    requests=counts,
    prompt_tokens=counts,
    completion_tokens=counts,
    reasoning_tokens=counts,
    cached_tokens=counts,
    usage_usd=st.none(),
    byok_usd=amounts,
    amount=amounts,
    currency=st.sampled_from(["USD", "EUR", "CNY"]),
    basis=st.sampled_from(["reported", "derived", "declared"]),
    final=st.integers(0, 1),
    once=st.integers(0, 1),
    raw_amount=names,
    quantity=st.none() | amounts,
    unit=names,
    cache_write_tokens=counts,
    source=names,
)


def told(seller=OPENROUTER, **changes):
    row = focus_row(ROW._replace(**changes), seller)
    focus_rules.check(row)
    return row


@given(st.lists(st.tuples(rows, st.sampled_from([OPENROUTER, ACME])), max_size=5))
def test_whatever_is_stored_every_row_is_valid_and_sums_are_exact(some):
    made = [focus_row(row, seller) for row, seller in some]
    for row in made:
        focus_rules.check(row)
    for column, field in (("BilledCost", "amount"), ("x_ByokCostUsd", "byok_usd")):
        assert exact_sum(Decimal(row[column]) for row in made) == exact_sum(
            Decimal(getattr(row, field)) for row, _ in some
        )
    assert [row["BilledCost"].removesuffix(".0") for row in made] == [
        row.amount.removesuffix(".0") for row, _ in some
    ]


def test_the_columns_serve_every_version_from_1_2_to_1_4():
    assert {*MANDATORY, *OLD_NAMES, *NEW_NAMES} <= set(COLUMNS)
    assert {"ChargeFrequency", "InvoiceId", "ServiceSubcategory"} <= set(COLUMNS)
    known = {*MANDATORY, *OLD_NAMES, *NEW_NAMES, *(one for some in ADDED.values() for one in some)}
    known |= {"ChargeFrequency", "ConsumedQuantity", "ConsumedUnit", "SkuId", "SkuPriceId"}
    assert {name for name in COLUMNS if not name.startswith("x_")} <= known


def test_the_page_explains_every_column_in_order():
    cells = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", "".join(cells))) == COLUMNS


def test_a_row_of_openrouter_names_seller_maker_and_host():
    row = told()
    assert [row[name] for name in ("ServiceProviderName", "PublisherName", "HostProviderName")] == [
        "OpenRouter", "anthropic", "Amazon Bedrock"]  # fmt: skip
    assert row["ServiceName"] == "OpenRouter"
    assert row["ChargeDescription"] == "anthropic/claude via Amazon Bedrock"
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == ("1200.0", "Tokens")
    assert row["x_CachedInputTokens"] == "", "not reported is not zero"
    assert (row["BilledCost"], row["x_ByokCostUsd"]) == ("1.25", "0.5"), "BYOK is never billed"
    nowhere = told(host="", model="unlabelled")
    assert (nowhere["HostProviderName"], nowhere["PublisherName"]) == ("OpenRouter", "OpenRouter")


def test_a_line_of_a_bill_is_told_in_its_own_words():
    row = told(ACME, model="Storage", permaslug="Storage", endpoint_id="disk", host="Storage")
    assert (row["ChargeDescription"], row["SkuMeter"]) == ("Storage, disk", "disk")
    assert (row["HostProviderName"], row["ServiceName"]) == ("Acme Cloud", "Storage")


@pytest.mark.parametrize(
    ("changes", "category"),
    [
        ({"once": 0}, "Usage"),
        ({"once": 0, "amount": "-1"}, "Usage"),
        ({"amount": "-1"}, "Credit"),
        ({}, "Adjustment"),
        ({"basis": "declared"}, "Usage"),
        ({"basis": "declared", "amount": "-1"}, "Credit"),
        ({"basis": "derived"}, "Usage"),
        ({"endpoint_id": "Purchase, shop"}, "Purchase"),
        ({"endpoint_id": "tokens (tax)", "amount": "-1"}, "Tax"),
        ({"endpoint_id": "a line (Credit, derived)"}, "Credit"),
        ({"endpoint_id": "cents (rounding_error)", "amount": "-1"}, "Adjustment"),
        ({"endpoint_id": "Taxi"}, "Adjustment"),
    ],
)
def test_what_comes_once_is_of_the_kind_that_its_line_says(changes, category):
    assert told(**({"once": 1} | changes))["ChargeCategory"] == category


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [
        ({"quantity": "2", "unit": "GB-Hours"}, ("2.0", "GB-Hours")),
        ({"quantity": "2", "unit": "tokens"}, ("2.0", "Tokens")),
        ({"quantity": "0.5"}, ("0.5", "Units")),
        (
            {"prompt_tokens": 0, "completion_tokens": 0, "cached_tokens": 9},
            ("9.0", "Cached Tokens"),
        ),
        ({"completion_tokens": None}, ("3.0", "Requests")),
        ({"completion_tokens": None, "requests": None}, ("1.0", "Charges")),
    ],
)
def test_the_quantity_is_what_is_billed_else_tokens_else_requests(changes, quantity):
    row = told(**changes)
    assert (row["PricingQuantity"], row["PricingUnit"]) == quantity


def test_the_last_month_of_the_calendar_is_refused_by_name():
    with pytest.raises(StorageError, match=r"9999-12-31 has no month after it .*: leave it out"):
        told(day="9999-12-31")


def test_subscriptions_are_what_is_due_each_month():
    start, change = date(2026, 9, 15), Change(date(2026, 11, 11), Usd.of("40"))
    some = [
        Subscription("Max", Usd.of("100.5"), start=start, until=date(2026, 10, 3)),
        Subscription("Yearly", Usd.of("100"), "year", "EUR", changes=(change,)),
    ]
    months = [Month(2026, number) for number in (8, 9, 10, 11, 12)]
    made = fixed_rows(some, months[0], months[-1])
    for row in made:
        focus_rules.check(row)
        assert (row["ChargeFrequency"], row["x_CostBasis"]) == ("Recurring", "declared")
    for month in months:
        for currency in ("USD", "EUR"):
            assert exact_sum(
                Decimal(row["BilledCost"]) for row in made
                if row["BillingCurrency"] == currency
                and row["BillingPeriodStart"] == f"{month.first}T00:00:00Z"
            ) == due_in(month, some, currency).amount  # fmt: skip
    periods = [
        (row["ChargePeriodStart"][:10], row["ChargePeriodEnd"][:10])
        for row in made
        if row["ServiceName"] == "Max"
    ]
    assert periods == [("2026-09-15", "2026-10-01"), ("2026-10-01", "2026-10-04")]
