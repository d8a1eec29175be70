"""Tables in files (CSV, gzipped or not, and Parquet), row by row as text, or not at all.

A table is read as it stands: what a spreadsheet would mend in silence (a row with a cell too many,
a quote that never ends, bytes that are no text) moves amounts into other columns, so it is refused
with the file, the row and the column. Only some rows are in memory at any time.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TextIO, cast

from costcompass_core.domain.errors import UnreadableFile
from costcompass_core.providers.parquet import read_parquet

MAX_SIZE: Final = 1 << 30
"""Bytes of a file, and characters of what a gzipped one unfolds to."""
_LINE: Final = 1 << 22
"""Characters of a line; more is no table, and must not be held in memory to find out."""
_ABOVE: Final = 40
"""Rows that may stand above the header, where a format has any."""
_DELIMITERS: Final = (",", ";", "\t")
_DAMAGE: Final = re.compile("[\0\udc80-\udcff]")

_AGAIN: Final = "export it again, or save it anew as CSV (UTF-8) with a comma between cells"

IsHeader = Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was opened: its header is read, its rows come as they are asked for.

    `header` is the row that the header is in, `above` what stands over it. `rows` yields the number
    of each row, as a spreadsheet counts them, and its cells by column.
    """

    name: str
    columns: tuple[str, ...]
    header: int
    above: tuple[tuple[str, ...], ...]
    rows: Iterator[tuple[int, Mapping[str, str]]]


def unreadable(
    name: str, what: str, mend: str = _AGAIN, *, row: int | None = None, column: str = ""
) -> UnreadableFile:
    """Return the error that says where in the file `name` something is wrong, as far as known."""
    place = name if row is None else f"{name}, row {row}"
    return UnreadableFile(
        f"{place}, column {column}: {what}" if column else f"{place}: {what}", mend
    )


def read_table(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row under the header, numbered as people count (the header is row 1).

    Raises `UnreadableFile` at once for what is wrong with the file or its header, and where it is
    come to for what is wrong with a row.
    """
    return open_table(path).rows


def open_table(
    path: Path,
    is_header: IsHeader | None = None,
    mend: str = "",
    only: Container[str] | None = None,
) -> Table:
    """Open the table in `path`. Raises `UnreadableFile`.

    The header is the first row that is not empty, or with `is_header` the first of some that it
    takes (names come stripped); `mend` is what to do when there is none. With `only`,
    the rows have no other columns than these.
    """
    try:
        size = path.stat().st_size
    except OSError as why:
        raise _closed(path.name, why) from None
    if size > MAX_SIZE:
        raise unreadable(
            path.name, f"is larger than {MAX_SIZE >> 20} MiB", "split it, by month for example"
        )
    if path.suffix.lower() == ".parquet":
        columns, names, rows = read_parquet(path, only)
        return Table(path.name, columns, 1, (), _by_column(names, rows, None))
    is_header = is_header or any
    cells = _Cells(path, _delimiter(path, is_header))
    above: list[tuple[str, ...]] = []
    for number, row in islice(cells, _ABOVE):
        names = tuple(cell.strip() for cell in row)
        if is_header(names):
            cells.columns = names
            _refuse_twins(path.name, number, names)
            return Table(path.name, names, number, tuple(above), _by_column(names, cells, only))
        above.append(names)
    what = "has no header row that could be understood" if above else "is empty"
    raise unreadable(path.name, what, mend or _AGAIN)


def _by_column(
    columns: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], only: Container[str] | None
) -> Iterator[tuple[int, Mapping[str, str]]]:
    places = [(name, index) for index, name in enumerate(columns) if only is None or name in only]
    for number, row in rows:
        yield number, {name: row[index] for name, index in places}


def _refuse_twins(name: str, number: int, columns: Sequence[str]) -> None:
    seen = set()
    for column in columns:
        if column and column in seen:
            raise unreadable(name, "stands there twice", row=number, column=column)
        seen.add(column)


class _Cells:
    """The rows of a CSV file as lists of cells, numbered; blank lines are counted and left out.

    Once `columns` is known, every row must have as many cells.
    """

    def __init__(self, path: Path, delimiter: str) -> None:
        self.columns: tuple[str, ...] = ()
        self._name = path.name
        self._damaged = False
        self._rows = self._read(path, delimiter)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self._rows

    def _read(self, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(self._watched(_lines(path)), delimiter=delimiter, strict=True)
        number = 0
        while True:
            number += 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as why:
                what = "a quote is not closed, or text follows a closing quote"
                if "limit" in str(why):
                    what = (
                        f"a cell has more than {csv.field_size_limit()} letters, or a quote is open"
                    )
                raise unreadable(self._name, what, row=number) from None
            if self._damaged:
                self._refuse_damage(number, row)
            if row:
                if self.columns and len(row) != len(self.columns):
                    raise self._misfit(number, row)
                yield number, row

    def _watched(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            if "\0" in line or not (line.isascii() or _DAMAGE.search(line) is None):
                self._damaged = True
            yield line

    def _refuse_damage(self, number: int, row: Sequence[str]) -> None:
        for index, cell in enumerate(row):
            if bad := _DAMAGE.search(cell):
                what = "holds a NUL byte" if bad[0] == "\0" else "holds a byte that is not UTF-8"
                raise unreadable(self._name, what, row=number, column=self._label(index))

    def _misfit(self, number: int, row: Sequence[str]) -> UnreadableFile:
        have, want = len(row), len(self.columns)
        return unreadable(
            self._name,
            f"the row has {have} cells, the header {want}",
            row=number,
            column=self._label(min(have, want)),
        )

    def _label(self, index: int) -> str:
        name = self.columns[index] if index < len(self.columns) else ""
        return name or str(index + 1)


def _delimiter(path: Path, is_header: IsHeader) -> str:
    """Return what splits the header into the most cells; the rows below may hold any sign."""
    for line in islice(_lines(path), _ABOVE):
        found = {}
        for delimiter in _DELIMITERS:
            with suppress(csv.Error, StopIteration):
                names = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
                if is_header(names):
                    found[delimiter] = len(names)
        if found:
            return max(found, key=lambda one: found[one])
    return _DELIMITERS[0]


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines with their ends; bytes that are not UTF-8 come as lone surrogates."""
    length = 0
    try:
        with _opened(path) as file:
            while line := file.readline(_LINE):
                length += len(line)
                if length > MAX_SIZE:
                    raise unreadable(path.name, f"unfolds to more than {MAX_SIZE >> 20} MiB")
                if len(line) == _LINE and line[-1] not in "\r\n":
                    raise unreadable(path.name, f"has a line of more than {_LINE >> 20} Mi letters")
                yield line
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise unreadable(path.name, "is not a whole gzip file", "copy it again") from None
    except OSError as why:
        raise _closed(path.name, why) from None


def _opened(path: Path) -> TextIO:
    # newline="" leaves line ends inside quotes as they are
    if path.suffix.lower() == ".gz":
        unfolded = gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")  # noqa: SIM115 - the caller closes it
        return cast("TextIO", unfolded)
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _closed(name: str, why: OSError) -> UnreadableFile:
    return unreadable(
        name, f"cannot be read ({why.strerror or 'no reason given'})", "let this user read it"
    )
