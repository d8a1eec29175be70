"""FOCUS files of every version: exact rows out of good ones, and bad ones refused by the cell."""

import csv
import gzip
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.errors import ConfigError, UnreadableFile
from costcompass_core.domain.money import exact_sum
from costcompass_core.providers.focus import connected_name, read_focus
from costcompass_core.providers.focus_columns import version_of
from costcompass_core.providers.folder import files_in

FILES = Path(__file__).parent / "files"
DAY = date(2026, 11, 20)
ROW = {
    "BilledCost": "1.25",
    "BillingAccountId": "a-1",
    "BillingAccountName": "",
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2026-12-01T00:00:00Z",
    "BillingPeriodStart": "2026-11-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "a line",
    "ChargePeriodEnd": "2026-11-21T00:00:00Z",
    "ChargePeriodStart": "2026-11-20T00:00:00Z",
    "ContractedCost": "1.25",
    "EffectiveCost": "1.25",
    "InvoiceIssuerName": "Issuer",
    "ListCost": "1.25",
    "PricingQuantity": "",
    "PricingUnit": "",
    "ServiceCategory": "Compute",
    "ServiceName": "Servers",
    "ProviderName": "Acme",
    "PublisherName": "Acme",
}


def write(folder, *changes, name="bill.csv", sign=","):
    path = Path(folder) / name
    columns = list(dict.fromkeys([*ROW, *(column for change in changes for column in change)]))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", delimiter=sign)
        writer.writeheader()
        writer.writerows(ROW | change for change in changes)
    return path


def read(folder, *changes):
    return read_focus(write(folder, *changes))


def rows(folder, *changes):
    [bill] = read(folder, *changes).bills
    return bill.rows


def refused(path):
    with pytest.raises(UnreadableFile) as caught:
        read_focus(path)
    return caught.value


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.4"])
def test_every_version_is_known_and_read_to_the_digit(version):
    found = read_focus(FILES / f"focus_{version.replace('.', '_')}.csv")
    assert (found.version, found.notes) == (version, ())
    [bill] = found.bills
    assert (bill.provider, bill.account) == ("Acme Cloud", "acct-7")
    assert (bill.first, bill.last) == (DAY, date(2026, 11, 21))
    usage, credit = bill.rows
    assert (usage.cost, usage.currency, usage.once) == (
        Decimal("0.1200000000000000000001"), "USD", False,
    )  # fmt: skip
    assert usage.raw == "0.10+0.0200000000000000000001"
    assert (credit.cost, credit.currency, credit.once) == (Decimal(-3), "EUR", True)
    billed_by_line = version == "1.0"  # whose file has SkuId and ConsumedQuantity
    assert usage.endpoint == ("SKU-1" if billed_by_line else "small server")
    quantity = ("8.5", "GB-Hours") if billed_by_line else ("4", "Hours")
    assert (usage.quantity, usage.unit) == (Decimal(quantity[0]), quantity[1])


def test_our_own_columns_carry_models_tokens_and_basis():
    found = read_focus(FILES / "focus_tokens.csv")
    assert found.notes == ("1 charge(s) last longer than a day and count on their first",)
    bills = {bill.provider: bill for bill in found.bills}
    assert sorted(bills) == ["Anthropic", "DeepSeek", "OpenRouter"]
    usage = {row.endpoint: row for row in bills["OpenRouter"].rows}
    line = usage["anthropic/claude-opus via OpenRouter"]
    assert (line.model, line.host) == ("anthropic/claude-opus-5.5", "OpenRouter API")
    assert line.cost == Decimal("0.1234587689640000000001")
    assert (line.prompt_tokens, line.completion_tokens, line.requests) == (2000, 400, 6)
    assert (line.cached_tokens, line.reasoning_tokens) == (None, 0)
    assert usage["promo credit"].once
    assert usage["late correction"].once
    [derived] = bills["DeepSeek"].rows
    assert (derived.basis, derived.currency) == ("derived", "CNY")
    assert bills["Anthropic"].first == date(2026, 11, 1)


def test_the_version_is_the_newest_of_any_column_and_lacking_ones_are_named_together():
    assert version_of([*ROW, "x_Anything"]) == "1.0"
    assert version_of([*ROW, "InvoiceDetailId"]) == "1.4"
    with pytest.raises(ValueError, match="lacks BilledCost, ListCost, PublisherName"):
        version_of(set(ROW) - {"ListCost", "BilledCost", "PublisherName"})
    with pytest.raises(ValueError, match="lacks HostProviderName"):
        version_of({*ROW, "ServiceProviderName"} - {"ProviderName", "PublisherName"})


def test_a_file_of_something_else_is_told_what_it_lacks(tmp_path):
    path = tmp_path / "bill.csv"
    path.write_text("Day,Cost\n2026-11-20,1\n")
    error = refused(path)
    assert error.what.startswith(
        "bill.csv, row 1: is not a FOCUS file: the header lacks BilledCost,"
    )
    assert "ServiceName, ProviderName, PublisherName" in error.what
    assert "export it as FOCUS" in error.mend


@pytest.mark.parametrize(
    ("change", "column", "what", "mend"),
    [
        ({"ChargeCategory": "Usages"}, "", "“Usages” is not one of", "did it mean Usage?"),
        ({"ChargeCategory": ""}, "", "is empty", "Adjustment, Credit, Purchase, Tax, Usage"),
        ({"ChargeClass": "Corrected"}, "", "“Corrected” is not one of", "did it mean Correction?"),
        ({"ServiceCategory": "AI and ML"}, "", "is not one of", "AI and Machine Learning?"),
        ({"ChargePeriodStart": "2026-11-20"}, "", "is not a full UTC", "2026-11-20T00:00:00Z"),
        ({"ChargePeriodStart": "2026-11-20T00:00:00"}, "", "is not a full UTC", "in UTC"),
        ({"ChargePeriodStart": "2026-11-20T00:00:00+01:00"}, "", "is not a full UTC", "in UTC"),
        ({"ChargePeriodStart": "2026-11-31T00:00:00Z"}, "", "is not in the calendar", "in UTC"),
        ({"ChargePeriodStart": "2026-11-20 00:00:00+00"}, "", "is written otherwise", "one way"),
        ({"ChargePeriodEnd": "2026-11-19T00:00:00Z"}, "", "is not after ChargePeriodStart", "UTC"),
        ({"ChargePeriodEnd": ""}, "", "is empty", "in UTC"),
        ({"BillingPeriodEnd": "December"}, "", "is not a full UTC", "in UTC"),
        ({"BilledCost": ""}, "", "is empty", "a plain number"),
        ({"BilledCost": "NaN"}, "", "“NaN” is not a plain decimal", "a plain number"),
        ({"BilledCost": "$1.25"}, "", "“$1.25” is not a plain decimal", "a plain number"),
        ({"BilledCost": "1,25"}, "", "“1,25” is not a plain decimal", "a plain number"),
        ({"BilledCost": "1e30"}, "", "“1e30” is out of range", "a plain number"),
        ({"ListCost": "Infinity"}, "", "is not a plain decimal", "a plain number"),
        ({"BillingCurrency": "usd"}, "", "“usd” is not three capitals", "like USD"),
        ({"BillingCurrency": ""}, "", "is empty", "like USD"),
        ({"ServiceName": " "}, "", "is empty", "the format demands it"),
        ({"BillingAccountId": ""}, "", "is empty", "the format demands it"),
        ({"ProviderName": "", "InvoiceIssuerName": ""}, "", "is empty, and so are", "demands it"),
        ({"x_InputTokens": "12.5"}, "x_InputTokens", "is not a whole number", "like 1200"),
        ({"x_Requests": "-1"}, "x_Requests", "is not a whole number", "like 1200"),
        ({"PricingQuantity": "many"}, "", "is not a plain decimal", "a plain number"),
    ],
)
def test_one_bad_cell_among_good_rows_is_refused_by_its_place(tmp_path, change, column, what, mend):
    error = refused(write(tmp_path, {}, {}, change, {}))
    assert error.what.startswith(f"bill.csv, row 4, column {column or next(iter(change))}: ")
    assert what in error.what
    assert mend in error.mend


def test_hostile_words_stay_short_and_on_one_line(tmp_path):
    error = refused(write(tmp_path, {"ChargeCategory": "Usage\n\x1b[31m" + "x" * 999}))
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 300


def test_fractions_and_long_or_outlying_periods_are_taken_and_remarked(tmp_path):
    found = read(
        tmp_path,
        {"ChargePeriodStart": "2026-11-20T23:59:59.999Z", "ChargePeriodEnd": "2026-11-21T23:59:59.999Z"},
        {"ChargePeriodEnd": "2026-11-21T00:00:00.000000001Z"},
        {"ChargePeriodStart": "2026-10-30T00:00:00Z", "ChargePeriodEnd": "2026-10-31T00:00:00Z"},
        {"BillingPeriodStart": "", "BillingPeriodEnd": "", "Colour": "red"},
    )  # fmt: skip
    assert found.notes == (
        "1 charge(s) last longer than a day and count on their first",
        "1 charge(s) lie outside their billing period",
        "ignored column(s) that FOCUS does not know: Colour",
    )
    [bill] = found.bills
    assert [(row.day, row.cost) for row in bill.rows] == [
        (date(2026, 10, 30), Decimal("1.25")), (DAY, Decimal("3.75")),
    ]  # fmt: skip


def test_names_fall_back_in_order(tmp_path):
    named = {"ServiceProviderName": " New ", "ProviderName": "Old"}
    found = read(tmp_path, named, {"ProviderName": "Old"}, {"ProviderName": " "})
    assert [bill.provider for bill in found.bills] == ["Issuer", "New", "Old"]
    lines = rows(
        tmp_path,
        {"SkuId": "sku", "x_Sku": "mine"},
        {"x_Sku": "mine"},
        {"ChargeDescription": "d" * 300},
        {"ChargeDescription": "", "x_Model": "m-1"},
    )
    assert {(row.model, row.endpoint) for row in lines} == {
        ("Servers", "sku"), ("Servers", "mine"), ("Servers", "d" * 200), ("m-1", "Usage"),
    }  # fmt: skip


def test_what_differs_in_kind_is_not_added_up_though_its_names_are_the_same(tmp_path):
    usage, credit, derived = rows(
        tmp_path,
        {},
        {},
        {"ChargeCategory": "Credit", "BilledCost": "-9"},
        {"x_CostBasis": "derived"},
    )
    assert (usage.endpoint, usage.cost, usage.once) == ("a line", Decimal("2.50"), False)
    assert (credit.endpoint, credit.cost, credit.once) == ("a line (Credit)", Decimal(-9), True)
    assert (derived.endpoint, derived.basis) == ("a line (derived)", "derived")


def test_counts_with_a_point_and_no_rows_at_all(tmp_path):
    [row] = rows(tmp_path, {"x_InputTokens": "1200.0", "x_OutputTokens": ""})
    assert (row.prompt_tokens, row.completion_tokens) == (1200, None)
    assert read(tmp_path).bills == ()
    assert read(tmp_path).notes == ("the file has no rows",)


AMOUNTS = st.decimals(-(10**17), 10**17, allow_nan=False, allow_infinity=False, places=None).filter(
    lambda amount: -300 < amount.as_tuple().exponent < 17
)


@given(
    st.lists(
        st.tuples(AMOUNTS, st.sampled_from(["USD", "EUR", "CNY"]), st.integers(1, 28),
                  st.sampled_from(["Usage", "Tax", "Credit"]), st.text(max_size=5)),
        max_size=30,
    ),
    st.sampled_from([",", ";", "\t"]),
)  # fmt: skip
def test_whatever_is_written_reads_back_to_the_same_total(tmp_path_factory, made, sign):
    changes = [
        {
            "BilledCost": str(amount),
            "BillingCurrency": currency,
            "ChargePeriodStart": f"2026-11-{day:02}T00:00:00Z",
            "ChargePeriodEnd": f"2026-11-{day + 1:02}T00:00:00Z",
            "ChargeCategory": category,
            "ChargeDescription": text.replace("\0", ""),
        }
        for amount, currency, day, category, text in made
    ]
    found = read_focus(write(tmp_path_factory.getbasetemp(), *changes, sign=sign))
    read_back = [row for bill in found.bills for row in bill.rows]
    for currency in ("USD", "EUR", "CNY"):
        total = exact_sum(amount for amount, of, *_ in made if of == currency)
        assert exact_sum(row.cost for row in read_back if row.currency == currency) == total
    keys = [(row.day, row.model, row.permaslug, row.endpoint, row.currency) for row in read_back]
    assert len(keys) == len(set(keys))


def test_many_rows_of_one_line_add_up(tmp_path):
    [row] = rows(tmp_path, *({"BilledCost": f"0.{number:06}"} for number in range(5000)))
    assert row.cost == Decimal("12.497500")
    assert row.raw.startswith("+".join(f"0.{number:06}" for number in range(50)))
    assert len(row.raw) < 60_000


def test_a_gzipped_file_and_parquet_say_the_same(tmp_path):
    path = write(tmp_path, {"BilledCost": "0.1000000000000000000001", "x_InputTokens": "7"}, {})
    packed = tmp_path / "bill.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_focus(packed).bills == read_focus(path).bills
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as database:
        database.execute(
            "COPY (SELECT * REPLACE (BilledCost::DECIMAL(38, 22) AS BilledCost,"
            f" x_InputTokens::INT AS x_InputTokens) FROM read_csv('{path}'))"
            f" TO '{tmp_path / 'bill.parquet'}' (FORMAT parquet)"
        )
    [bill], [same] = read_focus(tmp_path / "bill.parquet").bills, read_focus(path).bills
    assert [row._replace(raw=None) for row in bill.rows] == [
        row._replace(raw=None) for row in same.rows
    ]


def test_a_folder_shows_its_files_and_nothing_from_elsewhere(tmp_path):
    folder, outside = tmp_path / "bills", tmp_path / "outside"
    for place in (folder / "aws" / "deep", folder / ".git", outside):
        place.mkdir(parents=True)
    (outside / "secret.csv").write_text("x")
    for name in (
        "b.csv",
        "a.CSV.GZ",
        "aws/c.parquet",
        "aws/deep/d.csv",
        ".e.csv",
        ".git/f.csv",
        "g.txt",
    ):
        (folder / name).write_text("A\n")  # fmt: skip
    (folder / "link.csv").symlink_to(outside / "secret.csv")
    (folder / "linked").symlink_to(outside)
    (folder / "gone.csv").symlink_to(folder / "nothing")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "inside.csv").symlink_to(folder / "b.csv")
    os.utime(folder / "b.csv", (0, 86400))
    found = files_in(folder)
    assert [file.name for file in found] == ["a.CSV.GZ", "aws/c.parquet", "b.csv", "inside.csv"]
    assert (found[2].path, found[2].size) == (folder / "b.csv", 2)
    assert found[2].mtime == datetime(1970, 1, 2, tzinfo=UTC)
    assert found[2].digest == "06f961b802bc46ee168555f066d28f4f0e9afdf3f88174c1ee6f9de004fc30a0"
    with pytest.raises(ConfigError, match=r"bills/none cannot be read .*: make it"):
        files_in(folder / "none")
    with pytest.raises(ConfigError):
        files_in(folder / "b.csv")


def test_sellers_that_are_also_read_by_key_are_known_by_any_spelling():
    names = {
        "OpenAI": "openai",
        " together  AI ": "together",
        "X.AI": "xai",
        "google cloud": "google",
    }
    assert {name: connected_name(name) for name in names} == names
    assert connected_name("Acme Cloud") is None
