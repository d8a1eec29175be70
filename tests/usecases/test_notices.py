"""What happens once and is told once: top-ups, lost credits, unexplained losses, restated days."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from refresh_world import TODAY, ago, steady
from watch_world import DAY, HOUR, MINUTE, Watcher, watching

from bot.sandbox.openrouter_rows import activity_row
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.views import Limits
from costcompass_core.storage.incidents import incidents_by_id

MODEL = "openai/gpt-4.1"
LOW = Limits((Usd.of(25),))
EVE = datetime(2026, 11, 22, 23, 57, tzinfo=UTC)
"""Shortly before the UTC day that the tests look at."""


def left(usd):
    """Return an account with so much left that spends ten cents a day."""
    account = steady()
    account.top_up(usd - 96)
    return account


def rows(day, usd, **fields):
    return [activity_row(day, MODEL, usd, **fields)]


# -- top-ups and credits ------------------------------------------------------------------------


def test_a_top_up_that_ends_an_incident_is_told_with_its_end_and_not_beside_it(world):
    world = world(main=left(20))
    watcher = Watcher(world, limits=LOW)
    assert watcher.refresh() == ["opened balance_low main"]
    world.accounts["main"].top_up(50)
    assert watcher.balance(after=5 * MINUTE) == ["resolved balance_low main"]
    with world.store.reading() as tx:
        assert incidents_by_id(tx, [1])[1].facts["topped_up"] == Usd.of(50)
    assert watcher.hours(1, step=5 * MINUTE, parts=["balance"]) == []


def test_a_top_up_that_ends_nothing_is_a_notice_and_too_small_a_one_leaves_the_incident(world):
    world = world(main=left(20))
    watcher = Watcher(world, limits=LOW)
    watcher.refresh()
    watcher.told()
    world.accounts["main"].top_up("6.5")
    facts, text = watcher.notice()
    assert (facts["amount"], facts["left"]) == (Usd.of("6.5"), Usd.of("26.5"))
    assert text.startswith("Top-up of $6.50 seen")
    assert watcher.rules() == ["balance_low"]
    assert watcher.hours(1, step=5 * MINUTE, parts=["balance"]) == []


def test_credits_that_fall_are_told_with_the_amount_and_never_as_a_fee(world):
    world = world(main=left(90))
    watcher = watching(world, limits=LOW)
    world.accounts["main"].refund("12.5")
    facts, text = watcher.notice()
    assert (facts["kind"], facts["amount"]) == ("credits", Usd.of("12.5"))
    assert "$12.50" in text
    assert "fee" not in text.lower()
    world.accounts["main"].refund("0.9")
    assert watcher.balance(after=5 * MINUTE) == [], "that is below the floor"
    assert watcher.hours(48) == [], "and nothing that the usage would have to explain"


def test_a_purchase_fee_that_no_counter_shows_is_not_invented(world):
    world = world(main=left(90))
    watcher = Watcher(world.at(EVE), limits=LOW)
    watcher.refresh()
    world.accounts["main"].top_up(100, fee="on_top")
    facts, text = watcher.notice()
    assert (facts["amount"], facts["left"]) == (Usd.of(100), Usd.of(190))
    assert "fee" not in text.lower()
    assert watcher.hours(60) == []


# -- losses that no usage explains --------------------------------------------------------------


def test_a_loss_that_a_days_rows_do_not_explain_is_told_once_and_never_as_a_fee(world):
    world = world(main=left(90))
    watcher = Watcher(world.at(EVE), limits=LOW)
    watcher.refresh()
    world.accounts["main"].set_day(TODAY, rows(TODAY, "0.4"), gradual=True)
    assert watcher.hours(12) == []
    world.accounts["main"].top_up(100, fee="from_balance")
    assert watcher.hours(1) == ["top_up main"]
    assert watcher.hours(35) == []
    facts, text = watcher.notice(after=HOUR)
    assert (facts["kind"], facts["day"], facts["reported"]) == ("day", TODAY, Usd.of("0.4"))
    assert abs(facts["amount"].amount - Decimal("5.5")) < Decimal("0.01")
    assert "$5.50" in text
    assert "fee" not in text.lower()
    assert watcher.hours(72) == []


@pytest.mark.parametrize("hours", [2, 5, 9, 20])
def test_rows_that_come_late_are_no_loss(world, hours):
    world = world(main=left(90))
    world.accounts["main"].set_day(TODAY, rows(TODAY, 30), gradual=True)
    world.accounts["main"].hide_day(TODAY, datetime(2026, 11, 24, hours, tzinfo=UTC))
    watcher = Watcher(world.at(EVE), limits=LOW)
    watcher.refresh()
    told = watcher.hours(60)
    # An empty day counts as zero after six hours, and as overdue after nine: the balance fell.
    late = ["opened data_stale main", "resolved data_stale main"] if hours > 9 else []
    assert told == [*late, *(["history_restated main"] if hours > 6 else [])]


@pytest.mark.parametrize("minutes", [-14, -3, 1, 4, 13])
def test_readings_off_midnight_make_no_loss_of_a_busy_day_or_a_nightly_batch(world, minutes):
    world = world(main=left(900))
    for age, usd in ((1, 90), (0, 120), (-1, 60), (-2, 200)):
        world.accounts["main"].set_day(ago(age), rows(ago(age), usd), gradual=True)
        world.accounts["main"].spend(usd // 2, ago(age), "nightly/batch")  # right at midnight
    watcher = Watcher(world.at(EVE + 3 * MINUTE + minutes * MINUTE), limits=LOW)
    watcher.refresh()
    assert watcher.hours(76) == []


# -- restated history ---------------------------------------------------------------------------


def test_a_settled_day_that_changes_is_told_above_the_floor_and_once(world):
    world = world(main=left(90))
    watcher = watching(world, limits=LOW)
    account = world.accounts["main"]
    account.correct(ago(2), MODEL, usage=Decimal("1.94"))
    facts, text = watcher.notice(after=HOUR)
    assert (facts["day"], facts["before"], facts["after"], facts["change"]) == (
        ago(2), Usd.of("0.1"), Usd.of("1.94"), Usd.of("1.84"),
    )  # fmt: skip
    assert "restated +$1.84" in text
    assert watcher.hours(3) == []
    account.correct(ago(2), MODEL, usage=Decimal("0.95"))
    assert watcher.hours(3) == [], "less than a dollar"
    account.correct(ago(1), MODEL, usage=Decimal(5))
    account.correct(ago(2), MODEL, usage=Decimal(-1))
    assert watcher.refresh() == ["history_restated main"] * 2


def test_a_day_whose_rows_still_come_in_its_first_hours_is_not_restated(world):
    world = world(main=left(90))
    watcher = watching(world, limits=LOW)
    world.accounts["main"].set_day(TODAY, rows(TODAY, 3))
    world.at(datetime(2026, 11, 24, 0, 30, tzinfo=UTC))
    for hour in range(6):
        world.accounts["main"].correct(TODAY, MODEL, usage=Decimal(3 + 2 * hour))
        assert watcher.refresh(after=HOUR) == []
    assert world.total("yesterday") == "13"
    world.accounts["main"].correct(TODAY, MODEL, usage=Decimal(20))
    assert watcher.refresh(after=HOUR) == ["history_restated main"]


def test_rows_that_vanish_are_believed_the_second_time_and_told_then(world):
    world = world(main=left(90))
    world.accounts["main"].set_day(ago(1), rows(ago(1), 5))
    watcher = watching(world, limits=LOW)
    world.accounts["main"].hide_day(ago(1))
    assert watcher.refresh(after=HOUR) == []
    facts, _ = watcher.notice(after=HOUR)
    assert facts["change"] == Usd.of(-5)
    assert watcher.hours(2) == []


# -- volume under own keys ----------------------------------------------------------------------


def test_byok_volume_is_told_near_its_free_threshold_and_is_over_with_the_month(world):
    world = world(main=left(90))
    watcher = watching(world, limits=Limits((), (), byok_free=Usd.of(1000)))
    account = world.accounts["main"]
    account.set_day(ago(1), rows(ago(1), "0.1", byok=799))
    assert watcher.refresh(after=HOUR) == []
    account.set_day(ago(1), rows(ago(1), "0.1", byok=801))
    assert watcher.refresh(after=HOUR) == ["opened byok_volume main"]
    account.set_day(TODAY, rows(TODAY, "0.1", byok=250))
    assert watcher.refresh(after=DAY) == ["worse byok_volume main"]
    assert watcher.incident("byok_volume").facts["spent"] == Usd.of(1051)
    world.at(datetime(2026, 12, 1, 1, tzinfo=UTC))
    assert watcher.refresh() == ["resolved byok_volume main"]
    assert world.forecast().balances[0].left == Usd.of("89.9"), "it never left the balance"
