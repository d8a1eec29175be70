"""What goes wrong, and when, from a seed: on the way to providers, at Slack, and around the daemon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final, Protocol

from benchmarks.soak.agenda import Agenda
from benchmarks.soak.world import START, World
from bot.sandbox import faults, slack_faults

_QUIET_END: Final = timedelta(hours=12)
"""At the end nothing goes wrong any more, so that everything can be caught up."""
_LONGEST_OUTAGE: Final = 6 * 60
_LONGEST_AWAY: Final = 8 * 60
"""Minutes of an outage of a provider, and of Slack."""

_OUTAGES: Final[tuple[tuple[str, faults.Fault], ...]] = (
    ("500", faults.status(500)),
    ("502 page", faults.html(502)),
    ("503, Retry-After 120", faults.status(503, "overloaded", {"Retry-After": "120"})),
    ("429, Retry-After 2", faults.rate_limited("2")),
    ("429, Retry-After nonsense", faults.rate_limited("soon")),
    ("reset", faults.reset),
    ("hang-up", faults.hang_up),
    ("login page", faults.html(200)),
    ("not JSON", faults.raw(b"\x00\xff garbage")),
)
_ONCE: Final[tuple[tuple[str, faults.Fault], ...]] = (
    *_OUTAGES,
    ("NaN", faults.edited(lambda text: text.replace(":1", ":NaN"))),
    ("cut short", faults.truncated),
    ("cut short, no length", faults.truncated_unframed),
    ("error in 200", faults.error_in_ok()),
    ("slow", faults.late(0.05)),
    ("huge header", faults.huge_header()),
)
_SLACK: Final[tuple[tuple[str, slack_faults.Fault], ...]] = (
    ("answer lost", slack_faults.lost_answer()),
    ("answer cut", slack_faults.truncated()),
    ("500 after it took effect", slack_faults.server_error(accepted=True)),
    ("hang-up", slack_faults.hang_up()),
    ("429", slack_faults.rate_limited(30)),
    ("503", slack_faults.server_error(503)),
    ("page", slack_faults.html()),
    ("slow", slack_faults.slow(0.05)),
    ("internal_error", slack_faults.refusal("internal_error")),
)
_METHODS: Final = (
    *("chat.postMessage",) * 5,
    *("chat.update",) * 2,
    "views.publish",
    "response_url",
    "link",
    "apps.connections.open",
)


class Daemon(Protocol):
    """What can be done to the daemon from outside."""

    def killed(self) -> None: ...

    def restarted(self) -> None: ...

    def suspended(self, length: timedelta) -> None: ...

    def refused(self, *, on: bool) -> None: ...


class Trouble:
    """Plans everything at once. With a daemon of few days, everything comes at least once."""

    def __init__(
        self, world: World, agenda: Agenda, daemon: Daemon, seed: int, days: int, *, patient: bool
    ) -> None:
        """`patient`: there is time for providers and a Slack that say nothing until we give up."""
        self._world = world
        self._agenda = agenda
        self._daemon = daemon
        self._chance = Random(f"{seed}/trouble")
        self._end = START + timedelta(days=days) - _QUIET_END
        self._down_until = START
        for day in range(days):
            self._day(START + timedelta(days=day))
        weeks = max(1, days // 7)
        first = START + timedelta(days=days) / 3
        """Restarts come before; afterwards one life goes on to the end, for growth to show."""
        for _ in range(weeks):
            self._some("daemon killed", daemon.killed, first)
        for _ in range(max(1, weeks // 2)):
            self._some("daemon restarted", daemon.restarted, first)
            self._some("key replaced", self._replace_key, self._end - timedelta(hours=2))
            self._some("disk full", self._fill_disk, self._end - timedelta(hours=2))
            self._some("suspended for hours", self._suspend, self._end)
        if patient:
            for _ in range(weeks):
                self._some("provider silent", self._silence)
                self._some("Slack silent", self._mute)

    def _some(self, name: str, act: Callable[[], None], before: datetime | None = None) -> None:
        begin = START + timedelta(hours=2)
        at = begin + ((before or self._end) - begin) * self._chance.random()
        self._agenda.put(at, name, act)

    def _day(self, begin: datetime) -> None:
        """Plan what happens on most days."""
        for name, act, often in (
            ("provider outage", self._outage, 0.7),
            ("provider fault", self._fault, 3.0),
            ("Slack outage", self._away, 0.35),
            ("Slack fault", self._spoil, 4.0),
            ("webhook fault", self._unhook, 0.7),
            ("Socket Mode: asked to reconnect", self._reconnect, 1.5),
            ("Socket Mode: cut", self._world.slack.links.drop, 1.0),
            ("Socket Mode: closed", self._world.slack.links.close, 0.5),
        ):
            whole = int(often) + (self._chance.random() < often % 1)
            for _ in range(whole):
                at = begin + timedelta(days=self._chance.random())
                if at < self._end:
                    self._agenda.put(at, name, act)

    def _minutes(self, most: int) -> timedelta:
        """Return a length that is mostly short and ends before the quiet end."""
        length = timedelta(minutes=5 + (most - 5) * self._chance.random() ** 2)
        return max(timedelta(), min(length, self._end - self._world.clock.now()))

    def _provider(self) -> faults.Faults:
        return self._chance.choice(list(self._world.sources.values())).faults

    def _outage(self) -> None:
        plan, (_, fault) = self._provider(), self._chance.choice(_OUTAGES)
        plan.add("/", fault, times=None)
        self._agenda.put(self._world.clock.now() + self._minutes(_LONGEST_OUTAGE), "", plan.clear)

    def _fault(self) -> None:
        self._provider().add("/", self._chance.choice(_ONCE)[1], times=self._chance.choice((1, 3)))

    def _silence(self) -> None:
        self._provider().add("/", faults.silence)

    def _mute(self) -> None:
        accepted = self._chance.random() < 0.5
        self._world.slack.faults.plan(
            "chat.postMessage", slack_faults.silent(12, accepted=accepted)
        )

    def _away(self) -> None:
        """Take Slack away; several outages at a time are one."""
        until = self._world.clock.now() + self._minutes(_LONGEST_AWAY)
        self._down_until = max(self._down_until, until)
        self._world.slack.outage(True)

        def back() -> None:
            if self._world.clock.now() >= self._down_until:
                self._world.slack.outage(False)

        self._agenda.put(self._down_until, "", back)

    def _spoil(self) -> None:
        method, (_, fault) = self._chance.choice(_METHODS), self._chance.choice(_SLACK)
        self._world.slack.faults.plan(method, fault, self._chance.choice((1, 1, 2)))

    def _unhook(self) -> None:
        fault = self._chance.choice((faults.hang_up, faults.status(503, "busy"), faults.reset))
        self._world.hooks.faults.add("/alerts", fault, times=self._chance.choice((1, 4)))

    def _reconnect(self) -> None:
        self._world.slack.links.disconnect("refresh_requested")

    def _replace_key(self) -> None:
        store = self._world.replace_key(2 + self._agenda.done["key replaced"])
        lasting = timedelta(minutes=self._chance.uniform(10, 100))
        self._agenda.put(self._world.clock.now() + lasting, "", store)

    def _fill_disk(self) -> None:
        self._daemon.refused(on=True)
        lasting = timedelta(minutes=self._chance.uniform(10, 60))
        free = self._world.clock.now() + lasting
        self._agenda.put(free, "", lambda: self._daemon.refused(on=False))

    def _suspend(self) -> None:
        self._daemon.suspended(timedelta(hours=self._chance.uniform(1, 7)))
