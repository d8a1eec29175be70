"""How far the forecast has been off, replayed on the account's own past."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.accuracy import replay
from costcompass_core.domain.burn import History
from costcompass_core.domain.money import ZERO, Usd

FIRST = date(2026, 6, 1)


def history(*costs):
    spent = {FIRST + timedelta(days=n): Usd.of(cost) for n, cost in enumerate(costs)}
    return History(spent, FIRST)


def test_an_account_that_spends_the_same_each_day_is_forecast_to_the_cent():
    found = replay(history(*["1.5"] * 60), 30)
    assert (found.origins, found.first, found.last) == (17, date(2026, 6, 14), date(2026, 6, 30))
    assert found.actual == Usd.of(45)
    assert (found.walk.usd, found.plain.usd, found.inside) == (ZERO, ZERO, Decimal(1))


def test_a_step_is_missed_by_both_and_its_direction_is_told():
    found = replay(history(*[1] * 30, *[3] * 7), 7)
    assert found.walk.bias < ZERO, "it expected too little"
    assert found.walk.usd == Usd(-found.walk.bias.amount)
    assert found.plain.share == found.walk.share > 0


def test_too_little_history_is_no_judgement():
    assert replay(history(*[1] * 20), 7).origins == 0
    assert replay(history(*[1] * 21), 7).origins == 1
    assert replay(History({}, None), 7).walk is None
    assert replay(history(*[1] * 21), 7).needed == 21


def test_windows_with_a_day_that_was_never_read_are_left_out():
    whole = history(*[1] * 60)
    holey = History({day: one for day, one in whole.spent.items() if day.day != 20}, FIRST)
    days = {replay(one, 7).origins for one in (whole, holey)}
    assert len(days) == 2
    assert replay(holey, 7).walk.usd == ZERO


costs = st.lists(st.decimals(0, 10**4, places=4), min_size=25, max_size=50)


@given(costs, st.sampled_from(["0.001", "10", "1000"]))
def test_errors_scale_with_money_and_are_what_a_plain_sum_says(days, factor):
    one = replay(history(*days), 7)
    other = replay(history(*(day * Decimal(factor) for day in days)), 7)
    assert one.origins == other.origins == len(days) - 20
    assert abs(other.walk.usd.amount - one.walk.usd.amount * Decimal(factor)) < Decimal("1e-6")
    sums = [sum(days[at + 1 : at + 8]) for at in range(13, len(days) - 7)]
    plain = [sum(days[at - 6 : at + 1]) for at in range(13, len(days) - 7)]
    off = sum(abs(a - b) for a, b in zip(sums, plain, strict=True)) / len(sums)
    assert abs(one.plain.usd.amount - off) < Decimal("1e-9")
    assert 0 <= one.inside <= 1
