"""Parquet files as rows of text, through the optional library duckdb."""

from __future__ import annotations

import glob
import importlib
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from costcompass_core.domain.errors import UnreadableFile

_BATCH: Final = 2048
_SETTINGS: Final = {
    "autoinstall_known_extensions": False,  # a file of costs is no reason to go to the network
    "autoload_known_extensions": False,
    "threads": 1,
}
# Every figure becomes text inside duckdb, where a decimal still has all its digits. Folders named
# like `key=value` must not become columns.
_READ: Final = (
    "SELECT {} FROM read_parquet(?, hive_partitioning = false, filename = false,"
    " union_by_name = false)"
)


def read_parquet(
    path: Path, only: Container[str] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    """Return all columns, those that are read, and their rows as text.

    Rows are numbered from 2, as if a header were row 1. Nulls come as empty text, moments in UTC. Raises `UnreadableFile`.
    """
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError:
        raise UnreadableFile(
            f"{path.name} is Parquet, and duckdb is not installed",
            "pip install 'costcompass[parquet]'",
        ) from None
    # A name with a star would otherwise stand for every file that fits it.
    name = glob.escape(str(path.absolute()))
    try:
        database = duckdb.connect(":memory:", config=_SETTINGS)
        database.execute("SET TimeZone = 'UTC'")
        types = database.execute(f"{_READ.format('*')} LIMIT 0", [name]).description
        read = [column for column in types if only is None or column[0] in only]
        texts = ", ".join(f"CAST({_quoted(column[0])} AS VARCHAR)" for column in read)
        answer = database.execute(_READ.format(texts or "''"), [name])
    except duckdb.Error:
        raise _broken(path.name) from None
    # A timestamp without a zone is how older writers (INT96) store UTC.
    zoneless = [number for number, column in enumerate(read) if _is_zoneless(str(column[1]))]
    columns, names = (tuple(str(column[0]) for column in some) for some in (types, read))
    return columns, names, _rows(path.name, answer, zoneless, duckdb.Error)


def _rows(
    name: str, answer: Any, zoneless: Sequence[int], error: type[Exception]
) -> Iterator[tuple[int, list[str]]]:
    number = 1
    while True:
        try:
            batch: Sequence[Sequence[str | None]] = answer.fetchmany(_BATCH)
        except error:
            raise _broken(name) from None
        if not batch:
            return
        for row in batch:
            number += 1
            cells = [cell or "" for cell in row]
            for index in zoneless:
                if cells[index]:
                    cells[index] += "+00"
            yield number, cells


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _is_zoneless(kind: str) -> bool:
    return kind.startswith("TIMESTAMP") and "ZONE" not in kind and "TZ" not in kind


def _broken(name: str) -> UnreadableFile:
    return UnreadableFile(f"{name}: is not a whole Parquet file", "export or copy it again")
