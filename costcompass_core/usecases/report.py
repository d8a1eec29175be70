"""Answer questions from what is stored. The terminal and Slack ask here and nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo

from costcompass_core.domain.accuracy import AccuracyReport
from costcompass_core.domain.advice import AdviceReport
from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.days import ONE_DAY, Month, utc_day
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.home import HomeReport
from costcompass_core.domain.outlook import LEVEL_DAYS
from costcompass_core.domain.quiet import QuietHours
from costcompass_core.domain.reports import SpendReport, known_through
from costcompass_core.domain.rules.budget import standing
from costcompass_core.domain.rules.views import Limits
from costcompass_core.domain.stack import DOLLARS, Exchange
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.domain.whatif import IfReport
from costcompass_core.domain.why import WhyReport
from costcompass_core.storage import spend as queries
from costcompass_core.storage.balance import newest_balances
from costcompass_core.storage.budget_views import budget_views
from costcompass_core.storage.declared import every_subscription
from costcompass_core.storage.incidents import open_incidents
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.store import Store
from costcompass_core.storage.views import today_of
from costcompass_core.usecases.accuracy import accuracy_report
from costcompass_core.usecases.expect import forecast_at, with_currencies
from costcompass_core.usecases.levers import answer_advice, answer_if
from costcompass_core.usecases.measures import Conditions, Measures, conditions, measures
from costcompass_core.usecases.spend import spend_report
from costcompass_core.usecases.why import why_report


@dataclass(frozen=True, slots=True)
class Questions:
    """Everything people may ask, over one store and the declared subscriptions.

    `zone` is the one that moments are told in; days of spend are UTC all the same.
    """

    store: Store
    subscriptions: Sequence[Subscription] = ()
    zone: tzinfo = UTC
    budgets: Sequence[Budget] = ()
    exchange: Callable[[date], Exchange] = lambda _: DOLLARS
    """Returns the home currency and its rates of a UTC day."""

    def spend(self, words: str, now: datetime) -> SpendReport:
        """Answer the words after `/spend`. Raises `UsageError` for words that make no sense."""
        with self.store.reading() as tx:
            return self._spend(tx, words, now)

    def why(self, words: str, now: datetime) -> WhyReport:
        """Answer the words after `/spend why`. Raises `UsageError` for those that make no sense."""
        with self.store.reading() as tx:
            return why_report(tx, words, now)

    def accuracy(self, words: str, now: datetime) -> AccuracyReport:
        """Answer `/forecast accuracy`. Raises `UsageError` for words after it."""
        with self.store.reading() as tx:
            return accuracy_report(tx, words, now)

    def forecast(self, words: str, now: datetime) -> ForecastReport:
        """Answer the words after `/forecast`, which are none. Raises `UsageError` for others."""
        if words.strip():
            raise UsageError(
                f"`forecast` knows no `{words.strip()[:40]}`",
                "use it alone, or with `accuracy` or `if MODEL to OTHER`",
            )
        with self.store.reading() as tx:
            return self._forecast(tx, now)

    def forecast_if(self, words: str, now: datetime) -> IfReport:
        """Answer the words after `/forecast if`. Raises `UsageError` for words that make no sense."""
        with self.store.reading() as tx:
            return answer_if(tx, words, self._forecast(tx, now), now)

    def advice(self, words: str, now: datetime) -> AdviceReport:
        """Answer `/spend advice`, which takes no words. Raises `UsageError` for others."""
        if words.strip():
            raise UsageError("`advice` takes no other words", "use it alone: `spend advice`")
        with self.store.reading() as tx:
            return answer_advice(tx, now)

    def home(self, now: datetime) -> HomeReport:
        """Return everything that a Home shows, as of one moment."""
        with self.store.reading() as tx:
            spend = self._spend(tx, "mtd", now)
            if spend.query.period.end is None:
                spend = self._spend(tx, "last month", now)
            names = [one.account for one in spend.health]
            incidents = tuple(open_incidents(tx))
            return HomeReport(spend, self._forecast(tx, now), incidents, today_of(tx, names, now))

    def measures(
        self, accounts: Collection[str], limits: Limits, quiet: QuietHours | None, now: datetime
    ) -> Measures:
        """Return everything that monitoring shows of these accounts, as of one moment."""
        with self.store.reading() as tx:
            well = conditions(tx, accounts, limits, quiet, now)
            subscriptions = every_subscription(tx, self.subscriptions)
            return measures(tx, self._forecast(tx, now), subscriptions, well, now)

    def conditions(
        self, accounts: Collection[str], limits: Limits, quiet: QuietHours | None, now: datetime
    ) -> Conditions:
        """Return what has to be well for these accounts, as of one moment."""
        with self.store.reading() as tx:
            return conditions(tx, accounts, limits, quiet, now)

    def _spend(self, tx: sqlite3.Connection, words: str, now: datetime) -> SpendReport:
        exchange = self.exchange(utc_day(now))
        return spend_report(tx, words, now, every_subscription(tx, self.subscriptions), exchange)

    def _forecast(self, tx: sqlite3.Connection, now: datetime) -> ForecastReport:
        conditions = health(tx)
        newest = known_through(conditions) or utc_day(now)  # what is expected looks back from there
        since = min(Month.of(utc_day(now)).first, newest - LEVEL_DAYS * ONE_DAY)
        subscriptions = every_subscription(tx, self.subscriptions)
        histories, balances = queries.histories(tx, since), newest_balances(tx)
        report = forecast_at(
            tx,
            now,
            histories,
            balances,
            subscriptions=subscriptions,
            conditions=conditions,
        )
        report = with_currencies(tx, report, now, subscriptions, self.exchange(utc_day(now)))
        names = [one.account for one in conditions]
        views = budget_views(tx, self.budgets, names, now)
        return replace(report, budgets=tuple(map(standing, views)))
