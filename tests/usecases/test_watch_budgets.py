"""Budgets over real refreshes: what counts, what is told, and what ends with the month."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from refresh_world import MORNING, TODAY, ago
from watch_world import DAY, HOUR, MIDNIGHT, MINUTE, Watcher, spending

from bot.sandbox import faults
from bot.sandbox.openrouter_rows import activity_row
from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.views import Limits
from costcompass_core.storage.budget_views import budget_views

PERCENTS = (Decimal(50), Decimal(80), Decimal(100))


def budgets(*made):
    """Watch these budgets and nothing else."""
    return {"limits": Limits(), "budgets": made, "repeat_every": 99 * DAY}


def test_a_months_budget_counts_today_and_starts_anew_with_the_month(world):
    world = world(main=spending(1, 500))
    watcher = Watcher(world, **budgets(Budget("team", Usd.of(44), percents=PERCENTS)))
    # 22 of 44 are spent, and 8 days more at a dollar fit.
    assert watcher.refresh() == ["opened budget_spent team"]
    world.accounts["main"].spend(14, TODAY)
    assert watcher.balance(after=5 * MINUTE) == ["worse budget_spent team"]
    facts = watcher.incident("budget_spent", "").facts
    assert (facts["spent"], facts["percent"]) == (Usd.of(36), Decimal("81.8"))
    assert facts["crossed"] == PERCENTS[:2]
    assert (facts["from"], facts["to"]) == (date(2026, 11, 1), date(2026, 11, 30))
    assert watcher.hours(48) == ["opened budget_forecast team"]  # 36 + 7 × 20/7 is too much
    world.at(datetime(2026, 12, 1, 0, 20, tzinfo=UTC))
    assert watcher.refresh() == [], "until a reading tells of December, November is what is known"
    assert watcher.balance(after=5 * MINUTE) == [
        "resolved budget_spent team",
        "resolved budget_forecast team",
    ]  # in December less than $1.40 a day is expected


def test_a_missing_day_can_raise_a_budgets_level_and_not_lower_it(world):
    world = world(main=spending(1, 500))
    watcher = Watcher(world, **budgets(Budget("team", Usd.of(50), percents=PERCENTS)))
    assert watcher.refresh() == []
    world.accounts["main"].spend(6, TODAY)
    assert watcher.balance(after=HOUR) == ["opened budget_spent team"]
    assert watcher.told() == []
    world.accounts["main"].hide_day(TODAY, MIDNIGHT + 2 * HOUR)
    assert watcher.refresh(after=MIDNIGHT + 5 * MINUTE - world.now) == []
    with world.store.reading() as tx:
        [view] = budget_views(tx, world.watch.budgets, world.watch.accounts, world.now)
    assert (view.spent, view.complete) == (Usd.of(28), False), "the balance knows of the day"
    assert watcher.hours(3) == []
    with world.store.reading() as tx:
        [view] = budget_views(tx, world.watch.budgets, world.watch.accounts, world.now)
    assert (view.spent, view.complete) == (Usd.of(28), True)


def test_a_years_budget_that_is_raised_is_over_though_its_first_months_were_never_read(world):
    world = world(main=spending(1, 500))
    year = Budget("year", Usd.of(30), "year", (Decimal(100),))
    watcher = Watcher(world, **budgets(year))
    assert watcher.refresh() == ["opened budget_spent year"]
    assert watcher.incident("budget_spent", "").facts["to"] == date(2026, 12, 31)
    watcher.set(budgets=(replace(year, amount=Usd.of(300)),))
    assert watcher.tick() == ["resolved budget_spent year"]


def test_budgets_of_a_model_or_an_account_count_nothing_else(world):
    world = world(main=spending(1, 500), side=spending(1, 500, "side"))
    claude = Budget("claude", Usd.of(10), percents=PERCENTS, model="Anthropic/*")
    side = Budget("side", Usd.of(40), percents=PERCENTS, account="side")
    watcher = Watcher(world, **budgets(claude, side))
    watcher.refresh()
    assert watcher.refresh("side") == ["opened budget_spent side side"]
    world.accounts["main"].spend(300, TODAY)
    assert watcher.balance(after=5 * MINUTE) == [], "nobody knows yet which model took it"
    world.accounts["main"].set_day(ago(1), [activity_row(ago(1), "anthropic/claude", 9)])
    assert watcher.refresh(after=5 * MINUTE) == [
        "opened budget_spent claude",
        "history_restated main",
    ]
    assert watcher.incident("budget_spent", "").facts["crossed"] == PERCENTS[:2]


def test_a_budget_that_will_be_exceeded_is_told_before_it_is(world):
    world = world(main=spending(1, 500))
    watcher = Watcher(world, **budgets(Budget("team", Usd.of("30.5"))))
    assert watcher.refresh() == []
    for age in (0, -1):
        world.accounts["main"].set_day(ago(age), [activity_row(ago(age), "a/b", 2)])
    assert watcher.refresh(after=2 * DAY) == ["opened budget_forecast team"]
    facts = watcher.incident("budget_forecast", "").facts
    # 22 + 2 × 2 so far, and six days more at a level that the two new days have raised.
    assert Usd.of("32.8") < facts["landing"] < Usd.of("33.2")
    for age in (-2, -3, -4, -5, -6):
        world.accounts["main"].set_day(ago(age), [])
    assert watcher.refresh(after=5 * DAY) == ["resolved budget_forecast team"]


def test_a_budget_is_not_over_because_its_rows_come_late_or_one_by_one(world):
    for name, late in (
        ("some", faults.edited(lambda text: text.replace(":150", ":3"))),
        ("no", None),
    ):
        one = world(main=spending(1, 500, name))
        one.at(MORNING)
        budget = Budget("team", Usd.of(200), percents=PERCENTS)
        watcher = Watcher(one, **budgets(budget))
        watcher.refresh()
        one.accounts["main"].set_day(TODAY, [activity_row(TODAY, "a/b", 150)])
        assert watcher.refresh(after=HOUR) == ["opened budget_spent team"], "22 and 150 of 200"
        if late:
            one.server.faults.add("/activity", late, times=None, where={"date": str(TODAY)})
        else:
            one.accounts["main"].hide_day(TODAY, MIDNIGHT + 8 * HOUR)
        assert "resolved budget_spent team" not in watcher.hours(20)
        assert watcher.incident("budget_spent", "").facts["spent"] == Usd.of(172)


def test_the_last_day_of_a_models_month_is_judged_though_it_is_reported_in_the_next(world):
    world = world(main=spending(1, 500))
    for day in range(23, 31):
        row = activity_row(date(2026, 11, day), "openai/gpt-4.1", 15 if day == 30 else 1)
        world.accounts["main"].set_day(date(2026, 11, day), [row])
    world.at(datetime(2026, 11, 30, 12, tzinfo=UTC))
    budget = Budget("gpt", Usd.of(40), percents=(Decimal(100),), model="openai/*")
    watcher = Watcher(world, **budgets(budget))
    assert watcher.refresh() == []
    told = watcher.hours(24)
    assert told == ["opened budget_spent gpt"], "29 and 15 of 40"
    assert "resolved budget_spent gpt" in watcher.hours(24), "its period is over"


def test_one_account_that_cannot_be_read_hides_no_budget_that_the_others_exceed(world):
    world = world(main=spending(1, 500), dead=spending(1, 500, "dead"))
    watcher = Watcher(world, **budgets(Budget("team", Usd.of(100), percents=PERCENTS)))
    watcher.refresh()
    watcher.refresh("dead")
    world.accounts["dead"].management_key.revoked = True
    watcher.refresh("dead", after=MINUTE)
    assert watcher.hours(5) == []
    world.accounts["main"].spend(90, TODAY)
    assert watcher.refresh(after=HOUR) == ["opened budget_spent team"]
    assert watcher.incident("budget_spent", "").facts["partly"] == 1
