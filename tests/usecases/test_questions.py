"""Answers from the ledger: the same total however it is ranked, and unknown where it is unknown."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from refresh_world import MORNING, TODAY, ago, steady

from bot.sandbox.openrouter_rows import activity_row
from bot.sandbox.scenario import demo_account
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.money import Usd
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.storage.spend import every_row
from costcompass_core.storage.usage import keep_only_accounts
from costcompass_core.usecases.report import Questions

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
LAST = datetime(2026, 11, 23, tzinfo=UTC)
NEAR = timedelta(minutes=15)


# -- totals -------------------------------------------------------------------------------------


def test_however_it_is_ranked_it_adds_up_to_what_was_reported(world):
    account = demo_account(TODAY)
    world = world(main=account)
    world.refresh()
    for words, days in (("7d", 7), ("mtd", 22), ("30d", 30), ("2026-11-05..2026-11-06", None)):
        ages = range(1, days + 1) if days else (17, 18)
        reported = [row for age in ages for row in account.rows(ago(age), world.now)]
        for by in ("model", "provider", "host", "day", "account", "key"):
            report = world.spend(f"{words} by {by}")
            assert report.total.amount == sum(row["usage"] for row in reported)
            assert Usd.total(row.cost for row in report.rows) == report.total
            assert report.byok.amount == sum(row["byok_usage_inference"] for row in reported)
            assert sum(r.counts.requests for r in report.rows) == sum(
                r["requests"] for r in reported
            )
    assert {row.name for row in world.spend("7d by provider").rows} == {"openrouter"}


def test_filters_keep_models_and_parts_add_up(world):
    world = world(main=demo_account(TODAY))
    world.refresh()
    whole = world.spend("30d").total
    parts = [
        world.spend(f"30d {word}").total for word in sorted({n[:3] for n in world.rows("30d")})
    ]
    assert Usd.total(parts) == whole
    assert set(world.rows("30d claude *4.5")) == {
        "anthropic/claude-sonnet-4.5",
        "anthropic/claude-haiku-4.5",
    }
    assert world.total("30d nothing-of-this-name") == "0"
    with pytest.raises(UsageError, match="did you mean `yesterday`"):
        world.spend("yesturday")


def test_the_period_before_is_the_one_that_why_compares_with(world):
    world = world(main=demo_account(TODAY))
    world.refresh()
    for words in ("7d", "7d claude"):
        report = world.spend(words)
        why = Questions(world.store).why(words, world.now)
        assert report.before.total == why.found.before
        assert {one.name: one.before.cost for one in why.found.shifts if one.before.cost} == {
            name: cost for name, cost in report.before.costs.items() if cost
        }
        assert Usd.total(report.timeline.known) == report.total
    assert world.spend("all").before is None, "nothing comes before"
    assert world.spend("30d").before is None, "not all of those days were ever read"
    assert Usd.total(world.spend("ytd").timeline.known) == world.spend("ytd").total


def test_the_first_day_of_a_month_has_nothing_completed_and_remembers_the_last_month(world):
    account = steady()
    for age in range(-7, 1):
        account.set_day(ago(age), [activity_row(ago(age), "a/b", "0.3")])
    world = world(main=account)
    world.refresh()
    world.at(datetime(2026, 12, 1, 9, tzinfo=UTC)).refresh()
    report = world.spend()
    assert (report.query.period.end, report.total.text(), report.rows) == (None, "0", ())
    assert (report.last_month.text(), report.missing_days) == ("4.6", ())
    assert world.spend("gpt by key").last_month.text() == "2.2"
    forecast = world.forecast()
    assert (forecast.next_month.month.text(), forecast.next_month.usage.text()) == (
        "2027-01",
        "9.3",
    )
    month = forecast.this_month  # the newest week counts most, but not alone
    assert month.so_far.text() == "0"
    assert Usd.of(6) < month.total < Usd.of("9.3")
    assert world.at(datetime(2026, 12, 2, tzinfo=UTC)).spend().last_month is None


@pytest.mark.parametrize(
    ("words", "usd"),
    [("", "21"), ("last month", "1"), ("2026-10", "1"), ("2027-01", "21"), ("7d", None)],
)
def test_subscriptions_stand_beside_months_only(world, words, usd):
    declared = [
        Subscription("chat", Usd.of(20), start=date(2026, 11, 30)),
        Subscription("domain", Usd.of(12), "year"),
        Subscription("abroad", Usd.of(9), currency="EUR"),
    ]
    world = world(main=steady())
    report = Questions(world.store, declared).spend(words, MORNING)
    assert report.subscriptions == (None if usd is None else Usd.of(usd))
    assert [one.name for one in report.foreign_subscriptions] == (["abroad"] if usd else [])


def test_before_anything_was_read_everything_is_unknown(world):
    world = world()
    report = world.spend("7d")
    assert (report.total.text(), report.rows, report.unattributed) == ("0", (), None)
    assert len(report.missing_days) == 7
    assert (report.data_through, report.refreshed_at, report.health) == (None, None, ())
    forecast = world.forecast()
    assert (forecast.next_month.total, forecast.runway, forecast.balances) == (None, None, ())
    with pytest.raises(UsageError, match="`forecast` knows no `now`"):
        world.questions.forecast("now", MORNING)


def test_a_forecast_looks_back_from_the_newest_day_that_is_known(world):
    world = world(main=steady())
    world.refresh()
    burn = world.at(MORNING + timedelta(days=30)).forecast().next_month.burn
    assert (burn.start, burn.end, burn.spent.text()) == (ago(7), ago(1), "0.7")


# -- what the balance knows ---------------------------------------------------------------------


@contextmanager
def november(world, account, *, first=FIRST, last=LAST):
    """Read balance and activity at both edges of November so far, spending evenly in between."""
    for age in range(23):
        rows = [activity_row(ago(age), "a/b", "0.48")]
        account.set_day(ago(age), rows, gradual=True)
    world.at(first).refresh()
    yield
    world.at(last).refresh()
    world.at(MORNING)


@pytest.mark.parametrize(
    ("event", "lost"),
    [
        (lambda account: None, "0"),
        (lambda account: account.top_up(50), "0"),
        (lambda account: account.top_up(50, fee="from_balance"), "2.75"),
        (lambda account: account.refund(5), "5"),
        (lambda account: account.set_day(ago(30), [activity_row(ago(30), "a/b", "9.1")]), "9"),
    ],
    ids=["nothing", "fee-on-top", "fee-from-balance", "refund", "late-charge"],
)
def test_what_the_balance_lost_beyond_usage(world, event, lost):
    account = steady()
    world = world(main=account)
    with november(world, account):
        event(account)
    report = world.spend()
    assert report.missing_days == ()
    assert report.unattributed == Usd.of(lost)
    assert report.total == Usd.of("10.56")


@pytest.mark.parametrize(
    ("first", "last", "known"),
    [
        (FIRST - NEAR, LAST + NEAR, True),
        (FIRST + NEAR, LAST, True),
        (FIRST - NEAR - timedelta(seconds=1), LAST, False),
        (FIRST, LAST + NEAR + timedelta(seconds=1), False),
    ],
)
def test_it_is_known_only_with_readings_near_both_edges(world, first, last, known):
    account = steady()
    world = world(main=account)
    with november(world, account, first=first, last=last):
        pass
    found = world.spend().unattributed
    assert (found is not None) == known
    assert found is None or abs(found.amount) <= Decimal("0.01")  # half an hour of a day's 0.48
    for words in ("yesterday", "last month", "7d"):
        assert world.spend(words).unattributed is None


def test_it_is_unknown_while_a_day_or_an_account_is(world):
    account = steady()
    world = world(main=account, side=steady(seed="side"))
    with november(world, account):
        account.hide_day(ago(1))
    assert world.spend().missing_days == (ago(1),)
    assert world.spend().unattributed is None
    account.show_day(ago(1))
    world.at(LAST).refresh()
    assert world.spend().unattributed == Usd.of(0)
    world.refresh("side")
    assert world.spend().unattributed is None


def test_today_is_what_left_the_balance_since_midnight(world):
    account = steady()
    world = world(main=account)
    world.server.quirks.no_analytics = True
    world.at(LAST - timedelta(minutes=5)).refresh()
    assert world.at(MORNING).spend("today").unattributed is None  # nothing was read today
    account.spend("1.25", TODAY)
    world.refresh(parts=["balance"])
    report = world.spend("today")
    assert (report.total.text(), report.rows, report.missing_days) == ("0", (), ())
    assert report.unattributed == Usd.of("1.25")
    assert report.today_since == LAST - timedelta(minutes=5)
    assert world.at(MORNING + timedelta(days=1)).spend("today").unattributed is None


def test_an_account_that_is_no_longer_configured_leaves_the_answers_but_not_the_ledger(
    world,
):
    both = world(main=steady(), old=steady(seed="old"))
    both.refresh("main")
    both.refresh("old")
    before = both.spend("7d").total

    with both.store.writing() as tx:
        keep_only_accounts(tx, ["main"])

    after = both.spend("7d")
    assert after.total + after.total == before
    assert [one.account for one in after.health] == ["main"]
    with both.store.reading() as tx:
        assert {row[1] for row in every_row(tx, "0001-01-01", "9999-12-31")} == {"main", "old"}


def test_a_filter_without_a_match_says_which_name_was_perhaps_meant(world):
    asked = world(main=demo_account(TODAY))
    asked.refresh()
    assert asked.spend("7d sonet").meant == "sonnet"
    assert asked.spend("7d zzzqqq").meant is None
