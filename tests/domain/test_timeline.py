"""A period cut into slots: all of it or its newest days, without gaps, and adding up."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.days import Month, Period, each_day
from costcompass_core.domain.money import Usd
from costcompass_core.domain.timeline import MOST, cut, timeline

DAY = timedelta(days=1)
LAST = date(2026, 11, 22)


def period(days: int, last: date = LAST) -> Period:
    return Period("some days", last - (days - 1) * DAY, last)


@given(st.integers(2, 20_000), st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_slots_follow_each_other_and_end_where_the_period_ends(days, last):
    asked = period(days, last)
    how = cut(asked)

    assert 2 <= len(how.spans) <= MOST
    assert how.spans[-1].last == asked.end
    assert (how.spans[0].first == asked.start) == how.whole
    for one, following in zip(how.spans, how.spans[1:], strict=False):
        assert one.first <= one.last == following.first - DAY


@given(st.integers(2, 2000))
def test_slots_add_up_to_what_their_days_cost(days):
    how = cut(period(days))
    first, last = how.spans[0].first, how.spans[-1].last
    spent = {day: Usd.of(f"0.{day.toordinal()}") for day in each_day(first, last)}
    given = spent
    if how.unit == "months":  # storage gives whole months, under the first of their days
        given = {}
        for day, cost in spent.items():
            begun = max(Month.of(day).first, first)
            given[begun] = given.get(begun, Usd.of(0)) + cost

    found = timeline(how, given)

    assert Usd.total(found.known) == Usd.total(spent.values())
    for slot in found.slots:
        assert slot.cost == Usd.total(spent[day] for day in each_day(*slot.span))


def test_how_a_period_is_cut():
    def units(days):
        how = cut(period(days))
        return how.unit, len(how.spans), how.whole

    assert units(7) == ("day", 7, True)
    assert units(30) == ("day", 20, False)
    assert units(90) == ("week", 13, True)
    assert units(365) == ("months", 13, True)
    assert units(5 * 365) == ("months", 11, True), "half-years"
    assert cut(Period("a day", LAST, LAST)) is None
    assert cut(Period("today", LAST, LAST, today=True)) is None
    assert cut(Period("none yet", LAST, None)) is None


def test_a_slot_is_unknown_only_where_none_of_its_days_was_read():
    asked = period(90)
    how = cut(asked)
    unread = [*each_day(*how.spans[0]), how.spans[1].first]

    slots = timeline(how, {how.spans[1].last: Usd.of(3)}, unread).slots

    assert [one.cost for one in slots[:3]] == [None, Usd.of(3), Usd.of(0)]
