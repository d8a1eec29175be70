"""The soak's judge is not blind: it sees what is lost, and what comes twice without an excuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.soak.ledger import Incident, Ledger, Letter
from benchmarks.soak.told import told_in_slack
from bot.sandbox.slack_api import Call

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOTICE = Letter("slack", "top_up:main", "notice", None, NOON, NOON)
ALERT = Letter("slack", "incident:7:1", "incident", 7, NOON, NOON)
DIGEST = Letter("slack", "digest:2026-03-02", "digest", None, NOON, NOON)


def post(name: str, error: str = "", after: int = 1) -> Call:
    metadata = {"event_payload": {"id": name}}
    at = NOON + timedelta(minutes=after)
    return Call("chat.postMessage", {"metadata": metadata}, at, error)


def edit(ts: str) -> Call:
    return Call("chat.update", {"ts": ts}, NOON + timedelta(minutes=1))


def told(*letters: Letter, calls: tuple[Call, ...] = (), doubtful=(), kills=()):
    incident = Incident(7, "balance_low", "main", resolved=False, ts="17.1")
    return told_in_slack(Ledger("ok", letters, [incident], {}, {}), calls, doubtful, kills)


@pytest.mark.parametrize(
    ("letter", "calls"),
    [
        (NOTICE, [post("top_up:main")]),
        (NOTICE, [post("incident:7:1:summary")]),
        (ALERT, [post("incident:7:3")]),
        (ALERT, [edit("17.1")]),
        (DIGEST, [post("digest:2026-03-03")]),
    ],
)
def test_a_letter_is_told_by_itself_or_with_others(letter: Letter, calls: list[Call]):
    assert told(letter, calls=tuple(calls)).lost == []


@pytest.mark.parametrize(
    ("letter", "calls"),
    [
        (NOTICE, []),
        (NOTICE, [post("top_up:main", "outage")]),
        (NOTICE, [post("incident:7:1:summary", after=-60)]),
        (NOTICE, [post("incident:7:1:summary", after=60)]),
        (ALERT, [post("incident:8:1"), edit("18.1"), post("digest:2026-03-03")]),
        (DIGEST, [post("digest:2026-03-01")]),
    ],
)
def test_a_letter_that_was_marked_and_never_arrived_is_lost(letter: Letter, calls: list[Call]):
    assert told(letter, calls=tuple(calls)).lost == [letter.name]


def test_a_letter_that_waits_is_not_lost():
    found = told(replace(NOTICE, done_at=None))
    assert (found.lost, found.waiting) == ([], 1)


def test_what_came_twice_is_excused_by_a_lost_answer_or_a_kill_in_between_alone():
    calls = (edit("17.1"), post("a"), post("b"), post("a"))
    assert told(calls=calls).unexcused == ["a"]
    assert told(calls=calls, doubtful=[("chat.postMessage", 1)]).unexcused == []
    assert told(calls=calls, doubtful=[("chat.postMessage", 2)]).unexcused == ["a"]
    assert told(calls=calls, kills=[2]).unexcused == []
    assert told(calls=calls, kills=[1]).unexcused == ["a"]
    assert told(calls=calls).twice == 1
