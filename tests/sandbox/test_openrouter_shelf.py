"""The stand-in's price list changes when a story says so, and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.sandbox.openrouter_shelf import Shelf

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
LISTED = [{"id": name, "pricing": {"prompt": "1", "completion": "2"}} for name in ("a/x", "b/y")]


def test_everything_happens_from_its_moment_on_and_the_list_itself_stays_as_it_is():
    shelf = Shelf()
    assert shelf.shown(LISTED, NOON) == [{**one, "expiration_date": None} for one in LISTED]
    shelf.price("a/x", LATER, prompt="-1")
    shelf.expire("a/x", "2026-12-03", LATER)
    shelf.remove("b/y", NOON, until=LATER)
    shelf.price("nobody/knows", prompt="9")
    shelf.add_odd(7)
    [before, odd] = shelf.shown(LISTED, NOON)
    assert (before, odd) == ({**LISTED[0], "expiration_date": None}, 7)
    [after, back, _] = shelf.shown(LISTED, LATER)
    assert after["pricing"] == {"prompt": "-1", "completion": "2"}
    assert after["expiration_date"] == "2026-12-03"
    assert back == {**LISTED[1], "expiration_date": None}
    assert LISTED[0]["pricing"]["prompt"] == "1"
    shelf.expire("a/x", None, LATER)
    assert shelf.shown(LISTED, LATER)[0]["expiration_date"] is None
