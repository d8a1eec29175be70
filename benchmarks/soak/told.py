"""Letters against what arrived: which were told, and which came twice without an excuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from benchmarks.soak.ledger import Incident, Ledger, Letter
from bot.sandbox.collector import Received
from bot.sandbox.slack_api import Call
from bot.terminal.shapes import moment_shape

_POST: Final = "chat.postMessage"
_EDIT: Final = "chat.update"
_BESIDE: Final = timedelta(minutes=15)
"""A letter that is marked by what told of another one is marked at about that time."""
_TOGETHER: Final = ":summary"


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the letters to Slack. `twice` counts messages beyond the first of a letter."""

    made: int
    posted: int
    together: int
    """Letters without a message of their own: told with a newer one, or in a summary."""
    twice: int
    unexcused: Sequence[str]
    """Letters that came again though their answer had arrived and nobody was killed."""
    lost: Sequence[str]
    waiting: int


def told_in_slack(
    ledger: Ledger, calls: Sequence[Call], doubtful: Sequence[tuple[str, int]], kills: Sequence[int]
) -> Told:
    """Compare the outbox with the calls of Slack's Web API.

    `doubtful` says of which calls the answer was lost, by method and how many calls came before;
    `kills` after how many calls the daemon was killed.
    """
    letters = [one for one in ledger.letters if one.via == "slack"]
    posts: dict[str, list[int]] = {}
    for place, call in enumerate(calls):
        if call.method == _POST and not call.error and call.delivery:
            posts.setdefault(str(call.delivery), []).append(place)
    unsure = {_first(calls, method, before) for method, before in doubtful}
    done = [one for one in letters if one.done_at is not None]
    homes = {one.ident: one for one in ledger.incidents}
    lost = [one.name for one in done if not _arrived(one, posts, calls, homes)]
    return Told(
        len(letters),
        sum(one.name in posts for one in letters),
        sum(one.name not in posts for one in done) - len(lost),
        sum(len(places) - 1 for places in posts.values()),
        [
            name
            for name, places in posts.items()
            for place, again in pairwise(places)
            if not _excused(place, again, unsure, kills)
        ],
        lost,
        len(letters) - len(done),
    )


def _first(calls: Sequence[Call], method: str, before: int) -> int:
    """Return which call a fault was played to: others may have come in beside it."""
    later = range(before, len(calls))
    return next((place for place in later if calls[place].method == method), -1)


def _excused(place: int, again: int, unsure: set[int], kills: Sequence[int]) -> bool:
    """Return whether a message had to come again: its answer was lost, or the daemon killed since."""
    return place in unsure or any(place < kill <= again for kill in kills)


def _arrived(
    letter: Letter,
    posts: dict[str, list[int]],
    calls: Sequence[Call],
    incidents: dict[int, Incident],
) -> bool:
    """Return whether a letter was told by itself, or by what was told when it was marked."""
    done = letter.done_at
    if letter.name in posts or done is None:
        return True
    beside = (one for one in calls if not one.error and abs(one.at - done) <= _BESIDE)
    return any(_covers(one, letter, incidents) for one in beside)


def _covers(call: Call, letter: Letter, incidents: dict[int, Incident]) -> bool:
    """Return whether a call tells of a letter too: a newer one of its kind, or a summary."""
    name = str(call.delivery or "")
    if letter.kind == "digest":
        return name.startswith("digest:") and name > letter.name
    if letter.kind == "notice" or letter.incident is None:
        return letter.kind == "notice" and name.endswith(_TOGETHER)
    edited = call.method == _EDIT and call.arguments.get("ts") == incidents[letter.incident].ts
    return edited or name.endswith(_TOGETHER) or name.startswith(f"incident:{letter.incident}:")


def not_taken(ledger: Ledger, received: Sequence[Received]) -> list[str]:
    """Return the letters to the webhook that it never took."""
    taken = {_identity(one.json) for one in received if one.taken and isinstance(one.json, dict)}
    letters = [one for one in ledger.letters if one.via == "webhook"]
    return [one.name for one in letters if _named(one) not in taken]


def _identity(shape: dict[str, Any]) -> tuple[str, str]:
    if "seq" in shape:
        return "incident", f"incident:{shape['incident']}:{shape['seq']}"
    return shape["event"], shape["at"]


def _named(letter: Letter) -> tuple[str, str]:
    if letter.kind == "incident":
        return "incident", letter.name
    return letter.kind, moment_shape(letter.at) or ""
