"""What the rules find in a view, and when they refuse to judge."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.burn import Burn, History, burn_of
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import Usd
from costcompass_core.domain.outlook import outlook_of
from costcompass_core.domain.rules.balance import balance_low, runway_short
from costcompass_core.domain.rules.budget import budget_forecast, budget_spent
from costcompass_core.domain.rules.upkeep import byok_volume, data_stale, key_rejected, vault_locked
from costcompass_core.domain.rules.views import (
    AccountView,
    BudgetView,
    DayState,
    Lately,
    Limits,
    PartState,
    SystemView,
    Today,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
YESTERDAY = date(2026, 11, 22)
WEEK = Burn(date(2026, 11, 16), YESTERDAY, 7, Usd.of(35))
LIMITS = Limits((Usd.of(25), Usd.of(10)), (Decimal(7), Decimal(3)))


def part(ago=timedelta(minutes=1), *, failures=0, reason=None):
    return PartState(NOW, NOW - ago, failures, reason, "why" if reason else None)


def account(left="100", *, at=NOW, since=NOW - timedelta(days=9), **more):
    usual = {
        "burn": WEEK,
        "peak": Usd.of(8),
        "parts": {"balance": part(), "activity": part()},
    }
    balance = AccountBalance("main", Usd.of(left), at)
    return AccountView("main", NOW, since, balance, **(usual | more))


def budget(spent, *, complete=True, ahead=8, burn=WEEK, reads=(NOW,), **more):
    one = Budget("all", Usd.of(300), "month", (Decimal(50), Decimal(80), Decimal(100)))
    usual = {"completed": Usd.of(spent), "unseen": Usd.of(0)}
    rest = {"complete": complete, "burn": burn, "days_ahead": ahead, "reads": reads}
    span = (date(2026, 11, 1), date(2026, 11, 30))
    return BudgetView(one, NOW, span, Usd.of(spent), **(usual | rest | more))


@pytest.mark.parametrize(
    ("left", "level", "holds"),
    [("30.01", 0, 0), ("30", 0, 1), ("25.01", 0, 1), ("25", 1, 1), ("12.01", 1, 1),
     ("12", 1, 2), ("10", 2, 2), ("0.01", 2, 2), ("0", 3, 3), ("-3", 3, 3)],
)  # fmt: skip
def test_a_level_is_crossed_at_it_and_recovered_from_a_fifth_above(left, level, holds):
    found = balance_low(account(left), LIMITS)
    assert (found.level, found.holds, found.of) == (level, holds, 2)
    assert found.scale == (-25, -10, 0)
    assert found.facts["crossed"] == (Usd.of(25), Usd.of(10))[:level]


def test_nothing_is_said_of_a_balance_that_is_older_than_three_intervals():
    assert balance_low(account("1", at=NOW - timedelta(minutes=15)), LIMITS).level == 2
    assert balance_low(account("1", at=NOW - timedelta(minutes=16)), LIMITS) is None
    assert runway_short(account("1", at=NOW - timedelta(minutes=16)), LIMITS) is None


def test_runway_is_the_balance_over_the_mean_and_says_when_it_ends():
    found = runway_short(account("15"), LIMITS)
    assert (found.level, found.facts["days"], found.facts["rate"]) == (2, Decimal("3.0"), "mean")
    assert found.facts["empty_at"] == NOW + timedelta(days=3)


def test_a_day_dearer_than_the_week_before_counts_as_the_rate_so_a_runaway_job_is_told_now():
    calm = account("60", today=Today(Usd.of(8), NOW))
    assert runway_short(calm, LIMITS).level == 0
    running = account("60", today=Today(Usd.of(30), NOW))
    found = runway_short(running, LIMITS)
    assert (found.level, found.facts["rate"], found.facts["days"]) == (2, "today", Decimal(2))
    # After midnight yesterday still counts, whether its rows have been reported or not.
    after = account("60", today=Today(Usd.of(1), NOW), yesterday=Usd.of(30))
    assert runway_short(after, LIMITS).facts["rate"] == "yesterday"


@pytest.mark.parametrize(
    "burn",
    [None, Burn(date(2026, 11, 16), YESTERDAY, 6, Usd.of(30)),
     Burn(date(2026, 11, 14), date(2026, 11, 20), 7, Usd.of(35))],
    ids=["unknown", "a day missing", "out of date"],
)  # fmt: skip
def test_runway_is_not_judged_by_partial_or_old_usage(burn):
    assert runway_short(account("15", burn=burn), LIMITS) is None


def test_the_pace_of_the_last_hour_is_told_where_it_is_sooner_and_is_no_level():
    burst = account("60", lately=Lately(Usd.of(20), NOW))
    found = runway_short(burst, LIMITS)
    assert (found.level, found.facts["empty_at"]) == (0, NOW + timedelta(days=12))
    assert found.facts["soonest_at"] == NOW + timedelta(hours=3)
    calm = account("60", lately=Lately(Usd.of("0.2"), NOW))
    assert "soonest_at" not in runway_short(calm, LIMITS).facts


def expecting(per_day, **more):
    """What is known of an account that cost the same on each of thirty days."""
    days = {YESTERDAY - timedelta(days=age): Usd.of(per_day) for age in range(30)}
    past = History(days, min(days))
    return {"burn": burn_of(past), "outlook": outlook_of(past), "peak": Usd.of(per_day), **more}


@pytest.mark.parametrize("left", ["15", "0.01", "0.0000000001", "0"])
def test_a_runway_that_is_walked_is_short_down_to_the_last_fraction_of_a_cent(left):
    found = runway_short(account(left, **expecting(5)), LIMITS)
    assert (found.level, found.facts["days"]) == (2, Decimal("3.0") if left == "15" else 0)


@pytest.mark.parametrize(
    ("left", "per_day", "level"),
    [("900", "0.00000000000000001", 0), ("1", "900000000000000000", 2)],
)
def test_no_amount_is_too_large_or_too_small_to_judge(left, per_day, level):
    known = expecting(per_day)
    assert runway_short(account(left, **known), LIMITS).level == level
    landing = budget_forecast(budget("0", burn=known["burn"], outlook=known["outlook"]), LIMITS)
    exact = Usd.of_ratio(8 * Usd.of(per_day).ratio())
    assert abs((landing.facts["landing"] - exact).amount) <= Decimal("0.000001")


def test_an_empty_balance_has_no_runway_whatever_is_known():
    assert runway_short(account("0", burn=None), LIMITS).level == 2


def test_nothing_burning_is_no_short_runway():
    idle = Burn(date(2026, 11, 16), YESTERDAY, 7, Usd.of(0))
    assert runway_short(account("1", burn=idle), LIMITS).level == 0


def test_budget_levels_and_that_a_missing_day_can_raise_but_not_resolve():
    assert budget_spent(budget("149.99"), LIMITS).level == 0
    found = budget_spent(budget("300"), LIMITS)
    assert (found.level, found.facts["crossed"]) == (3, (Decimal(50), Decimal(80), Decimal(100)))
    assert budget_spent(budget("142"), LIMITS).holds == 0
    assert budget_spent(budget("142.6"), LIMITS).holds == 1
    assert budget_spent(budget("10", complete=False), LIMITS).holds == 3
    assert budget_spent(budget("10", unseen=Usd.of(200)), LIMITS).holds == 1
    old = NOW - timedelta(hours=4)
    assert budget_spent(budget("300", reads=(old, None)), LIMITS) is None
    # One account that can't be read hides nothing that the others are sure of.
    partly = budget_spent(budget("151", reads=(old, NOW)), LIMITS)
    assert (partly.level, partly.holds, partly.facts["partly"]) == (1, 3, 1)


def test_a_budget_forecast_lands_at_the_burn_rate():
    assert budget_forecast(budget("260"), LIMITS).level == 0  # 260 + 8 × 5 is just 300
    found = budget_forecast(budget("261"), LIMITS)
    assert (found.level, found.facts["landing"]) == (1, Usd.of(301))
    # Today counts with what it has cost already, where that is more than a day's share.
    busy = budget("261", completed=Usd.of(200))
    assert budget_forecast(busy, LIMITS).facts["landing"] == Usd.of(296)
    assert budget_forecast(budget("290", completed=Usd.of(200)), LIMITS).level == 1
    assert budget_forecast(budget("300"), LIMITS).level == 0, "told by the percentages"
    young = Burn(YESTERDAY, YESTERDAY, 1, Usd.of(35))
    assert budget_forecast(budget("261", burn=young), LIMITS) is None


def test_a_models_budget_counts_that_models_names_only():
    one = Budget("a", Usd.of(1), model="anthropic/*")
    assert one.covers_model("Anthropic/claude")
    assert not one.covers_model("openai/anthropic")


def test_data_is_stale_after_three_intervals_but_not_right_after_a_start():
    old = {"balance": part(timedelta(minutes=16), failures=9, reason="unavailable"),
           "activity": part()}  # fmt: skip
    found = data_stale(account(parts=old), LIMITS)
    assert (found.level, found.facts["part"]) == (1, "balance")
    assert data_stale(account(parts=old, since=NOW - timedelta(minutes=5)), LIMITS) is None
    assert data_stale(account(), LIMITS).level == 0


def test_a_newest_day_that_is_overdue_is_stale_though_refreshes_succeed():
    late = NOW.replace(hour=12)
    parts = {name: PartState(late, late, 0, None, None) for name in ("balance", "activity")}
    before = DayState(YESTERDAY - timedelta(days=1), Usd.of(5), Usd.of(5))
    unread = (DayState(YESTERDAY, None, Usd.of(5)), before)
    view = AccountView("main", late, NOW - timedelta(days=1), burn=WEEK, days=unread, parts=parts)
    assert data_stale(view, LIMITS).facts["day"] == YESTERDAY
    early = NOW.replace(hour=8, minute=59)
    then = {name: PartState(early, early, 0, None, None) for name in parts}
    assert data_stale(replace(view, now=early, parts=then), LIMITS).level == 0
    # No rows are no usage only where the balance agrees.
    empty = (DayState(YESTERDAY, Usd.of(0), Usd.of(5)), before)
    assert data_stale(replace(view, days=empty), LIMITS).facts["day"] == YESTERDAY
    idle = (DayState(YESTERDAY, Usd.of(0), Usd.of("0.99")), before)
    assert data_stale(replace(view, days=idle), LIMITS).level == 0


@pytest.mark.parametrize("reason", ["key_rejected", "wrong_key_type"])
def test_a_refused_key_is_its_own_incident_and_not_stale_data_too(reason):
    parts = {"balance": part(timedelta(days=1), failures=1, reason=reason), "activity": part()}
    view = account(parts=parts)
    assert key_rejected(view, LIMITS).facts["reason"] == reason
    assert data_stale(view, LIMITS) is None
    offline = {"balance": part(failures=1, reason="unavailable"), "activity": part()}
    assert key_rejected(account(parts=offline), LIMITS) is None
    assert key_rejected(account(), LIMITS).level == 0


def test_byok_volume_nears_what_is_free():
    assert byok_volume(account(byok_month=Usd.of(19_999)), LIMITS).level == 0
    assert byok_volume(account(byok_month=Usd.of(20_000)), LIMITS).level == 1
    assert byok_volume(account(byok_month=Usd.of(25_000)), LIMITS).level == 2


def test_a_vault_may_be_locked_for_a_moment():
    assert vault_locked(SystemView(NOW, NOW - timedelta(minutes=9)), LIMITS).level == 0
    assert vault_locked(SystemView(NOW, NOW - timedelta(minutes=10)), LIMITS).level == 1
    assert vault_locked(SystemView(NOW, None), LIMITS).level == 0
