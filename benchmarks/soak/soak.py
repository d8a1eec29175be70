"""The soak itself: steps of one clock, what happens in between, and what was measured."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import sleep
from typing import Any, Final
from zoneinfo import ZoneInfo

from benchmarks.soak.agenda import Agenda
from benchmarks.soak.health import Health
from benchmarks.soak.life import Life
from benchmarks.soak.people import People
from benchmarks.soak.story import PAST, Story
from benchmarks.soak.trouble import Trouble
from benchmarks.soak.world import START, ZONE, World
from bot.control import ask
from costcompass_core.storage.store import FILE_NAME

PROVIDERS: Final = ("anthropic", "deepseek", "openai", "vercel")
_MEASURED_EVERY: Final = timedelta(hours=3)
_CATCH_UP: Final = timedelta(hours=1)
"""How long after the last fault everything has to be told."""
_FULL: Final = 4096
"""Bytes of a file that can be written while the disk is full: not a frame of a WAL."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, by which seed, and among whom; `step` is simulated time from tick to tick."""

    days: int = 30
    seed: int = 1
    step: timedelta = timedelta(minutes=1)
    providers: Collection[str] = PROVIDERS
    patient: bool = True
    trace: bool = False
    more: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the daemon and its files were like at a moment, in which life."""

    at: datetime
    life: int
    values: dict[str, Any]
    database: int
    wal: int


class Soak:
    """Lives through a plan; afterwards everything is there to be judged."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan = plan
        self.world = world
        self.agenda = Agenda()
        self.story = Story(world, self.agenda, plan.seed, plan.days)
        self.people = People(world, self.agenda, plan.seed, plan.days)
        self.health = Health(plan.more)
        self.trouble = Trouble(world, self.agenda, self, plan.seed, plan.days, patient=plan.patient)
        self.measured: list[Measured] = []
        self.kills: list[int] = []
        """How many calls Slack had got when the daemon was killed."""
        self.lives = 1
        self.steps = 0
        self.awake: dict[date, tuple[datetime, datetime]] = {}
        """The first and last tick of each local date."""
        self.final: dict[str, Any] = {}
        """What the last measurement adds, and the refresh that came before it."""
        self._zone = ZoneInfo(ZONE)
        self._orders: dict[str, Any] = {}
        self._commits = 0
        self._life: Life

    @property
    def commits(self) -> int:
        """Transactions of all lives, as far as they were counted before a kill."""
        return self._commits + (self.measured[-1].values["commits"] if self.measured else 0)

    def run(self) -> None:
        """Live through it; raises `Died` where the daemon does not."""
        self._life = Life(self.world)
        try:
            self._live(START + timedelta(days=self.plan.days))
            self._finish()
        except BaseException:
            self._life.abandon()
            raise

    def _live(self, end: datetime) -> None:
        self._measure()
        due = START + timedelta(hours=1)
        middle = START + (end - START) / 2
        while self.world.clock.now() < end:
            self._step()
            if self.world.clock.now() >= due:
                self._measure()
                due += _MEASURED_EVERY
            if self.plan.trace and self.world.clock.now() >= middle:
                self._order(trace=True)
                middle = end + _CATCH_UP

    def killed(self) -> None:
        """Kill the daemon amid its ticks, and start it again."""
        self._keep_count()
        self._life.kill(self.world.clock.now())
        self.kills.append(len(self.world.slack.calls))
        self._begin_anew()

    def restarted(self) -> None:
        """Stop the daemon, and start it again."""
        self._keep_count()
        self._life.end()
        self._begin_anew()

    def suspended(self, length: timedelta) -> None:
        """Let time pass without the daemon noticing, as while a machine sleeps."""
        self.world.clock.later(length)

    def refused(self, *, on: bool) -> None:
        """Fill the disk, or free it, with the next step."""
        self._orders["file_limit"] = _FULL if on else None

    def _keep_count(self) -> None:
        self._commits = self.commits
        self.measured.append(self._look({**self._order(measure=True), "commits": 0}))

    def _begin_anew(self) -> None:
        self.lives += 1
        self._life = Life(self.world)
        self._measure()

    def _step(self) -> None:
        self.world.clock.later(self.plan.step)
        self.agenda.until(self.world.clock.now())
        self._order(**self._orders)
        self._orders = {}
        self.world.settle()
        self.steps += 1
        now = self.world.clock.now()
        local = now.astimezone(self._zone).date()
        self.awake[local] = (self.awake.get(local, (now, now))[0], now)

    def _order(self, **orders: Any) -> dict[str, Any]:
        return self._life.step(self.world.clock.now(), **orders)

    def _measure(self) -> None:
        self.health.look()
        self.measured.append(self._look(self._order(measure=True)))

    def _look(self, values: dict[str, Any]) -> Measured:
        database = self.world.state / FILE_NAME
        wal = database.with_name(f"{FILE_NAME}-wal")
        sizes = (one.stat().st_size if one.exists() else 0 for one in (database, wal))
        return Measured(self.world.clock.now(), self.lives, values, *sizes)

    def _finish(self) -> None:
        """Catch up with everything, read it all once more while time stands still, and stop."""
        self._heal()
        last = self.world.clock.now() + _CATCH_UP
        while self.world.clock.now() < last:
            self._step()
        self.final["refreshes"] = ask(self.world.state, {"do": "refresh"})
        self._order()
        self.world.settle()
        self.final["status"] = ask(self.world.state, {"do": "status"})
        self._measure()
        self.final |= self._order(trim=True, trace=self.plan.trace)
        sleep(0.1)
        self._life.end()

    def _heal(self) -> None:
        for source in (*self.world.sources.values(), self.world.hooks):
            source.faults.clear()
        self.world.slack.faults.clear()
        self.world.slack.outage(False)
        today = self.world.clock.now().date()
        for age in range(PAST):
            self.world.account.show_day(today - timedelta(days=age))
