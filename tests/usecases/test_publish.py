"""When digests and monthly reports are written: once, on their local date, with what is known."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from refresh_world import MORNING, TODAY, ago, steady
from watch_world import DAY, HOUR, MINUTE

from bot.sandbox import faults
from bot.sandbox.openrouter_rows import activity_row
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.storage.outbox import waiting
from costcompass_core.usecases.digest import Reporter
from costcompass_core.usecases.publish import Calendar, publish
from costcompass_core.usecases.watch import Watch

ALL_WEEK = frozenset(range(7))
BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2026, 11, 23, 8, tzinfo=UTC)
"""Nine o'clock in Berlin."""
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


class Desk:
    """Ticks as the daemon does; `written()` is all that is in the outbox."""

    def __init__(self, world, at=time(9), weekdays=ALL_WEEK, zone=BERLIN):
        self.world = world
        self.calendar = Calendar(at, weekdays, zone)

    def tick(self, now):
        self.world.at(now)
        watch = Watch(tuple(self.world.accounts), now)  # as if just started
        publish(self.world.store, Reporter(self.world.store), self.calendar, watch, now)
        return self.written()

    def written(self):
        with self.world.store.reading() as tx:
            return [one.name for one in waiting(tx, "slack")]


@pytest.fixture
def read(world):
    """A world that was read this morning, before the digest."""
    world = world(main=steady())
    world.at(NINE - HOUR).refresh()
    return world


# -- the calendar -------------------------------------------------------------------------------

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
days = st.dates(date(1970, 1, 3), date(2037, 12, 28))
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))


def turns(zone, year):
    """Return the dates of a year around which the clocks of a zone change."""
    noons = [datetime(year, 1, 2, 12, tzinfo=zone) + timedelta(days=n) for n in range(362)]
    offsets = [one.utcoffset() for one in noons]
    return [noons[n].date() for n in range(1, 362) if offsets[n] != offsets[n - 1]]


@st.composite
def turning_days(draw):
    """A zone and a date, mostly one around which its clocks change."""
    zone, day = draw(zones), draw(days)
    found = turns(zone, day.year)
    if found and draw(st.integers(0, 9)):
        day = draw(st.sampled_from(found)) - draw(st.integers(0, 1)) * DAY
    return zone, day


def exists(zone, day):
    """Return whether a zone ever saw this date; Apia went without 30 December 2011."""
    noon = datetime.combine(day, time(12), zone)
    return noon.astimezone(UTC).astimezone(zone).date() == day


@given(turning_days(), times)
@example((ZoneInfo("America/Nuuk"), date(2027, 3, 27)), time(23, 30))  # skipped up to midnight
@example((ZoneInfo("Africa/Cairo"), date(2027, 4, 30)), time(0, 0))  # skipped from midnight on
@settings(max_examples=1000)
def test_every_local_date_has_its_moment_within_it(where, at):
    zone, day = where
    assume(exists(zone, day))
    calendar = Calendar(at, ALL_WEEK, zone)
    moment = calendar.moment(day)
    assert moment.astimezone(zone).date() == day
    assert calendar.due(moment) == day
    assert calendar.due(moment - timedelta(microseconds=1)) != day
    assert moment < calendar.over(day)
    assert calendar.over(day).astimezone(zone).date() > day
    shown = moment.astimezone(zone).replace(tzinfo=None)
    skipped = shown != datetime.combine(day, at)
    assert not skipped or zone.utcoffset(shown - DAY) != zone.utcoffset(shown + DAY)


@given(turning_days(), times, st.integers(1, 20))
@settings(max_examples=150)
def test_ticking_on_finds_each_date_due_and_never_tomorrow(where, at, minutes):
    zone, day = where
    calendar = Calendar(at, ALL_WEEK, zone)
    start = datetime.combine(day, time(12), UTC) - 40 * HOUR
    ticks = [start + n * minutes * MINUTE for n in range(80 * 60 // minutes)]
    seen = {}
    for now in ticks:
        today, due = now.astimezone(zone).date(), calendar.due(now)
        assert due in {None, today}
        if seen.get(today) is not None:
            assert due == today, "once it is due it stays so for the rest of its date"
        seen[today] = due
    for one in sorted(seen)[1:-1]:
        late = calendar.over(one) - calendar.moment(one) < minutes * MINUTE
        assert late or seen[one] == one


def test_without_a_time_nothing_is_ever_due():
    assert Calendar(None, ALL_WEEK, BERLIN).due(MORNING) is None


# -- once ---------------------------------------------------------------------------------------


def test_a_digest_is_written_at_its_time_and_once(read):
    desk = Desk(read)
    assert desk.tick(NINE - timedelta(seconds=1)) == []
    for now in (NINE, NINE, NINE + HOUR, NINE - HOUR, NINE + MINUTE, NINE + 13 * HOUR):
        assert desk.tick(now) == ["digest:2026-11-23"]
    desk.calendar = Calendar(time(23), ALL_WEEK, BERLIN)  # nor does another time bring a second
    assert desk.tick(NINE + 14 * HOUR) == ["digest:2026-11-23"]


def test_two_ticks_at_the_same_instant_write_one(read):
    desk, barrier = Desk(read), Barrier(4)

    def tick(_):
        barrier.wait()
        return desk.tick(NINE)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(tick, range(4)))
    assert found == [["digest:2026-11-23"]] * 4


def test_after_days_of_sleep_only_todays_is_written(read):
    desk = Desk(read)
    desk.tick(NINE)
    read.at(NINE + 4 * DAY + 3 * HOUR).refresh()
    assert desk.tick(read.now) == ["digest:2026-11-23", "digest:2026-11-27"]


def test_weekdays_are_local_ones_and_honoured(read):
    auckland = ZoneInfo("Pacific/Auckland")
    desk = Desk(read, time(8), frozenset({1}), auckland)  # Tuesdays
    monday_utc = datetime(2026, 11, 23, 19, tzinfo=UTC)
    assert monday_utc.astimezone(auckland).weekday() == 1
    assert desk.tick(monday_utc - DAY) == []
    assert desk.tick(monday_utc) == ["digest:2026-11-24"]
    for n in range(1, 7):
        assert desk.tick(monday_utc + n * DAY) == ["digest:2026-11-24"]


def test_where_digests_are_off_nothing_is_written(read):
    desk = Desk(read, None)
    for n in range(40):
        assert desk.tick(NINE + n * DAY) == []


def test_an_empty_digest_is_not_written_and_not_thought_of_again(world):
    idle = steady()
    for age in range(-1, 41):
        idle.set_day(ago(age), [])
    world = world(main=idle)
    world.at(NINE - HOUR).refresh()
    desk = Desk(world)
    assert desk.tick(NINE) == []
    idle.set_day(ago(1), [activity_row(ago(1), "a/b", 5)])
    world.at(NINE + HOUR).refresh()
    assert desk.tick(NINE + HOUR) == []
    world.at(NINE + 23 * HOUR).refresh()
    assert desk.tick(NINE + DAY) == ["digest:2026-11-24"]


# -- waiting for yesterday ----------------------------------------------------------------------


def test_it_goes_as_soon_as_yesterday_is_known(world):
    world = world(main=steady())
    world.accounts["main"].hide_day(ago(1))
    desk = Desk(world, time(5))
    five = datetime(2026, 11, 23, 4, tzinfo=UTC)
    world.at(five - MINUTE).refresh()
    assert desk.tick(five) == []
    assert desk.tick(five + 12 * MINUTE) == []
    world.accounts["main"].show_day(ago(1))
    world.refresh()
    assert desk.tick(five + 12 * MINUTE) == ["digest:2026-11-23"]


def test_it_goes_without_yesterday_after_half_an_hour_however_often_we_restart(world):
    world = world(main=steady())
    world.at(NINE - 24 * HOUR).refresh()
    world.server.faults.add("/", faults.status(500), times=None)
    desk = Desk(world)
    for minutes in range(0, 40, 3):
        with suppress(CostCompassError):
            world.at(NINE + minutes * MINUTE).refresh()
        expected = ["digest:2026-11-23"] if minutes >= 30 else []
        assert desk.tick(NINE + minutes * MINUTE) == expected


def test_on_the_second_of_a_month_it_goes_without_yesterday_too(world):
    world = world(main=steady())
    november(world, DECEMBER + 23 * HOUR)
    desk = Desk(world, zone=ZoneInfo("Asia/Tokyo"))  # where it is nine just when that day ends
    assert desk.tick(DECEMBER + DAY) == ["monthly:2026-11"]
    assert desk.tick(DECEMBER + DAY + 30 * MINUTE) == ["monthly:2026-11", "digest:2026-12-02"]


def test_one_due_shortly_before_midnight_does_not_wait_beyond_its_date(world):
    world = world(main=steady())
    world.at(NINE - 24 * HOUR).refresh()
    desk = Desk(world, time(23, 50))
    due = datetime(2026, 11, 23, 22, 50, tzinfo=UTC)
    for seconds in range(0, 600, 15):
        desk.tick(due + timedelta(seconds=seconds))
    assert desk.written() == ["digest:2026-11-23"]


def test_the_first_digest_of_an_installation_waits_for_its_first_refresh(world):
    world = world(main=steady())
    desk = Desk(world)
    assert desk.tick(NINE + 5 * HOUR) == []
    world.refresh()
    assert desk.tick(NINE + 5 * HOUR + MINUTE) == ["digest:2026-11-23"]


def test_an_installation_that_never_reads_anything_has_no_digest(world):
    desk = Desk(world(main=steady()))
    for minutes in range(0, 90, 5):
        assert desk.tick(NINE + minutes * MINUTE) == []


# -- monthly reports ----------------------------------------------------------------------------


def november(world, until):
    """Let a world have been read all through November, and until a moment in December."""
    for day in (TODAY + n * DAY for n in range(40)):
        world.accounts["main"].set_day(day, [activity_row(day, "a/b", 1)])
    for moment in (MORNING, until):
        world.at(moment).refresh()


def test_a_months_report_comes_once_on_the_first_day_it_is_complete_whatever_the_weekday(world):
    world = world(main=steady())
    november(world, DECEMBER - HOUR)
    never = Desk(world, time(9), frozenset())  # 9 o'clock in Berlin is 8 in UTC
    assert never.tick(DECEMBER + 9 * HOUR) == [], "30 November is not known"
    world.at(DECEMBER + 10 * HOUR).refresh()
    for hours in (10, 10, 12, 36, 24 * 12):
        assert never.tick(DECEMBER + hours * HOUR) == ["monthly:2026-11"]


def test_a_month_waits_for_its_last_day_to_settle_and_for_the_digests_time(world):
    world = world(main=steady())
    november(world, DECEMBER + 2 * HOUR)
    early = Desk(world, time(4), frozenset())
    assert early.tick(DECEMBER + 5 * HOUR + 59 * MINUTE) == []
    assert Desk(world, time(9), frozenset()).tick(DECEMBER + 7 * HOUR) == []
    assert early.tick(DECEMBER + 6 * HOUR) == ["monthly:2026-11"]


def test_a_month_with_an_unknown_day_or_long_past_is_not_reported(world):
    world = world(main=steady())
    november(world, DECEMBER + 2 * HOUR)
    with world.store.writing() as tx:
        tx.execute("DELETE FROM usage_day WHERE day = '2026-11-17'")
    desk = Desk(world, time(9), frozenset())
    assert desk.tick(DECEMBER + 9 * HOUR) == []
    with world.store.writing() as tx:
        tx.execute("INSERT INTO usage_day SELECT account, '2026-11-17', read_at, NULL, 0, 1, 0, 0, 0,"
                   " 0, 0, '0', '0', source, 1, '0' FROM usage_day LIMIT 1")  # fmt: skip
    assert desk.tick(datetime(2026, 12, 21, 9, tzinfo=UTC)) == []
    assert desk.tick(datetime(2026, 12, 20, 9, tzinfo=UTC)) == ["monthly:2026-11"]
