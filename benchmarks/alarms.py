"""False alarms and missed ones: the product's own rules, replayed day by day over series of spend."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from benchmarks.table import Figure, Goal
from costcompass_core.domain.days import midnight
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.money import Usd
from costcompass_core.domain.past import BANDS, BASE, PAST_DAYS, WEEK, Past, Used
from costcompass_core.domain.reconcile import reconcile
from costcompass_core.domain.reports import Amounts
from costcompass_core.domain.rules.drift import routing_drift
from costcompass_core.domain.rules.unusual import spend_level, spend_spike
from costcompass_core.domain.rules.views import AccountView, Finding, Key, Limits, PartState

Series = Sequence[Decimal]
Use = Mapping[str, tuple[int, Decimal]]
"""Tokens and cost (USD) of each model on one day."""

_BEGAN: Final = date(2024, 1, 1)
_LONG_AGO: Final = date(2000, 1, 1)
_LIMITS: Final = Limits()
_FIRST: Final = WEEK + BASE
_GOALS: Final = {"llm": 1.5, "dense": 0.25}


def alarms(series: Mapping[str, Sequence[Series]]) -> list[Figure]:
    """Return how often the rules fire on each group as it is, and what they find once it is added."""
    figures = []
    for group, ones in series.items():
        long = [one for one in ones if len(one) > _FIRST + 14]
        if not long:
            continue
        days = sum(len(one) - _FIRST for one in long)
        fired = sum(len(opened(one)) for one in long)
        goal = _GOALS.get(group)
        figures.append(
            Figure(
                f"{group}: alarms per 30 days",
                len(long),
                "",
                fired * 30 / days,
                goal=Goal("≤", goal) if goal else None,
            )
        )
        figures += [
            _found(f"{group}: a day +{size} mean days", long, _spike_of(size), size == 10 and 0.95)
            for size in (5, 10, 20)
        ]
        figures += [
            _found(f"{group}: a level ×{size} in 7 days", long, _level_of(size), size == 3 and 0.8)
            for size in (2, 3, 5)
        ]
    return [*figures, *drifts()]


def opened(series: Series, first: int = _FIRST) -> list[tuple[int, str]]:
    """Return on which days of a series which incident opens, resting as the product lets it rest."""
    found: list[tuple[int, str]] = []
    incidents: dict[Key, Incident] = {}
    for end in range(first, len(series)):
        view = _view(series, end)
        findings: dict[Key, Finding | None] = {
            Key("spend_spike", "main"): spend_spike(view, _LIMITS),
            Key("spend_level", "main"): spend_level(view, _LIMITS),
        }
        for change in reconcile(incidents.values(), findings, view.now, timedelta(days=1)):
            incidents[change.incident.key] = change.incident
            if change.what in {"opened", "worse", "reminded"}:
                found.append((end, change.incident.key.rule))
            if change.what == "resolved":
                del incidents[change.incident.key]
    return found


def _view(series: Series, end: int, used: Sequence[Used] | None = None) -> AccountView:
    """Return the account on the morning after day `end` of its series."""
    newest = _BEGAN + timedelta(days=end)
    now = midnight(newest + timedelta(days=1)) + timedelta(hours=9)
    days = tuple(Usd(one) for one in reversed(series[max(0, end + 1 - PAST_DAYS) : end + 1]))
    parts = {"activity": PartState(now, now, 0, None, None)}
    past = Past(newest, days, read=True, watched=_LONG_AGO)
    return AccountView(
        "main", now, datetime(2000, 1, 1, tzinfo=UTC), parts=parts, past=past, used=used
    )


def _spike_of(
    size: int,
) -> Callable[[Series, int], tuple[list[Decimal], Callable[[AccountView], bool]]]:
    def inject(series: Series, at: int) -> tuple[list[Decimal], Callable[[AccountView], bool]]:
        mean = sum(series[at - BASE : at], Decimal(0)) / BASE
        changed = [*series[:at], series[at] + size * mean]
        return changed, lambda view: bool(_level(spend_spike(view, _LIMITS)))

    return inject


def _level_of(
    size: int,
) -> Callable[[Series, int], tuple[list[Decimal], Callable[[AccountView], bool]]]:
    def inject(series: Series, at: int) -> tuple[list[Decimal], Callable[[AccountView], bool]]:
        changed = [*series[:at], *(one * size for one in series[at : at + WEEK])]

        def told(view: AccountView) -> bool:
            return bool(_level(spend_level(view, _LIMITS)) or _level(spend_spike(view, _LIMITS)))

        return changed, told

    return inject


def _level(finding: Finding | None) -> int:
    return finding.level if finding else 0


def _found(
    what: str,
    series: Sequence[Series],
    inject: Callable[[Series, int], tuple[list[Decimal], Callable[[AccountView], bool]]],
    goal: float | bool,
) -> Figure:
    """Return in which share of windows something that was added is told by the end of it."""
    hits = tried = 0
    for one in series:
        for at in range(_FIRST, len(one) - WEEK, 11):
            if not any(one[at - BASE : at]):
                continue
            changed, told = inject(one, at)
            tried += 1
            hits += any(told(_view(changed, end)) for end in range(at, len(changed)))
    share = hits / tried if tried else 0.0
    return Figure(what, tried, "", share, goal=Goal("≥", goal) if goal else None)


def drifts(seed: int = 1, accounts: int = 12, days: int = 150) -> list[Figure]:
    """Return how often moved traffic is told on made-up accounts, and how often when it did not."""
    chance = random.Random(seed)
    hits = by_tokens = quiet = tried = fired = 0
    for _ in range(accounts):
        uses = list(_switching(chance, days))
        for end in range(_FIRST, days, WEEK):
            tried += 1
            quiet += _drifts(uses, end)
            hits += _drifts(_moved(uses, end, _spent), end)
            by_tokens += _drifts(_moved(uses, end, _tokens), end)
        fired += _opened_drifts(uses)
    month = accounts * (days - _FIRST) / 30
    return [
        Figure("mix: alarms per 30 days", accounts, "", fired / month),
        Figure("mix: half of top by spend at 5×", tried, "", hits / tried, goal=Goal("≥", 0.85)),
        Figure("mix: half of top by tokens at 5×", tried, "", by_tokens / tried),
        Figure("mix: the same windows untouched", tried, "", quiet / tried, goal=Goal("≤", 0.35)),
    ]


def _drifts(uses: Sequence[Use], end: int) -> int:
    return _level(routing_drift(_used_view(uses, end), _LIMITS))


def _opened_drifts(uses: Sequence[Use]) -> int:
    count, until = 0, -1
    for end in range(_FIRST, len(uses)):
        finding = routing_drift(_used_view(uses, end), _LIMITS)
        if finding and finding.level and end > until:
            count, until = count + 1, end + finding.lasts.days
    return count


def _used_view(uses: Sequence[Use], end: int) -> AccountView:
    used = [
        Used(band, "", Amounts(model, cost, Decimal(0), 1, tokens, 0, 0, None))
        for band, (young, old) in enumerate(BANDS)
        for one in uses[max(0, end - old) : end - young + 1]
        for model, (tokens, cost) in one.items()
    ]
    series = [sum((cost for _, cost in one.values()), Decimal(0)) for one in uses[: end + 1]]
    return _view(series, end, used)


def _spent(_: int, cost: Decimal) -> Decimal:
    return cost


def _tokens(count: int, _: Decimal) -> Decimal:
    return Decimal(count)


def _moved(uses: Sequence[Use], end: int, size: Callable[[int, Decimal], Decimal]) -> list[Use]:
    """Return the uses with half of the top model's tokens of the last 7 days at 5 times its price.

    `size` says by what it is the top one.
    """
    window = uses[end - WEEK + 1 : end + 1]
    sizes: dict[str, Decimal] = {}
    for one in window:
        for model, used in one.items():
            sizes[model] = sizes.get(model, Decimal(0)) + size(*used)
    top = max(sizes, key=lambda model: sizes[model])
    changed = [dict(one) for one in uses]
    for one in changed[end - WEEK + 1 : end + 1]:
        if top in one:
            count, cost = one[top]
            one[top] = (count - count // 2, cost / 2)
            one["dear/model"] = (count // 2, cost / 2 * 5)
    return list(changed)


def _switching(chance: random.Random, days: int) -> Iterator[Use]:
    """Yield what somebody used who changes models every few weeks, on four models at a time."""
    prices = [Decimal(round(10 ** chance.uniform(-1, 1.2) * 100)).scaleb(-8) for _ in range(10)]
    weights = [chance.paretovariate(1) if place < 4 else 0.0 for place in range(10)]
    for _ in range(days):
        if chance.random() < 1 / 30:  # a new favourite
            weights[chance.randrange(10)] = max(weights) * chance.uniform(0.3, 1.5)
        total = int(2_000_000 * chance.lognormvariate(0, 0.7))
        used: dict[str, tuple[int, Decimal]] = {}
        for place, weight in enumerate(weights):
            tokens = int(total * weight * chance.uniform(0.5, 1.5) / sum(weights))
            if tokens:
                used[f"some/model-{place}"] = (tokens, tokens * prices[place])
        yield used
