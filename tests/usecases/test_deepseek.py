"""DeepSeek tells no costs, only what is left: days come from readings, through the real client."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bot.sandbox.deepseek import DeepSeek
from bot.summary import troubles
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.errors import KeyRejected, UnreadableAnswer
from costcompass_core.domain.money import Usd
from costcompass_core.domain.purses import AT_LEAST, DIFFERENCE, UNATTRIBUTED
from costcompass_core.domain.rules.views import Limits
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.deepseek import PROVIDER
from costcompass_core.providers.http import Http
from costcompass_core.storage.incidents import open_incidents
from costcompass_core.storage.refreshes import attempts, health
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import day_rows
from costcompass_core.usecases.digest import Reporter
from costcompass_core.usecases.refresh import failure_noted, refresh_account
from costcompass_core.usecases.report import Questions
from costcompass_core.usecases.source import Source
from costcompass_core.usecases.watch import Watch

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
FIRST, SECOND, THIRD = (date(2026, 11, number) for number in (20, 21, 22))
NAME = "deepseek/main"
LIMITS = Limits((Usd.of(25), Usd.of(10)), (Decimal(7), Decimal(3)))
MINUTES, HOURS, DAYS = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)


class World:
    """A balance that people use, and a daemon that reads it when it is told to."""

    def __init__(self, folder):
        self.folder, self.now = folder, START
        self.server = DeepSeek(lambda: self.now)
        self.server.topped_up = {"USD": Decimal(100)}
        self.store = open_store(folder)
        self.watch = Watch((NAME,), START - DAYS, LIMITS, running=True)

    def restart(self):
        self.store.close()
        self.store = open_store(self.folder)

    def read(self, *, after=timedelta(0), key=DeepSeek.RIGHT):
        """Move the clock and read the balance, failures noted."""
        self.now += after
        account = Account(NAME, "deepseek", self.server.base_url)
        clock = lambda: self.now  # noqa: E731 - a clock is no more than this
        with (
            failure_noted(account, self.store, clock, PROVIDER.parts, self.watch),
            Http(
                account.base_url,
                PROVIDER.authorize(Secret(key)),
                wait=lambda _: False,
                refusals=PROVIDER.refusals,
            ) as client,
        ):
            source = Source(account, PROVIDER, client)
            return refresh_account(source, self.store, clock, PROVIDER.parts, watch=self.watch)

    def use(self, amount, currency="USD", **how):
        """Spend and read."""
        self.server.use(currency, amount)
        return self.read(**how)

    def rows(self, day):
        with self.store.reading() as tx:
            return [
                (row.currency, row.endpoint, str(row.cost), row.once)
                for row in day_rows(tx, NAME, day)
            ]

    def known(self):
        with self.store.reading() as tx:
            found = tx.execute("SELECT day, rows, read_at FROM usage_day ORDER BY day")
            return found.fetchall()

    def days(self):
        return [date.fromisoformat(day) for day, *_ in self.known()]

    def rules(self):
        with self.store.reading() as tx:
            return {(one.key.rule, one.key.subject): one.level for one in open_incidents(tx)}

    def spend(self, words="mtd"):
        return Questions(self.store).spend(words, self.now)

    def forecast(self):
        return Questions(self.store).forecast("", self.now)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    with made.server:
        yield made
    made.store.close()


def test_the_first_day_is_unknown_and_others_are_rows_after_their_midnight(world):
    world.read()
    world.use("5", after=HOURS)
    report = world.spend()
    assert (world.days(), report.total.text()) == ([], "0")
    assert troubles(report.health, world.now) == [
        "Account deepseek/main was read and tells of no completed day yet."
    ]
    digest = Reporter(world.store).digest(FIRST, world.now)
    assert (digest.late, digest.lagging) == ((), ())
    world.use("1", after=14 * HOURS)  # the midnight that nobody saw the day begin from
    assert world.days() == []
    world.use("2.5", after=HOURS)
    world.use("0.25", after=22 * HOURS + 55 * timedelta(minutes=1))
    assert world.days() == []
    world.use("4", after=MINUTES)
    assert world.days() == [SECOND]
    assert world.rows(SECOND) == [("USD", DIFFERENCE, "3.75", False)]
    report = world.spend("7d")
    assert (report.total.text(), report.data_through) == ("3.75", SECOND)
    assert report.stack.known == {"deepseek": "derived"}
    assert [(one.kind, one.day) for one in report.stack.caveats] == [("begins", SECOND)]
    assert report.missing_days == ()


def test_read_every_five_minutes_nothing_is_written_twice(world):
    world.read()
    world.use("1", after=38 * HOURS)  # one hour before the midnight after the second day
    new = [world.use("0.01", after=MINUTES).new_days for _ in range(24)]
    assert (sum(new), new.index(1)) == (1, 11)
    assert world.rows(SECOND) == [("USD", DIFFERENCE, "1.11", False)]
    before = world.known()
    world.read()  # twice in one moment
    world.restart()
    assert world.use("0.01", after=MINUTES).new_days == 0
    assert world.known() == before
    with world.store.reading() as tx:
        assert tx.execute("SELECT count(*) FROM usage_change").fetchone() == (0,)
        assert tx.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


def test_a_restart_between_two_readings_loses_and_doubles_nothing(world):
    world.read()
    world.use("1", after=16 * HOURS)
    world.restart()
    world.use("2", after=12 * HOURS)
    world.restart()
    world.use("4", after=12 * HOURS)
    world.restart()
    world.read(after=MINUTES)
    assert world.rows(SECOND) == [("USD", DIFFERENCE, "3", False)]
    assert world.days() == [SECOND]
    world.use("8", after=24 * HOURS)
    assert world.rows(THIRD) == [("USD", DIFFERENCE, "4", False)]


def test_what_went_over_a_day_that_nobody_saw_is_spent_and_no_rate(world):
    world.read()
    world.use("3", after=DAYS)
    world.use("10", after=2 * DAYS)  # all of the 22nd was missed
    world.use("1", after=DAYS)
    late = date(2026, 11, 23)
    assert world.rows(late) == [("USD", UNATTRIBUTED, "10", True)]
    report = world.spend("7d")
    assert (report.total.text(), report.missing_days) == ("13", (THIRD,))
    told = [(one.kind, one.day, one.amount) for one in report.stack.caveats]
    assert ("unattributed", late, Decimal(10)) in told
    burn = world.forecast().next_month.burn
    assert (burn.spent.text(), burn.days) == ("3", 1)  # the 23rd was no day that cost nothing
    assert world.forecast().this_month.so_far.text() == "13"


def test_such_a_day_is_no_rate_in_any_currency(world):
    world.server.top_up("CNY", "100")
    world.read()
    world.use("3", "CNY", after=DAYS)
    world.use("10", "CNY", after=2 * DAYS)
    world.use("3", "CNY", after=DAYS)
    world.use("3", "CNY", after=DAYS)
    [cny] = world.forecast().currencies
    assert (cny.plan.burn.spent.text(), cny.plan.burn.days) == ("6", 2)
    assert cny.so_far.text() == "16"


def test_a_balance_in_dollars_feeds_runway_and_alerts(world):
    world.read()
    for _ in range(8):
        world.use("10", after=DAYS)
    report = world.forecast()
    assert (report.balances[0].left.text(), report.balances[0].currency) == ("20", "USD")
    assert (report.runway.account, str(report.runway.days)) == (NAME, "2.0")
    assert report.next_month.usage.text() == "310"
    assert world.rules() == {("balance_low", ""): 1, ("runway_short", ""): 2}
    world.server.top_up("USD", "500")
    world.read(after=MINUTES)
    assert world.rules() == {}


def test_another_currency_stays_apart_and_has_a_runway_of_its_own(world):
    world.server.top_up("CNY", "100")
    world.read()
    for _ in range(8):
        world.server.use("CNY", "10")
        world.use("1", after=DAYS)
    spent = world.spend("7d")
    assert spent.total.text() == "7"
    assert [(one.currency, one.total) for one in spent.stack.currencies] == [
        ("USD", Decimal(7)),
        ("CNY", Decimal(70)),
    ]
    report = world.forecast()
    assert report.next_month.usage.text() == "31"
    [cny] = report.currencies
    assert (cny.currency, cny.plan.usage.text(), cny.so_far.text()) == ("CNY", "310", "70")
    assert [one.left.text() for one in cny.balances] == ["20"]
    assert [(one.account, str(one.days)) for one in cny.runways] == [(NAME, "2.0")]
    assert [(one.account, one.left.text()) for one in report.balances] == [(NAME, "92")]
    assert world.rules() == {("purse_short", "CNY"): 2}


def test_grants_go_first_and_what_expires_is_not_spent(world):
    world.server.grant("USD", "5")
    world.read()
    world.use("2", after=DAYS)
    world.server.expire("USD")
    outcome = world.read(after=MINUTES)
    assert [note for note in outcome.notes if "3 USD" in note]
    world.use("1", after=DAYS)
    assert world.rows(SECOND) == [("USD", DIFFERENCE, "2", False)]
    lapsed = [one for one in world.spend("7d").stack.caveats if one.kind == "lapsed"]
    assert [(one.day, one.amount, one.currency) for one in lapsed] == [(SECOND, Decimal(3), "USD")]


def test_a_top_up_makes_its_day_a_least(world):
    world.read()
    world.use("2", after=DAYS)
    world.server.top_up("USD", "50")
    world.use("3", after=HOURS)
    world.use("1", after=DAYS)
    assert world.rows(SECOND) == [("USD", AT_LEAST, "2", False)]
    told = [one for one in world.spend("7d").stack.caveats if one.kind == "at_least"]
    assert [(one.day, one.amount) for one in told] == [(SECOND, Decimal(47))]


def test_a_refused_key_is_told_and_changes_no_figure(world):
    world.read()
    world.use("3", after=DAYS)
    world.read(after=DAYS)
    before = world.known()
    with pytest.raises(KeyRejected, match="rejected the key"):
        world.read(after=MINUTES, key="sk-" + "0" * 32)
    assert world.known() == before
    assert world.rules() == {("key_rejected", ""): 1}
    with world.store.reading() as tx:
        [one] = health(tx)
        assert attempts(tx, NAME)["balance"].failures == 1
    assert (one.data_through, "401" in one.error) == (SECOND, True)
    world.read(after=MINUTES)
    assert world.rules() == {}


def test_parts_that_contradict_each_other_are_not_believed(world):
    world.read()
    world.use("3", after=DAYS)
    whole = world.server._info
    world.server._info = lambda currency: {**whole(currency), "total_balance": "97.01"}
    with pytest.raises(UnreadableAnswer, match="the parts of USD do not add up"):
        world.use("1", after=DAYS)
    world.server._info = whole
    world.read(after=MINUTES)
    assert world.rows(SECOND) == [("USD", DIFFERENCE, "3", False)]
    assert world.forecast().balances[0].left.text() == "96"


def test_a_currency_that_appears_or_is_left_out_for_a_while_makes_nothing_up(world):
    """What came with a new purse was not spent, nor was what is not told for a day."""
    world.read()
    world.use("1", after=DAYS)
    world.server.top_up("CNY", "100")
    world.read(after=HOURS)
    left = world.server.topped_up.pop("CNY")
    world.use("1", after=DAYS)
    world.server.topped_up["CNY"] = left - 4
    world.read(after=HOURS)
    world.use("1", after=DAYS)
    assert world.rows(SECOND) == [("USD", DIFFERENCE, "1", False)]
    assert world.rows(THIRD) == [("CNY", DIFFERENCE, "4", False), ("USD", DIFFERENCE, "1", False)]
