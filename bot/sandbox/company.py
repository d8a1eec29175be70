"""What a small company pays beside OpenRouter, believable and the same for the same day: for the demo.

Each provider is its own stand-in; the days of the story are told to all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from types import TracebackType
from typing import Final, NamedTuple, Self

from bot.sandbox.anthropic import Anthropic
from bot.sandbox.biller import Biller
from bot.sandbox.deepseek import DeepSeek
from bot.sandbox.google import TABLE, Google
from bot.sandbox.openai import OpenAI
from bot.sandbox.vercel import Vercel

_DAYS: Final = 60
"""Completed days of the story."""
_CNY: Final = Decimal("118.40")
"""What is left at DeepSeek when the story's last day begins."""


class _Habit(NamedTuple):
    """About how much (USD) a working day costs, what is left of it on weekends, how late it is told."""

    usd: float
    weekend: float
    late: int


_HABITS: Final = {
    "anthropic": _Habit(3.1, 0.3, 2),
    "openai": _Habit(1.2, 0.6, 1),
    "google": _Habit(0.4, 0.8, 2),
    "vercel": _Habit(0.7, 1.0, 1),
}


@dataclass(frozen=True, slots=True)
class Connected:
    """One provider of the company: how its account is configured, and the key that reads it."""

    provider: str
    biller: Biller
    key: str
    options: str = ""


class Company:
    """The stand-ins of everything but OpenRouter. Use it as a context manager."""

    def __init__(self, now: Callable[[], datetime], *, seed: int = 7) -> None:
        """Start them, with the days that are over by `now`."""
        self._stack = ExitStack()
        self._now = now
        enter = self._stack.enter_context
        self.deepseek = enter(DeepSeek(now))
        google = enter(Google(now))
        self.connected = (
            Connected("anthropic", enter(Anthropic(now)), Anthropic.RIGHT),
            Connected("openai", enter(OpenAI(now)), OpenAI.RIGHT),
            Connected("google", google, google.service_account(), f'table = "{TABLE}"'),
            Connected("vercel", enter(Vercel(now)), Vercel.RIGHT),
            Connected("deepseek", self.deepseek, DeepSeek.RIGHT),
        )
        today = now().date()
        for one in self.connected:
            if one.provider in _HABITS:
                _tell(one.biller, _HABITS[one.provider], today, f"{seed}/{one.provider}")
        self.deepseek.topped_up, self.deepseek.granted = {"CNY": _CNY}, {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop them all."""
        self._stack.__exit__(kind, error, trace)

    def past(self, days: int = 9) -> list[tuple[datetime, Decimal]]:
        """Return when DeepSeek's balance was read in the days before, and what was left (CNY)."""
        chance = Random("deepseek")  # noqa: S311 - a story, not a secret
        left, found = _CNY, []
        for age in range(1, days + 1):
            day = self._now().date() - timedelta(days=age)
            for hour in (20, 8):
                left += Decimal(f"{chance.uniform(2, 6):.2f}")
                found.append((datetime.combine(day, time(hour), UTC), left))
        return found[::-1]


def _tell(biller: Biller, habit: _Habit, today: date, seed: str) -> None:
    for age in range(habit.late, _DAYS + 1):
        day = today - timedelta(days=age)
        chance = Random(f"{seed}/{day}")  # noqa: S311 - a story, not a secret
        rhythm = habit.weekend if day.weekday() >= 5 else 1
        biller.spend(day, f"{habit.usd * rhythm * chance.lognormvariate(0, 0.3):.6f}")
