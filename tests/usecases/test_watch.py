"""Watching over real refreshes: what is told, when, and what is told of nobody."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from install import usage
from refresh_world import MORNING, TODAY, ago, steady
from watch_world import DAY, HOUR, LIMITS, MIDNIGHT, MINUTE, Watcher, spending, watching

from bot.sandbox import faults
from bot.sandbox.openrouter_rows import activity_row
from bot.summary import spend_headline
from bot.terminal.shapes import spend_shape
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.days import midnight
from costcompass_core.domain.errors import StorageError
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.views import Limits
from costcompass_core.domain.usage import Activity, Balance, Reading
from costcompass_core.storage.incidents import incident_at
from costcompass_core.storage.outbox import put, waiting
from costcompass_core.usecases.refresh import commit
from costcompass_core.usecases.watch import Watch

OPENED = ["opened balance_low main"]


# -- in one transaction -------------------------------------------------------------------------


def test_a_crossing_is_in_the_outbox_together_with_the_reading_that_shows_it(world):
    world = world(main=spending(1, 30))
    watcher = watching(world, limits=Limits((Usd.of(25), Usd.of(10))))
    world.accounts["main"].spend(6, TODAY)
    assert watcher.balance(after=5 * MINUTE) == OPENED
    incident = watcher.incident("balance_low")
    assert (incident.opened_at, incident.as_of) == (world.now, world.now)
    facts = incident.facts
    assert (facts["left"], facts["today"]) == (Usd.of(24), Usd.of(6))
    assert facts["today_since"] == MORNING
    world.accounts["main"].spend(20, TODAY)
    assert watcher.balance(after=5 * MINUTE) == ["worse balance_low main"]


def test_a_refresh_that_the_full_disk_refuses_leaves_neither_reading_nor_letter(world):
    world = world(main=spending(1, 30))
    watcher = watching(world, limits=Limits((Usd.of(25),)))
    writer, before = world.store._writer, world.everything()
    [pages] = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with suppress(StorageError):  # until there is no room for one letter more
        for serial in range(10_000):
            with world.store.writing() as tx:
                put(tx, "slack", f"test:{serial}", "test", world.now)
    filled = world.everything()
    world.accounts["main"].spend(6, TODAY)
    with pytest.raises(StorageError, match="full"):
        world.at(MORNING + 5 * MINUTE).refresh()
    assert world.everything() == filled
    assert filled["balance"] == before["balance"]
    assert watcher.rules() == []

    writer.execute("PRAGMA max_page_count = 1000000")
    watcher.letters()
    assert watcher.refresh(after=5 * MINUTE) == OPENED


# -- today counts -------------------------------------------------------------------------------


def test_a_runaway_job_is_told_with_the_very_next_balance_reading(world):
    world = world(main=spending(5, 300))
    watcher = watching(world)
    assert watcher.balance(after=5 * MINUTE) == []
    world.accounts["main"].spend(200, TODAY)
    assert watcher.balance(after=5 * MINUTE) == ["opened runway_short main"]
    incident = watcher.incident("runway_short")
    assert (incident.level, incident.facts["rate"]) == (2, "today")
    assert incident.facts["crossed"] == (Decimal(7), Decimal(3))
    world.accounts["main"].spend(80, TODAY)
    assert watcher.balance(after=5 * MINUTE) == OPENED


@pytest.mark.parametrize("hidden", [timedelta(hours=5), timedelta(hours=30)])
def test_a_job_that_runs_for_days_is_one_incident_across_midnights_and_reports(world, hidden):
    world = world(main=spending(5, 800))
    watcher = watching(world, repeat_every=99 * DAY)
    for day in range(5):
        row = activity_row(ago(-day), "runaway/model", 120)
        world.accounts["main"].set_day(ago(-day), [row], gradual=day > 0)
        world.accounts["main"].hide_day(ago(-day), MIDNIGHT + day * DAY + hidden)
    told = watcher.hours(4 * 24, step=HOUR)
    assert [one for one in told if "runway" in one] == [
        "opened runway_short main",
        "worse runway_short main",
    ]
    assert watcher.incident("runway_short").facts["per_day"] == Usd.of(120)


def test_a_day_of_which_only_some_rows_are_reported_yet_does_not_end_the_alarm(world):
    world = world(main=spending(5, 300))
    watcher = watching(world)
    world.accounts["main"].set_day(TODAY, [activity_row(TODAY, "runaway/model", 100)])
    assert watcher.hours(1) == ["opened runway_short main"]
    partial = faults.edited(lambda text: text.replace('"usage":100', '"usage":3'))
    world.server.faults.add("/activity", partial, times=None, where={"date": str(TODAY)})
    assert watcher.hours(17) == []
    assert world.total("yesterday") == "3"
    world.server.faults.clear()
    assert watcher.hours(3) == []
    assert world.total("yesterday") == "100"


def test_a_calm_account_raises_no_alarm_in_sixty_days(world):
    """Weekly bursts, quiet weekends, idle days, late and partial rows; topped up in time."""
    rng, start = random.Random(7), date(2026, 9, 1)
    costs = {start + n * DAY: _calm_cost(rng, start + n * DAY) for n in range(-30, 60)}
    account, store = Account("main", "openrouter", ""), world().store
    watch = Watch(("main",), midnight(start), replace(LIMITS, balance_every=HOUR))
    used, bought = Decimal(0), Decimal(300)
    for day, hour in product((start + n * DAY for n in range(60)), range(24)):
        now = midnight(day) + hour * HOUR + rng.randint(0, 240) * timedelta(seconds=1)
        so_far = used + costs[day] * hour / 24
        bought += 150 if bought - so_far < 200 else 0
        ages = range(1, 31 if day == start and not hour else 4)
        rows = {day - n * DAY: _rows(day - n * DAY, costs[day - n * DAY], hour, n) for n in ages}
        balance = Balance(Usd(bought - so_far), Usd(bought), Usd(so_far))
        commit(account, store, Reading(now, balance, Activity(rows)), watch)
        used += costs[day] if hour == 23 else 0
    with store.reading() as tx:
        letters = waiting(tx, "slack")
    assert [one.name for one in letters if one.name[:6] != "top_up"] == []
    assert len(letters) > 3


def _calm_cost(rng, day):
    if day.day in {9, 10, 23}:
        return Decimal(0)
    least, most = {0: (40, 58), 5: (0, 2), 6: (0, 2)}.get(day.weekday(), (8, 12))
    return Decimal(rng.randint(least * 100, most * 100)) / 100


def _rows(day, cost, hour, age):
    """Yesterday's rows come from two in the morning on, and are complete at five."""
    if not cost or (age == 1 and hour < 2):
        return ()
    share = Decimal("0.3") if age == 1 and hour < 5 else Decimal(1)
    return (usage(day, "openai/gpt-4.1", str(cost * share)),)


def test_an_incident_keeps_the_newest_figures_for_whoever_looks_next(world):
    world = world(main=spending(1, 24))
    watcher = Watcher(world, limits=Limits((Usd.of(25), Usd.of(10))))
    assert watcher.refresh() == OPENED
    world.accounts["main"].spend(11, TODAY)
    assert watcher.balance(after=HOUR) == []
    incident = watcher.incident("balance_low")
    assert (incident.facts["left"], incident.as_of, incident.seq) == (Usd.of(13), world.now, 1)
    assert incident.facts["last_hour"] == Usd.of(11)
    with world.store.reading() as tx:
        then = incident_at(tx, incident.ident, 1)
    assert (then.facts["left"], then.as_of) == (Usd.of(24), MORNING), (
        "what was told stays as it was"
    )
    before = world.everything()
    assert watcher.tick(after=MINUTE) == []
    assert world.everything() == before, "a tick that finds nothing new writes nothing"


def test_a_top_up_is_told_beside_what_it_does_not_end(world):
    world = world(main=spending(1, 100))
    watcher = watching(world, limits=Limits((Usd.of(25),)))
    world.server.faults.add("/", faults.status(500), times=None)
    assert watcher.tick(after=20 * MINUTE) == ["opened data_stale main"]
    world.accounts["main"].top_up(50)
    world.server.faults.clear()
    assert watcher.balance(after=5 * MINUTE) == ["resolved data_stale main", "top_up main"]


# -- what can't be judged -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/credits", faults.html(200)),
        ("/credits", faults.status(500)),
        ("/credits", faults.raw(b'{"data":{"total_credits":0}}')),
        ("/credits", faults.raw(b'{"data":{"total_credits":NaN,"total_usage":0}}')),
        ("/credits", faults.truncated),
        ("/activity", faults.hang_up),
        ("/key", faults.error_in_ok()),
    ],
)
def test_a_rejected_answer_raises_reminds_and_resolves_nothing(world, path, fault):
    world = world(main=spending(1, 30), side=spending(1, 20, "side"))
    watcher = Watcher(world, limits=Limits((Usd.of(25),)), repeat_every=HOUR)
    assert watcher.refresh() == []
    assert watcher.refresh("side") == ["opened balance_low side"]
    world.accounts["main"].spend(20, TODAY)
    world.accounts["side"].top_up(500)
    world.server.faults.add(path, fault, times=None)
    told = [watcher.refresh(name, after=4 * MINUTE) for name in ("main", "side") * 10]
    assert {line.split()[1] for lines in told for line in lines} == {"data_stale"}
    world.server.faults.clear()
    assert watcher.refresh() == ["opened balance_low main", "resolved data_stale main"]
    assert watcher.refresh("side") == ["resolved balance_low side", "resolved data_stale side"]


@pytest.mark.parametrize("zeros", [True, False])
def test_a_key_of_the_wrong_type_is_one_incident_and_its_zeros_are_no_balance(world, zeros):
    world = world(main=spending(1, 30), low=spending(1, 20, "low"))
    world.server.quirks.zero_credits = zeros
    watcher = Watcher(world, limits=Limits((Usd.of(25),)), repeat_every=99 * DAY)
    watcher.refresh()
    watcher.refresh("low")
    wrong = {name: one.inference_keys[0] for name, one in world.accounts.items()}
    assert watcher.refresh(key=wrong["main"], after=MINUTE) == ["opened key_rejected main"]
    assert watcher.refresh("low", key=wrong["low"]) == ["opened key_rejected low"]
    for name in ("main", "low") * 5:
        assert watcher.refresh(name, key=wrong[name], after=HOUR) == []
    facts = watcher.incident("key_rejected").facts
    assert facts["reason"] == "wrong_key_type"
    assert "Management key" in facts["error"]
    assert watcher.refresh(after=HOUR) == ["resolved key_rejected main"]
    assert watcher.refresh("low") == ["resolved key_rejected low"]
    assert watcher.rules() == ["balance_low"]


def test_a_rejected_key_is_told_before_anything_was_ever_read(world):
    world = world(main=spending(1, 30))
    watcher = Watcher(world)
    key = world.accounts["main"].management_key
    key.revoked = True
    assert watcher.refresh() == ["opened key_rejected main"]
    assert watcher.incident("key_rejected").facts["reason"] == "key_rejected"
    assert watcher.hours(5) == []
    key.revoked = False
    assert watcher.balance(after=HOUR) == [], "the other part has not been read with it yet"
    assert watcher.refresh() == ["resolved key_rejected main"]


def test_a_stale_reading_says_nothing_about_the_balance_any_more(world):
    world = world(main=spending(1, 20))
    watcher = Watcher(world, limits=Limits((Usd.of(25),)), repeat_every=10 * MINUTE)
    assert watcher.refresh() == OPENED
    assert watcher.tick(after=15 * MINUTE) == [
        "opened data_stale main",
        "reminded balance_low main",
    ]
    assert watcher.tick(after=5 * HOUR) == ["reminded data_stale main"]
    assert watcher.incident("balance_low").as_of == MORNING


def test_runway_is_not_judged_while_no_activity_is_known_nor_by_todays_first_hours(world):
    world = world(main=spending(10, 100))
    watcher = Watcher(world)
    assert watcher.balance() == []
    world.accounts["main"].spend(20, TODAY)
    assert watcher.balance(after=5 * MINUTE) == [], "nobody knows whether 20 is unusual"
    assert watcher.refresh(after=5 * MINUTE) == ["opened runway_short main"]
    assert watcher.incident("runway_short").facts["rate"] == "today"


# -- stale data ---------------------------------------------------------------------------------


def test_data_is_stale_after_three_intervals_and_good_again_with_the_next_refresh(world):
    world = world(main=steady())
    watcher = watching(world)
    world.server.faults.add("/", faults.status(500), times=None)
    assert watcher.balance(after=14 * MINUTE) == []
    assert watcher.tick(after=1 * MINUTE) == ["opened data_stale main"]
    facts = watcher.incident("data_stale").facts
    assert (facts["part"], facts["good_at"]) == ("balance", MORNING)
    assert "500" in facts["error"]
    assert watcher.balance(after=10 * MINUTE) == []
    world.server.faults.clear()
    assert watcher.balance(after=1 * MINUTE) == ["resolved data_stale main"]
    assert watcher.hours(2, step=5 * MINUTE, parts=["balance"]) == []
    assert watcher.balance(after=40 * MINUTE) == ["opened data_stale main"]
    assert watcher.incident("data_stale").facts["part"] == "activity"
    assert watcher.refresh() == ["resolved data_stale main"]


def test_neither_a_restart_nor_a_machine_that_slept_makes_data_stale(world):
    world = world(main=steady())
    watcher = watching(world)
    world.at(MORNING + 2 * DAY)
    watcher.set(since=world.now)
    assert watcher.tick() == []
    assert watcher.tick(after=14 * MINUTE) == []
    assert watcher.tick(after=MINUTE) == ["opened data_stale main"]
    watcher.set(since=world.now)  # an open one is not resolved by that either
    assert watcher.tick(after=MINUTE) == []
    assert watcher.refresh() == ["resolved data_stale main"]


def test_an_account_that_was_never_read_is_told_and_an_idle_one_is_not(world):
    world = world(main=steady(), never=steady(seed="never"))
    watcher = watching(world)
    assert watcher.hours(0.5, step=10 * MINUTE) == ["opened data_stale never"]
    assert watcher.hours(40) == ["reminded data_stale never"]


def test_a_newest_day_that_is_overdue_is_told_though_no_part_is_stale_yet(world):
    world = world(main=steady())
    slow = replace(LIMITS, activity_every=6 * HOUR)
    watcher = watching(world, limits=slow)
    world.accounts["main"].hide_day(TODAY)
    assert watcher.refresh(after=MIDNIGHT + 5 * HOUR - world.now) == []
    for _ in range(8):
        assert watcher.balance(after=HOUR) == []
    assert watcher.balance(after=HOUR) == ["opened data_stale main"]
    facts = watcher.incident("data_stale").facts
    assert (facts["part"], facts["day"], facts["known"]) == ("day", TODAY, ago(1))
    world.accounts["main"].show_day(TODAY)
    assert watcher.refresh() == ["resolved data_stale main"]


# -- the installation, several accounts, other configurations -----------------------------------


def test_a_locked_vault_is_told_after_a_while_and_over_once_it_is_open(world):
    world = world(main=steady())
    watcher = watching(world)
    watcher.set(locked_since=world.now)
    assert watcher.balance(after=9 * MINUTE) == []
    assert watcher.balance(after=MINUTE) == ["opened vault_locked"]
    watcher.set(running=False)  # a command beside the daemon knows nothing of the vault
    assert watcher.balance(after=MINUTE) == []
    watcher.set(running=True, locked_since=None)
    assert watcher.balance(after=MINUTE) == ["resolved vault_locked"]


def test_accounts_do_not_mix(world):
    world = world(main=spending(1, 30), side=spending(5, 500, "side"))
    watcher = watching(world)
    assert watcher.refresh("side") == []
    world.accounts["side"].spend(300, TODAY)
    assert watcher.balance("side", after=5 * MINUTE) == ["opened runway_short side"]
    world.accounts["main"].spend(8, TODAY)
    assert watcher.balance() == ["opened balance_low main", "opened runway_short main"]
    world.accounts["side"].top_up(5_000)
    assert watcher.balance("side", after=5 * MINUTE) == ["resolved runway_short side"]
    assert watcher.balance() == []
    assert watcher.rules() == ["balance_low", "runway_short"]


def test_what_is_no_longer_configured_is_resolved_as_such(world):
    world = world(main=spending(1, 30), old=spending(1, 20, "old"))
    budget = Budget("small", Usd.of(99), percents=(Decimal(40),))
    watcher = Watcher(world, limits=Limits((Usd.of(25),)), budgets=(budget,))
    watcher.refresh()
    assert watcher.refresh("old") == ["opened balance_low old", "opened budget_spent small"]
    watcher.set(accounts=("main",), budgets=())
    assert watcher.tick(after=MINUTE) == ["resolved balance_low old", "resolved budget_spent small"]
    with world.store.reading() as tx:
        facts = tx.execute("SELECT facts FROM incident WHERE resolved_at IS NOT NULL").fetchall()
    assert all('"unwatched"' in text for [text] in facts)
    assert watcher.hours(1) == []


def test_a_clock_that_was_set_back_hides_no_later_reading(world):
    world = world(main=spending(1, 30))
    watcher = watching(world, limits=Limits((Usd.of(25),)))
    assert watcher.refresh(after=5 * HOUR) == []
    world.at(MORNING)
    world.accounts["main"].spend(8, TODAY)
    assert watcher.balance(after=5 * MINUTE) == OPENED
    world.accounts["main"].top_up(1)
    assert watcher.balance(after=5 * MINUTE) == ["top_up main"]
    assert watcher.balance(after=5 * MINUTE) == []
    world.accounts["main"].top_up(50)
    assert watcher.balance(after=5 * MINUTE) == ["resolved balance_low main"]


# -- what has today cost? -----------------------------------------------------------------------


def test_spend_today_of_a_daemon_started_at_midday_is_a_lower_bound_with_its_source(world):
    world = world(main=spending(1, 500))
    world.server.quirks.no_analytics = True
    world.at(MORNING + 12 * MINUTE).refresh()
    assert spend_headline(world.spend("today")).startswith("Today's spend is not known yet")
    world.accounts["main"].spend("3.21", TODAY)
    world.at(MORNING + HOUR).refresh(parts=["balance"])
    world.accounts["main"].refund(50)
    world.at(MORNING + HOUR + 5 * MINUTE).refresh(parts=["balance"])
    told = world.spend("today")
    assert spend_headline(told) == "Today so far: at least $3.21, by the balance since 09:12 UTC."
    assert spend_shape(told)["unattributed_usd"] is None
    world.at(MIDNIGHT + 5 * MINUTE).refresh()
    world.accounts["main"].spend(2, MIDNIGHT.date())
    world.at(MIDNIGHT + HOUR).refresh()
    told = world.spend("today")
    assert spend_headline(told) == "Today so far: $2.00, by the balance since 00:05 UTC."
    assert Usd.of(spend_shape(told)["unattributed_usd"]) == Usd.of(2)
    assert world.spend("7d").today is None
