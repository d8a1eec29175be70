"""A small company's OpenRouter account, believable and the same for the same day: for the demo.

Three keys share the traffic: a backend that follows the working week, evaluations that come in
bursts, and a developer's laptop. Random numbers choose tokens only; costs are exact prices of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random
from typing import Final, NamedTuple

from bot.sandbox.catalog import CATALOG, Host
from bot.sandbox.openrouter_account import StandInAccount, StandInKey
from bot.sandbox.openrouter_rows import activity_row
from bot.sandbox.wire import Row

BALANCE: Final = Decimal("41.3718264095")
"""USD left when `today` begins."""

_DAYS_AHEAD: Final = 7
"""A demo left running, or one whose clock is moved, still has spend for these days."""
_SPENT_LONG_AGO: Final = 150
_USUAL_PURCHASE: Final = 25
_FREE_REQUEST: Final = 0.01
"""What a request to a free model counts for when a key's dollars are shared out."""
_RENAMED: Final = "google/gemini-2.5-flash"
_OLD_PERMASLUG: Final = "google/gemini-2.5-flash-preview-09-2025"
_RENAMED_DAYS_AGO: Final = 21
_IDLE_SUNDAY: Final = 8
_BURST_DAYS_AGO: Final = 2

_MODELS: Final = {model.slug: model for model in CATALOG}


@dataclass(frozen=True, slots=True)
class _Habit:
    """A model's share of a key's dollars, and the days ago between which it was used."""

    slug: str
    weight: float
    oldest: int = 10_000
    newest: int = -10_000
    byok: bool = False


@dataclass(frozen=True, slots=True)
class _Worker:
    """A key, its usual USD on a working day, what is left of them on weekends, and its habits."""

    key: str
    usd: float
    weekend: float
    burst_chance: float
    habits: tuple[_Habit, ...]


class _Shift(NamedTuple):
    """One key's day: when it is, how many days ago that was, and its luck."""

    day: date
    age: int
    chance: Random


_WORKERS: Final = (
    _Worker(
        "backend",
        3.6,
        0.45,
        0.03,
        (
            _Habit("anthropic/claude-sonnet-4.5", 5),
            _Habit("google/gemini-2.5-flash", 2.2),
            _Habit("anthropic/claude-haiku-4.5", 1.2),
            _Habit("openai/gpt-4.1", 0.9, byok=True),
            _Habit("openai/gpt-5-mini", 0.8),
            _Habit("mistralai/mistral-small-3.2-24b-instruct", 0.35, newest=9),
        ),
    ),
    _Worker(
        "ci-evals",
        0.9,
        0.12,
        0.16,
        (
            _Habit("qwen/qwen3-235b-a22b-2507", 1.6),
            _Habit("deepseek/deepseek-chat-v3.1", 1.5),
            _Habit("openai/gpt-4.1", 1.4),
            _Habit("meta-llama/llama-3.3-70b-instruct", 0.8),
            _Habit("moonshotai/kimi-k2-0905", 1.1),
            _Habit("z-ai/glm-4.6", 2.4, oldest=6),
        ),
    ),
    _Worker(
        "laptop",
        2.3,
        0.25,
        0.06,
        (
            _Habit("anthropic/claude-sonnet-4.5", 4),
            _Habit("qwen/qwen3-coder", 1.3),
            _Habit("x-ai/grok-4-fast", 1),
            _Habit("deepseek/deepseek-r1-0528:free", 0.5),
        ),
    ),
)


def demo_account(today: date, *, days: int = 60, seed: int = 7) -> StandInAccount:
    """Return the company's account with `days` completed UTC days, today building up, and a week ahead.

    The balance is `BALANCE` as `today` begins, some days of runway. One Sunday has no rows at all.
    """
    manager = StandInKey("costcompass", management=True, seed=f"demo/{seed}")
    keys = [StandInKey(worker.key, seed=f"demo/{seed}") for worker in _WORKERS]
    rows = {
        (worker.key, age): list(_work(worker, today - timedelta(days=age), age, seed))
        for age in range(days, -_DAYS_AHEAD - 1, -1)
        for worker in _WORKERS
    }
    spent = sum(
        (r["usage"] for (_, age), some in rows.items() if age > 0 for r in some), Decimal(0)
    )
    purchases = ((spent + _SPENT_LONG_AGO) / _USUAL_PURCHASE).to_integral_value(ROUND_CEILING)
    bought = purchases * _USUAL_PURCHASE
    account = StandInAccount(
        [manager, *keys], total_credits=bought, opening_usage=bought - spent - BALANCE
    )
    for (key, age), some in rows.items():
        account.set_day(today - timedelta(days=age), some, key=key, gradual=True)
    return account


def big_account(today: date, days: int, models: int, hosts: int) -> StandInAccount:
    """Return an account with a plain row per day, model and host, to measure with."""
    account = StandInAccount(total_credits=1_000_000)
    for age in range(1, days + 1):
        day = today - timedelta(days=age)
        rows = [
            activity_row(
                day,
                f"author-{model % 40}/model-{model}",
                Decimal(1 + (model * 7919 + host * 104_729 + age * 31) % 10_000_000).scaleb(-9),
                host=f"Host {host}",
                requests=1 + model % 50,
            )
            for model in range(models)
            for host in range(hosts)
        ]
        account.set_day(day, rows)
    return account


def _work(worker: _Worker, day: date, age: int, seed: int) -> Iterator[Row]:
    """Yield what one key did on `day`, which was `age` days ago; the day alone seeds its chances."""
    if day.weekday() == 6 and _IDLE_SUNDAY <= age < _IDLE_SUNDAY + 7:
        return
    chance = Random(f"{seed}/{worker.key}/{day}")  # noqa: S311 - a story, not a secret
    shift = _Shift(day, age, chance)
    dollars = worker.usd * chance.lognormvariate(0, 0.35) * _rhythm(worker, shift)
    habits = [
        (habit, habit.weight * chance.uniform(0.4, 1.6))
        for habit in worker.habits
        if habit.newest <= age <= habit.oldest and chance.random() < 0.9
    ]
    whole = sum(share for _, share in habits)
    for habit, share in habits:
        yield from _traffic(habit, shift, dollars * share / whole)


def _rhythm(worker: _Worker, shift: _Shift) -> float:
    """Return how busy the day was: weekends are quiet, some days idle, some a burst."""
    if shift.age == _BURST_DAYS_AGO and worker.key == "ci-evals":
        return 9.0
    busy = worker.weekend if shift.day.weekday() >= 5 else 1.0
    luck = shift.chance.random()
    if luck < worker.burst_chance:
        return busy * shift.chance.uniform(4, 9)
    return busy * 0.02 if luck > 0.94 else busy


def _traffic(habit: _Habit, shift: _Shift, dollars: float) -> Iterator[Row]:
    """Yield the rows of one model, spread over its hosts, the first of them preferred."""
    model, chance = _MODELS[habit.slug], shift.chance
    shares = [chance.uniform(2, 4), *(chance.uniform(0, 1) for _ in model.hosts[1:])]
    for host, share in zip(model.hosts, shares, strict=True):
        price = float(host.cost(model.prompt, model.completion, int(model.prompt * model.cached)))
        requests = round(dollars * share / sum(shares) / (price or _FREE_REQUEST))
        if requests:
            yield _row(habit, host, shift, requests)


def _row(habit: _Habit, host: Host, shift: _Shift, requests: int) -> Row:
    model, vary = _MODELS[habit.slug], shift.chance.uniform
    prompt = int(requests * model.prompt * vary(0.8, 1.2))
    cached = int(prompt * model.cached * vary(0.85, 1.1))
    completion = int(requests * model.completion * vary(0.7, 1.3))
    cost = host.cost(prompt, completion, cached)
    old_name = model.slug == _RENAMED and shift.age > _RENAMED_DAYS_AGO
    return activity_row(
        shift.day,
        model.slug,
        0 if habit.byok else cost,
        permaslug=_OLD_PERMASLUG if old_name else model.permaslug,
        host=host.name,
        byok=cost if habit.byok else 0,
        requests=requests,
        prompt_tokens=prompt,
        completion_tokens=completion,
        reasoning_tokens=int(completion * model.thinking * vary(0.9, 1.1)),
        cached_tokens=cached,
    )
