"""A ledger that tests write into directly: several providers, each with its own days."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from costcompass_core.domain.days import each_day
from costcompass_core.domain.money import Usd
from costcompass_core.domain.usage import Balance, Usage
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.budget_views import budget_views
from costcompass_core.storage.refreshes import health, note_success
from costcompass_core.storage.usage import remember_account, replace_days
from costcompass_core.usecases.digest import Reporter
from costcompass_core.usecases.report import Questions

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FINAL = date(2026, 11, 20)
"""The newest day that a late provider is final for, where a test says nothing else."""
WORDS = ("mtd", "7d", "last month", "30d by day", "30d by provider", "30d by host a", "30d merged")
"""Questions of every kind."""
TITLES = {"openrouter": "OpenRouter", "anthropic": "Anthropic", "acme": "Acme Cloud"}


def ago(days, today=TODAY):
    return today - timedelta(days=days)


def usage(day, model, cost, currency="USD", *, endpoint="e", host="", once=False):
    """Return a row as a provider reports it, with its tokens."""
    return Usage(
        day, model, model, endpoint, host or model, 1, 10, 5, 0, None,
        cost=Decimal(cost), currency=currency, once=once,
    )  # fmt: skip


class Ledger:
    """Writes days and asks questions; slow accounts are final up to a day that is given."""

    def __init__(self, store, now=NOW):
        self.store, self.now = store, now
        self.questions = Questions(store)

    def put(self, account, days, *, slow=False, final=None, at=None, read=True):
        """Store days of rows; those after `final` may still grow."""
        provider = account.partition("/")[0] if "/" in account else "openrouter"
        with self.store.writing() as tx:
            remember_account(tx, account, provider, TITLES.get(provider, provider), slow=slow)
            later = {day for day in days if final is not None and day > final}
            replace_days(tx, account, days, at or self.now, growing=later)
            if read:
                note_success(tx, account, "activity", at or self.now)

    def steady(self, account, cost, first, last, *, model="m", currency="USD", **how):
        """Store the same cost on every day of a range."""
        days = {day: [usage(day, model, cost, currency)] for day in each_day(first, last)}
        self.put(account, days, **how)

    def spend(self, words=""):
        return self.questions.spend(words, self.now)

    def forecast(self):
        return self.questions.forecast("", self.now)

    def digest(self, day=None):
        return Reporter(self.store).digest(day or self.now.date(), self.now)

    def monthly(self, month):
        return Reporter(self.store).monthly(month, self.now)


def view(ledger, budget):
    with ledger.store.reading() as tx:
        names = [one.account for one in health(tx)]
        [found] = budget_views(tx, [budget], names, ledger.now)
    return found


def refreshed(ledger):
    """Note that everything was read now: OpenRouter's balance too, for Anthropic has none."""
    with ledger.store.writing() as tx:
        add_balance(tx, "main", Balance(Usd.of(500), Usd.of(600), Usd.of(100)), ledger.now)
        note_success(tx, "main", "balance", ledger.now)
        for account in ("main", "anthropic/main"):
            note_success(tx, account, "activity", ledger.now)
