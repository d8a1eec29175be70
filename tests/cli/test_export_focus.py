"""`export --format focus`: what leaves as FOCUS is what was stored, and comes back to the digit."""

from __future__ import annotations

import csv
import glob
import io
import re
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import focus_rules
import pytest
from install import ROOT, Install, usage
from standin_ledger import fill

from bot.cli.export import COLUMNS as CSV_COLUMNS
from costcompass_core.domain.focus_shape import COLUMNS
from costcompass_core.domain.money import exact_sum
from costcompass_core.providers.focus import read_focus
from costcompass_core.providers.focus_columns import CHARGE_CATEGORIES, strangers, version_of
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import replace_days


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Install:
    """Six providers, two files, three currencies; nobody writes into it."""
    install = Install(tmp_path_factory.mktemp("ledger"))
    fill(install)
    return install


def table(install: Install, *words: str) -> list[dict[str, str]]:
    done = install.run("export", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return list(csv.DictReader(io.StringIO(done.stdout)))


def sums(amounts) -> dict[str, Decimal]:
    found = defaultdict(list)
    for currency, amount in amounts:
        found[currency].append(Decimal(amount))
    return {currency: exact_sum(some) for currency, some in found.items()}


def stored(install: Install) -> dict[str, Decimal]:
    rows = table(install, "--format", "csv")
    assert list(rows[0]) == list(CSV_COLUMNS)
    return sums((row["currency"], row["amount"]) for row in rows)


def read_back(*files: Path) -> dict[str, Decimal]:
    bills = [bill for file in files for bill in read_focus(file).bills]
    return sums((row.currency, row.cost) for bill in bills for row in bill.rows)


def test_the_same_rows_leave_as_csv_and_as_focus_and_come_back_to_the_digit(filled, tmp_path):
    plain_rows, rows = (table(filled, "--format", one) for one in ("csv", "focus"))
    assert [row["BilledCost"].removesuffix(".0") for row in rows] == [
        row["amount"].removesuffix(".0") for row in plain_rows
    ]
    assert list(rows[0]) == list(COLUMNS)
    assert version_of(rows[0].keys()) == "1.3"
    assert strangers(rows[0].keys()) == []
    for row in rows:
        focus_rules.check(row)
    assert {row["ChargeCategory"] for row in rows} == set(CHARGE_CATEGORIES)
    told = sums((row["BillingCurrency"], row["BilledCost"]) for row in rows)
    assert told.keys() == {"USD", "EUR", "CNY"}
    out = tmp_path / "focus.csv"
    assert table(filled, "--format", "focus", "--out", str(out)) == []
    assert told == stored(filled) == read_back(out)
    assert [path.name for path in tmp_path.iterdir()] == ["focus.csv"]
    found = duckdb.sql(
        f"SELECT BillingCurrency, sum(CAST(BilledCost AS DECIMAL(38, 30))) FROM read_csv('{out}',"
        " all_varchar = true) GROUP BY ALL"
    )
    assert dict(found.fetchall()) == told
    assert read_focus(out).notes == ()


def test_parquet_by_month_comes_back_to_the_digit_for_duckdb_and_for_us(filled, tmp_path):
    out = tmp_path / "it's [a] *lake*"
    words = ("--format", "focus", "--parquet", "--out", str(out))
    assert table(filled, *words) == []
    files = sorted(out.rglob("*"))
    months = sorted({row["day"][:7] for row in table(filled, "--format", "csv")})
    assert [str(one.relative_to(out)) for one in files] == sorted(
        name for month in months for name in (f"billing_period={month}", f"billing_period={month}/focus.parquet")
    )  # fmt: skip
    told = stored(filled)
    assert read_back(*[one for one in files if one.is_file()]) == told
    place = glob.escape(str(out)).replace("'", "''")
    lake = f"read_parquet('{place}/*/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        found = database.execute(
            f"SELECT BillingCurrency, sum(BilledCost), max(typeof(BilledCost)),"
            " bool_and(strftime(BillingPeriodStart, '%Y-%m') = billing_period),"
            f" count(InvoiceId) FROM {lake} GROUP BY ALL"
        ).fetchall()
        names = database.execute(
            f"SELECT DISTINCT x_Endpoint FROM {lake} WHERE x_Endpoint[1] IN ('=', '@')"
        ).fetchall()
    assert {row[0]: row[1] for row in found} == told
    assert {row[2:] for row in found} == {("DECIMAL(38,26)", True, 0)}
    assert names, "what a table of values holds is not changed for spreadsheets"


def test_the_page_s_queries_work_on_what_is_written(filled, tmp_path):
    lake = tmp_path / "lake"
    assert table(filled, "--format", "focus", "--parquet", "--out", str(lake)) == []
    page = (ROOT / "docs" / "export.md").read_text()
    [queries] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    with duckdb.connect() as database:
        totals, prices = (
            database.execute(query.replace("'lake/", f"'{lake}/")).fetchall()
            for query in queries.split(";")[:2]
        )
    assert {row[1] for row in totals} > {"OpenRouter", "Anthropic", "DeepSeek", "Cloudy"}
    assert ("anthropic", "anthropic/claude-sonnet-4.5") in {row[:2] for row in prices}


@pytest.fixture
def small(install: Install) -> Install:
    """Two months with a formula for a name, a refund, and spend under a key of one's own."""
    install.configure(more='[[subscription]]\nname = "Max"\namount = 100\nfrom = 2026-10-05\n')
    put(install, {OCTOBER: "0.00000000000000000000000001", NOVEMBER: "-0.50"})
    return install


OCTOBER, NOVEMBER = date(2026, 10, 30), date(2026, 11, 2)
READ_AT = datetime(2026, 11, 23, tzinfo=UTC)


def put(install: Install, costs: dict[date, str]) -> None:
    """Store one row a day, and nothing on the days that have no cost."""
    install.remember(
        {
            day: [usage(day, "=cmd|' /C calc'!A0", cost, byok_cost=Decimal("1.25"))] if cost else []
            for day, cost in costs.items()
        },
        at=READ_AT,
    )


def lake(install: Install, *words: str) -> dict[str, object]:
    """Write Parquet and return the billed sum of each month that is there, as duckdb reads it."""
    out = install.folder / "lake"
    assert table(install, "--format", "focus", "--parquet", "--out", str(out), *words) == []
    assert all(one.name.startswith("billing_period=") for one in out.iterdir())
    found = duckdb.sql(
        "SELECT billing_period, sum(BilledCost)"
        f" FROM read_parquet('{out}/*/*.parquet', hive_partitioning = true) GROUP BY ALL"
    )
    return dict(found.fetchall())


def test_no_spreadsheet_runs_a_name_and_figures_stay_figures(small: Install):
    [_, row] = table(small, "--format", "focus")
    assert (row["BilledCost"], row["x_RawAmount"]) == ("-0.50", "-0.50")
    assert row["x_Model"] == row["SkuId"] == "'=cmd|' /C calc'!A0"
    assert row["ChargeDescription"] == "'=cmd|' /C calc'!A0 via OpenAI"
    assert (row["EffectiveCost"], row["x_ByokCostUsd"]) == ("-0.50", "1.25")


def test_days_are_chosen_as_for_the_other_formats(small: Install):
    [row] = table(small, "--format", "focus", "--from", "2026-11-01", "--to", "2026-11-02")
    assert row["ChargePeriodStart"] == "2026-11-02T00:00:00Z"
    assert table(small, "--format", "focus", "--to", "2026-10-29") == []


def test_subscriptions_come_on_request_in_order_of_time_and_none_before_its_month(small: Install):
    words = ("--format", "focus", "--subscriptions", "--to", "2026-11-02")
    rows = table(small, *words)
    assert [(row["ChargePeriodStart"][:10], row["BilledCost"]) for row in rows] == [
        ("2026-10-05", "100.0"),
        ("2026-10-30", "0.00000000000000000000000001"),
        ("2026-11-01", "100.0"),
        ("2026-11-02", "-0.50"),
    ]
    assert len(table(small, *words, "--from", "2026-10-06")) == 3
    ahead = table(small, *words[:3], "--to", "9999-12-31")
    assert max(row["ChargePeriodStart"] for row in ahead) <= str(datetime.now(UTC))


def test_an_account_that_is_gone_is_marked_and_still_has_a_seller(small: Install):
    with closing(open_store(small.state)) as store, store.writing() as tx:
        for name in ("anthropic/old", "Acme Cloud/a-1"):
            replace_days(tx, name, {NOVEMBER: [usage(NOVEMBER, "m", "1", endpoint="e")]}, READ_AT)
    rows = table(small, "--format", "focus", "--from", "2026-11-01")
    assert {row["BillingAccountId"]: (row["ProviderName"], row["x_Counted"]) for row in rows} == {
        "main": ("OpenRouter", "true"),
        "anthropic/old": ("Anthropic", "false"),
        "Acme Cloud/a-1": ("Acme Cloud", "false"),
    }


def test_months_are_replaced_whole_and_the_others_left(small: Install):
    tiny, refund = Decimal("0.00000000000000000000000001"), Decimal("-0.5")
    assert lake(small) == {"2026-10": tiny, "2026-11": refund}
    put(small, {OCTOBER: "2", NOVEMBER: "3", NOVEMBER + timedelta(days=1): "4"})
    assert lake(small, "--from", "2026-11-01") == {"2026-10": tiny, "2026-11": 7}
    put(small, {OCTOBER: ""})
    assert lake(small, "--from", "2026-11-01") == {"2026-10": tiny, "2026-11": 7}
    assert lake(small) == {"2026-11": 7}, "a month without rows any more is no month of old ones"


@pytest.mark.parametrize("cost", ["0.000000000000000000000000001", "1000000000000.5"])
def test_parquet_is_refused_rather_than_rounded_and_what_was_there_stays(small: Install, cost):
    before = lake(small)
    put(small, {NOVEMBER: "3", NOVEMBER + timedelta(days=1): cost})
    out = small.folder / "lake"
    words = ("--format", "focus", "--parquet", "--out", str(out))
    done = small.run("export", *words)
    assert done.returncode == 1
    assert done.stderr == (
        f"costcompass: BilledCost {cost} (2026-11-03, main, =cmd|' /C calc'!A0) does not fit into"
        " DECIMAL(38, 26), and is not rounded: leave out --parquet: CSV has every digit\n"
    )
    assert lake(small, "--to", "2026-10-31") == before
    assert [row["BilledCost"] for row in table(small, "--format", "focus")][-1] == cost


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("csv", "--parquet", "--out", "lake"), "go with FOCUS: use --format focus"),
        (("jsonl", "--subscriptions"), "go with FOCUS: use --format focus"),
        (("focus", "--parquet"), "name their folder with --out"),
        (
            ("focus", "--parquet", "--out", "lake", "--from", "2026-11-02", "--to", "2026-11-30"),
            "replaces whole months: take --from 2026-11-01, or none",
        ),
        (
            ("focus", "--parquet", "--out", "lake", "--to", "2026-11-29"),
            "replaces whole months: take --to 2026-11-30, or none",
        ),
    ],
)
def test_what_makes_no_sense_together_is_refused_with_the_mend(small: Install, words, what):
    done = small.run("export", "--format", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"{what}\n")
    assert not (small.folder / "lake").exists()


def test_without_duckdb_csv_works_and_parquet_says_what_to_install(small: Install):
    (small.folder / "duckdb.py").write_text("raise ImportError")
    environ = {"PYTHONPATH": f"{small.folder}:{ROOT}"}
    words = ("export", "--format", "focus")
    assert small.run(*words, environ=environ).stdout == small.run(*words).stdout
    done = small.run(*words, "--parquet", "--out", "lake", environ=environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "costcompass: Parquet needs duckdb, which is not installed:"
        " pip install 'costcompass[export]'\n"
    )


@pytest.mark.parametrize("form", ["csv", "jsonl", "focus"])
def test_a_long_export_ends_with_its_reader_and_names_a_full_disk(small: Install, form):
    many = [usage(NOVEMBER, f"m-{number}", "1") for number in range(3000)]
    small.remember({NOVEMBER: many}, at=READ_AT)
    command = [sys.executable, "-P", "-m", "bot", "export", "--format", form]
    with subprocess.Popen(
        command, env=small.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as done:
        assert done.stdout.read(10)
        done.stdout.close()
        assert (done.wait(), done.stderr.read()) == (1, b"")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, env=small.environ, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert done.stderr.decode().startswith("costcompass: standard output cannot be written (No sp")


@pytest.mark.parametrize("there", ["a file", "a folder in its place"])
def test_where_parquet_cannot_go_is_told_and_nothing_is_left(small: Install, there):
    out = small.folder / "lake"
    if there == "a file":
        out.write_text("")
    else:
        (out / "billing_period=2026-10" / "focus.parquet" / "mine").mkdir(parents=True)
    done = small.run("export", "--format", "focus", "--parquet", "--out", str(out))
    assert done.returncode == 1
    assert re.fullmatch(rf"costcompass: {out} cannot be written \(.+\): check --out\n", done.stderr)
    assert there == "a file" or [one.name for one in out.iterdir()] == ["billing_period=2026-10"]
