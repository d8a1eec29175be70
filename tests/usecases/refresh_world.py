"""A made-up OpenRouter on real sockets, a ledger on disk, and a clock that tests move."""

from datetime import UTC, date, datetime, timedelta

from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount, StandInKey
from bot.sandbox.openrouter_rows import activity_row
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.http import Http, Limits
from costcompass_core.providers.openrouter import PROVIDER
from costcompass_core.storage.refreshes import attempts
from costcompass_core.usecases.refresh import BOTH, failure_noted, refresh_account
from costcompass_core.usecases.report import Questions
from costcompass_core.usecases.source import Source
from costcompass_core.usecases.watch import Watch

TODAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def ago(days: int, today: date = TODAY) -> date:
    return today - timedelta(days=days)


class World:
    """`accounts` by the name they are configured under; asked with their management keys.

    Refreshes commit with `watch`, where one is set.
    """

    def __init__(self, store, **accounts: StandInAccount):
        self.store = store
        self.watch: Watch | None = None
        self.now = MORNING
        self.accounts = accounts
        self.server = OpenRouter(lambda: self.now, accounts.values())
        self.questions = Questions(store)
        self._seen = 0

    def refresh(self, name="main", *, key: StandInKey | None = None, parts=BOTH):
        """Refresh one account as the daemon does, failures noted."""
        account = Account(name, PROVIDER.name, self.server.base_url)
        secret = Secret((key or self.accounts[name].management_key).secret)
        clock = lambda: self.now  # noqa: E731 - a clock is no more than this
        limits = Limits(deadline=10, body_bytes=1 << 20)
        with (
            failure_noted(account, self.store, clock, parts, self.watch),
            Http(
                account.base_url,
                PROVIDER.authorize(secret),
                wait=lambda _: False,
                limits=limits,
                refusals=PROVIDER.refusals,
            ) as client,
        ):
            source = Source(account, PROVIDER, client)
            return refresh_account(source, self.store, clock, parts, watch=self.watch)

    def at(self, moment: datetime):
        """Move the clock."""
        self.now = moment
        return self

    def asked(self, *, queries=False):
        """Return what was asked since the last time: paths, with their parameters as text.

        Queries of analytics, which are read on the side, only come with `queries`.
        """
        fresh = self.server.requests[self._seen :]
        self._seen += len(fresh)
        return [
            one.path + "".join(f" {name}={value}" for name, value in one.params.items())
            for one in fresh
            if queries or one.path != "/analytics/query"
        ]

    def days_asked(self):
        """Return the days of the account's own activity asked for since the last time."""
        return [one[-10:] for one in self.asked() if one.startswith("/activity date=")]

    def spend(self, words=""):
        return self.questions.spend(words, self.now)

    def forecast(self):
        return self.questions.forecast("", self.now)

    def total(self, words=""):
        return self.spend(words).total.text()

    def rows(self, words=""):
        return {row.name: row.cost.text() for row in self.spend(words).rows}

    def missing(self, words=""):
        return [str(day) for day in self.spend(words).missing_days]

    def tries(self, name="main"):
        with self.store.reading() as tx:
            return attempts(tx, name)

    def everything(self):
        """Return all that is stored but how refreshes went."""
        with self.store.reading() as tx:
            tables = [
                row[0]
                for row in tx.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                if row[0] != "refresh"
            ]
            return {table: tx.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def steady(usd="0.1", seed="main") -> StandInAccount:
    """Return an account that spent `usd` on one model on each of the last 40 completed days."""
    keys = [StandInKey("manager", management=True, seed=seed), StandInKey("default", seed=seed)]
    account = StandInAccount(keys)
    for age in range(1, 41):
        account.set_day(ago(age), [activity_row(ago(age), "openai/gpt-4.1", usd)])
    return account
