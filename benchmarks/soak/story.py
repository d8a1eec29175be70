"""What the company does: it spends every day, is told of it late and otherwise, and tops up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random
from typing import Final

from benchmarks.soak.agenda import Agenda
from benchmarks.soak.world import START, World
from bot.sandbox.deepseek import DeepSeek
from bot.sandbox.openrouter_rows import activity_row
from costcompass_core.domain.days import ONE_DAY

PAST: Final = 40
"""Days that are over when the soak begins."""
_USUAL: Final = {"anthropic": 3.1, "openai": 1.2, "vercel": 0.7}
_LATEST: Final = {"anthropic": 40, "openai": 30, "vercel": 20}
"""Hours after its end within which a day is told."""
_MODELS: Final = (
    ("backend", "anthropic/claude-sonnet-4.5", "Anthropic", 3.4),
    ("backend", "openai/gpt-5-mini", "OpenAI", 0.8),
    ("laptop", "anthropic/claude-sonnet-4.5", "Google", 1.2),
    ("laptop", "qwen/qwen3-coder", "Alibaba", 0.6),
)
_ENOUGH: Final = Decimal(100)
_DIP_TO: Final = Decimal(9)
"""USD left when a balance falls below both levels of the configuration."""
_DIP: Final = timedelta(hours=30)
_CENT: Final = Decimal("0.01")


class Story:
    """A company of `days` days, whose amounts depend on the seed alone."""

    def __init__(self, world: World, agenda: Agenda, seed: int, days: int) -> None:
        """Tell the providers what is over, and plan what is to come."""
        self._world = world
        self._agenda = agenda
        self._chance = Random(f"{seed}/story")
        self._first, self._days = START.date(), days
        self.dips = 0
        """How often the balance fell below both levels, and rose again."""
        self.prepaid: dict[date, Decimal] = {}
        """What each UTC day took from the prepaid balance (USD)."""
        self._dipping = False
        for age in range(-PAST, days + 2):
            day = self._first + timedelta(days=age)
            self._routes(day)
            for name in sorted(_USUAL.keys() & world.billers.keys()):
                self._bills(name, day)
            if age >= 0:
                self._busy_day(day)

    def _at(self, day: date, hours: float) -> datetime:
        return datetime.combine(day, time(), UTC) + timedelta(hours=hours)

    def _amount(self, usual: float, day: date, digits: int) -> Decimal:
        rhythm = 0.3 if day.weekday() >= 5 else 1.0
        return Decimal(f"{usual * rhythm * self._chance.lognormvariate(0, 0.3):.{digits}f}")

    def _routes(self, day: date) -> None:
        """Let OpenRouter's account use its models on a day, as the hours go by."""
        for key in sorted({key for key, *_ in _MODELS}):
            rows = [
                activity_row(day, model, self._amount(usual, day, 13), host=host, requests=40)
                for of, model, host, usual in _MODELS
                if of == key
            ]
            self._world.account.set_day(day, rows, key=key, gradual=True)

    def _bills(self, name: str, day: date) -> None:
        biller, amount = self._world.billers[name], self._amount(_USUAL[name], day, 6)
        at = self._at(day + ONE_DAY, self._chance.uniform(1, _LATEST[name]))
        self._tell(at, "a day's cost told", lambda: biller.spend(day, str(amount)))

    def _tell(self, at: datetime, name: str, act: Callable[[], None]) -> None:
        if at <= START:
            act()
        else:
            self._agenda.put(at, name, act)

    def _busy_day(self, day: date) -> None:
        self._agenda.put(self._at(day, 0.1), "", self._top_up_if_low)
        if "deepseek" in self._world.billers:
            self._agenda.put(self._at(day, 7), "", self._use_prepaid)
        some = self._chance.random
        if some() < 0.5:
            self._agenda.put(self._at(day, 24 * some()), "a past day restated", self._restate)
        if some() < 0.3:
            until = timedelta(hours=10 * some())
            self._agenda.put(self._at(day, 0), "rows late", lambda: self._hide(1, until))
        if some() < 0.2:
            hour = timedelta(hours=1)
            self._agenda.put(self._at(day, 24 * some()), "rows gone", lambda: self._hide(2, hour))
        number = (day - self._first).days
        if number % 5 == 1 or self._days < 5:
            self._agenda.put(self._at(day, 9 + 4 * some()), "", self._dip)

    def _top_up_if_low(self) -> None:
        account, now = self._world.account, self._world.clock.now()
        if account.balance(now) < _ENOUGH and not self._dipping:
            account.top_up(100)
            self._agenda.done["top-up"] += 1

    def _use_prepaid(self) -> None:
        biller = self._world.billers["deepseek"]
        assert isinstance(biller, DeepSeek)
        used = f"{self._chance.uniform(0.5, 3):.2f}"
        biller.use("USD", used)
        self.prepaid[self._world.clock.now().date()] = Decimal(used)

    def _dip(self) -> None:
        """Let most of the credits be taken back, and bought again a day later."""
        account, now = self._world.account, self._world.clock.now()
        last = START + timedelta(days=self._days - 2)
        if self._dipping or (now > last and self.dips):
            return
        lost = (account.balance(now) - _DIP_TO).quantize(_CENT, ROUND_DOWN)
        account.refund(lost)
        self._dipping = True
        self.dips += 1

        def recover() -> None:
            account.top_up(lost)
            self._dipping = False

        left = START + timedelta(days=self._days) - now
        self._agenda.put(now + min(_DIP, left / 2), "a low balance, topped up", recover)

    def _hide(self, age: int, lasting: timedelta) -> None:
        now = self._world.clock.now()
        self._world.account.hide_day(now.date() - timedelta(days=age), now + lasting)

    def _restate(self) -> None:
        """Let a provider correct one of the two days before yesterday, where it was told of it."""
        now = self._world.clock.now()
        day = now.date() - timedelta(days=self._chance.choice((2, 3)))
        name = self._chance.choice(sorted({"openrouter", *_USUAL} & self._world.sources.keys()))
        if name == "openrouter":
            day = now.date() - ONE_DAY
            model = self._chance.choice(_MODELS)[1]
            changed = self._amount(2.0, day, 13)
            self._world.account.correct(day, model, usage=changed)
        elif day in (biller := self._world.billers[name]).spent:
            biller.spend(day, str(self._amount(_USUAL[name], day, 6)))
