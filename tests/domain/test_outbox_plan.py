"""What is told next: routes, quiet hours, delays, and what is told together."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.incidents import Home, Incident
from costcompass_core.domain.letters import (
    Desk,
    Letter,
    Route,
    Subject,
    TellDigest,
    TellIncident,
    TellNotice,
    TellSummary,
    TellTest,
    retry_at,
)
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.outbox import plan
from costcompass_core.domain.quiet import QuietHours
from costcompass_core.domain.rules.views import Key

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), BERLIN)
AT_NIGHT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOME = Home("C1", "1.1")


def incident(ident=1, *, rule="balance_low", account="main", home=None, over=False, **facts):
    return Incident(
        ident, Key(rule, account), NOW, 1, 2, 1, facts, NOW, NOW,
        resolved_at=NOW if over else None, home=home,
    )  # fmt: skip


def letter(ident, what="opened", *, of=1, at=NOW, **more):
    return Letter(ident, f"incident:{of}:{ident}", "incident", at, what, of, **more)


def notice(ident, *, at=NOW, rule="top_up"):
    one = Notice(rule, "main", f"{rule}:{ident}", {}, at)
    return Letter(ident, one.name, "notice", at, notice=one)


def digest(ident, day, at=NOW):
    return Letter(ident, f"digest:{day}", "digest", at, day=day)


def planned(letters, incidents=(), *, now=NOW, **desk):
    return plan(letters, {one.ident: one for one in incidents}, Desk("C1", **desk), now)


def test_quiet_hours_let_through_what_ends_within_them_at_the_soonest_and_silent_edits():
    far, near = NOW + timedelta(days=3), AT_NIGHT + timedelta(hours=2)
    calm, running = incident(empty_at=far), incident(empty_at=far, soonest_at=near)
    for one, told in ((calm, []), (running, ["opened"])):
        found = planned([letter(1, at=AT_NIGHT)], [one], now=AT_NIGHT, quiet=NIGHT)
        assert [telling.loud for telling in found] == told
    letters = [letter(1, "worse", at=AT_NIGHT), letter(2, "acknowledged", at=AT_NIGHT)]
    assert planned(letters, [incident()], now=AT_NIGHT, quiet=NIGHT) == []
    [edit] = planned(letters, [incident(home=HOME)], now=AT_NIGHT, quiet=NIGHT)
    assert (edit.loud, edit.letters) == (None, (letters[1],))


def test_letters_of_one_incident_are_told_together_with_the_newest_that_notifies():
    letters = [letter(1), letter(2, "worse"), letter(3, "acknowledged")]
    [telling] = planned(letters, [incident()])
    assert isinstance(telling, TellIncident)
    assert (telling.loud, telling.letters, telling.late) == ("worse", tuple(letters), None)


def test_a_reminder_after_it_got_worse_does_not_hide_that():
    letters = [letter(1, "worse"), letter(2, "reminded")]
    [telling] = planned(letters, [incident(home=HOME)])
    assert telling.loud == "worse"


def test_an_edit_alone_notifies_nobody():
    [telling] = planned([letter(1, "snoozed")], [incident(home=HOME)])
    assert telling.loud is None


def test_what_waited_is_stamped_with_the_moment_it_was_noticed():
    then = NOW - timedelta(hours=72)
    [telling] = planned([letter(1, at=then), letter(2, "reminded")], [incident()])
    assert telling.late == (then, False)


def test_after_an_outage_what_opened_and_resolved_is_one_message_and_open_ones_arrive():
    letters = [letter(i, of=i) for i in (1, 2, 3)] + [letter(4, "resolved", of=1)]
    letters.append(letter(5, "resolved", of=2))
    over = [incident(1, over=True), incident(2, over=True)]
    summary, own = planned(letters, [*over, incident(3)])
    assert isinstance(summary, TellSummary)
    assert [one.ident for one in summary.incidents] == [1, 2]
    assert not summary.quiet
    assert own.incident.ident == 3


def test_only_the_newest_digest_is_told_and_the_older_ones_are_done_with_it():
    days = [date(2026, 11, day) for day in (21, 23, 22)]
    [telling] = planned([digest(i, day) for i, day in enumerate(days)])
    assert isinstance(telling, TellDigest)
    assert telling.day == date(2026, 11, 23)
    assert len(telling.letters) == 3


def test_letters_that_are_put_off_wait():
    assert planned([letter(1, try_at=NOW + timedelta(seconds=1))], [incident()]) == []


def test_routes_send_the_first_match_elsewhere():
    routes = (Route("U1", "alert", "balance_low"), Route("C2", account="b"), Route("C3", "digest"))
    desk = Desk("C1", routes)
    assert desk.goes_to(Subject("alert", "balance_low", "b")) == "U1"
    assert desk.goes_to(Subject("alert", "runway_short", "b")) == "C2"
    assert desk.goes_to(Subject("alert", "runway_short", "a")) == "C1"
    assert desk.goes_to(Subject("digest")) == "C3"
    assert desk.goes_to(Subject("monthly")) == "C1"


def test_quiet_hours_hold_all_but_tests_and_what_runs_out_before_they_end():
    letters = [letter(1, of=1), letter(2, of=2), notice(3), digest(4, date(2026, 11, 23))]
    letters.append(Letter(5, "test:1", "test", AT_NIGHT))
    soon = incident(1, empty_at=AT_NIGHT + timedelta(hours=3))
    later = incident(2, rule="runway_short", empty_at=AT_NIGHT + timedelta(hours=9))
    test, urgent = planned(letters, [soon, later], now=AT_NIGHT, quiet=NIGHT)
    assert isinstance(test, TellTest)
    assert urgent.incident == soon


def test_quiet_hours_release_one_summary_whose_open_incidents_follow_in_its_thread():
    letters = [letter(1, of=1, at=AT_NIGHT), letter(2, of=2, at=AT_NIGHT), notice(3, at=AT_NIGHT)]
    letters.append(letter(4, "resolved", of=2, at=AT_NIGHT))
    open_one, over = incident(1), incident(2, rule="runway_short", over=True)
    [summary] = planned(letters, [open_one, over], quiet=NIGHT)
    assert summary.quiet
    assert {one.ident for one in summary.incidents} == {1, 2}
    assert len(summary.notices) == 1
    assert summary.follow == (open_one,)
    followed = replace(open_one, home=Home("C1", "", "9.9"))
    [own] = planned(letters[:1], [followed], quiet=NIGHT)
    assert isinstance(own, TellIncident)


def test_a_single_thing_held_back_speaks_for_itself():
    [telling] = planned([notice(1, at=AT_NIGHT)], quiet=NIGHT)
    assert isinstance(telling, TellNotice)


def test_each_channel_gets_its_own_summary():
    letters = [letter(1, of=1, at=AT_NIGHT), letter(2, of=2, at=AT_NIGHT)]
    ones = [incident(1), incident(2, account="b")]
    found = planned(letters, ones, quiet=NIGHT, routes=(Route("C2", account="b"),))
    assert [(one.to, len(one.incidents)) for one in found] == [("C1", 1), ("C2", 1)]


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-11-23T21:59:59+01:00", None),
        ("2026-11-23T22:00:00+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-11-24T06:59:59+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-11-24T07:00:00+01:00", None),
        ("2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T07:00:00+01:00"),
    ],
)
def test_quiet_hours_are_local_through_midnight_and_changes_of_the_clock(moment, until):
    end = NIGHT.until(datetime.fromisoformat(moment))
    assert end == (until and datetime.fromisoformat(until))


def test_retries_double_to_five_minutes_honour_the_other_side_and_are_hourly_when_parked():
    waits = [retry_at(NOW, n, parked=False) - NOW for n in range(1, 12)]
    assert waits[:4] == [timedelta(seconds=s) for s in (1, 2, 4, 8)]
    assert waits[-1] == timedelta(minutes=5)
    assert retry_at(NOW, 1, 40.0, parked=False) - NOW == timedelta(seconds=40)
    assert retry_at(NOW, 9, parked=True) - NOW == timedelta(hours=1)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.sampled_from(["opened", "worse", "better", "reminded", "resolved"]),
            st.integers(0, 40),
        ),
        max_size=12,
    ),
    st.sets(st.integers(1, 4)),
    st.sets(st.integers(1, 4)),
)
def test_outside_of_quiet_hours_every_letter_is_told_exactly_once(written, over, at_home):
    letters = [
        letter(n, what, of=of, at=NOW - timedelta(hours=age))
        for n, (of, what, age) in enumerate(written)
    ]
    ones = [incident(i, over=i in over, home=HOME if i in at_home else None) for i in range(1, 5)]
    told = [one.ident for each in planned(letters, ones, quiet=NIGHT) for one in each.letters]
    assert sorted(told) == [one.ident for one in letters]
