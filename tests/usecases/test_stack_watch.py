"""Several providers in one ledger: what budgets, alerts, digests and monthly reports make of late days."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from stack_world import FINAL, NOW, TODAY, ago, refreshed, usage, view

from costcompass_core.domain.accounts import Account
from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.days import Month, each_day
from costcompass_core.domain.declared import Declared
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.budget import standing
from costcompass_core.domain.rules.views import Limits
from costcompass_core.domain.usage import Activity, Balance, Reading, SoFar
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.declared import declare
from costcompass_core.storage.incidents import incident_at
from costcompass_core.storage.outbox import waiting
from costcompass_core.storage.refreshes import health, note_success
from costcompass_core.storage.today import store_today
from costcompass_core.storage.usage import remember_account
from costcompass_core.usecases.digest import month_complete
from costcompass_core.usecases.refresh import commit
from costcompass_core.usecases.watch import Watch, look


def limits(**changed):
    return replace(Limits(), **changed)


def test_a_budget_counts_every_day_once_and_what_may_still_grow_as_spent(two):
    over_all, own = Budget("all", Usd.of(1000)), Budget("a", Usd.of(1000), provider="Anthropic")
    whole, part = view(two, over_all), view(two, own)
    rest = view(two, Budget("m", Usd.of(1000), account="main"))
    assert (part.spent.text(), part.completed.text()) == ("62", "60")  # 20 x 3, and 2 x 1 partly
    assert (rest.spent.text(), rest.completed.text()) == ("44", "44")
    assert whole.spent == part.spent + rest.spent == two.spend("mtd").total
    assert whole.completed == part.completed + rest.completed
    # eight days ahead at two a day, and ten at three: the two that may grow are expected whole
    assert standing(whole).landing.text() == "150"
    assert standing(part).landing.text() == "90"
    assert standing(whole).complete


def test_a_budget_over_a_model_counts_it_at_every_seller(two):
    budget = Budget("sonnet", Usd.of(1000), model="*sonnet*")
    assert view(two, budget).spent.text() == "106"
    assert view(two, replace(budget, provider="openrouter")).spent.text() == "44"
    assert view(two, replace(budget, model="claude*")).spent.text() == "62"


class Watcher:
    """Looks at the ledger as a daemon would, and says which incidents that opened."""

    def __init__(self, ledger, **changed):
        self.ledger, self.seen = ledger, 0
        with ledger.store.reading() as tx:
            names = tuple(one.account for one in health(tx))
        since = ledger.now - timedelta(days=2)
        self.watch = Watch(names, since, limits(**changed), running=True)

    def look(self):
        with self.ledger.store.writing() as tx:
            look(tx, self.watch, self.ledger.now)
        with self.ledger.store.reading() as tx:
            fresh = [one for one in waiting(tx, "slack") if one.ident > self.seen]
            self.seen = max((one.ident for one in fresh), default=self.seen)
            keys = [incident_at(tx, one.incident, one.seq).key[:2] for one in fresh]
        return [(one.what, *key) for one, key in zip(fresh, keys, strict=True)]


def test_days_that_are_not_due_and_a_balance_that_is_none_are_no_incident(two):
    with two.store.writing() as tx:
        tx.execute("DELETE FROM usage_day WHERE account = 'anthropic/main' AND NOT final")
    refreshed(two)
    watcher = Watcher(two, balance_below=(Usd.of(25),), runway_below=(Decimal(7),))
    for _ in range(8):
        assert watcher.look() == []
        two.now += timedelta(hours=1)
        refreshed(two)
    # what is watched of it is the refresh itself
    for _ in range(4):
        two.now += timedelta(hours=1)
        with two.store.writing() as tx:
            add_balance(tx, "main", Balance(Usd.of(500), Usd.of(600), Usd.of(100)), two.now)
            for part in ("balance", "activity"):
                note_success(tx, "main", part, two.now)
    assert watcher.look() == [("opened", "data_stale", "anthropic/main")]


def test_an_unusual_day_of_a_late_provider_is_told_once_when_it_is_final(ledger):
    """It is read while it may still grow, every hour, and becomes final two days later."""
    ledger.steady("main", "2", ago(40), ago(1))
    ledger.steady("anthropic/main", "3", ago(40), ago(3), slow=True, at=NOW - timedelta(days=9))
    busy = {ago(2): [usage(ago(2), "m", "60")], ago(1): [usage(ago(1), "m", "3")]}
    watcher, told = Watcher(ledger), []
    for hours in range(0, 24 * 8, 6):
        ledger.now = NOW + timedelta(hours=hours)
        newest = ledger.now.date() - timedelta(days=1)
        ledger.put("main", {newest: [usage(newest, "m", "2")]})
        days = busy | {d: [usage(d, "m", "3")] for d in each_day(TODAY, newest)}
        final = newest - timedelta(days=2)
        ledger.put("anthropic/main", days, slow=True, final=final, at=ledger.now)
        told += [(*one, hours) for one in watcher.look()]
    # the 21st is final from the 24th on, and no more is said until it is history
    assert [one for one in told if one[0] != "resolved"] == [
        ("opened", "spend_spike", "anthropic/main", 18)
    ]


def test_today_is_silent_of_accounts_alone(two):
    with two.store.writing() as tx:
        declare(tx, Declared("Domain", Usd.of(12), "USD", "once", ago(5)), NOW)
        remember_account(tx, "focus/bills", "focus", "FOCUS files", slow=True)
        remember_account(tx, "Acme/7", "Acme", slow=True, part_of="focus/bills")
        store_today(tx, "main", TODAY, SoFar((usage(TODAY, "m", "1"),), NOW), NOW)
    assert two.spend("today").today_silent == ("Acme/7", "anthropic/main")


def test_a_digest_compares_the_prompt_ones_and_names_the_late(two):
    report = two.digest()
    assert (report.yesterday.text(), report.usual.text()) == ("2", "2")
    assert [one.account for one in report.lagging] == ["anthropic/main"]
    assert (report.behind, report.missing_days, report.waits_for_data) == ((), (), False)
    assert report.so_far.text() == "104"
    assert [one.name for one in report.movers] == []
    assert report.outlook.next_month == two.forecast().next_month


def test_a_digest_of_late_providers_alone_compares_their_own_days(ledger):
    ledger.steady("anthropic/main", "3", ago(40), FINAL, slow=True)
    report = ledger.digest()
    assert (report.yesterday, report.so_far.text()) == (None, "60")
    assert report.outlook.next_month.usage.text() == "93"


def test_a_monthly_report_waits_for_a_late_provider_but_not_for_long(two):
    november, day = Month(2026, 11), timedelta(days=1)
    two.steady("main", "2", ago(1), date(2026, 11, 30))
    two.now = datetime(2026, 12, 1, 9, tzinfo=UTC)

    def complete():
        with two.store.reading() as tx:
            return month_complete(tx, november, two.now)

    assert complete()  # over a week behind, it is not waited for
    two.steady("anthropic/main", "3", ago(2), date(2026, 11, 29), slow=True)
    for _ in range(5):
        assert not complete()
        two.now += day
    assert complete()
    two.now -= day
    two.steady("anthropic/main", "3", date(2026, 11, 30), date(2026, 11, 30), slow=True)
    assert complete()


def test_a_monthly_report_of_a_month_that_a_provider_has_not_finished(two):
    two.steady("main", "2", ago(1), date(2026, 11, 30))
    two.now = datetime(2026, 12, 7, 9, tzinfo=UTC)
    report = two.monthly(Month(2026, 11))
    assert report.total.text() == "122"
    assert report.days[-1] == (date(2026, 11, 30), Usd.of(2))  # all days, not only the common ones
    assert report.days[0] == (date(2026, 11, 1), Usd.of(5))
    # of December: each by its own newest seven
    assert report.outlook.usage.text() == "155"


def test_a_day_that_grows_is_no_correction_until_it_is_final(ledger):
    account, day = Account("anthropic/main", "anthropic", ""), ago(1)
    watch = Watch((account.name,), NOW - timedelta(days=9), running=True)

    def read(cost, hours):
        ledger.now = NOW + timedelta(hours=hours)
        activity = Activity({day: (usage(day, "m", cost),)})
        commit(account, ledger.store, Reading(ledger.now, activity=activity), watch)
        with ledger.store.reading() as tx:
            told = [one.notice.rule for one in waiting(tx, "slack") if one.notice]
            [final] = tx.execute("SELECT final FROM usage_day").fetchone()
        return final, told, [one.after.text() for one in ledger.digest().restated]

    # it is over since nine hours, and final 48 hours after its end
    assert [read(cost, hours) for cost, hours in (("2", 0), ("7", 6), ("20", 38))] == [
        (0, [], [])
    ] * 3
    assert read("21", 40) == (1, [], [])
    assert read("21", 41) == (1, [], [])
    assert read("30", 42) == (1, ["history_restated"], ["30"])
