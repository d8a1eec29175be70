"""Google Cloud's two CSV files: net of credits to the digit, and nothing read that is not sure."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from costcompass_core.domain.errors import UnreadableFile
from costcompass_core.providers.google_csv import read_google_csv

FILES = Path(__file__).parent / "files"
EXPORT = (FILES / "google_export.csv").read_text()
TABLE = (FILES / "google_cost_table.csv").read_text()


@pytest.fixture
def read(tmp_path):
    def from_text(text):
        path = tmp_path / "g.csv"
        path.write_text(text)
        return read_google_csv(path)

    return from_text


@pytest.fixture
def refused(read):
    def from_text(text):
        with pytest.raises(UnreadableFile) as caught:
            read(text)
        assert caught.value.mend
        return caught.value.what

    return from_text


def lines(found):
    [bill] = found.bills
    return [(row.day.isoformat(), row.model, row.endpoint, row.cost, row.once) for row in bill.rows]


def test_the_export_is_read_net_of_credits_by_utc_day():
    found = read_google_csv(FILES / "google_export.csv")
    assert (found.version, found.notes) == ("Google Cloud billing export", ())
    [bill] = found.bills
    assert (bill.provider, bill.account) == ("Google Cloud", "0A0A0A-111111-222222")
    assert (bill.first, bill.last) == (date(2026, 11, 20), date(2026, 11, 21))
    assert lines(found) == [
        ("2026-11-20", "Gemini API", "Input tokens", Decimal("1.249000000000000001"), False),
        ("2026-11-21", "Gemini API", "Output tokens", Decimal(2), False),
        ("2026-11-21", "Invoice", "Tax", Decimal("0.38"), True),
    ]
    first = bill.rows[0]
    assert first.raw == "1.50+-0.25+-1E-3+0.000000000000000001"
    assert (first.host, first.currency, first.quantity, first.unit) == (
        "Gemini API", "USD", Decimal(1005), "count",
    )  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "service_description,sku_description,usage_start_time,cost,currency,credits_amount",
        "service.description,sku.description,usage_start_time,cost,currency,credits.amount",
        "Service Description,SKU Description,Usage_Start_Time,Cost,Currency,Credits Amount",
    ],
)
@pytest.mark.parametrize("start", ["2026-11-20 07:00:00 UTC", "2026-11-20T07:00:00Z"])
def test_other_spellings_of_the_export_are_known(read, header, start):
    found = read(f"{header}\nGemini API,Tokens,{start},3,EUR,-1.5\n")
    assert lines(found) == [("2026-11-20", "Gemini API", "Tokens", Decimal("1.5"), False)]
    assert found.bills[0].account == "(not named)"
    assert found.bills[0].rows[0].raw == "3+-1.5"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("1.50,USD", "abc,USD", "g.csv, row 2, column cost: “abc” is not a plain decimal number"),
        ("1.50,USD", "1.50,$", "g.csv, row 2, column currency: “$” is not three capitals"),
        ("2026-11-20 00:00:00 UTC", "2026-11-20 00:00:00", "g.csv, row 2, column usage_start_time"),
        ("2026-11-20 23:00:00 UTC", "2026-11-20T23:00:00Z", "g.csv, row 3, column usage_start_time"),
        ("2026-11-20 01:00:00 UTC", "2026-11-19 01:00:00 UTC", "g.csv, row 2, column usage_end_time"),
        ("Gemini API,BBBB", ",BBBB", "g.csv, row 2, column service.description: is empty"),
        ('""amount"":-0.25', '""amount"":NaN', "g.csv, row 2, column credits: is holding NaN, which is not JSON"),
        ('""amount"":-0.25', '""amount"":null', "g.csv, row 2, column credits: is odd: an amount"),
        ('""amount"":-0.25', '""sum"":-0.25', "g.csv, row 2, column credits: is no list of credits"),
        ('-1E-3}]"', '-1E-3}"', "g.csv, row 2, column credits: is not JSON (broken or cut short)"),
        (",5,count", ",few,count", "g.csv, row 3, column usage.amount: “few” is not a plain"),
        ("sku.id,sku", "sku_description,sku", "says the same as sku_description"),
        ("currency,", "money,", "g.csv, row 1: is neither of Google Cloud's files: the header lacks"),
    ],
)  # fmt: skip
def test_an_odd_export_is_refused_by_its_place(refused, old, new, what):
    assert old in EXPORT
    assert what in refused(EXPORT.replace(old, new, 1))


def test_an_export_without_credits_or_of_long_rows_says_so(read):
    start = "service.description,sku.description,usage_start_time,usage_end_time,cost,currency\n"
    row = "G,T,2026-11-20 00:00:00 UTC,2026-11-22 00:00:00 UTC,3,EUR\n"
    assert read(start + row).notes == (
        "the file has no column of credits, so costs are what they were before",
        "1 row(s) last longer than a day and count on their first",
    )
    assert "the file has no rows" in read(start).notes


def test_the_cost_table_is_read_in_the_currency_above_it():
    found = read_google_csv(FILES / "google_cost_table.csv")
    assert found.version == "Google Cloud Cost table"
    assert lines(found) == [
        ("2026-10-01", "Compute Engine", "Core hours", Decimal("999.500"), False),
        ("2026-10-05", "Gemini API", "Output tokens", Decimal("2.15"), False),
        ("2026-10-05", "Rounding error", "Rounding error", Decimal("0.001"), True),
    ]
    row = found.bills[0].rows[0]
    assert (row.currency, row.raw) == ("AUD", "1,000.005+-0.505")
    assert found.bills[0].account == "0A0A0A-111111-222222"
    assert found.notes == (
        "2 row(s) span more than a day and count on their first",
        "1 row(s) without a date count on the newest day above",
    )


def test_a_cost_table_that_does_not_add_up_says_so(read):
    gross = "".join(line for line in TABLE.splitlines(True) if "Promotional" not in line)
    assert read(gross).notes[2:] == (
        "the rows add up to 1002.156, the total is 1001.651",
        "the rows add up to 1002.156, the amount due is 1001.65",
        "no row is a credit: if you have any, download with all savings chosen",
    )


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("Currency,AUD,\n", "", "g.csv, row 5: does not say its currency, and $ may be of several"),
        ("Currency,AUD,", "Currency,$,", "does not say its currency"),
        ('"1,000.005"', '"1,000"', "g.csv, row 7, column Unrounded Cost ($): “1,000” is not a plain"),
        ("2026-10-05,2026", "5 Oct,2026", "g.csv, row 9, column Usage start date: “5 Oct” is not a"),
        ("2026-10-05,2026", ",2026", "g.csv, row 9, column Usage start date: is empty"),
        ("2026-10-05,20,", "2026-10-04,20,", "g.csv, row 9, column Usage end date: is before the"),
        ("Gemini API,", ",", "g.csv, row 9, column Service description: is empty"),
        (",2.15,2.15", ",2.15", "g.csv, row 9, column Cost ($): the row has 15 cells, the header 16"),
        ("Usage start date", "When", "g.csv, row 6: is neither of Google Cloud's files: the header lacks usage_start_date"),
        ("Service description", "Thing", "the header lacks service_description"),
    ],
)  # fmt: skip
def test_an_odd_cost_table_is_refused_by_its_place(refused, old, new, what):
    assert old in TABLE
    assert what in refused(TABLE.replace(old, new, 1))


def test_a_file_of_something_else_is_told_what_to_bring(tmp_path):
    path = tmp_path / "g.csv"
    path.write_text("Day,Amount\n2026-11-20,1\n")
    with pytest.raises(
        UnreadableFile, match=r"g\.csv: has no header row .*: save the billing export"
    ):
        read_google_csv(path)
