"""The JSON that scripts read: the contract's own examples, key for key and digit for digit."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from bot.terminal.shapes import forecast_shape, moment_shape, spend_shape
from costcompass_core.domain.burn import Burn, History
from costcompass_core.domain.days import Month, Period
from costcompass_core.domain.forecast import (
    AccountBalance,
    ForecastReport,
    NextMonth,
    Runway,
    ThisMonth,
    forecast,
)
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.query import SpendQuery
from costcompass_core.domain.reports import Counts, SpendReport, SpendRow

SPEND = """
{"period": {"label": "November 2026", "from": "2026-11-01", "to": "2026-11-22"},
 "total_usd": "121.8000000001", "by": "model",
 "rows": [{"name": "anthropic/claude-sonnet-4.5", "cost_usd": "61.22", "share": "0.5026",
           "requests": 812, "prompt_tokens": 1, "completion_tokens": 2, "reasoning_tokens": 0, "cached_tokens": null,
           "byok_usd": "0"}],
 "subscriptions_usd": "40.00", "byok_usd": "0",
 "unattributed_usd": "0.31", "missing_days": [],
 "data_through": "2026-11-22", "refreshed_at": "2026-11-23T09:00:02Z"}
"""
FORECAST = """
{"next_month": {"month": "2026-12", "days": 31, "burn_from": "2026-11-16", "burn_to": "2026-11-22", "burn_days": 7,
                "burn_per_day_usd": "7.21", "usage_usd": "223.51", "subscriptions_usd": "40.00", "total_usd": "263.51"},
 "this_month": {"month": "2026-11", "so_far_usd": "121.80", "total_usd": "180.11", "low_usd": null, "high_usd": null},
 "balance": {"usd": "41.37", "at": "2026-11-23T09:00:02Z", "accounts": [{"account": "main", "usd": "41.37"}]},
 "runway": {"days": "5.7", "empty_on": "2026-11-29", "low_days": null, "high_days": null, "account": "main"},
 "data_through": "2026-11-22"}
"""
READ_AT = datetime(2026, 11, 23, 10, 0, 2, 999_999, timezone(timedelta(hours=1)))
NOVEMBER = Period("November 2026", date(2026, 11, 1), date(2026, 11, 22), Month(2026, 11))


def spend_report(**changes):
    row = SpendRow(
        "anthropic/claude-sonnet-4.5",
        Usd.of("61.22"),
        ZERO,
        Decimal("0.5026"),
        Counts(812, 1, 2, 0, None),
    )
    values = {
        "query": SpendQuery(NOVEMBER),
        "total": Usd.of("121.8000000001"),
        "byok": ZERO,
        "rows": (row,),
        "subscriptions": Usd.of("40.00"),
        "foreign_subscriptions": (),
        "unattributed": Usd.of("0.31"),
        "missing_days": (),
        "data_through": date(2026, 11, 22),
        "refreshed_at": READ_AT,
        "health": (),
    }
    return SpendReport(**(values | changes))


def in_order(text):
    return json.loads(text, object_pairs_hook=list)


def test_spend_is_the_contracts_example():
    assert in_order(json.dumps(spend_shape(spend_report()))) == in_order(SPEND)


def test_spend_of_the_first_of_a_month_and_of_what_is_unknown():
    empty = spend_report(
        query=SpendQuery(Period("December 2026", date(2026, 12, 1), None, Month(2026, 12)), "host"),
        total=ZERO,
        rows=(),
        subscriptions=None,
        unattributed=None,
        missing_days=(date(2026, 11, 30),),
        data_through=None,
        refreshed_at=None,
    )
    assert spend_shape(empty) == {
        "period": {"label": "December 2026", "from": "2026-12-01", "to": None},
        "total_usd": "0",
        "by": "host",
        "rows": [],
        "subscriptions_usd": None,
        "byok_usd": "0",
        "unattributed_usd": None,
        "missing_days": ["2026-11-30"],
        "data_through": None,
        "refreshed_at": None,
    }


def test_forecast_is_the_contracts_example_without_its_bands():
    burn = Burn(date(2026, 11, 16), date(2026, 11, 22), 7, Usd.of("50.47"))
    amounts = (Usd.of(one) for one in ("7.21", "223.51", "40.00", "263.51"))
    report = ForecastReport(
        NextMonth(Month(2026, 12), burn, *amounts),
        ThisMonth(Month(2026, 11), Usd.of("121.80"), Usd.of("180.11")),
        (AccountBalance("main", Usd.of("41.37"), READ_AT),),
        Runway("main", Decimal("5.7"), date(2026, 11, 29)),
        date(2026, 11, 22),
        (),
    )
    assert in_order(json.dumps(forecast_shape(report))) == in_order(FORECAST)


def test_a_forecast_that_knows_nothing_has_every_object_all_the_same():
    shape = forecast_shape(forecast(date(2026, 11, 23), {"main": History({}, None)}, (), (), ()))
    example = json.loads(FORECAST)
    assert {name: list(part) for name, part in shape.items() if isinstance(part, dict)} == {
        name: list(part) for name, part in example.items() if isinstance(part, dict)
    }
    known = {"month": "2026-12", "days": 31, "subscriptions_usd": "0"}
    assert shape["next_month"] == dict.fromkeys(example["next_month"]) | known
    assert shape["this_month"] == dict.fromkeys(example["this_month"]) | {"month": "2026-11"}
    assert shape["balance"] == {"usd": None, "at": None, "accounts": []}
    assert shape["runway"] == dict.fromkeys(example["runway"])
    assert shape["data_through"] is None


def test_several_balances_add_up_and_are_as_old_as_the_oldest():
    newer = READ_AT + timedelta(minutes=5)
    balances = [
        AccountBalance("main", Usd.of("0.1"), newer),
        AccountBalance("side", Usd.of("-0.30"), READ_AT),
    ]
    shape = forecast_shape(forecast(date(2026, 11, 23), {}, balances, (), ()))
    assert shape["balance"] == {
        "usd": "-0.20",
        "at": "2026-11-23T09:00:02Z",
        "accounts": [{"account": "main", "usd": "0.1"}, {"account": "side", "usd": "-0.30"}],
    }


def test_moments_are_utc_to_the_second():
    assert moment_shape(None) is None
    assert moment_shape(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
