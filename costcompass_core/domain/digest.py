"""What a digest and a monthly report say, worked out from stored days: pure values, no words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from costcompass_core.domain.days import ONE_DAY, Month
from costcompass_core.domain.forecast import ForecastReport, NextMonth
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.ledger import (
    DayChange,
    Ledger,
    Pace,
    Restated,
    pace,
    restatements,
    whole_months,
)
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.movers import ModelDay, Mover, mean, movers
from costcompass_core.domain.notices import settled_at
from costcompass_core.domain.outlook import LEVEL_DAYS
from costcompass_core.domain.prices import News
from costcompass_core.domain.reports import Health, SpendRow, known_at, known_through
from costcompass_core.domain.rules.views import Today
from costcompass_core.domain.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class EndedMonth:
    """A month that is over: its total (USD, `None` if never read) against the one before it."""

    month: Month
    total: Usd | None
    against: Pace | None


@dataclass(frozen=True, slots=True)
class DigestReport:
    """What the digest of the local date `day` says as of the moment `at` (UTC). Amounts are USD.

    `newest` is the newest UTC day completed by then, `yesterday` what it cost and `usual` the mean
    of the days before it. `so_far` covers `month` up to `through`, the newest day known of it.
    `ended` is set on the first of a month, whose own figures are nothing yet. `missing_days` are
    those of the month of `newest`. `today` is what the balances lost since. Figures are `None` while they can't be known.
    """

    day: date
    at: datetime
    newest: date
    yesterday: Usd | None
    usual: Usd | None
    month: Month
    so_far: Usd | None
    through: date | None
    pace: Pace | None
    ended: EndedMonth | None
    outlook: ForecastReport
    movers: tuple[Mover, ...]
    incidents: tuple[Incident, ...]
    restated: tuple[Restated, ...]
    missing_days: tuple[date, ...]
    today: Today | None = None
    prices: tuple[News, ...] = ()
    """What changed about the prices and the future of models in use."""

    @property
    def health(self) -> tuple[Health, ...]:
        """How far each account can be trusted."""
        return self.outlook.health

    @property
    def data_through(self) -> date | None:
        """The newest UTC day that every account with any data was read for."""
        return known_through(self.health)

    @property
    def refreshed_at(self) -> datetime | None:
        """When the oldest of the accounts' last good refreshes was."""
        return known_at(self.health)

    @property
    def behind(self) -> tuple[Health, ...]:
        """The accounts that were never read, or lack a day that should be reported by now.

        One that is slow by nature may have been read and have no whole day yet.
        """
        due = self.newest if settled_at(self.newest) <= self.at else self.newest - ONE_DAY
        return tuple(one for one in self.health if _is_behind(one, due))

    @property
    def lagging(self) -> tuple[Health, ...]:
        """The slow accounts whose newest final day is before `newest`, which no figure of it has."""
        return tuple(
            one
            for one in self.health
            if one.slow and one.data_through is not None and one.data_through < self.newest
        )

    @property
    def late(self) -> tuple[Health, ...]:
        """The accounts that are behind, or whose last refresh failed."""
        return tuple(one for one in self.health if one.error or one in self.behind)

    @property
    def overdue_days(self) -> tuple[date, ...]:
        """The missing days that should have been reported by now."""
        return tuple(day for day in self.missing_days if settled_at(day) <= self.at)

    @property
    def waits_for_data(self) -> bool:
        """Whether nothing, or not the newest completed day of every account, was read yet."""
        return not self.health or self.newest in self.missing_days

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say: nothing spent, open, restated, missing, failing or changed."""
        ended = self.ended.total if self.ended else None
        burn = self.outlook.next_month.burn
        unknown = burn.spent if burn and self.yesterday is None else None  # not the same as zero
        spent = any((self.yesterday, self.so_far, ended, unknown))
        wrong = self.prices or self.incidents or self.restated or self.late or self.overdue_days
        return not self.health or not (spent or wrong)


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """How a UTC month that is over went (USD): `rows` by model add up to `total`.

    `accounts` ranks the accounts where there are several. `days` are the known days and what each
    cost. `movers` are told against the month before, `outlook` is the plain rule for the next.
    """

    month: Month
    total: Usd
    byok: Usd
    rows: tuple[SpendRow, ...]
    accounts: tuple[SpendRow, ...]
    days: tuple[tuple[date, Usd], ...]
    against: Pace | None
    movers: tuple[Mover, ...]
    subscriptions: Usd
    foreign_subscriptions: tuple[Subscription, ...]
    outlook: NextMonth
    restated: tuple[Restated, ...]
    missing_days: tuple[date, ...]
    health: tuple[Health, ...]


def _is_behind(health: Health, due: date) -> bool:
    if health.data_through is None:
        return not (health.slow and health.refreshed_at)
    return health.data_through < due and not health.slow


def digest_of(
    day: date,
    at: datetime,
    newest: date,
    ledger: Ledger,
    outlook: ForecastReport,
    *,
    costs: Sequence[ModelDay],
    known_models: Collection[str],
    incidents: Sequence[Incident],
    changes: Iterable[DayChange],
    today: Today | None = None,
    prices: tuple[News, ...] = (),
) -> DigestReport:
    """Put a digest together. `costs` reach back a week from `newest`, `changes` to the last digest.

    `known_models` are those that were ever used before `newest`.
    """
    month = Month.of(newest + ONE_DAY)
    known = [one for one in ledger.known() if month.first <= one <= newest]
    first_of_month = newest < month.first
    daily = ledger.prompt()
    before = daily.usual_days(newest)
    through = max(known, default=None)
    return DigestReport(
        day,
        at,
        newest,
        daily.spent(newest, newest),
        mean([daily.spent(one, one) or ZERO for one in before]),
        month,
        ZERO if first_of_month else ledger.spent(month.first, newest),
        through,
        pace(daily, month.first, through) if through else None,
        ended(ledger, month.previous) if first_of_month else None,
        outlook,
        movers(newest, before, costs, known_models) if newest in ledger.known() else (),
        tuple(incidents),
        restatements(one for one in changes if one.day < newest),
        ledger.missing(Month.of(newest).first, newest),
        today,
        prices,
    )


def ended(ledger: Ledger, month: Month) -> EndedMonth:
    """Return a month's total against the whole month before."""
    total = ledger.spent(month.first, month.last)
    return EndedMonth(month, total, whole_months(ledger, month))


def health_at(
    health: Iterable[Health], at: datetime, newest: date, first: date | None
) -> tuple[Health, ...]:
    """Return the accounts' health as it was at `at`, as far as that is still known.

    `first` is the first day that was ever read. A failure after `at` is left out where a good
    refresh came after `at` too.
    """
    known = first is not None and first <= newest
    return tuple(
        replace(
            one,
            data_through=min(one.data_through, newest) if known and one.data_through else None,
            error=None if _later(one, at) else one.error,
        )
        for one in health
    )


def _later(health: Health, at: datetime) -> bool:
    failed, good = health.failed_at, health.refreshed_at
    return failed is not None and good is not None and min(failed, good) > at


def looks_back(newest: date, known: date | None) -> date:
    """Return the first day that a digest needs: all of the month before, and what is expected by."""
    oldest = min(newest, known or newest)
    return min(Month.of(newest).previous.first, oldest - timedelta(days=LEVEL_DAYS))
