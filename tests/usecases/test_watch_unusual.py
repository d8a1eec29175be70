"""Unusual spend over real refreshes: told once, on what is sure, and how it ends."""

from datetime import UTC
from decimal import Decimal

import pytest
from refresh_world import TODAY, ago
from watch_world import DAY, HOUR, MIDNIGHT, MINUTE, spending, watching

from bot import alert_words
from bot.sandbox.openrouter_rows import activity_row
from costcompass_core.domain.incidents import snoozed
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.views import Limits
from costcompass_core.storage.incidents import incidents_by_id
from costcompass_core.usecases.watch import write_change

QUIET = Limits(notice_above=Usd.of(1))


def watched(world, account=None):
    return watching(world(main=account or spending(1, 5000)), limits=QUIET, unusual=True)


def row(day, usd, model="openai/gpt-4.1", **more):
    return activity_row(day, model, usd, **more)


def live(watcher, usd, days, model="openai/gpt-4.1", first=0):
    """Let days pass that cost as much, each read the morning after; return what was told."""
    told = []
    account = watcher.world.accounts["main"]
    for day in range(first, first + days):
        account.set_day(ago(-day), [row(ago(-day), usd, model)])
        told += watcher.refresh(after=DAY)
    return told


def test_a_first_read_says_nothing_of_days_that_were_over_before_it(world):
    account = spending(1, 5000)
    account.set_day(ago(1), [row(ago(1), 90)])
    watcher = watched(world, account)
    assert watcher.hours(3) == []


def test_todays_spike_is_told_by_the_balance_once_and_ends_after_three_usual_days(world):
    watcher = watched(world)
    watcher.world.accounts["main"].spend(12, TODAY)
    assert watcher.balance(after=5 * MINUTE) == ["opened spend_spike main"]
    incident = watcher.incident("spend_spike")
    assert (incident.level, incident.facts["spent"], incident.facts["over"]) == (
        1,
        Usd.of(12),
        Usd.of(11),
    )
    assert "cause" not in incident.facts
    assert any("is not reported yet" in one for one in alert_words.details(incident, UTC))
    assert watcher.balance(after=16 * MINUTE) == []  # beside it, today is read by model
    assert watcher.balance(after=5 * MINUTE) == ["refreshed spend_spike main"]
    [told] = [
        one for one in alert_words.details(watcher.incident("spend_spike"), UTC) if "most is" in one
    ]
    assert (
        told
        == 'By the balance. Of what is reported by model so far, most is "openai/gpt-4.1": $12.00.'
    )
    watcher.world.accounts["main"].spend(30, TODAY)
    assert watcher.balance(after=5 * MINUTE) == ["worse spend_spike main"]
    assert live(watcher, 42, 1, "new/model") == ["refreshed spend_spike main", "new_model main"]
    told = watcher.incident("spend_spike")
    assert (
        alert_words.headline(told, UTC)
        == "Spend of main on 23 Nov is critical: $42.00, $41.00 over the usual $1.00 a day."
    )
    cause, rule = alert_words.details(told, UTC)
    assert cause == 'Mostly "new/model": +$42.00, not used in the days before.'
    assert rule.endswith(
        "at least $5.60: a fifth of what they cost together, but never under $1.00."
        " Critical: it is over by all that they cost."
    )
    assert live(watcher, 1, 2, first=1) == []
    assert live(watcher, 1, 1, first=3) == ["resolved spend_spike main"]
    assert live(watcher, 1, 4, first=4) == []


@pytest.mark.parametrize(
    ("after", "says"), [(3, "the new normal of main"), (1, "main is back to $1.00")]
)
def test_a_level_is_one_message_and_its_end_says_whether_it_stayed(world, after, says):
    watcher = watched(world)
    assert live(watcher, 3, 8) == ["opened spend_level main"]
    opened = watcher.incident("spend_level")
    assert Usd.of(1) <= opened.facts["usual"] < Usd.of("1.6")
    assert opened.facts["cause_model"] == "openai/gpt-4.1"
    assert live(watcher, after, 22, first=8) == ["resolved spend_level main"]
    with watcher.world.store.reading() as tx:
        over = incidents_by_id(tx, [opened.ident])[opened.ident]
    assert over.resolved_at - over.opened_at >= 14 * DAY
    assert says in alert_words.headline(over, UTC)


def test_a_burst_raises_no_level_beside_its_own_alert(world):
    watcher = watched(world)
    assert live(watcher, 40, 1) == ["opened spend_spike main"]
    assert live(watcher, 1, 8, first=1) == ["resolved spend_spike main"]


def test_rows_that_come_late_neither_end_nor_repeat_a_spike(world):
    watcher = watched(world)
    account = watcher.world.accounts["main"]
    account.set_day(TODAY, [row(TODAY, 60)])
    account.hide_day(TODAY, MIDNIGHT + 30 * HOUR)
    told = watcher.hours(36)
    assert told[0] == "opened spend_spike main"
    spikes = [one for one in told if "spend_spike" in one]
    assert spikes[0] not in spikes[1:]
    assert set(spikes[1:]) <= {"refreshed spend_spike main"}, "who it was comes with the rows"


@pytest.mark.parametrize(
    ("ages", "told"), [((20, 11), ["opened spend_spike main"]), ((20, 11, 9), [])]
)
def test_two_days_that_never_came_do_not_silence_the_rules_for_weeks(world, ages, told):
    watcher = watched(world)
    with watcher.world.store.writing() as tx:
        tx.executemany("DELETE FROM usage_day WHERE day = ?", [(str(ago(age)),) for age in ages])
    watcher.world.accounts["main"].spend(500, TODAY)
    assert watcher.balance(after=5 * MINUTE) == told


def test_traffic_that_moves_to_a_dearer_model_is_told_once_with_both_names(world):
    watcher = watched(world, spending(2, 5000))
    told = live(watcher, 3, 9, "dear/model")
    assert told == ["new_model main", "opened routing_drift main"]
    facts = watcher.incident("routing_drift").facts
    assert (facts["to"], facts["left"]) == ("dear/model", "openai/gpt-4.1")
    assert Usd.of(2) <= facts["over"] <= Usd.of(7)


def test_a_model_that_moves_to_a_dearer_host_is_told_with_both_prices(world):
    account = spending(0, 5000)
    for age in range(1, 41):
        account.set_day(ago(age), [row(ago(age), 3, host="Usual")])
    watcher, told = watched(world, account), []
    for day in range(6):
        account.set_day(ago(-day), [row(ago(-day), 5, host="Dear")])
        told += watcher.refresh(after=DAY)
    assert told == ["opened fallback_routing main"]
    facts = watcher.incident("fallback_routing").facts
    assert (facts["left"], facts["to"]) == ("Usual", "Dear")
    assert facts["usual_price"] < facts["price"]


def moved(watcher, days, hosts, first=0):
    """Let days pass on which each model is used at its host; return what was told."""
    told, account = [], watcher.world.accounts["main"]
    for day in range(first, first + days):
        rows = [row(ago(-day), usd, model, host=host) for model, (host, usd) in hosts.items()]
        account.set_day(ago(-day), rows)
        told += watcher.refresh(after=DAY)
    return told


def test_a_second_model_at_a_dearer_host_is_told_once_the_first_had_its_fortnight(world):
    account = spending(0, 5000)
    for age in range(1, 41):
        account.set_day(ago(age), [row(ago(age), 3, one, host="Usual") for one in "ab"])
    watcher = watched(world, account)
    opened, changed = ["opened fallback_routing main"], ["resolved fallback_routing main"]
    assert moved(watcher, 6, {"a": ("Dear", 5), "b": ("Usual", 3)}) == opened
    both = {"a": ("Dear", 5), "b": ("Dearer", 6)}
    assert moved(watcher, 10, both, first=6) == []
    assert watcher.incident("fallback_routing").facts["model"] == "a", "what was told of it stays"
    first = watcher.incident("fallback_routing").ident
    assert moved(watcher, 3, both, first=16) == changed + opened
    with watcher.world.store.reading() as tx:
        over = alert_words.headline(incidents_by_id(tx, [first])[first], UTC)
    assert over.startswith('Over, traffic has moved elsewhere since: routing of "a" on main stood')
    assert watcher.incident("fallback_routing").facts["model"] == "b"
    assert moved(watcher, 12, both, first=19) == changed


def test_a_spike_is_told_after_a_weekend_without_the_daemon_and_no_older_one(world):
    watcher = watched(world)
    account = watcher.world.accounts["main"]
    for day, usd in enumerate([60, 1, 1, 40, 1]):
        account.set_day(ago(-day), [row(ago(-day), usd)])
    assert watcher.refresh(after=5 * DAY) == [], "what cost more before was over too long ago"
    assert live(watcher, 1, 4, first=5) == []
    account.set_day(ago(-9), [row(ago(-9), 90)])
    assert live(watcher, 1, 1, first=10) == ["opened spend_spike main"]
    assert watcher.incident("spend_spike").facts["day"] == ago(-9)


def test_a_spike_that_somebody_snoozed_is_told_again_and_otherwise_never(world):
    watcher = watched(world)
    watcher.world.accounts["main"].spend(12, TODAY)
    assert watcher.balance(after=5 * MINUTE) == ["opened spend_spike main"]
    with watcher.world.store.writing() as tx:
        now = watcher.world.now
        write_change(tx, snoozed(watcher.incident("spend_spike"), "4h", "U1", now), now, ["slack"])
    assert watcher.told() == ["snoozed spend_spike main"]
    assert set(watcher.hours(3)) <= {"refreshed spend_spike main"}
    assert watcher.hours(10) == ["reminded spend_spike main"]


def test_a_day_by_the_balance_is_told_as_such_until_its_rows_come(world):
    watcher = watched(world)
    account = watcher.world.accounts["main"]
    account.set_day(TODAY, [row(TODAY, 60)])
    account.hide_day(TODAY, MIDNIGHT + 30 * HOUR)
    watcher.hours(24)
    told = alert_words.headline(watcher.incident("spend_spike"), UTC)
    assert "23 Nov is critical: at least $60.00, $59.00 over" in told
    watcher.hours(24)
    told = alert_words.headline(watcher.incident("spend_spike"), UTC)
    assert "23 Nov is critical: $60.00, $59.00 over" in told


def test_what_is_told_is_never_newer_than_what_it_is_about(world):
    watcher = watched(world)
    watcher.world.accounts["main"].spend(12, TODAY)
    assert watcher.balance(after=5 * MINUTE) == ["opened spend_spike main"]
    read_at = watcher.world.now
    watcher.tick(2 * HOUR)
    assert watcher.incident("spend_spike").as_of == read_at
    assert "refreshed spend_spike main" in live(watcher, 12, 1)
    read_at = watcher.world.now
    watcher.tick(2 * HOUR)
    assert watcher.incident("spend_spike").as_of == read_at


def test_a_runaway_job_is_told_by_when_it_runs_dry_and_by_what_is_not_as_usual(world):
    limits = Limits((Usd.of(25),), (Decimal(7), Decimal(3)))
    watcher = watching(world(main=spending(1, 100)), limits=limits, unusual=True)
    watcher.world.accounts["main"].spend(60, TODAY)
    told = watcher.balance(after=2 * HOUR)
    assert told == ["opened runway_short main", "opened spend_spike main"]
    dry, unusual = (
        alert_words.headline(watcher.incident(rule), UTC)
        for rule in ("runway_short", "spend_spike")
    )
    assert "about 16 hours at today's rate" in dry
    assert "$59.00 over the usual $1.00 a day" in unusual


def test_a_new_model_is_told_once_two_cheap_days_together_cost_enough(world):
    watcher, told = watched(world), []
    for day, usd in enumerate(["0.6", "0.7", "0.9", "0", "0.3", "0.6", "2", "2", "2"]):
        rows = [row(ago(-day), 1), row(ago(-day), usd, "new/model")]
        watcher.world.accounts["main"].set_day(ago(-day), rows)
        watcher._refresh("main", DAY, {})
        told += [(day, one.notice) for one in watcher.letters() if one.notice]
    [(day, notice)] = told
    assert (day, notice.facts["amount"], notice.facts["first"]) == (1, Usd.of("1.3"), TODAY)
    rule = "The rule: a model's first 7 days, once they have cost at least $1.00."
    assert rule in alert_words.notice_details(notice, UTC)
