"""Letters that nobody can tell or that go nowhere: said once, and in nobody's way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from delivery_world import SECOND, World

from bot import sender
from bot.slack import alert_messages, digest_messages
from bot.slack.delivery import SlackTeller
from costcompass_core.domain.days import each_day
from costcompass_core.domain.errors import UsageError

ONLY_DIGESTS = f'[[route]]\nkind = "digest"\nto = "{SECOND}"\n'
MEND = "this version can't tell it: update costcompass"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.urls = {
            "webhook": f'webhook_url = "{world.hooks.url}hook"\n',
            "heartbeat": f'heartbeat_url = "{world.hooks.url}beat"\n',
        }
        yield world.begin("".join(world.urls.values()))
        assert world.slack.violations == ()


def heard(world: World, path: str) -> int:
    return sum(one.path == path and one.taken for one in world.hooks.requests)


def strange(world: World, kind: str, body: str, incident: int | None = None) -> None:
    """Leave a letter for every way out that some other version may have written."""
    for via in ("slack", "webhook"):
        with world.store.writing() as tx:
            tx.execute(
                "INSERT INTO outbox (via, name, kind, incident, body, at, tries, parked, error)"
                " VALUES (?, 'strange:1', ?, ?, ?, '2026-11-23T10:00:00.000000Z', 0, 0, '')",
                (via, kind, incident, body),
            )


@pytest.mark.parametrize(
    ("kind", "body", "incident"),
    [
        ("test", '{"version": 2, "text": "hello"}', None),
        ("weekly", '{"version": 1}', None),
        ("incident", '{"version": 1, "what": "opened", "seq": 1}', 77),
        ("incident", '{"version": 1, "what": "judged", "seq": 1}', 1),
        ("notice", '{"version": 1, "notice": {"rule": "top_up"}}', None),
        ("digest", "[]", None),
        ("digest", '{"vers', None),
    ],
)
def test_what_another_version_left_is_parked_and_holds_nothing_back(
    world: World, kind: str, body: str, incident: int | None
):
    strange(world, kind, body, incident)
    world.reads("20").delivers()
    assert world.posts() == {"incident:1:1": 1}
    assert heard(world, "/hook") == 1
    assert [(one["name"], one["error"]) for one in world.outbox["parked"]] == [
        ("slack strange:1", MEND), ("webhook strange:1", MEND),
    ]  # fmt: skip
    assert heard(world, "/beat") == 0
    assert all(way.pause() > 10 for way in world.alerting._sender.ways)


def test_what_lacks_a_key_of_today_is_told_all_the_same(world: World):
    strange(world, "test", "{}")
    world.delivers()
    assert world.posts() == {"strange:1": 1}


def test_a_fact_of_a_later_version_is_text_to_this_one(world: World):
    world.reads("20").delivers()
    with world.store.writing() as tx:
        tx.execute("""UPDATE incident SET facts = '{"left": {"usd": "20"}, "x": {"eur": "3"}}'""")
    [shown] = world.alerting.status()["incidents"]
    assert shown["facts"]["x"] == "3"
    world.later(minutes=5).reads("8").delivers()
    assert world.posts() == {"incident:1:1": 1, "incident:1:2": 1}


def first_fails(render: Callable[..., object]) -> Callable[..., object]:
    def fail(incident, *rest):
        if incident.ident == 1:
            raise ValueError("no words")
        return render(incident, *rest)

    return fail


def test_words_that_fail_are_logged_once_and_hold_nothing_back(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    message = alert_messages.incident_message
    monkeypatch.setattr(alert_messages, "incident_message", first_fails(message))
    world.reads("8").reads("20", "spare").delivers().goes_on(hours=3)
    assert world.posts() == {"incident:2:1": 1}
    assert [one["error"] for one in world.outbox["parked"]] == [MEND]
    assert sum(one.exc_info is not None for one in caplog.records) == 1
    monkeypatch.setattr(alert_messages, "incident_message", message)
    world.begin().delivers()
    assert world.posts() == {"incident:2:1": 1, "incident:1:1": 1}


def test_a_digest_that_can_not_be_said_does_not_hold_back_the_monthly_report(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    world.now = datetime(2026, 12, 1, 8, 5, tzinfo=UTC)
    november = dict.fromkeys(each_day(date(2026, 10, 31), world.now.date()), "1.25")
    del november[world.now.date()]
    world.begin(digest="09:00").reads("100", days=november).alerting.tick()
    monkeypatch.delattr(digest_messages, "digest_message")
    world.delivers()
    assert world.posts() == {"monthly:2026-11": 1}
    assert world.waits == ["digest:2026-12-01"]


def test_letters_to_a_webhook_that_was_removed_are_closed_with_the_next_start(world: World):
    world.hooks.faults.add("/hook", lambda *_: None, times=None)
    world.reads("20").delivers()
    assert world.outbox["waiting"] == 1
    world.later(minutes=5).begin(world.urls["heartbeat"]).reads("20").delivers()
    assert world.outbox["waiting"] == 0
    assert heard(world, "/beat") == 1


def test_what_no_route_takes_is_closed_and_told_once_there_is_a_channel(
    world: World, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    world.begin(world.urls["heartbeat"], ONLY_DIGESTS, channel="")
    world.reads("20").reads("20", "spare").delivers()
    assert world.slack.calls == ()
    assert world.waits == []
    assert heard(world, "/beat") == 1
    [said] = caplog.messages
    assert "goes nowhere: set [slack] channel" in said
    with pytest.raises(UsageError, match=r"alerts go nowhere yet: set \[slack\] channel"):
        world.alerting.test()
    world.later(hours=1).begin().delivers()
    assert len(world.shown) == 2


def test_what_stands_somewhere_goes_on_there_though_new_alerts_go_nowhere(world: World):
    world.reads("20").delivers()
    world.later(hours=1).begin(more=ONLY_DIGESTS, channel="").reads("8").delivers()
    own, reply = world.shown
    assert (own.edited, reply.thread_ts) == (True, own.ts)
    assert world.waits == []


def test_nothing_new_is_begun_once_a_stop_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    stopping = world.alerting._sender._stopping
    world.reads("20").delivers()
    edit, post = SlackTeller.edit, sender.post

    def edit_and_stop(teller, home, page):
        stopping.set()
        edit(teller, home, page)

    def post_and_stop(*words):
        stopping.set()
        post(*words)

    monkeypatch.setattr(SlackTeller, "edit", edit_and_stop)
    monkeypatch.setattr(sender, "post", post_and_stop)
    world.later(minutes=5).reads("8").reads("8", "spare")
    before = len(world.slack.calls), len(world.hooks.requests)
    slack, hooks = world.alerting._sender.ways
    slack.look()
    stopping.clear()
    hooks.look()
    assert len(world.slack.calls) == before[0] + 1
    assert len(world.hooks.requests) == before[1] + 1
    monkeypatch.undo()
    stopping.clear()
    world.delivers()
    assert world.posts() == {"incident:1:1": 1, "incident:1:2": 1, "incident:2:1": 1}
    assert world.outbox["waiting"] == 0
