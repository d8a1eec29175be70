"""What spend was: grouped, ranked and added up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from costcompass_core.domain.days import Period
from costcompass_core.domain.money import EXACT, ZERO, Usd, exact_sum, half_even
from costcompass_core.domain.query import SpendQuery
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.domain.timeline import Timeline

if TYPE_CHECKING:
    from costcompass_core.domain.stack import Stack


BETWEEN: Final = "\x1f"
"""Between provider and name, where both make a key: no name holds it."""


class Counts(NamedTuple):
    """How much was used; `None` where any part of it was not reported."""

    requests: int | None = 0
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    reasoning_tokens: int | None = 0
    cached_tokens: int | None = 0


class Amounts(NamedTuple):
    """Any slice of usage under the name it is grouped by; the shape that storage hands out."""

    name: str
    cost: Decimal
    byok_cost: Decimal
    requests: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    provider: str = ""
    """Who sells it, where names of several providers stand side by side."""


def tokens_of(one: Counts | Amounts) -> int | None:
    """Return all tokens, `None` where a part was not reported; reasoning is part of completion."""
    if one.prompt_tokens is None or one.completion_tokens is None:
        return None
    return one.prompt_tokens + one.completion_tokens


@dataclass(frozen=True, slots=True)
class SpendRow:
    """One ranked row: USD from the balance, USD under own upstream keys, share of the total."""

    name: str
    cost: Usd
    byok: Usd
    share: Decimal
    counts: Counts
    provider: str = ""

    @property
    def key(self) -> str:
        """What tells the row from others, in the form that `Before.costs` has."""
        return f"{self.provider}{BETWEEN}{self.name}" if self.provider else self.name

    @property
    def per_million(self) -> Usd | None:
        """USD for a million tokens, `None` where either is nothing or the tokens are not known."""
        tokens = tokens_of(self.counts)
        if not tokens or self.cost <= ZERO:
            return None
        return Usd.of_ratio(self.cost.ratio() * 10**6 / tokens)


@dataclass(frozen=True, slots=True)
class Before:
    """What as many UTC days just before a period cost (USD), in all and under each row's `key`.

    `late` are the providers or accounts that are not wholly known in both periods: neither they nor
    the total can be compared.
    """

    period: Period
    total: Usd
    costs: Mapping[str, Usd]
    late: frozenset[str] = frozenset()

    def is_late(self, row: SpendRow) -> bool:
        """Return whether a row is not wholly known in both periods."""
        return (row.provider or row.name) in self.late


@dataclass(frozen=True, slots=True)
class Health:
    """How far one account's stored data can be trusted; `data_through` is a completed UTC day.

    A `slow` account's newest days come late by nature and its first one is `since`: what is missing
    outside is no gap. `title` is what people call the provider.
    """

    account: str
    provider: str
    data_through: date | None = None
    refreshed_at: datetime | None = None
    error: str | None = None
    failed_at: datetime | None = None
    title: str = ""
    slow: bool = False
    since: date | None = None


@dataclass(frozen=True, slots=True)
class SpendReport:
    """The answer to one `SpendQuery`; `rows` add up to `total` to the last digit.

    `subscriptions` is `None` unless the period is a calendar month. `unattributed` is what the
    balance lost in the period beyond the reported usage, `None` while that can't be known.
    For `today`, `today` is what usage took by the balance from `today_since` to `today_until`; where
    `unattributed` is not known, no reading around midnight is, and it is the least that today has
    cost. Where rows of today are reported, `today_reported` is when the oldest account's were (UTC),
    and `today_silent` are the accounts of which none are.
    `before` is the period before, `None` where either of the two is not wholly known, and `timeline`
    what the period cost over time, `None` where it is no more than a day.
    `last_month` is last month's total, which leads while nothing of this month is completed; `meant`
    a name that a filter without any match nearly is.
    """

    query: SpendQuery
    total: Usd
    byok: Usd
    rows: tuple[SpendRow, ...]
    subscriptions: Usd | None
    foreign_subscriptions: tuple[Subscription, ...]
    unattributed: Usd | None
    missing_days: tuple[date, ...]
    data_through: date | None
    refreshed_at: datetime | None
    health: tuple[Health, ...]
    last_month: Usd | None = None
    meant: str | None = None
    today: Usd | None = None
    today_since: datetime | None = None
    today_until: datetime | None = None
    today_reported: datetime | None = None
    today_silent: tuple[str, ...] = ()
    before: Before | None = None
    timeline: Timeline | None = None
    stack: Stack | None = None
    """What only several providers or currencies bring."""

    def change_of(self, row: SpendRow) -> Decimal | None:
        """Return by what share a row changed against the period before, where that is known."""
        if self.before is None or self.query.by == "day" or self.before.is_late(row):
            return None
        return change(row.cost, self.before.costs.get(row.key, ZERO))

    @property
    def change(self) -> Decimal | None:
        """By what share the total changed against the period before, where that is known."""
        if self.before is None or self.before.late:
            return None
        return change(self.total, self.before.total)


def change(cost: Usd, before: Usd) -> Decimal | None:
    """Return by what share a cost changed, to four decimals; `None` where nothing was before.

    A negative cost before, of which no share can be told, counts as nothing.
    """
    if before <= ZERO:
        return None
    return share_of(cost - before, before)


def sum_counts(counts: Sequence[int | None]) -> int | None:
    """Add up counts; with anything unknown among them the sum is unknown."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def grouped(amounts: Iterable[Amounts]) -> list[Amounts]:
    """Add up the slices of each name, exactly."""
    slices: dict[tuple[str, str], list[Amounts]] = {}
    for one in amounts:
        slices.setdefault((one.provider, one.name), []).append(one)
    return [_added(some) for some in slices.values()]


def _added(slices: Sequence[Amounts]) -> Amounts:
    names, costs, byok_costs, *counts, providers = zip(*slices, strict=True)
    requests, prompt, completion, reasoning, cached = map(sum_counts, counts)
    return Amounts(
        names[0],
        exact_sum(costs),
        exact_sum(byok_costs),
        requests,
        prompt,
        completion,
        reasoning,
        cached,
        providers[0],
    )


def ranked(amounts: Iterable[Amounts]) -> tuple[tuple[SpendRow, ...], Usd, Usd]:
    """Return rows by falling cost, then name; their total; and the BYOK total beside it (USD)."""
    groups = grouped(amounts)
    total = Usd.total(Usd(one.cost) for one in groups)
    byok = Usd.total(Usd(one.byok_cost) for one in groups)
    groups.sort(key=lambda one: (EXACT.minus(one.cost), one.name, one.provider))
    rows = tuple(
        SpendRow(
            one.name,
            Usd(one.cost),
            Usd(one.byok_cost),
            share_of(Usd(one.cost), total),
            Counts(*one[3:8]),
            one.provider,
        )
        for one in groups
    )
    return rows, total, byok


def share_of(part: Usd, total: Usd) -> Decimal:
    """Return `part` of `total` to four decimals, half-even; zero where there is no total."""
    if not total:
        return Decimal(0).scaleb(-4, EXACT)
    # In whole numbers: the same as with fractions, which look for a common divisor at every step.
    (over, under), (by, of) = part.amount.as_integer_ratio(), total.amount.as_integer_ratio()
    parts = half_even(over * of * 10**4, under * by)
    return Decimal(parts).scaleb(-4, EXACT)  # exact: beside negative rows a share can be huge


def remainder(name: str, whole: Iterable[Amounts], parts: Iterable[Amounts]) -> Amounts:
    """Return what `whole` holds beyond `parts`, as one slice: so that parts still add up."""
    rest = grouped(one._replace(name=name, provider="") for one in whole)
    taken = grouped(one._replace(name=name, provider="") for one in parts)
    if not rest:
        rest = [Amounts(name, Decimal(0), Decimal(0), 0, 0, 0, 0, 0)]
    if not taken:
        return rest[0]
    requests, prompt, completion, reasoning, cached = (
        None if a is None or b is None else a - b
        for a, b in zip(rest[0][3:8], taken[0][3:8], strict=True)
    )
    return Amounts(
        name,
        EXACT.subtract(rest[0].cost, taken[0].cost),
        EXACT.subtract(rest[0].byok_cost, taken[0].byok_cost),
        requests,
        prompt,
        completion,
        reasoning,
        cached,
    )


def known_through(health: Sequence[Health]) -> date | None:
    """Return the newest completed UTC day that a provider has been read for whole.

    That is the oldest newest day among its accounts. What lags behind, another provider or an
    account that is slow by nature, is named beside the figures and makes none of the others look old.
    """
    through: dict[str, date] = {}
    for one in health:
        if one.data_through is not None:
            group = one.account if one.slow else one.provider
            through[group] = min(through.get(group, one.data_through), one.data_through)
    return max(through.values(), default=None)


def known_at(health: Sequence[Health]) -> datetime | None:
    """Return when a provider was last read whole: the oldest of its accounts' good refreshes."""
    read: dict[str, datetime] = {}
    for one in health:
        if one.refreshed_at is not None:
            read[one.provider] = min(read.get(one.provider, one.refreshed_at), one.refreshed_at)
    return max(read.values(), default=None)
