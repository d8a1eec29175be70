"""How long people in Slack wait: from the envelope to its acknowledgement, which is the answer."""

from __future__ import annotations

from typing import Final

from benchmarks.installation import Installation, installation
from benchmarks.stopwatch import percentile
from benchmarks.table import Figure, Goal

_COMMANDS: Final = 500
_WARM_UP: Final = 10


def slack() -> list[Figure]:
    """Measure `/spend` against a real daemon, over Socket Mode on loopback, as Slack would."""
    with installation() as place, place.settled_daemon():
        for _ in range(_WARM_UP):
            _answer(place)
        latencies = [_answer(place) for _ in range(_COMMANDS)]
    middle, slowest = (1000 * percentile(latencies, percent) for percent in (50, 99))
    return [
        Figure("/spend, envelope to answer, p50", _COMMANDS, "ms", middle),
        Figure("/spend, envelope to answer, p99", _COMMANDS, "ms", slowest, goal=Goal("≤", 25)),
    ]


def _answer(place: Installation) -> float:
    reply = place.slack.user.command("/spend")
    if reply.error or "spent" not in reply.text:
        raise RuntimeError(f"the daemon did not answer: {reply.error} {reply.text}")
    return reply.latency
