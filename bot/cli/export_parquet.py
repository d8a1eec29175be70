"""`export --format focus --parquet`: a file a month, through the optional library duckdb.

Amounts are decimals of fixed width, because readers take the width of the first file for all. What
does not fit is refused: it would be rounded without a word.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from bot.cli.export_focus import write_csv
from costcompass_core.domain.errors import StorageError
from costcompass_core.domain.focus_shape import (
    AMOUNTS,
    COLUMNS,
    COUNTS,
    FLAGS,
    MOMENTS,
    QUANTITIES,
    FocusRow,
)

_DIGITS: Final = 38
"""Digits of the widest decimal that Parquet's readers have in common."""
AMOUNT_DECIMALS: Final = 26
"""Decimals of an amount: the most that any provider was seen to send. Before the point are 12 digits."""
QUANTITY_DECIMALS: Final = 20
"""Decimals of a quantity, which can be bytes in a second: 18 digits before the point."""
FILE: Final = "focus.parquet"
_SETTINGS: Final = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": "512MB",
    "threads": 1,
}
_FOLDER: Final = re.compile(r"billing_period=(\d{4}-\d\d)", re.ASCII)
_PLACES: Final = {
    **dict.fromkeys(AMOUNTS, AMOUNT_DECIMALS),
    **dict.fromkeys(QUANTITIES, QUANTITY_DECIMALS),
}
TYPES: Final = {
    **dict.fromkeys(COLUMNS, "VARCHAR"),
    **{name: f"DECIMAL({_DIGITS}, {places})" for name, places in _PLACES.items()},
    **dict.fromkeys(COUNTS, "BIGINT"),
    **dict.fromkeys(FLAGS, "BOOLEAN"),
    **dict.fromkeys(MOMENTS, "TIMESTAMPTZ"),
}
"""What each column is in Parquet."""


def find_duckdb() -> Any:
    """Return the library. Raises `StorageError` where it is not installed."""
    try:
        return importlib.import_module("duckdb")
    except ImportError:
        raise StorageError(
            "Parquet needs duckdb, which is not installed", "pip install 'costcompass[export]'"
        ) from None


def write_months(duckdb: Any, rows: Iterable[FocusRow], out: Path, first: str, last: str) -> None:
    """Write the rows, in order of time, as `billing_period=YYYY-MM/focus.parquet` below `out`.

    Every month between the ISO days is replaced whole, once all of them are complete; one without
    rows is taken out. Raises `StorageError`, and leaves what was there before.
    """
    with _drafts(out) as drafts:
        months = {}
        for month, some in groupby(rows, lambda row: row["BillingPeriodStart"][:7]):
            months[month] = drafts / month
            _write(duckdb, some, months[month])
        for month, draft in months.items():
            folder = out / f"billing_period={month}"
            folder.mkdir(exist_ok=True)
            draft.replace(folder / FILE)
        for folder in out.iterdir():
            found = _FOLDER.fullmatch(folder.name)
            if found and first[:7] <= found[1] <= last[:7] and found[1] not in months:
                (folder / FILE).unlink(missing_ok=True)


@contextmanager
def _drafts(out: Path) -> Iterator[Path]:
    """Give a hidden folder below `out` that goes away; nothing in it is named like Parquet."""
    drafts = out / f".focus.{os.getpid()}"
    try:
        out.mkdir(exist_ok=True)
        drafts.mkdir(exist_ok=True)
        yield drafts
    except OSError as error:
        raise StorageError(f"{out} cannot be written ({error.strerror})", "check --out") from None
    finally:
        shutil.rmtree(drafts, ignore_errors=True)


def _write(duckdb: Any, rows: Iterable[FocusRow], path: Path) -> None:
    """Write Parquet by way of CSV, which duckdb reads a hundred times as fast as it takes rows."""
    table = path.with_suffix(".csv")
    with table.open("w", encoding="utf-8", newline="") as stream:
        write_csv(map(_fitting, rows), stream, verbatim=True)
    cells = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    typed = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in TYPES.items())
    try:
        spill = {"temp_directory": str(path.with_suffix(".spill"))}
        with duckdb.connect(":memory:", config={**_SETTINGS, **spill}) as database:
            database.execute(
                f"COPY (SELECT {typed} FROM read_csv({_quoted(str(table))},"  # noqa: S608
                f" columns = {{{cells}}}, header = true, auto_detect = false, delim = ',',"
                " quote = '\"', escape = '\"', nullstr = '', parallel = false))"
                f" TO {_quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)"
            )
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise StorageError(f"Parquet cannot be written ({reason})", "check --out") from None
    table.unlink()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _fitting(row: FocusRow) -> FocusRow:
    """Return the row. Raises `StorageError` for a figure that Parquet would round."""
    for name, places in _PLACES.items():
        whole, _, decimals = row[name].lstrip("-").partition(".")
        if len(decimals.rstrip("0")) > places or len(whole) > _DIGITS - places:
            raise StorageError(
                f"{name} {row[name]} ({row['ChargePeriodStart'][:10]}, {row['BillingAccountId']},"
                f" {row['x_Model']}) does not fit into {TYPES[name]}, and is not rounded",
                "leave out --parquet: CSV has every digit",
            )
    return row
