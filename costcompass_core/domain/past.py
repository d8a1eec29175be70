"""An account's last weeks as rules compare them: days of spend, and who was used on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from costcompass_core.domain.attribution import Attribution, attribute
from costcompass_core.domain.cause import likely_cause
from costcompass_core.domain.facts import Fact
from costcompass_core.domain.money import EXACT, Usd
from costcompass_core.domain.reports import Amounts

WEEK: Final = 7
BASE: Final = 28
"""Completed UTC days that recent ones are compared with: four whole weeks."""
BASE_LEAST: Final = 14
"""Days that are enough of them; a younger account is not judged."""
BASE_UNKNOWN: Final = 2
"""Days of them that may stay unknown: one that never comes must not end all judgement for weeks."""
PAST_DAYS: Final = WEEK + 3 + WEEK + BASE
"""Days that the rules look back on at most: spikes of ten days, and the level before the oldest."""
BANDS: Final = ((0, 0), (1, WEEK - 1), (WEEK, BASE), (BASE + 1, WEEK + BASE - 1))
"""How old the days of each `Used.band` are, 0 for yesterday: what any of the windows is made of."""
_DAY, _DAY_BASE = (0,), (1, 2)
_WEEK, _WEEK_BASE = (0, 1), (2, 3)


@dataclass(frozen=True, slots=True)
class Past:
    """What completed UTC days took (USD), newest first from `newest` on, `None` where unknown.

    They end where usage began. `read` says whether the rows of `newest` were read; what its balance
    lost counts before that. `watched` is the first day of which a balance was read: what was over
    by then is no news.
    """

    newest: date
    days: tuple[Usd | None, ...]
    read: bool
    watched: date

    def day(self, age: int) -> date:
        """Return the UTC day that is `age` days older than the newest."""
        return self.newest - timedelta(days=age)

    def base(self, age: int) -> list[Usd] | None:
        """Return what is known of the 28 days from `age` on, `None` where that is too little."""
        window = self.days[age : age + BASE]
        known = [one for one in window if one is not None]
        enough = len(known) >= max(BASE_LEAST, len(window) - BASE_UNKNOWN)
        return known if enough else None

    def week(self, age: int) -> list[Usd] | None:
        """Return the 7 days from `age` on, `None` where one is missing."""
        known = [one for one in self.days[age : age + WEEK] if one is not None]
        return known if len(known) == WEEK else None


class Used(NamedTuple):
    """What one model took at one host within a band of days (see `BANDS`)."""

    band: int
    host: str
    amounts: Amounts


class Comparison(NamedTuple):
    """A change with both sides multiplied up to as many days, so that it stays exact.

    `days` is by how much: what is found, over `days`, is USD of the newer period.
    """

    found: Attribution
    days: int

    def usd(self, amount: Usd) -> Usd:
        """Return an amount of `found` as USD of the newer period."""
        return Usd.of_ratio(amount.ratio() / self.days)


def compare_day(used: Sequence[Used], base_days: int) -> Comparison:
    """Return how yesterday differs from the mean of the `base_days` before it, by model."""
    return _compare(used, (_DAY, 1), (_DAY_BASE, base_days))


def compare_week(used: Sequence[Used], base_days: int) -> Comparison:
    """Return how the last 7 days differ from 7 mean ones of the `base_days` before, by model."""
    return _compare(used, (_WEEK, WEEK), (_WEEK_BASE, base_days))


def compare_hosts(used: Sequence[Used], base_days: int) -> Comparison:
    """Return the same by host; of `used`, all is one model's."""
    by_host = [one._replace(amounts=one.amounts._replace(name=one.host)) for one in used]
    return compare_week(by_host, base_days)


def in_week(one: Used) -> bool:
    """Return whether something was used within the last 7 days."""
    return one.band in _WEEK


def before_week(one: Used) -> bool:
    """Return whether something was used within the 28 days before the last 7."""
    return one.band in _WEEK_BASE


def _compare(
    used: Sequence[Used], after: tuple[Sequence[int], int], before: tuple[Sequence[int], int]
) -> Comparison:
    (new, days), (old, base_days) = after, before
    return Comparison(
        attribute(
            [_times(one.amounts, days) for one in used if one.band in old],
            [_times(one.amounts, base_days) for one in used if one.band in new],
        ),
        base_days,
    )


def _times(one: Amounts, factor: int) -> Amounts:
    by = Decimal(factor)
    requests, prompt, completion, reasoning, cached = (
        None if count is None else count * factor for count in one[3:8]
    )
    return Amounts(
        one.name,
        EXACT.multiply(one.cost, by),
        EXACT.multiply(one.byok_cost, by),
        requests,
        prompt,
        completion,
        reasoning,
        cached,
        one.provider,
    )


def cause_facts(compared: Comparison) -> dict[str, Fact]:
    """Return the facts of what likely caused a change."""
    cause = likely_cause(compared.found)
    if cause is None:
        return {}
    usd = compared.usd(cause.usd)
    return {"cause": cause.kind, "cause_model": cause.model, "cause_usd": usd}


def mean(days: Sequence[Usd]) -> Fraction:
    """Return the mean of some days (USD)."""
    return Usd.total(days).ratio() / len(days)
