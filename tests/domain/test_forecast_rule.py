"""The plain next-month rule to the last digit, where the month lands, and how long a balance lasts."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.burn import History, burn_of, combined
from costcompass_core.domain.days import Month
from costcompass_core.domain.forecast import (
    AccountBalance,
    forecast,
    next_month,
    runway,
    this_month,
)
from costcompass_core.domain.money import EXACT, Usd
from costcompass_core.domain.outlook import outlook_of
from costcompass_core.domain.subscriptions import Subscription, due_in, in_other_currencies

TODAY = date(2026, 11, 23)
NEWEST = date(2026, 11, 22)
READ_AT = datetime(2026, 11, 23, 9, 0, 2, tzinfo=UTC)


def history(*amounts, newest=NEWEST, began=None):
    """Days up to `newest` that cost `amounts`, oldest first; `None` is a day never read."""
    days = [newest - timedelta(days=age) for age in reversed(range(len(amounts)))]
    spent = {day: Usd.of(one) for day, one in zip(days, amounts, strict=True) if one is not None}
    return History(spent, began or next((day for day in spent if spent[day]), None))


def plan(past, today=TODAY, subscriptions=()):
    return next_month(today, burn_of(past), subscriptions)


def amounts_of(planned):
    return [planned.burn_per_day.text(), planned.usage.text(), planned.total.text()]


def test_a_week_makes_next_month():
    past = history("99", "7.21", "0", "14.42", "7.21", "0.01", "14.41", "7.21")
    planned = plan(past, subscriptions=[Subscription("chat", Usd.of("40.00"))])
    assert (planned.month, planned.month.days) == (Month(2026, 12), 31)
    assert (planned.burn.start, planned.burn.end) == (date(2026, 11, 16), NEWEST)
    assert planned.burn.days == 7
    assert amounts_of(planned) == ["7.21", "223.51", "263.51"]


def test_what_is_multiplied_before_it_is_divided_stays_exact():
    past = history("0.0000000001", 0, 0, 0, 0, 0, 0, newest=date(2027, 1, 30))
    planned = plan(past, date(2027, 1, 31))
    assert planned.month == Month(2027, 2)
    assert amounts_of(planned)[:2] == ["0.000000000014", "0.0000000004"]


@pytest.mark.parametrize(
    ("today", "month", "usage"),
    [
        (date(2026, 12, 31), Month(2027, 1), "31"),
        (date(2027, 1, 31), Month(2027, 2), "28"),
        (date(2028, 1, 1), Month(2028, 2), "29"),
        (date(2028, 3, 31), Month(2028, 4), "30"),
    ],
)
def test_next_month_has_its_own_number_of_days(today, month, usage):
    planned = plan(history(*[1] * 7, newest=today - timedelta(days=1)), today)
    assert (planned.month, planned.usage.text()) == (month, usage)


@pytest.mark.parametrize(
    ("past", "start", "days", "per_day"),
    [
        (history(0, 0, 0, 0, 3, 0, 6), date(2026, 11, 20), 3, "3"),
        (history(1, 0, 0, 0, 3, 0, 3), date(2026, 11, 16), 7, "1"),
        (history(5, 0, 0, 0, 0, 0, 0, 0), date(2026, 11, 16), 7, "0"),
        (history("0.5"), NEWEST, 1, "0.5"),
        (history(0, 0, 0, 0, 0, 0, 0), date(2026, 11, 16), 7, "0"),
        (history(1, 2, None, 2, 2, 2, 3), date(2026, 11, 16), 6, "2"),
        (history(7, 7, 7, 7, 7, 7, 7, None, None), date(2026, 11, 14), 7, "7"),
    ],
    ids=["began-lately", "full", "long-idle", "one-day", "never-any", "a-day-unknown", "behind"],
)
def test_which_days_the_burn_looks_back_on(past, start, days, per_day):
    burn = burn_of(past)
    assert (burn.start, burn.days, burn.spent.ratio() / days) == (start, days, Fraction(per_day))
    assert burn.end == max(past.spent)


def test_without_history_only_subscriptions_are_known():
    nothing = History({}, None)
    planned = plan(nothing, subscriptions=[Subscription("chat", Usd.of(20))])
    assert (planned.burn, planned.burn_per_day, planned.usage, planned.total) == (None,) * 4
    assert planned.subscriptions.text() == "20"
    landing = this_month(TODAY, nothing, None)
    assert (landing.so_far, landing.total) == (None, None)


@pytest.mark.parametrize(
    ("subscription", "due"),
    [
        ({}, "20"),
        ({"per": "year"}, "1.666666666667"),
        ({"start": date(2026, 12, 31)}, "20"),
        ({"start": date(2027, 1, 1)}, "0"),
        ({"until": date(2026, 12, 1)}, "20"),
        ({"until": date(2026, 11, 30)}, "0"),
        ({"start": date(2026, 12, 24), "until": date(2026, 12, 24)}, "20"),
        ({"currency": "EUR"}, "0"),
    ],
)
def test_a_subscription_is_due_in_full_where_it_is_active_on_any_day(subscription, due):
    chat = Subscription("chat", Usd.of(20), **subscription)
    assert due_in(Month(2026, 12), [chat]) == Usd.of(due)
    assert in_other_currencies(Month(2026, 12), [chat]) == (
        [chat] if chat.currency != "USD" else []
    )


def test_yearly_subscriptions_are_rounded_once_together():
    yearly = [Subscription(name, Usd.of(20), "year") for name in "abc"]
    assert due_in(Month(2026, 12), [*yearly, Subscription("d", Usd.of("0.01"))]).text() == "5.01"


def test_where_this_month_lands():
    past = history(*["1"] * 30)  # 24 October to 22 November
    landing = this_month(TODAY, past, outlook_of(past))
    assert (landing.so_far.text(), landing.total.text()) == ("22", "30")
    assert Usd.of(22) < landing.low < landing.total < landing.high
    first = this_month(date(2026, 12, 1), past, outlook_of(past))
    assert (first.month, first.so_far.text(), first.total.text()) == (Month(2026, 12), "0", "31")
    over = history(*["1"] * 30, newest=date(2026, 11, 30))
    done = this_month(date(2026, 11, 30), over, outlook_of(over))
    assert {done.low, done.total, done.high} == {Usd.of(30)}


def test_what_today_has_cost_is_the_least_that_it_costs():
    past = history(*["1"] * 30)
    calm = this_month(TODAY, past, outlook_of(past), Usd.of("0.4"))
    burst = this_month(TODAY, past, outlook_of(past), Usd.of(50))
    assert (calm.total.text(), burst.total.text()) == ("30", "79")  # 22 + 50 + 7
    assert burst.low >= Usd.of(72)


def test_no_amount_is_too_large_to_land():
    past = history(*["900000000000000000"] * 30)
    landing = this_month(TODAY, past, outlook_of(past))
    assert landing.so_far < landing.low < landing.total < landing.high
    assert abs((landing.total - Usd(Decimal(27 * 10**18))).amount) < Decimal("0.000001")


def test_a_day_of_this_month_that_was_never_read_is_estimated_not_free():
    past = history(*[2] * 10, None, *[2] * 11)
    landing = this_month(TODAY, past, outlook_of(past))
    assert (landing.so_far.text(), landing.total.text()) == ("42", "60")


@pytest.mark.parametrize(
    ("left", "day", "days", "empty_on"),
    [
        ("41.37", "7.21", "5.7", date(2026, 11, 29)),
        ("0.625", "1", "0.6", date(2026, 11, 24)),
        ("0.62", "1", "0.6", TODAY),
        ("0", "1", "0.0", TODAY),
        ("-3", "1", "0.0", TODAY),
        ("36500", "1", "36500.0", date(2126, 10, 30)),
        ("36501", "1", "36501.0", None),
        ("999999999999999999", "0.0000000000000001", f"{(10**18 - 1) * 10**16}.0", None),
    ],
)
def test_how_long_a_balance_lasts(left, day, days, empty_on):
    balance = AccountBalance("main", Usd.of(left), READ_AT)
    found = runway(balance, outlook_of(history(*[day] * 30)))
    assert (str(found.days), found.empty_on) == (days, empty_on)
    assert found.early <= found.days <= found.late
    short = runway(balance, outlook_of(history(*[day] * 13)))
    assert (str(short.days), short.early, short.late) == (days, None, None)


def test_a_pace_that_may_go_on_is_told_and_ends_sooner():
    balance = AccountBalance("main", Usd.of(30), READ_AT)
    found = runway(balance, outlook_of(history(*["1"] * 30)), Usd.of(60))
    assert (str(found.days), str(found.early), str(found.at_pace)) == ("30.0", "0.5", "0.5")


@pytest.mark.parametrize("week", [["0"] * 7, ["-1"] + ["0"] * 6])
def test_a_balance_that_nothing_burns_has_no_end(week):
    balance = AccountBalance("main", Usd.of(5), READ_AT)
    assert runway(balance, outlook_of(history(*week, began=date(2026, 1, 1)))) is None
    assert runway(balance, None) is None


def test_accounts_add_up_on_days_known_for_all_and_the_shortest_runway_is_told():
    accounts = {
        "big": history(*[10] * 8),
        "small": history(*[1] * 7, newest=NEWEST - timedelta(days=1)),
        "unread": History({}, None),
    }
    balances = [
        AccountBalance(name, Usd.of(left), READ_AT)
        for name, left in (("big", 100), ("small", 5), ("unread", 1))
    ]
    report = forecast(TODAY, accounts, balances, (), ())
    assert report.data_through == date(2026, 11, 21)
    assert report.next_month.burn_per_day.text() == "11"
    assert (report.runway.account, str(report.runway.days)) == ("small", "5.0")
    assert combined([]) == History({}, None)


WEEK = st.lists(
    st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=18), min_size=1, max_size=7
)


@given(WEEK, st.integers(1, 10**6), st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_the_forecast_scales_with_money(week, factor, today):
    began = newest = today - timedelta(days=1)
    began -= timedelta(days=len(week) - 1)
    exact = sum(map(Fraction, week), Fraction(0)) * Month.of(today).next.days / len(week)
    planned = plan(history(*week, newest=newest, began=began), today)
    assert planned.burn.days == len(week)
    assert planned.usage == Usd.of_ratio(exact)
    # A multiple of the count of days leaves nothing to round.
    factor *= len(week)
    scaled = [EXACT.multiply(one, Decimal(factor)) for one in week]
    bigger = plan(history(*scaled, newest=newest, began=began), today)
    assert bigger.usage.ratio() == exact * factor


LANDINGS = st.lists(st.decimals(0, 10**6, places=6), min_size=1, max_size=45)


@given(LANDINGS, st.decimals(0, 10**6, places=6))
def test_a_landing_lies_in_its_band_and_holds_what_is_known(days, taken):
    past = history(*days, began=NEWEST - timedelta(days=len(days) - 1))
    landing = this_month(TODAY, past, outlook_of(past), Usd(taken))
    assert landing.total >= landing.so_far + Usd(taken)
    if landing.low is not None:
        assert landing.so_far + Usd(taken) <= landing.low <= landing.total <= landing.high
