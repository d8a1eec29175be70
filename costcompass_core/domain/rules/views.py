"""What rules are given, the stored state at one moment, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.burn import Burn
from costcompass_core.domain.facts import Facts
from costcompass_core.domain.forecast import AccountBalance
from costcompass_core.domain.money import EXACT, ZERO, Usd
from costcompass_core.domain.outlook import Outlook
from costcompass_core.domain.past import Past, Used

STALE_AFTER: Final = 3
"""Refresh intervals without a good refresh after which data counts as stale."""
RECOVERED: Final = Fraction(6, 5)
"""A balance or runway has recovered from a level when it is a fifth above it."""
RELIEVED: Final = Fraction(19, 20)
"""A budget has recovered from a level when it is a twentieth below it."""
AHEAD: Final = timedelta(minutes=1)
"""How far ahead of `now` a moment may lie: a refresh that overtook us, or a hand's breadth of clock.
What lies further ahead comes from a clock that was set back since, and says nothing."""
NOTICE_ABOVE: Final = Usd(Decimal(1))
SPIKE_ABOVE, LEVEL_ABOVE, DRIFT_ABOVE = Usd.of(1), Usd.of(5), Usd.of(2)
"""USD that a day, a week and a week's moved traffic have to be over the usual to be told."""
BYOK_FREE: Final = Usd(Decimal(25_000))
"""USD a month; OpenRouter's pay-as-you-go terms as of 2026-08."""


class Key(NamedTuple):
    """What an incident is about: a rule, and an account or a budget (`subject`), or neither."""

    rule: str
    account: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says now.

    `level` is how many of its `of` levels are crossed, 0 for none, and one more than there are for a
    balance that is used up. `holds` counts those that are crossed or not yet recovered from by the margin, so that a figure
    which wavers around a level is one incident. `as_of` is the moment (UTC) the facts are from.
    `scale` has the levels that the user set as numbers, the more the worse. What is told `once` is not
    repeated, and its incident stays open for as long as it `lasts` at least, as a cooldown.
    """

    level: int
    holds: int
    of: int
    facts: Facts
    as_of: datetime
    scale: tuple[Decimal, ...] = ()
    lasts: timedelta = timedelta(0)
    once: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user wants to hear about. Amounts are USD."""

    balance_below: tuple[Usd, ...] = ()
    runway_below: tuple[Decimal, ...] = ()
    """Days."""
    notice_above: Usd = NOTICE_ABOVE
    """Restated history and unexplained losses below this are not told."""
    byok_free: Usd = BYOK_FREE
    """List-price volume a month under own upstream keys that the provider takes no fee for."""
    balance_every: timedelta = timedelta(minutes=5)
    activity_every: timedelta = timedelta(hours=1)
    spike_above: Usd = SPIKE_ABOVE
    level_above: Usd = LEVEL_ABOVE
    drift_above: Usd = DRIFT_ABOVE
    """The least that these alerts are about, beside a share of what 28 days cost; zero: off."""


@dataclass(frozen=True, slots=True)
class Today:
    """USD that the balance lost on the current UTC day, from the reading at `since` on.

    `until` is when it was read last. Where `since` is not around midnight it is a lower bound of what the day has cost so far.
    """

    spent: Usd
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lately:
    """USD that usage took from the balance in the last hour, by its reading `at` (UTC).

    Where no reading is that old it is a lower bound.
    """

    spent: Usd
    at: datetime


class Leader(NamedTuple):
    """The model with the most cost (USD) of what is reported of the current UTC day so far."""

    model: str
    spent: Usd


@dataclass(frozen=True, slots=True)
class DayState:
    """A completed UTC day: what its rows add up to (USD), `None` where it was never read.

    `lost` is what the balance is sure to have lost within it, `None` where nobody knows.
    """

    day: date
    reported: Usd | None
    lost: Usd | None

    @property
    def unreported(self) -> Usd:
        """What is clearly missing from the rows (USD): they come late, and some before others."""
        reported = self.reported or ZERO
        gap = (self.lost or ZERO) - reported
        return gap if gap.ratio() > reported.ratio() / 50 + Fraction(1, 100) else ZERO


@dataclass(frozen=True, slots=True)
class PartState:
    """How refreshing one part of an account goes. `reason` says why it fails, in one word."""

    tried_at: datetime
    succeeded_at: datetime | None
    failures: int
    reason: str | None
    error: str | None


class PurseView(NamedTuple):
    """Prepaid money in another currency than USD: what is left `at` a moment, and its burn.

    Amounts are major units of `currency`.
    """

    currency: str
    left: Usd
    at: datetime
    burn: Burn | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as it is stored at `now`; `since` is when this daemon began to watch it.

    `days` are the newest two completed UTC days, newest first. `burn` counts what is clearly missing
    from the rows of the first as well. `yesterday` is what that UTC day took (USD), or on average each of the unusual days up to it;
    `peak` is the dearest of the seven days before, where all are known (see `recent_run`).
    `used` is who was used on the days of `past`, loaded only when they were just read. `outlook` says
    what the coming days are expected to cost, the same as in an answer to `/forecast`.
    """

    account: str
    now: datetime
    since: datetime
    balance: AccountBalance | None = None
    burn: Burn | None = None
    peak: Usd | None = None
    today: Today | None = None
    lately: Lately | None = None
    days: tuple[DayState, ...] = ()
    yesterday: Usd | None = None
    byok_month: Usd = ZERO
    parts: Mapping[str, PartState] | None = None
    past: Past | None = None
    used: Sequence[Used] | None = None
    outlook: Outlook | None = None
    leader: Leader | None = None
    purses: tuple[PurseView, ...] = ()
    slow: bool = False
    """Whether its newest days come late by nature: all here is as of its newest final day."""


class Lane(NamedTuple):
    """What a slow account adds to a budget: `known` on its final days, `partly` on later ones (USD).

    `days_ahead` counts the days of the period after its newest final one.
    """

    known: Usd
    partly: Usd
    burn: Burn | None
    outlook: Outlook | None
    days_ahead: int


@dataclass(frozen=True, slots=True)
class BudgetView:
    """One budget at `now`: USD `spent` in its period, the current day included where known.

    The period is the one of the current UTC day, or of the newest completed one where no balance
    tells of today. `completed` is what its completed days came to, `unseen` what is clearly missing
    from their rows and may yet belong to the budget. `complete` says whether every completed day is
    known; `days_ahead` counts those after the newest known one, `outlook` says what they are expected to
    cost. `reads` says for each account when its usage was read. Slow accounts, which know their
    newest days late, each have a lane of their own: only sums include them.
    """

    budget: Budget
    now: datetime
    span: tuple[date, date]
    spent: Usd
    completed: Usd
    unseen: Usd
    complete: bool
    burn: Burn | None
    days_ahead: int
    reads: tuple[datetime | None, ...]
    outlook: Outlook | None = None
    slow: tuple[Lane, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemView:
    """The installation itself; `locked_since` is `None` while the vault is open."""

    now: datetime
    locked_since: datetime | None


def is_fresh(at: datetime | None, now: datetime, within: timedelta) -> bool:
    """Return whether something read at `at` is no older than `within`, nor from a wrong clock."""
    return at is not None and -AHEAD <= now - at <= within


def tenths(value: Fraction) -> Decimal:
    """Return `value` to one decimal, half-even."""
    return Decimal(round(value * 10)).scaleb(-1, EXACT)
