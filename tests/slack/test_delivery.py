"""One incident, one message: edited in place, replies where people must hear, and where it all goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from delivery_world import POST, SECOND, UPDATE, World

from bot.sandbox.slack_faults import lost_answer, rate_limited, slow
from bot.sandbox.slack_people import CHANNEL, USER
from bot.sandbox.slack_workspace import Shown
from costcompass_core.domain.days import each_day

DIRECT = "D" + USER[1:]
NIGHT = 'quiet_hours = "22:00-07:00"\n'
EVENING = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
"""When quiet hours end in Berlin."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world.begin()
        assert world.slack.violations == ()


def place(shown: Shown) -> tuple[str, str, bool]:
    return shown.channel, shown.thread_ts, shown.broadcast


def test_an_incident_is_one_message_with_replies_where_people_must_hear(world: World):
    world.reads("20").delivers()
    world.later(hours=1).reads("24").delivers()  # a better figure alone is told to nobody
    assert len(world.slack.calls) == 1
    world.later(hours=1).reads("8").delivers()
    world.later(hours=1).reads("15").delivers()  # better: an edit, which notifies nobody
    assert len(world.shown) == 2
    world.later(hours=24).reads("15").delivers()
    world.later(hours=1).reads("100").delivers()
    own, *replies = world.shown
    assert place(own) == (CHANNEL, "", False)
    assert [place(one) for one in replies] == [
        (CHANNEL, own.ts, True),
        (CHANNEL, own.ts, True),
        (CHANNEL, own.ts, False),
    ]
    worse, reminded, resolved = (one.text for one in replies)
    assert "is critical: $8.00" in worse
    assert "It got worse." in worse
    assert "is low: $15.00" in reminded
    assert "Reminder: this has been open since" in reminded
    assert "Resolved: balance of main is $100.00 again" in resolved
    assert "Resolved: balance of main is $100.00 again" in own.text
    assert own.edited
    assert [what for what, _ in world.changes()] == [
        "opened", "worse", "better", "reminded", "resolved",
    ]  # fmt: skip
    assert len(world.calls(UPDATE)) == 4
    assert set(world.posts().values()) == {1}


def test_an_edit_has_new_block_ids_and_carries_no_pings(world: World):
    world.reads("20").delivers().later(hours=1).reads("8").delivers()
    posted, edited = world.calls(POST)[0], world.calls(UPDATE)[0]
    named = [
        {block["block_id"] for block in one.arguments["blocks"] if "block_id" in block}
        for one in (posted, edited)
    ]
    assert named[0]
    assert not named[0] & named[1]
    assert edited.arguments["ts"] == world.shown[0].ts


def test_quiet_hours_hold_back_what_can_wait_and_release_one_summary(world: World):
    world.begin(NIGHT)
    world.reads("26").reads("26", "spare").reads("26", "lab").delivers()
    world.now = EVENING
    world.reads("24").reads("24", "spare").reads("24", "lab").delivers()
    world.later(hours=1).reads("90", "lab").reads("100", "idle", bought=1050).delivers()
    world.goes_on(hours=5)
    assert world.slack.calls == ()
    world.now = MORNING
    world.delivers()
    summary, *own = world.shown
    assert place(summary) == (CHANNEL, "", False)
    assert summary.text.startswith("While it was quiet: 3 opened, 1 resolved.")
    assert "of main is low" in summary.text
    assert "of lab was low" in summary.text
    assert [place(one) for one in own] == [(CHANNEL, summary.ts, False)] * 2
    assert all("Held back during quiet hours" in one.text for one in own)
    assert world.waits == []
    main = next(one for one in own if "of main" in one.text)
    world.later(hours=1).reads("8").delivers()
    reply = world.shown[-1]
    assert place(reply) == (CHANNEL, summary.ts, True)
    assert "of main is critical" in reply.text
    assert world.slack.calls[-2].arguments["ts"] == main.ts
    assert set(world.posts().values()) == {1}


def test_what_got_worse_at_night_is_in_the_summary_and_drawn_where_it_stands(world: World):
    world.begin(NIGHT)
    world.reads("20").reads("20", "spare").reads("8", "lab").delivers()
    before = world.shown
    world.now = EVENING
    world.reads("9").reads("100", "spare").reads("8", "lab").delivers()
    world.now = MORNING
    world.delivers()
    assert len(world.shown) == len(before) + 1
    summary = world.shown[-1]
    assert place(summary) == (CHANNEL, "", False)
    assert "1 got worse, 1 resolved" in summary.text
    drawn = sorted(one.text for one in world.shown if one.edited)
    assert [one.partition(".")[0] for one in drawn] == [
        "Balance of main is critical: $9",
        "Resolved: balance of spare is $100",
    ]


def test_what_runs_out_before_the_night_is_over_is_told_at_once(world: World):
    world.begin(NIGHT)
    world.now = EVENING - timedelta(hours=3)
    week = each_day(date(2026, 11, 8), date(2026, 11, 22))
    world.reads("100", days=dict.fromkeys(week, "3.50")).delivers()
    world.now = EVENING
    world.reads("20").reads("20", "spare").delivers()
    [urgent] = world.shown
    assert "of main is low: $20.00, about 6 hours left at today's rate" in urgent.text
    assert urgent.thread_ts == ""
    world.now = MORNING
    world.delivers()
    assert len(world.shown) == 2
    assert "of spare" in world.shown[1].text
    assert "Held back during quiet hours" in world.shown[1].text
    assert set(world.posts().values()) == {1}


def test_a_summary_whose_answer_is_lost_is_told_twice_and_what_hangs_below_it_once(world: World):
    world.begin(NIGHT)
    world.now = EVENING
    world.reads("20").reads("20", "spare").delivers()
    world.now = MORNING
    world.slack.faults.plan(POST, lost_answer())
    world.goes_on(seconds=30)
    first, second, *own = world.shown
    assert first.text.split(".")[0] == second.text.split(".")[0]
    assert {one.thread_ts for one in own} == {second.ts}
    assert sorted(world.posts().values()) == [1, 1, 2]


def test_what_a_summary_told_in_one_channel_hangs_below_nothing_in_another(world: World):
    world.begin(NIGHT)
    world.now = EVENING
    world.reads("20").reads("20", "spare").delivers()
    world.now = MORNING
    world.slack.faults.plan(POST, slow(0.0))
    world.slack.faults.plan(POST, rate_limited(30))
    world.delivers().later(seconds=5).begin(NIGHT, channel=SECOND).delivers()
    assert [(one.channel, one.thread_ts) for one in world.shown] == [
        (CHANNEL, ""), (SECOND, ""), (SECOND, ""),
    ]  # fmt: skip


def test_what_a_summary_told_somebody_directly_hangs_below_it(world: World):
    world.begin(NIGHT, f'[[route]]\nto = "{USER}"\n')
    world.now = EVENING
    world.reads("20").reads("20", "spare").delivers()
    world.now = MORNING
    world.delivers()
    summary, *own = world.shown
    assert [place(one) for one in own] == [(DIRECT, summary.ts, False)] * 2


ROUTES = f"""
[[route]]
kind = "alert"
rule = "balance_low"
account = "spare"
to = "{USER}"
[[route]]
kind = "alert"
account = "lab"
to = "{SECOND}"
[[route]]
kind = "digest"
to = "{SECOND}"
[[route]]
kind = "monthly"
to = "{USER}"
"""


def test_routes_send_alerts_to_other_channels_and_people_and_edits_follow_them(world: World):
    world.begin(more=ROUTES)
    world.reads("20").reads("20", "spare").reads("20", "lab").delivers()
    main, spare, lab = world.shown
    assert [one.channel for one in (main, spare, lab)] == [CHANNEL, DIRECT, SECOND]
    world.begin()  # without routes, a message stays where it is
    world.later(hours=1).reads("8").reads("8", "spare").reads("8", "lab").delivers()
    assert [place(one) for one in world.shown[3:]] == [
        (one.channel, one.ts, True) for one in (main, spare, lab)
    ]
    assert all(one.edited for one in world.shown[:3])
    assert world.waits == []


def test_digest_and_monthly_report_go_where_their_routes_say(world: World):
    world.now = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)
    world.begin(more=ROUTES, digest="09:00")
    november = dict.fromkeys(each_day(date(2026, 10, 31), date(2026, 11, 30)), "1.25")
    world.reads("100", days=november)
    world.later(hours=2).alerting.tick()
    world.delivers()
    digest, monthly = world.shown
    assert (digest.channel, monthly.channel) == (SECOND, DIRECT)


def test_a_digest_that_was_parked_is_not_sent_after_a_newer_one(world: World):
    days = dict.fromkeys(each_day(date(2026, 11, 8), date(2026, 11, 22)), "3.50")
    world.now = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)
    world.begin(digest="09:00").reads("100", days=days).alerting.tick()
    world.slack.archive(CHANNEL, True)
    world.delivers().later(hours=23, minutes=45).delivers()
    assert world.waits == ["digest:2026-11-23"]
    world.slack.archive(CHANNEL, False)
    world.later(minutes=20).reads("100", days={date(2026, 11, 23): "3.50"}).alerting.tick()
    world.delivers().goes_on(hours=3)
    assert world.posts() == {"digest:2026-11-24": 1}
    assert world.waits == []


def test_what_opened_before_there_was_a_channel_is_told_once_there_is_one(world: World):
    world.begin(channel="").reads("8").delivers()
    assert world.slack.calls == ()
    assert world.outbox["waiting"] == 0
    world.later(hours=1).begin().delivers()
    [own] = world.shown
    assert "is critical: $8.00" in own.text
    world.begin().delivers()
    assert len(world.shown) == 1
