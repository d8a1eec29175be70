"""What the coming days are expected to cost, and how long a balance lasts by that."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from costcompass_core.domain.burn import History
from costcompass_core.domain.money import Usd
from costcompass_core.domain.outlook import BAND_DAYS, estimate, outlook_of, rounded
from costcompass_core.domain.runway import walk

MONDAY = date(2026, 8, 31)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def history(*costs, first=MONDAY):
    spent = {first + timedelta(days=n): Usd.of(cost) for n, cost in enumerate(costs)}
    return History(spent, first)


costs = st.lists(st.decimals(0, 1000, places=6) | st.just(Decimal(0)), min_size=1, max_size=70).map(
    lambda days: history(*days)
)
balances = st.decimals("0.01", 10**6, places=4).map(Usd.of)
moments = st.datetimes(datetime(2026, 11, 1), datetime(2026, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def near(one, other):
    return abs(one - other) <= abs(other) * Decimal("1e-15")


def test_a_steady_account_is_expected_to_go_on_as_it_did():
    outlook = outlook_of(history(*["2.5"] * 60))
    assert all(near(outlook.day(MONDAY + timedelta(days=n)), Decimal("2.5")) for n in range(7))
    assert estimate(outlook.over(MONDAY, 30)).text() == "75"
    found = walk(outlook, Usd.of(25), NOON)
    assert near(found.days, Decimal(10))
    assert found.early < found.days < found.late


def test_a_quiet_weekend_is_expected_to_be_quiet_and_runs_a_balance_down_slower():
    outlook = outlook_of(history(*([10] * 5 + [1] * 2) * 8))
    monday, saturday = outlook.day(MONDAY), outlook.day(MONDAY + timedelta(days=5))
    assert monday > 2 * saturday
    week = walk(outlook, Usd.of(20), datetime(2026, 11, 20, 18, tzinfo=UTC))  # Friday evening
    days = walk(outlook, Usd.of(20), datetime(2026, 11, 23, 18, tzinfo=UTC))  # Monday evening
    assert week.days > days.days + 1


def test_the_newest_weeks_count_most():
    outlook = outlook_of(history(*[1] * 40, *[4] * 14))
    assert Decimal(3) < outlook.over(MONDAY, 7) / 7 < 4


def test_a_band_needs_two_weeks_of_history():
    assert outlook_of(history(*[1] * (BAND_DAYS - 1))).band(7) is None
    assert walk(outlook_of(history(1, 2, 3)), Usd.of(10), NOON).early is None
    assert outlook_of(history(*[1] * BAND_DAYS)).band(7) is not None


def test_nothing_is_expected_of_nothing():
    assert outlook_of(History({}, None)) is None
    still = outlook_of(history(5, *[0] * 40))
    assert still.over(MONDAY, 30) == 0
    assert walk(still, Usd.of(10), NOON) is None
    assert walk(outlook_of(history(*[1] * 20)), Usd.of(-3), NOON).days == 0


def test_a_day_nobody_read_is_not_a_day_without_spend():
    whole = history(*[2] * 30)
    holey = History({day: cost for day, cost in whole.spent.items() if day.day % 5}, whole.began)
    assert near(outlook_of(holey).over(MONDAY, 7), Decimal(14))


@given(costs, st.integers(1, 60))
def test_expected_days_add_up_and_a_band_holds_its_centre(past, days):
    outlook = outlook_of(past)
    first = outlook.through + timedelta(days=1)
    each = sum(outlook.day(first + timedelta(days=n)) for n in range(days))
    assert near(outlook.over(first, days), each)
    assert all(one >= 0 for one in outlook.week)
    band = outlook.band(days)
    if band is not None:
        assert 0 <= band.low < 1 < band.high


@given(costs, st.sampled_from(["0.001", "3", "1000", "7.25"]), st.integers(1, 40))
def test_a_forecast_scales_with_money(past, factor, days):
    scaled = History(
        {day: Usd.of(cost.amount * Decimal(factor)) for day, cost in past.spent.items()}, past.began
    )
    one, other = outlook_of(past), outlook_of(scaled)
    assert near(other.over(MONDAY, days), one.over(MONDAY, days) * Decimal(factor))
    if (band := one.band(days)) is not None:
        assert abs(band.high - other.band(days).high) < Decimal("1e-9")


@given(costs, balances, moments)
def test_a_balance_lasts_until_the_expected_days_have_used_it_up(past, left, at):
    outlook = outlook_of(past)
    found = walk(outlook, left, at)
    assume(found is not None)
    until = at + timedelta(days=float(min(found.days, 1000)))
    assume(found.days < 1000)
    spent, moment = Decimal(0), at
    while moment < until:
        midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC) + timedelta(days=1)
        part = min(midnight, until) - moment
        spent += outlook.day(moment.date()) * Decimal(part.total_seconds()) / 86_400
        moment = min(midnight, until)
    assert abs(spent - left.amount) <= left.amount * Decimal("1e-4") + Decimal("1e-3")
    if found.early is not None:
        assert found.early <= found.days + Decimal("1e-9")
        assert found.days <= found.late + Decimal("1e-9")


@given(costs, balances, balances, moments)
def test_more_money_lasts_longer(past, left, more, at):
    outlook = outlook_of(past)
    shorter, longer = walk(outlook, left, at), walk(outlook, left + more, at)
    if shorter is None:
        assert longer is None
    else:
        assert shorter.days <= longer.days


@given(st.decimals(-(10**17), 10**17, places=16) | st.integers(-(10**17), 10**17).map(Decimal))
def test_an_estimate_is_rounded_as_a_fraction_would_be(amount):
    assert estimate(amount).text() == Usd.of_ratio(rounded(amount, 12)).text()
