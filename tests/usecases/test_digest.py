"""What digests and monthly reports say: the same figures as everywhere, and unknown where it is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from refresh_world import MORNING, TODAY, ago, steady

from bot.digest_words import daily
from bot.sandbox.openrouter_rows import activity_row
from bot.sandbox.scenario import demo_account
from costcompass_core.domain.days import Month
from costcompass_core.domain.errors import WrongKeyType
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.views import Limits
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.usecases.digest import Reporter, month_complete
from costcompass_core.usecases.watch import Watch, look

NOVEMBER = Month(2026, 11)
LAST_OF_OCTOBER = datetime(2026, 10, 31, 9, tzinfo=UTC)


def digest(world, day=TODAY, at=None):
    return Reporter(world.store, [Subscription("Plus", Usd.of(20))]).digest(day, at or world.now)


def monthly(world, month=NOVEMBER):
    return Reporter(world.store, [Subscription("Plus", Usd.of(20))]).monthly(month, world.now)


def told(amount):
    return None if amount is None else amount.text()


@pytest.fixture
def two_months(world):
    """Ten cents a day since 14 October on one model, all of it read, and a new model yesterday."""
    account = steady()
    rows = [("openai/gpt-4.1", "0.1"), ("z-ai/glm-4.6", "0.5")]
    account.set_day(ago(1), [activity_row(ago(1), *row) for row in rows])
    made = world(main=account)
    made.at(LAST_OF_OCTOBER).refresh()
    made.at(MORNING).refresh()
    return made


def test_yesterday_the_month_its_pace_and_what_moved(two_months):
    report = digest(two_months)
    assert (report.newest, told(report.yesterday), told(report.usual)) == (ago(1), "0.6", "0.1")
    assert (told(report.so_far), report.through) == ("2.7", ago(1))
    # 9 of the first 22 days of October had spend
    assert (report.pace.through, told(report.pace.usd), str(report.pace.change)) == (
        date(2026, 10, 22), "0.9", "2.0000",
    )  # fmt: skip
    [mover] = report.movers
    assert (mover.name, told(mover.change), mover.new) == ("z-ai/glm-4.6", "0.5", True)
    assert told(report.outlook.next_month.subscriptions) == "20"
    assert (report.ended, report.missing_days, report.late, report.restated) == (None, (), (), ())


def test_its_figures_are_those_of_spend_and_forecast(world):
    world = world(main=demo_account(TODAY))
    world.refresh()
    report = digest(world)
    assert report.yesterday == world.spend("yesterday").total
    assert report.so_far == world.spend("mtd").total
    forecast = world.forecast()
    assert report.outlook.this_month == forecast.this_month
    assert (report.outlook.balances, report.outlook.runway) == (
        forecast.balances, forecast.runway,
    )  # fmt: skip
    assert len(report.movers) == 3
    assert report.pace is None, "October is not known from its first day on"


def test_a_day_that_was_not_read_is_unknown_and_only_late_once_it_is_due(two_months):
    midnight = datetime(2026, 11, 24, 0, 10, tzinfo=UTC)
    early = digest(two_months, date(2026, 11, 24), midnight)
    assert (early.yesterday, early.movers, early.waits_for_data) == (None, (), True)
    assert (told(early.so_far), early.through, early.late) == ("2.7", ago(1), ())
    due = digest(two_months, date(2026, 11, 24), midnight + timedelta(hours=8))
    assert [one.account for one in due.late] == ["main"]
    assert due.overdue_days == (TODAY,)


def test_a_past_day_is_told_as_of_its_own_moment(two_months):
    earlier = datetime(2026, 11, 2, 9, tzinfo=UTC)
    report = digest(two_months, earlier.date(), earlier)
    assert (report.newest, told(report.so_far)) == (date(2026, 11, 1), "0.1")
    assert [one.at for one in report.outlook.balances] == [LAST_OF_OCTOBER]
    assert (report.data_through, report.late) == (date(2026, 11, 1), ())
    assert report.outlook.next_month.burn.end == date(2026, 11, 1)


def test_the_pace_of_a_past_day_is_judged_without_the_days_after_it(two_months):
    account, noon = two_months.accounts["main"], MORNING + timedelta(hours=3)
    account.spend(30, TODAY)
    two_months.at(noon).refresh(parts=["balance"])
    then = digest(two_months).outlook.runway
    assert then.at_pace is not None
    for age in range(-8, 0):
        account.set_day(ago(age), [activity_row(ago(age), "a/b", 90)])
    two_months.at(MORNING + timedelta(days=9)).refresh()
    assert digest(two_months, at=noon).outlook.runway.at_pace == then.at_pace


def test_the_first_of_a_month_leads_with_the_month_that_ended(two_months):
    for age in range(-7, 1):
        two_months.accounts["main"].set_day(ago(age), [activity_row(ago(age), "a/b", "0.3")])
    two_months.at(datetime(2026, 12, 1, 9, tzinfo=UTC)).refresh()
    report = digest(two_months, date(2026, 12, 1))
    assert (report.ended.month, told(report.ended.total)) == (NOVEMBER, "5.1")
    assert told(report.ended.against.usd) == "1.8"
    assert (told(report.so_far), report.through, report.pace) == ("0", None, None)
    assert digest(two_months, date(2026, 12, 2), two_months.now + timedelta(days=1)).ended is None


def test_days_that_were_told_and_changed_since_are_restated(two_months):
    account = two_months.accounts["main"]
    for age in (1, 3):
        account.set_day(ago(age), [activity_row(ago(age), "openai/gpt-4.1", "1.94")])
    two_months.at(MORNING + timedelta(hours=1)).refresh()
    [one] = digest(two_months).restated  # yesterday has not been told before
    assert (one.day, told(one.before), told(one.after)) == (ago(3), "0.1", "1.94")
    assert digest(two_months, at=two_months.now + timedelta(days=2)).restated == ()


def test_today_is_told_by_the_balance_since_no_row_speaks_of_it(two_months):
    assert digest(two_months).today is None
    two_months.accounts["main"].spend("3.21", TODAY)
    two_months.at(MORNING + timedelta(hours=1)).refresh(parts=["balance"])
    report = digest(two_months)
    assert (report.today.spent, report.today.since) == (Usd.of("3.21"), MORNING)
    figures = {one.label: one for one in daily.figures(report)}
    assert figures["today so far"][1:3] == ("$3.21", "by the balance since 23 Nov 09:00 UTC")
    assert "days" in daily.headline(report)
    with two_months.store.writing() as tx:  # an alert says it better: it counts today
        look(tx, Watch(("main",), MORNING, Limits((Usd.of(1000),))), two_months.now)
    assert "for about" not in daily.headline(digest(two_months))


def test_open_incidents_are_told_from_when_they_opened(two_months):
    watch = Watch(("main",), MORNING - timedelta(days=1), Limits(balance_below=(Usd.of(10**6),)))
    with two_months.store.writing() as tx:
        look(tx, watch, MORNING)
    assert [one.key.rule for one in digest(two_months).incidents] == ["balance_low"]
    assert digest(two_months, at=MORNING - timedelta(hours=1)).incidents == ()


def test_an_idle_account_has_no_digest_but_a_failing_one_does(world):
    idle = steady()
    for age in range(41):
        idle.set_day(ago(age), [])
    world = world(main=idle)
    world.refresh()
    assert digest(world).is_empty
    early = MORNING.replace(hour=0) + timedelta(days=1)
    assert digest(world, early.date(), early).is_empty, "a day that just ended is no news"
    with pytest.raises(WrongKeyType):
        world.refresh(key=idle.keys[-1])
    assert not digest(world).is_empty


def test_a_month_is_complete_when_its_last_day_has_settled_for_every_account(world):
    world = world(main=steady(), side=steady(seed="side"))
    settled = datetime(2026, 12, 1, 6, tzinfo=UTC)

    def complete(now):
        with world.store.reading() as tx:
            return month_complete(tx, NOVEMBER, now)

    assert not complete(settled), "nothing was read"
    for age in range(-7, 1):
        for account in world.accounts.values():
            account.set_day(ago(age), [activity_row(ago(age), "a/b", "0.3")])
    world.at(settled).refresh("main")
    assert complete(settled)
    assert not complete(settled - timedelta(minutes=1))
    world.at(MORNING).refresh("side")
    assert not complete(settled), "side is not known to its end"
    world.at(settled).refresh("side")
    assert complete(settled)


def test_a_monthly_report_adds_up_and_compares_with_the_month_before(two_months):
    for age in range(-7, 1):
        two_months.accounts["main"].set_day(ago(age), [activity_row(ago(age), "a/b", "0.3")])
    two_months.at(datetime(2026, 12, 1, 9, tzinfo=UTC)).refresh()
    report = monthly(two_months)
    assert [(row.name, told(row.cost)) for row in report.rows] == [
        ("a/b", "2.4"), ("openai/gpt-4.1", "2.2"), ("z-ai/glm-4.6", "0.5"),
    ]  # fmt: skip
    assert Usd.total(row.cost for row in report.rows) == report.total
    assert Usd.total(usd for _, usd in report.days) == report.total
    assert (told(report.against.usd), str(report.against.change)) == ("1.8", "1.8333")
    assert [(one.name, told(one.change), one.new) for one in report.movers] == [
        ("a/b", "2.4", True), ("z-ai/glm-4.6", "0.5", True), ("openai/gpt-4.1", "0.4", False),
    ]  # fmt: skip
    assert (told(report.subscriptions), report.accounts, report.missing_days) == ("20", (), ())
    assert (report.outlook.month.text(), told(report.outlook.usage)) == ("2026-12", "9.3")


def test_a_month_that_is_not_wholly_known_is_compared_with_nothing(world):
    world = world(main=steady())
    world.refresh()
    report = monthly(world, Month(2026, 10))
    assert (report.against, report.movers) == (None, ())
    assert report.missing_days[0] == date(2026, 10, 1)
