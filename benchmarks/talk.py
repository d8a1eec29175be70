"""How long people wait for each command and each control, with five years of history behind it.

From the envelope that Slack sends to what they see then: the acknowledgement of a command, or the
message that a press brings through its response_url. Real daemon, real sockets, loopback.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from time import perf_counter, sleep
from typing import Final

from benchmarks.history import write_history
from benchmarks.installation import Installation, installation, now
from benchmarks.stopwatch import percentile
from benchmarks.table import Figure, Goal
from bot.control import ask
from bot.sandbox.slack_people import USER, Reply
from bot.sandbox.slack_workspace import Shown

_TIMES: Final = 500
_USUAL, _MANY = 40, 400
"""Models of a small team's account, and of one that tries everything."""
_WARM_UP: Final = 5
_YEARS: Final = 5
_GOAL: Final = Goal("≤", 50)
_PATIENCE: Final = 5.0
_COMMANDS: Final = (
    ("/spend", ""),
    ("/spend", "7d by host"),
    ("/spend", "help"),
    ("/spend", "why 7d"),
    ("/spend", "advice"),
    ("/forecast", ""),
    ("/forecast", "accuracy"),
)
_MORE: Final = """
[alerts]
balance_below = [10_000_000]
[[budget]]
name = "everything"
amount = 100
"""
"""So that there are budgets to work out, and an alert whose buttons can be pressed."""


def talk() -> list[Figure]:
    """Measure every command, menu and button, the Home and its settings, of a usual account."""
    return _talk(_USUAL, _TIMES)


def talk_many() -> list[Figure]:
    """Measure the same with ten times as many models, a fifth as often."""
    return _talk(_MANY, _TIMES // 5)


def _talk(models: int, times: int) -> list[Figure]:
    with installation(models) as place:
        config = place.folder / "config.toml"
        config.write_text(config.read_text() + _MORE)
        with closing(write_history(place.folder / "state", 365 * _YEARS, now(), models)):
            pass
        gc.collect()
        gc.freeze()  # nobody waits for what the stand-ins keep in memory
        with place.settled_daemon():
            ask(place.folder / "state", {"do": "refresh"})  # whose balance is below the level
            _wait(lambda: _alert(place) is not None, perf_counter())
            return [figure for name, act in _acts(place) for figure in _figures(name, act, times)]


def _figures(name: str, act: Callable[[], float], times: int) -> list[Figure]:
    for _ in range(_WARM_UP):
        act()
    taken = [act() for _ in range(times)]
    middle, slowest = (1000 * percentile(taken, percent) for percent in (50, 99))
    return [
        Figure(f"{name}, p50", times, "ms", middle),
        Figure(f"{name}, p99", times, "ms", slowest, goal=_GOAL),
    ]


def _acts(place: Installation) -> Iterator[tuple[str, Callable[[], float]]]:
    user = place.slack.user
    for command, words in _COMMANDS:
        yield f"{command} {words}".strip(), lambda c=command, w=words: _typed(place, c, w)  # type: ignore[misc]
    yield (
        "press: period",
        lambda: _pressed(place, lambda m: user.choose(m, "ask_period", _other(m))),
    )
    yield "press: dimension", lambda: _pressed(place, lambda m: user.choose(m, "ask_by", "By host"))
    yield (
        "press: one model",
        lambda: _pressed(place, lambda m: user.choose(m, "ask_model", _first(m))),
    )
    for button in ("Why it changed", "Forecast", "Share here", "Refresh now"):
        yield f"press: {button}", lambda b=button: _pressed(place, lambda m: user.press(m, b))  # type: ignore[misc]
    yield "open the Home", lambda: _opened(place)
    yield "press: Settings", lambda: _settings(place)
    yield "press: Save", lambda: _saved(place)
    yield "press: Acknowledge", lambda: _acknowledged(place)


def _typed(place: Installation, command: str, words: str) -> float:
    reply = place.slack.user.command(command, words)
    if reply.error or not reply.text:
        raise RuntimeError(f"{command} {words} was not answered: {reply.error}")
    return reply.latency


def _pressed(place: Installation, press: Callable[[Shown], Reply]) -> float:
    """Press below a fresh `/spend 7d`, and wait until what follows is shown."""
    place.slack.user.command("/spend", "7d")
    message = place.slack.messages[-1]
    begin = perf_counter()
    reply = press(message)
    _wait(lambda: bool(reply.later), begin)
    return perf_counter() - begin


def _opened(place: Installation) -> float:
    before = place.slack.homes.get(USER)
    published = before.published if before else 0
    begin = perf_counter()
    place.slack.user.open_home()
    _wait(
        lambda: USER in place.slack.homes and place.slack.homes[USER].published > published, begin
    )
    return perf_counter() - begin


def _settings(place: Installation) -> float:
    before = place.slack.modals.get(USER)
    begin = perf_counter()
    place.slack.user.press_home("Settings")
    _wait(lambda: place.slack.modals.get(USER) is not before, begin)
    return perf_counter() - begin


def _saved(place: Installation) -> float:
    """Save another time for the digest, until the form closes."""
    _settings(place)
    view = place.slack.modals[USER].content
    [before] = [
        one["element"]["initial_time"]
        for one in view["blocks"]
        if one.get("block_id") == "digest.time"
    ]
    reply = place.slack.user.submit({"digest.time": "08:15" if before == "08:30" else "08:30"})
    if reply.error or reply.errors:
        raise RuntimeError(f"the settings were not saved: {reply.error} {reply.errors}")
    return reply.latency


def _acknowledged(place: Installation) -> float:
    """Take an alert on, or give it back, until its message is drawn again."""
    alert = _alert(place)
    if alert is None:
        raise RuntimeError("there is no alert")
    open_ = "incident_acknowledge" in str(alert.blocks)
    name = "incident_acknowledge" if open_ else "incident_unacknowledge"
    begin = perf_counter()
    place.slack.user.press(alert, name)
    _wait(lambda: name not in str(_alert(place)), begin)
    return perf_counter() - begin


def _alert(place: Installation) -> Shown | None:
    """Return the message of the low balance as it stands, if it is there yet."""
    found = (one for one in place.slack.messages if "Balance of main" in one.text)
    return next(found, None)


def _wait(true: Callable[[], bool], begin: float) -> None:
    while not true():
        if perf_counter() - begin > _PATIENCE:
            raise RuntimeError("what was pressed was not answered")
        sleep(timedelta(microseconds=200).total_seconds())


def _other(message: Shown) -> str:
    """Return a period that is not the one that stands there."""
    return "Last 30 days" if "Last 7 days" in message.text else "Last 7 days"


def _first(message: Shown) -> str:
    """Return the first model on offer."""
    for block in message.blocks:
        for one in block.get("elements", ()):
            if one.get("action_id") == "ask_model":
                return str(one["options"][0]["value"])
    raise RuntimeError("no model is on offer")
