"""Single cells of files of costs, checked; what is wrong names the column, the fault and the mend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Final, NamedTuple

from costcompass_core.domain.money import parse_amount

DAY: Final = 86_400 * 10**9
"""A day in the unit of `Moment.at`."""
NOW_AND_THEN: Final = "write it like 2026-11-20T00:00:00Z, in UTC"

_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|\+00:00|\+00| UTC)", re.ASCII
)
# Of twelve digits, so that thousands of rows still add up within SQLite's integers.
_COUNT: Final = re.compile(r"(\d{1,12})(\.0*)?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_SHOWN: Final = 60


class Odd(Exception):
    """A cell that cannot be taken."""

    def __init__(self, column: str, what: str, mend: str) -> None:
        """Name the column, what is wrong with its cell, and what it should be."""
        super().__init__(what)
        self.column, self.what, self.mend = column, what, mend


class Moment(NamedTuple):
    """A moment in UTC: its day, and nanoseconds since some fixed moment, to compare by."""

    day: date
    at: int


class Moments(dict[str, Moment]):
    """The moments of one column by their text, because the same few come thousands of times.

    Looking one up raises `Odd` for anything but a full UTC timestamp, and for one that is written
    otherwise than the first: such a column was put together from parts that may not mean the same.
    """

    def __init__(self, column: str, *, zones: Iterable[str] = ("Z", "+00:00", "+00")) -> None:
        """`zones` are the ways to say UTC that this column may use."""
        super().__init__()
        self._column = column
        self._zones = frozenset(zones)
        self._style: tuple[str, str] | None = None
        self._first = ""

    def __missing__(self, text: str) -> Moment:
        match = _MOMENT.fullmatch(text.strip())
        if match is None or match[5] not in self._zones:
            what = f"“{shown(text)}” is not a full UTC timestamp" if text.strip() else "is empty"
            raise Odd(self._column, what, NOW_AND_THEN)
        style = (match[2], match[5])
        if self._style is None:
            self._style, self._first = style, text.strip()
        elif style != self._style:
            what = f"“{shown(text)}” is written otherwise than “{shown(self._first)}” above"
            raise Odd(self._column, what, "write the whole column in one way")
        try:
            time = datetime.fromisoformat(f"{match[1]}T{match[3]}")
        except ValueError:
            raise Odd(
                self._column, f"“{shown(text)}” is not in the calendar", NOW_AND_THEN
            ) from None
        seconds = time.toordinal() * 86_400 + time.hour * 3600 + time.minute * 60 + time.second
        moment = self[text] = Moment(
            time.date(), seconds * 10**9 + int((match[4] or "").ljust(9, "0"))
        )
        return moment


def shown(text: str) -> str:
    """Return a file's own words as they fit into one of our lines."""
    folded = " ".join(text.split())
    return folded[:_SHOWN] + ("…" if len(folded) > _SHOWN else "")


def amount(row: Mapping[str, str], column: str) -> Decimal:
    """Return the exact amount in `column`. Raises `Odd`."""
    try:
        return parse_amount(row[column].strip())
    except ValueError as why:
        what = f"“{shown(row[column])}” {why}" if row[column].strip() else "is empty"
        raise Odd(
            column, what, "write a plain number like 1234.5, without signs around it"
        ) from None


def count(row: Mapping[str, str], column: str) -> int | None:
    """Return the count in `column`, `None` where it is empty or not there. Raises `Odd`.

    `12.0` is twelve, which is how columns of whole numbers come out of tables with gaps.
    """
    text = row.get(column, "").strip()
    if not text:
        return None
    if match := _COUNT.fullmatch(text):
        return int(match[1])
    raise Odd(column, f"“{shown(text)}” is not a whole number", "write a count like 1200")


def currency(row: Mapping[str, str], column: str) -> str:
    """Return the code of a currency in `column`. Raises `Odd`."""
    text = row[column].strip()
    if not _CURRENCY.fullmatch(text):
        what = f"“{shown(text)}” is not three capitals" if text else "is empty"
        raise Odd(column, what, "write the currency's ISO code, like USD")
    return text


def one_of(row: Mapping[str, str], column: str, known: Iterable[str]) -> str:
    """Return the word in `column`, which must be a `known` one. Raises `Odd` with the nearest."""
    text = row[column].strip()
    if text in known:
        return text
    words = sorted(known)
    lower = {word.lower(): word for word in words}
    near = get_close_matches(text.lower(), lower, 1, 0.5)
    what = f"“{shown(text)}” is not one of FOCUS’s" if text else "is empty"
    mend = f"did it mean {lower[near[0]]}?" if near else f"write one of {', '.join(words)}"
    raise Odd(column, what, mend)


def filled(row: Mapping[str, str], column: str, mend: str) -> str:
    """Return the text in `column`, which must not be empty. Raises `Odd`."""
    text = row[column].strip()
    if not text:
        raise Odd(column, "is empty", mend)
    return text


def first_filled(row: Mapping[str, str], columns: Iterable[str]) -> str:
    """Return the first text there is in `columns`, else nothing."""
    return next((text for column in columns if (text := row.get(column, "").strip())), "")
