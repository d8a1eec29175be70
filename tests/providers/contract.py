"""What every provider promises, whoever bills: tests that a class for each of them inherits.

They drive the registry's provider as the daemon does: over real HTTP to a stand-in that knows what
was really spent (or from real files), into a real ledger, by a clock that tests move.
"""

import logging
import os
import re
import sqlite3
import traceback
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bot.refreshing import refresh
from bot.sandbox import faults
from bot.terminal.shapes import spend_shape
from costcompass_core.domain.accounts import Account, account_name
from costcompass_core.domain.days import ONE_DAY, each_day, midnight
from costcompass_core.domain.errors import CostCompassError, KeyRejected, WrongKeyType
from costcompass_core.domain.money import exact_sum
from costcompass_core.domain.reread import SETTLES_AFTER
from costcompass_core.domain.secret import Secret
from costcompass_core.providers import keyforms
from costcompass_core.storage.refreshes import health
from costcompass_core.storage.store import open_store
from costcompass_core.usecases.report import Questions

MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)
TODAY = MORNING.date()
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def ago(days):
    return TODAY - days * ONE_DAY


IDLE = ago(12)
"""A day within every window on which nothing was spent."""


def amount(day):
    """Return what a day costs: ten decimals, none like another's, nothing on the idle one."""
    odd = day.toordinal() * 7919 % 10**9
    return Decimal(0) if day == IDLE else Decimal(f"{1 + day.day % 5}.{odd:09}1")


def poisoned(text):
    """Put NaN for every amount with decimals, in text, as a number, or in a cell."""
    return re.sub(r'(?<=[:\[",\n])-?\d+\.\d+(?=[",\]}\n])', "NaN", text)


FAULTS = (
    (faults.status(500, "down"), 3, "(500: down)"),
    (faults.html(200), None, "answered something"),
    (faults.truncated, None, "broke off"),
    (faults.edited(poisoned), None, ""),
    (faults.rate_limited("3600"), None, "try again in 3600 s"),
    (faults.redirect("https://example.com/"), None, "never followed"),
)
"""Each with how often it is played (`None`: always), and words of the error it leads to."""


class World:
    """One account, what is stored of it, the clock, and the stand-in of whoever bills it."""

    def __init__(self, case, state):
        self.now, self.state = MORNING, state
        self.standin = case.stand_in(lambda: self.now) if case.stand_in else None
        self.key, self.wrong, self.unknown, *self.secrets = case.keys(self.standin)
        url = self.standin.base_url if self.standin else ""
        name, options = case.provider.name, {"folder": str(state / "bills"), **dict(case.options)}
        self.account = Account(account_name(name, "main"), name, url, options)
        self.store = open_store(state)

    def refresh(self, *, after=timedelta(0), key=""):
        """Refresh as the daemon does, so much later; no wait takes time."""
        self.now += after
        secret, clock = Secret(key or self.key), lambda: self.now
        return refresh(self.account, lambda _: secret, self.store, clock, wait=lambda _: False)

    def fails(self, key=""):
        """Return the error of a refresh, which has to be one line that says nothing of the key."""
        with pytest.raises(CostCompassError) as caught:
            self.refresh(key=key)
        assert "\n" not in str(caught.value)
        assert (key or self.key) not in traces(caught.value)
        return caught.value

    def breaks(self, fault, times=None, after=0):
        """Return the error of a refresh whose requests go wrong after so many good ones."""
        self.standin.faults.add("/", *[faults.edited(str)] * after)
        self.standin.faults.add("/", fault, times=times)
        error = self.fails()
        self.standin.faults.clear()
        return error

    def sql(self, query):
        with self.store.reading() as tx:
            return tx.execute(query).fetchall()

    def everything(self, *but):
        """Return all that is stored, but for some tables."""
        tables = [name for [name] in self.sql("SELECT name FROM sqlite_master WHERE type='table'")]
        return {name: self.sql(f"SELECT * FROM {name}") for name in tables if name not in but}

    def days(self, column="cost", kind=Decimal):
        """Return what is known of each day that was read."""
        found = self.sql(f"SELECT day, {column} FROM usage_day")
        return {date.fromisoformat(day): kind(value) for day, value in found}

    def spend(self, words="all"):
        """Return what `spend --json` says."""
        return spend_shape(Questions(self.store).spend(words, self.now))

    def tells(self, known):
        """Check that these days are known and no other, and what their rows add up to."""
        assert self.days() == known
        whole = exact_sum(Decimal(cost) for [cost] in self.sql("SELECT cost FROM cost"))
        assert whole == Decimal(self.spend()["total_usd"]) == exact_sum(known.values())

    def trouble(self):
        """Return what people are told is wrong now."""
        with self.store.reading() as tx:
            return [one.error for one in health(tx) if one.error]

    @contextmanager
    def refusing(self, table):
        """Let no row come into a table, as a broken disk would."""
        no, writer = (sqlite3.SQLITE_INSERT, table), self.store._writer
        writer.set_authorizer(lambda *what: sqlite3.SQLITE_DENY if what[:2] == no else 0)
        yield
        writer.set_authorizer(None)


def traces(error):
    return "".join(traceback.format_exception(error))


class Whole:
    """For everybody. `settle` makes all days up to the newest one known and returns their costs,
    `go_on` is what happens by the next morning, `failures` refreshes once for all that goes wrong.
    """

    stand_in, options = None, ()
    written = ("cost", "usage_day")  # by one transaction

    @pytest.fixture
    def world(self, tmp_path):
        world = World(self, tmp_path)
        yield world
        world.store.close()
        if world.standin:
            world.standin.close()  # raises where a key ever came in a URL

    def test_what_was_spent_is_stored_and_told_to_the_last_digit(self, world):
        known = self.settle(world)
        world.tells(known)
        idle = world.spend(str(IDLE))
        assert (idle["total_usd"], idle["missing_days"]) == ("0", [])
        self.go_on(world)
        world.refresh()
        world.tells(known | {TODAY: amount(TODAY)})

    def test_what_goes_wrong_changes_nothing_and_heals(self, world):
        known, before = self.settle(world), world.everything("refresh")
        self.go_on(world)
        for error in self.failures(world):
            assert error.exit_code == 69, error
            assert world.everything("refresh") == before, error
            assert world.trouble() == [str(error)]
        self.go_on(world)
        world.refresh()
        assert world.trouble() == []
        world.tells(known | {TODAY: amount(TODAY)})

    def test_a_refresh_is_stored_whole_or_not_at_all(self, world):
        known, before = self.settle(world), world.everything()
        self.go_on(world)
        for table in self.written:
            with world.refusing(table):
                world.fails()
            assert world.everything() == before, table
        world.refresh()
        world.tells(known | {TODAY: amount(TODAY)})


class Contract(Whole):
    """For whoever is asked with a key; `asked_before_rows` so many times before it tells of spend."""

    written = (*Whole.written, "refresh")
    asked_before_rows, mend = 1, ""

    def keys(self, standin):
        """Return a key that may read spend, one that may not, an unknown one, and all secrets."""
        right = standin.RIGHT
        return right, standin.WRONG, right[:-1] + ("e" if right[-1] == "f" else "f"), right

    def go_on(self, world):
        world.now = MORNING + ONE_DAY

    def failures(self, world):
        for fault, times, words in FAULTS:
            yield world.breaks(fault, times)
            yield (error := world.breaks(fault, times, self.asked_before_rows))
            assert words in str(error)

    def test_another_vendor_s_key_is_never_sent(self, world):
        foreign = [one for one in keyforms._FORMS if one[1] != self.provider.name]
        for prefix, _, vendor in foreign:
            error = world.fails(prefix + "Zq3w9XkT7mB2" * 4)
            assert (type(error), vendor in error.what) == (WrongKeyType, True)
            assert "Zq3w9XkT7mB2" not in traces(error)
        assert len(foreign) >= 10
        assert world.standin.requests == ()

    def test_a_key_that_cannot_read_spend_says_where_the_right_one_is_made(self, world):
        error = world.fails(world.wrong)
        assert (isinstance(error, KeyRejected), error.exit_code) == (True, 77)
        assert (
            self.mend or re.search(r"https://[^\s,]+", self.provider.key_words)[0]
        ) in error.mend
        assert world.days() == {}

    def test_an_unknown_key_is_rejected(self, world):
        error = world.fails(world.unknown)
        assert (type(error), error.exit_code, error.permanent) == (KeyRejected, 77, True)
        assert error.mend
        assert world.days() == {}

    def test_no_secret_comes_out(self, world, caplog):
        caplog.set_level(logging.DEBUG)
        self.settle(world)
        told = ""
        for code in (401, 500):
            echo = faults.status(code, f"no such key: {world.standin.RIGHT}")
            told += traces(world.breaks(echo, after=self.asked_before_rows))
        assert told.count("no such key: …") >= 2
        told += caplog.text + str(world.everything())
        told += "".join(file.read_bytes().decode("latin-1") for file in world.state.iterdir())
        assert not [one for one in world.secrets if one in told]


class Reported(Contract):
    """For whoever reports what each day cost."""

    def settle(self, world):
        """Read the whole window at once; what was spent before and after it is not told yet."""
        window = [*each_day(ago(self.provider.window_days), ago(1))]
        for day in {window[0] - ONE_DAY, *window, TODAY} - {IDLE}:
            world.standin.spend(day, str(amount(day)))
        world.refresh()
        return {day: amount(day) for day in window}

    def test_days_that_grow_are_read_again_replaced_and_noted_once(self, world):
        known = self.settle(world)
        again = [ago(age) for age in range(self.provider.reread_days, 0, -1)]
        for day in (again[0] - ONE_DAY, *again):
            world.standin.spend(day, str(amount(day) * 2))
        rows = world.sql("SELECT count(*) FROM cost")
        for _ in range(2):
            world.refresh(after=HOUR)
            world.tells(known | {day: amount(day) * 2 for day in again})
            assert world.sql("SELECT count(*) FROM cost") == rows
            noted = world.sql("SELECT day, cost_before, cost_after FROM usage_change ORDER BY day")
            costs = [(day, Decimal(before), Decimal(after)) for day, before, after in noted]
            assert costs == [(str(day), amount(day), amount(day) * 2) for day in again]

    def test_a_day_is_final_when_nothing_can_come_any_more(self, world):
        late = self.provider.final_after
        due = {day: midnight(day) + ONE_DAY + late for day in self.settle(world)}
        last = max(MORNING, *due.values())
        for moment in (MORNING, max(MORNING, last - SECOND), last):
            world.refresh(after=moment - world.now)
            final = world.days("final", bool)
            assert {day: final[day] for day in due} == {day: moment >= due[day] for day in due}

    def test_a_day_without_cost_is_unknown_until_it_is_due_and_then_zero(self, world):
        for age in range(2, 10):
            world.standin.spend(ago(age), "1.5")
        due = midnight(TODAY) + max(self.provider.final_after, SETTLES_AFTER)
        world.refresh(after=due - SECOND - world.now)
        assert (ago(1) in world.days(), world.days()[IDLE]) == (False, 0)
        world.refresh(after=SECOND)
        assert world.days()[ago(1)] == 0


class Files(Whole):
    """For whoever is read from files. `text` makes one of what each day cost."""

    def keys(self, _):
        return ["no key is asked for"] * 4

    def put(self, world, days, change=str):
        """Write the file as of the ledger's now."""
        path = world.state / "bills" / "bill.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(change(self.text({day: amount(day) for day in days if amount(day)})))
        os.utime(path, (world.now.timestamp(),) * 2)

    def settle(self, world):
        days = [*each_day(ago(14), ago(1))]
        self.put(world, days)
        world.refresh()
        return {day: amount(day) for day in days}

    def go_on(self, world):
        world.now = MORNING + ONE_DAY
        self.put(world, each_day(ago(14), TODAY))

    def failures(self, world):
        for change in (poisoned, lambda text: text[:-30], lambda _: "<html>Sign in</html>"):
            self.put(world, [ago(1)], change)
            yield (error := world.fails())
            assert "bill.csv" in error.what

    def test_no_key_is_taken(self):
        with pytest.raises(WrongKeyType, match="takes no key"):
            self.provider.check_form(Secret("sk-or-v1-0123456789abcdef"))

    def test_an_unchanged_file_is_not_read_again_and_its_newest_day_may_grow(self, world):
        known, before = self.settle(world), world.everything("refresh")
        assert world.refresh(after=HOUR).rows == 0
        assert world.everything("refresh") == before
        assert world.days("final", bool) == {day: day < ago(1) for day in known}
