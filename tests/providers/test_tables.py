"""Tables as they stand in files: every cell as text, every row numbered, anything odd refused."""

import gzip
import importlib
import sys

import pytest

from costcompass_core.domain.errors import UnreadableFile
from costcompass_core.providers import tables
from costcompass_core.providers.tables import open_table, read_table


@pytest.fixture
def file(tmp_path):
    def write(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refused(path):
    with pytest.raises(UnreadableFile) as caught:
        list(read_table(path))
    assert caught.value.exit_code == 69
    assert caught.value.mend
    return caught.value.what


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_ways_to_write_a_table_come_to_the_same(file, sign, start, end):
    rows = [["A", "B"], ["1.50", '"x,;\ty"'], [], ["", "ü"]]
    text = start + end.join(sign.join(row) for row in rows)
    expected = [(2, {"A": "1.50", "B": "x,;\ty"}), (4, {"A": "", "B": "ü"})]
    assert list(read_table(file(text))) == expected
    assert list(read_table(file(gzip.compress(text.encode()), "t.csv.gz"))) == expected


def test_rows_are_counted_as_a_spreadsheet_does_not_as_lines(file):
    assert [number for number, _ in read_table(file('A,B\n"two\nlines",x\n1,2\n'))] == [2, 3]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "t.csv: is empty"),
        (b"A,B\n1,2\n1\n", "t.csv, row 3, column B: the row has 1 cells, the header 2"),
        (b"A,B\n1,2,3\n", "t.csv, row 2, column 3: the row has 3 cells, the header 2"),
        (b'A,B\n1,2\n1,"2\n3,4\n', "t.csv, row 3: a quote is not closed, or text follows"),
        (b'A,B\n"1"2,3\n', "t.csv, row 2: a quote is not closed, or text follows"),
        (b'A,B\n"' + b"x,\n" * 70000, "t.csv, row 2: a cell has more than 131072 letters"),
        (b"A,B\n1,2\n1,\0\n", "t.csv, row 3, column B: holds a NUL byte"),
        (b"A,B\n\xe9,2\n", "t.csv, row 2, column A: holds a byte that is not UTF-8"),
        (b"A,\xff\n1,2\n", "t.csv, row 1, column 2: holds a byte that is not UTF-8"),
        (b"A,B,A\n1,2,3\n", "t.csv, row 1, column A: stands there twice"),
        ("A,B\n1,2\n".encode("utf-16"), "t.csv, row 1, column 1: holds a byte that is not UTF-8"),
    ],
)
def test_a_broken_table_is_refused_by_its_place(file, content, what):
    assert refused(file(content)).startswith(what)


def test_a_bad_byte_far_down_stops_there_and_not_before(file):
    rows = read_table(file(b"A,B\n" + b"1,2\n" * 5000 + b"1,\x80\n"))
    assert [next(rows)[0] for _ in range(5000)][-1] == 5001
    with pytest.raises(UnreadableFile, match="row 5002, column B"):
        next(rows)


def test_a_file_cut_short_or_too_large_is_refused(file, monkeypatch, tmp_path):
    whole = gzip.compress(b"A,B\n" + bytes(range(48, 58)) * 9000)
    assert refused(file(whole[:-20], "t.csv.gz")) == "t.csv.gz: is not a whole gzip file"
    assert refused(file(b"A,B", "u.csv.gz")) == "u.csv.gz: is not a whole gzip file"
    assert refused(tmp_path / "none.csv").startswith("none.csv: cannot be read")
    monkeypatch.setattr(tables, "MAX_SIZE", 1 << 20)
    assert "is larger than 1 MiB" in refused(file(b"A,B\n" * (1 << 19)))
    bomb = gzip.compress(b"A,B\n" * (1 << 19))
    assert "unfolds to more than 1 MiB" in refused(file(bomb, "b.csv.gz"))
    monkeypatch.setattr(tables, "_LINE", 1 << 10)
    assert "has a line of more than" in refused(file("A,B\n" + "1" * 2000 + ",2\n"))


def test_what_stands_above_a_header_is_kept(file):
    table = open_table(file("Made by;me, you\n\nA;B;C\n1;2;3\n"), lambda names: "C" in names)
    assert (table.header, table.columns) == (3, ("A", "B", "C"))
    assert table.above == (("Made by", "me, you"),)
    assert list(table.rows) == [(4, {"A": "1", "B": "2", "C": "3"})]


def test_parquet_without_its_library_says_what_to_install(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UnreadableFile) as caught:
        read_table(file(b"PAR1", "t.parquet"))
    assert caught.value.what == "t.parquet is Parquet, and duckdb is not installed"
    assert caught.value.mend == "pip install 'costcompass[parquet]'"


@pytest.fixture
def parquet(tmp_path):
    duckdb = pytest.importorskip("duckdb")

    def write(select, name="t.parquet"):
        made = tmp_path / "made"
        duckdb.sql(f"COPY ({select}) TO '{made}' (FORMAT parquet)")
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        return made.rename(path)

    return write


def test_parquet_keeps_every_digit_and_tells_time_in_utc(parquet):
    importlib.import_module("duckdb").sql("SET TimeZone = 'Asia/Tokyo'")
    path = parquet("""
        SELECT 12345678901234567.000000000000000000001::DECIMAL(38, 21) AS cost, 1e-7 AS small,
            TIMESTAMPTZ '2026-11-20 00:00:00+00' AS zoned, TIMESTAMP '2026-11-20 01:00:00.5' AS bare,
            NULL::VARCHAR AS none, DATE '2026-11-20' AS day, 1 AS "a""b"
        UNION ALL SELECT 1, 2, NULL, NULL, 'x', NULL, 3
    """)
    first, second = read_table(path)
    assert first == (2, {
        "cost": "12345678901234567.000000000000000000001", "small": "1e-07",
        "zoned": "2026-11-20 00:00:00+00", "bare": "2026-11-20 01:00:00.5+00",
        "none": "", "day": "2026-11-20", 'a"b': "1",
    })  # fmt: skip
    assert (second[0], second[1]["none"], second[1]["bare"]) == (3, "x", "")


@pytest.mark.parametrize(
    "name", ["a*.parquet", "[ab].parquet", "?.parquet", "x'; DROP.parquet", "k=v/p.parquet", "~.PARQUET"]
)  # fmt: skip
def test_a_parquet_file_is_read_by_its_very_name(parquet, name):
    parquet("SELECT 'wrong' AS c", "a.parquet")
    path = parquet("SELECT 'right' AS c", name)
    assert list(read_table(path)) == [(2, {"c": "right"})]


def test_a_broken_parquet_file_is_refused(file):
    pytest.importorskip("duckdb")
    assert refused(file(b"PAR1", "t.parquet")) == "t.parquet: is not a whole Parquet file"
