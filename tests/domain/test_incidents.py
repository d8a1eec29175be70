"""The life of incidents: told once per level, hysteresis, reminders, snoozes that always end."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from test_rules import account

from costcompass_core.domain.incidents import (
    SNOOZES,
    Change,
    Incident,
    acknowledged,
    snoozed,
    unacknowledged,
    woken,
)
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reconcile import reconcile
from costcompass_core.domain.rules.balance import balance_low
from costcompass_core.domain.rules.views import Finding, Key, Limits

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = Key("balance_low", "main")
LEVELS = (25, 10, 4)


class Story:
    """Plays findings against the incidents that are open, as the store would keep them."""

    def __init__(self):
        self.open: dict[Key, Incident] = {}
        self.told: list[tuple[str, int]] = []
        self.now = NOW

    def see(self, finding, *, hours=0.1, topped_up=()):
        self.now += timedelta(hours=hours)
        changes = reconcile(self.open.values(), {KEY: finding}, self.now, DAY, topped_up)
        for change in changes:
            self.take(change)
        return [one.what for one in changes if one.what != "noted"]

    def balance(self, left, **more):
        limits = Limits(tuple(Usd.of(one) for one in LEVELS))
        return self.see(balance_low(account(str(left)), limits), **more)

    def take(self, change: Change):
        incident = replace(change.incident, ident=1, seq=change.incident.seq + 1)
        if change.what != "noted":
            self.told.append((change.what, incident.level))
        if change.what == "resolved":
            del self.open[incident.key]
        else:
            self.open[incident.key] = incident

    @property
    def incident(self):
        return self.open[KEY]


def test_one_incident_gets_worse_and_is_resolved_beyond_the_margin():
    story = Story()
    assert story.balance(30) == []
    assert story.balance(25) == ["opened"]
    assert story.balance(24) == []
    assert story.balance(10) == ["worse"]
    assert story.balance(11) == []  # within the margin of 10
    assert story.balance(13) == ["better"]
    assert story.balance(10) == ["worse"]  # armed again by the recovery
    assert story.balance(30) == ["better"]  # 30 is a fifth above 25, and no more
    assert story.balance("30.01") == ["resolved"]


def test_a_jump_over_several_levels_is_one_message_that_names_them_all():
    story = Story()
    assert story.balance(3) == ["opened"]
    assert story.incident.level == 3
    assert story.incident.facts["crossed"] == tuple(Usd.of(one) for one in LEVELS)
    assert story.incident.critical


def test_without_a_judgement_nothing_happens_however_long_it_lasts():
    story = Story()
    story.balance(5)
    assert story.see(None, hours=100) == []
    assert story.balance(5) == ["reminded"]


def test_reminders_come_every_so_often_until_somebody_takes_it_on():
    story = Story()
    story.balance(20)
    assert story.balance(20, hours=23) == []
    assert story.balance(20, hours=1) == ["reminded"]
    story.take(acknowledged(story.incident, "U1", story.now))
    assert story.balance(20, hours=100) == []
    story.take(unacknowledged(story.incident, "U1", story.now))
    assert story.balance(20, hours=25) == ["reminded"]


def test_what_was_pressed_never_hides_a_worse_level():
    for press in (
        lambda one, now: acknowledged(one, "U1", now),
        lambda one, now: snoozed(one, "24h", "U1", now),
        lambda one, now: snoozed(one, "top_up", "U1", now),
    ):
        story = Story()
        story.balance(20)
        story.take(press(story.incident, story.now))
        assert story.balance(9) == ["worse"]
        assert story.incident.acknowledged_at is None
        assert story.incident.snoozed_until is None


def test_every_snooze_ends_and_then_reminds_at_once():
    for kind, length in SNOOZES.items():
        story = Story()
        story.balance(20)
        story.take(snoozed(story.incident, kind, "U1", story.now))
        hours = length / timedelta(hours=1)
        assert story.balance(20, hours=hours - 1) == []
        assert story.balance(20, hours=1) == ["reminded"]


def test_a_top_up_ends_the_snooze_that_waits_for_one_even_where_it_was_too_small():
    story = Story()
    story.balance(5)
    story.take(snoozed(story.incident, "top_up", "U1", story.now))
    assert story.balance(7, topped_up=["other"]) == []
    assert story.balance(7, topped_up=["main"]) == ["reminded"]
    # Where nobody can judge just then, the reminder waits until somebody can.
    story.take(snoozed(story.incident, "top_up", "U1", story.now))
    assert story.see(None, topped_up=["main"]) == ["woken"]
    assert story.see(None) == []
    assert story.balance(7) == ["reminded"]
    story.take(snoozed(story.incident, "4h", "U1", story.now))
    assert story.balance(7, topped_up=["main"]) == []
    story.take(woken(story.incident, "U2", story.now))
    assert story.incident.by == "U2"
    assert story.balance(7, hours=23) == []


def test_an_incident_that_no_rule_watches_any_more_is_resolved():
    story = Story()
    story.balance(5)
    [change] = reconcile(story.open.values(), {}, NOW, DAY)
    assert (change.what, change.incident.facts["unwatched"]) == ("resolved", 1)


@given(st.lists(st.one_of(st.none(), st.integers(-5, 60)), max_size=60))
def test_each_level_is_told_whenever_it_is_newly_crossed_and_never_twice(balances):
    """A model of it: armed levels are told when crossed and armed again above the margin."""
    known = (*LEVELS, 0)  # the last one is nobody's choice: a balance that is used up
    story, armed = Story(), set(known)
    for left in balances:
        before = len(story.told)
        if left is None:
            story.see(None)
            assert len(story.told) == before
            continue
        story.balance(left)
        fresh = {one for one in armed if left <= one}
        loud = [what for what, _ in story.told[before:] if what in {"opened", "worse"}]
        assert len(loud) == bool(fresh)
        if fresh:
            assert {one.amount for one in story.incident.facts["crossed"]} >= fresh - {0}
        armed = (armed - fresh) | {one for one in known if left > one * 1.2}
        assert bool(story.open) == (len(armed) < len(known))


def test_a_balance_that_is_used_up_is_worse_than_its_last_level_and_ends_a_snooze():
    story = Story()
    story.balance(3)
    story.take(snoozed(story.incident, "24h", "U1", story.now))
    assert story.balance(0) == ["worse"]
    assert (story.incident.level, story.incident.of, story.incident.critical) == (4, 3, True)
    assert story.balance(1) == ["better"]
    assert (story.incident.level, story.incident.snoozed_until) == (3, None)


def test_levels_that_the_user_changes_are_compared_as_amounts_and_not_as_counts():
    def after(before, left, now, and_then):
        """Return what is told of `and_then` USD after a restart with other levels at `left` USD."""
        story, told = Story(), []
        for levels, usd in ((before, left), (now, left), (now, and_then)):
            limits = Limits(tuple(Usd.of(one) for one in levels))
            told.append(story.see(balance_low(account(str(usd)), limits)))
        return told[1:]

    assert after([25, 10], 24, [22, 10], 21) == [["resolved"], ["opened"]]
    assert after([25, 10], 9, [8, 5], "7.5") == [["resolved"], ["opened"]]
    assert after([25, 10], 9, [12, 8], "7.5") == [[], ["worse"]]
    assert after([25], 20, [50, 25], 19) == [[], []], "nothing moved"
    assert after([25, 10], 9, [25], 9) == [[], []]
    assert after([25], 20, [], 19) == [["resolved"], []]


def test_newer_facts_are_kept_though_nobody_is_told():
    story = Story()
    story.balance(24)
    assert story.balance(13) == []
    assert (story.incident.facts["left"], story.incident.seq) == (Usd.of(13), 2)


def test_a_period_that_is_over_ends_its_incident_and_the_next_begins_its_own():
    def month(number, level):
        return Finding(level, level, 2, {"from": date(2026, number, 1)}, NOW)

    story = Story()
    assert story.see(month(11, 2)) == ["opened"]
    story.take(acknowledged(story.incident, "U1", story.now))
    assert story.see(month(12, 1)) == ["resolved", "opened"]
    assert (story.incident.level, story.incident.acknowledged_at) == (1, None)
    assert story.see(month(1, 0)) == ["resolved"]


def test_a_clock_that_was_set_back_neither_lengthens_a_snooze_nor_silences_reminders():
    story = Story()
    story.now += 400 * DAY
    story.balance(20)
    story.take(snoozed(story.incident, "4h", "U1", story.now))
    story.now = NOW
    assert story.balance(20) == ["reminded"]
    story.take(Change("refreshed", replace(story.incident, told_at=NOW + 400 * DAY)))
    assert story.balance(20) == ["reminded"]
    assert story.balance(20) == []


@given(st.lists(st.integers(0, 3), max_size=40))
def test_levels_never_leave_their_bounds(levels):
    story = Story()
    for level in levels:
        story.see(Finding(level, level, 3, {}, NOW))
        assert bool(story.open) == (level > 0)
        if level:
            assert story.incident.level == level <= story.incident.worst <= 3
