"""A folder of bills, read by the real reader into a real ledger: each file once, no bill twice."""

import os
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from costcompass_core.domain.accounts import Account
from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.errors import ConfigError
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.budget import budget_spent
from costcompass_core.domain.rules.views import Limits
from costcompass_core.providers.focus import PROVIDER
from costcompass_core.storage.budget_views import budget_views
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import keep_only_accounts
from costcompass_core.usecases.folder import FilesRefused, read_folder
from costcompass_core.usecases.report import Questions

SAMPLE = Path(__file__).parents[1] / "providers" / "files" / "focus_1_0.csv"
HEADER, LINE = SAMPLE.read_text().splitlines()[:2]
MADE = datetime(2026, 11, 23, 6, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def line(cost, day="2026-11-20", **fields):
    """Return a row of the sample with other fields."""
    row = dict(zip(HEADER.split(","), LINE.split(","), strict=True))
    until = date.fromisoformat(day) + timedelta(days=1)
    row |= {"BilledCost": cost, "ChargePeriodStart": f"{day}T00:00:00Z"}
    row |= {"ChargePeriodEnd": f"{until}T00:00:00Z", **fields}
    return ",".join(row.values())


class Folder:
    """One configured folder; `read` is what the daemon does with it every hour."""

    def __init__(self, store, path, name="focus/bills"):
        self.store, self.path, self.now = store, path, NOW
        path.mkdir()
        self.account = Account(name, "focus", "", {"folder": str(path)})
        self.progress = []

    def put(self, name, *lines, made=MADE):
        """Write a file as an export does; `made` is its age."""
        place = self.path / name
        place.write_text("\n".join([HEADER, *lines]) + "\n")
        os.utime(place, (made.timestamp(), made.timestamp()))

    def read(self, *keyed):
        """Read the folder and return which files were opened."""
        self.progress = []
        self.outcome = read_folder(
            self.account,
            PROVIDER,
            self.store,
            lambda: self.now,
            keyed=keyed,
            progress=self.progress.append,
        )
        return self.progress

    def refused(self, *keyed):
        """Read the folder and return what is told of the files that were refused."""
        with pytest.raises(FilesRefused) as refusal:
            self.read(*keyed)
        return str(refusal.value)

    def spend(self, words="30d by account"):
        return Questions(self.store).spend(words, self.now)

    def rows(self, words="30d by account"):
        return {row.name: row.cost.text() for row in self.spend(words).rows}

    def stored(self):
        """Return every row and day, without when it was read."""
        with self.store.reading() as tx:
            days = "SELECT account, day, rows, cost, final FROM usage_day ORDER BY account, day"
            return tx.execute("SELECT * FROM cost").fetchall(), tx.execute(days).fetchall()


@pytest.fixture
def folder(tmp_path):
    with closing(open_store(tmp_path)) as store:
        yield Folder(store, tmp_path / "bills")


def test_a_file_is_imported_once_and_adds_up_to_the_digit_in_every_currency(folder):
    folder.put("a.csv", *SAMPLE.read_text().splitlines()[1:])
    assert folder.read() == ["a.csv"]
    report = folder.spend()
    assert report.total.text() == "0.1200000000000000000001"
    assert [(one.currency, one.total) for one in report.stack.currencies] == [
        ("USD", report.total.amount),
        ("EUR", Decimal(-3)),
    ]
    before = folder.stored()
    assert folder.read() == []
    os.utime(folder.path / "a.csv")  # only touched
    assert folder.read() == []
    assert folder.stored() == before


def test_what_a_new_version_does_not_say_any_more_is_gone(folder):
    folder.put("a.csv", line("1", "2026-11-18"), line("2", "2026-11-20"), line("4", SkuId="other"))
    folder.read()
    assert folder.spend("30d").total.text() == "7"
    folder.put("a.csv", line("2", "2026-11-20"), line("8", "2026-11-21"), made=NOW)
    assert folder.read() == ["a.csv"]
    assert folder.rows("30d by day") == {"2026-11-21": "8", "2026-11-20": "2"}
    assert folder.spend("2026-11").total.text() == "10"  # and the month knows it too


def test_a_bad_file_changes_nothing_and_keeps_no_other_from_being_read(folder):
    folder.put("b.csv", line("2"))
    folder.read()
    folder.put("a.csv", line("1", BillingAccountId="first"))
    folder.put("b.csv", line("2"), line("many"), made=NOW)
    folder.put("c.csv", line("4", BillingAccountId="third"))
    told = folder.refused()
    assert "b.csv" in told
    assert "row 3" in told
    assert "BilledCost" in told
    assert folder.rows() == {
        "Acme Cloud/third": "4",
        "Acme Cloud/acct-7": "2",
        "Acme Cloud/first": "1",
    }
    # it is tried again, and what was good is not
    with pytest.raises(FilesRefused):
        folder.read()
    assert folder.progress == ["b.csv"]
    folder.put("b.csv", line("3"), made=NOW)
    assert folder.read() == ["b.csv"]
    assert folder.rows()["Acme Cloud/acct-7"] == "3"


KEYED = Account("anthropic/main", "anthropic", "https://api.anthropic.com")


def test_what_is_read_by_key_is_not_taken_from_a_file(folder):
    folder.put("a.csv", line("1", ProviderName="Anthropic"))
    told = folder.refused(KEYED)
    assert "anthropic/main" in told
    assert "twice" in told
    assert folder.rows() == {}


def test_a_provider_that_is_connected_later_does_not_count_twice_either(folder):
    folder.put("a.csv", line("1", ProviderName="Anthropic"), line("2"))
    folder.read()
    assert folder.rows() == {"Acme Cloud/acct-7": "2", "Anthropic/acct-7": "1"}
    assert "anthropic/main" in folder.refused(KEYED)
    assert folder.rows() == {"Acme Cloud/acct-7": "2"}
    folder.refused(KEYED)
    assert folder.rows() == {"Acme Cloud/acct-7": "2"}
    folder.read()  # it is back when the key is gone
    assert folder.rows() == {"Acme Cloud/acct-7": "2", "Anthropic/acct-7": "1"}


def test_a_copy_under_another_name_is_refused(folder):
    folder.put("a.csv", line("1"), line("2", "2026-11-21"))
    folder.read()
    folder.put("copy.csv", line("1"), line("2", "2026-11-21"))
    assert "copy.csv: 2 of its 2 rows" in folder.refused()
    assert folder.spend("30d").total.text() == "3"


def days(*numbers):
    return [line(str(number), f"2026-11-{number:02}") for number in numbers]


@pytest.mark.parametrize("later", [range(10, 22), range(10, 14)])
def test_a_month_so_far_under_a_new_name_each_time_is_no_second_bill(folder, later):
    """Whether it has grown by a little or by a lot."""
    folder.put("to-13.csv", *days(10, 11, 12))
    folder.read()
    folder.put("to-later.csv", *days(*later))
    assert "to-later.csv" in folder.refused()
    assert folder.spend("30d").total.text() == "33"


def test_two_parts_of_the_same_days_both_count(folder):
    folder.put("part-1.csv", line("1", SkuId="a"), line("1", "2026-11-21", SkuId="a"))
    folder.put("part-2.csv", line("2", SkuId="b"), line("0.5", SkuId="a"))
    folder.read()
    assert folder.rows("30d by day") == {"2026-11-20": "3.5", "2026-11-21": "1"}
    folder.put("part-2.csv", line("4", "2026-11-21", SkuId="b"), made=NOW)
    folder.read()
    assert folder.rows("30d by day") == {"2026-11-21": "5", "2026-11-20": "1"}


def test_one_account_in_two_folders_is_refused(folder, tmp_path):
    other = Folder(folder.store, tmp_path / "other", "focus/other")
    folder.put("a.csv", line("1"))
    folder.read()
    other.put("b.csv", line("5", "2026-11-21"))
    assert "focus/bills" in other.refused()
    assert folder.spend("30d").total.text() == "1"


def test_a_folder_under_another_name_goes_on_where_it_was(folder, tmp_path):
    folder.put("gone.csv", *days(12))
    folder.put("a.csv", *days(19, 20))
    folder.read()
    (folder.path / "gone.csv").unlink()
    with folder.store.writing() as tx:
        keep_only_accounts(tx, ["focus/new"])
    other = Folder(folder.store, tmp_path / "other", "focus/new")
    other.put("a.csv", *days(19, 20, 21))
    other.read()
    assert other.read() == []
    assert folder.spend("30d").total.text() == "72"


def test_a_file_that_was_removed_keeps_its_rows(folder):
    folder.put("a.csv", line("1"))
    folder.read()
    before = folder.stored()
    (folder.path / "a.csv").unlink()
    assert folder.read() == []
    assert folder.stored() == before
    folder.path.rmdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        folder.read()
    assert folder.stored() == before


def test_a_file_of_two_sellers_gives_two_accounts(folder):
    folder.put(
        "a.csv", line("1"), line("2", ProviderName="Other/Host"), line("4", BillingAccountId="b")
    )
    folder.read()
    assert folder.rows() == {
        "Acme Cloud/b": "4",
        "Other-Host/acct-7": "2",
        "Acme Cloud/acct-7": "1",
    }
    assert folder.rows("30d by provider") == {"Acme Cloud": "5", "Other-Host": "2"}
    assert [one.account for one in folder.spend().health] == sorted(folder.rows())
    with folder.store.writing() as tx:
        keep_only_accounts(tx, ["focus/bills"])
    assert folder.spend("30d").total.text() == "7"
    with folder.store.writing() as tx:
        keep_only_accounts(tx, ["main"])
    assert folder.spend("30d").total.text() == "0"


def test_the_days_of_a_file_are_final_a_day_before_it_was_made(folder):
    folder.put("a.csv", *days(19, 20, 21, 22))
    folder.read()
    [one] = folder.spend().health
    assert (one.slow, one.data_through) == (True, date(2026, 11, 21))
    # an export of a later day that says the same says that nothing was to come
    folder.now += timedelta(days=1)
    folder.put("a.csv", *days(19, 20, 21, 22), made=folder.now)
    folder.read()
    [one] = folder.spend().health
    assert one.data_through == date(2026, 11, 22)


def test_a_budget_over_what_is_read_from_files_is_watched(folder):
    folder.put("a.csv", *days(19, 20, 21))
    folder.read()
    budget = Budget("acme", Usd.of(100), percents=(Decimal(50),), provider="acme cloud")
    with folder.store.reading() as tx:
        [view] = budget_views(tx, [budget], ["focus/bills"], NOW)
    found = budget_spent(view, Limits())
    assert (view.spent.text(), found.level, found.facts["percent"]) == ("60", 1, Decimal("60.0"))
