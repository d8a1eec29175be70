"""Exchange rates: exact fractions, each with its day and where it is from; nothing is fetched here.

The reference rates that the European Central Bank publishes are understood in all their forms, from
text that somebody put there: a day's CSV or XML, or the whole history as either. Whatever is odd
about it is refused whole: better no rate than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, NoReturn, TypeVar

from costcompass_core.domain.days import MONTH_NAMES
from costcompass_core.domain.money import Usd

CONFIGURATION: Final = "configuration"
ECB: Final = "ECB"
EURO: Final = "EUR"

MOST_CHARACTERS: Final = 32 * 1024 * 1024
"""The longest file, the history as XML, has about a third of that."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_QUOTE: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONG_DAY: Final = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]{2,8}) ([0-9]{4})")
_NOT_QUOTED: Final = "N/A"

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of `currency` is worth: `value` units of the home currency, exactly.

    `day` is the day it was published for, `source` who says so: "configuration" or "ECB".
    """

    currency: str
    value: Fraction
    day: date
    source: str


@dataclass(frozen=True, slots=True)
class EcbTable:
    """Reference rates by day: how many units of each currency one euro bought, as published."""

    days: Mapping[date, Mapping[str, str]]

    def newest(self, day: date) -> Mapping[str, Rate]:
        """Return the newest rates not after `day`, with the euro as home and as one of them.

        There are none on weekends and holidays, so they can be days old; empty if all are younger.
        """
        found = max((known for known in self.days if known <= day), default=None)
        if found is None:
            return {}
        quoted = {code: 1 / Fraction(quote) for code, quote in self.days[found].items()}
        worth = {EURO: Fraction(1), **quoted}
        return {code: Rate(code, value, found, ECB) for code, value in worth.items()}


def rates_to(home: str, table: Mapping[str, Rate]) -> dict[str, Rate]:
    """Return the rates of `table` (of one day, in any one currency) with `home` as home currency.

    Empty where `home` is not among them.
    """
    one = table.get(home)
    if one is None:
        return {}
    return {
        code: Rate(code, rate.value / one.value, rate.day, rate.source)
        for code, rate in table.items()
    }


def converted(
    totals: Mapping[str, Decimal], home: str, rates: Mapping[str, Rate]
) -> tuple[Decimal | None, tuple[Rate, ...], tuple[str, ...]]:
    """Return the sum in `home`, the rates it took, and the currencies that have no rate.

    The sum is exact where its decimals end, else rounded once, half-even, to 12 decimals; it is
    `None` as soon as one currency has no rate. Nothing of a currency is nothing in any other.
    """
    total, used, unknown = Fraction(0), [], []
    for code, amount in sorted(totals.items()):
        if code == home:
            total += Fraction(amount)
        elif amount and (rate := rates.get(code)) is not None:
            total += Fraction(amount) * rate.value
            used.append(rate)
        elif amount:
            unknown.append(code)
    amount_or_none = None if unknown else Usd.of_ratio(total).amount
    return amount_or_none, tuple(used), tuple(unknown)


def parse_ecb(text: str) -> EcbTable:
    """Return the rates in `text`: eurofxref.csv, eurofxref-hist.csv or either form as XML.

    Raises `ValueError` with a short reason that names line and column; a column is a field of the
    line in CSV, a character of it in XML. The text itself is never quoted.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"is longer than {MOST_CHARACTERS} characters")
    if text.startswith("<"):
        return EcbTable(_from_xml(text))
    if text.startswith("Date"):
        return EcbTable(_from_csv(text))
    raise ValueError("line 1, column 1: neither CSV nor XML with the ECB's reference rates")


# -- CSV ----------------------------------------------------------------------------------------


def _from_csv(text: str) -> dict[date, dict[str, str]]:
    lines = text.rstrip().splitlines()
    codes = _cells(lines[0])[1:]
    if not codes:
        raise ValueError("line 1, column 2: no currency")
    for column, code in enumerate(codes, 2):
        _at(1, column, _currency, code)
        if code in codes[: column - 2]:
            raise ValueError(f"line 1, column {column}: a currency that was there before")
    found: dict[date, dict[str, str]] = {}
    for number, line in enumerate(lines[1:], 2):
        cells = _cells(line)
        if len(cells) != len(codes) + 1:
            end = f"line {number}, column {max(1, len(cells))}"
            raise ValueError(f"{end}: ends there instead of at {len(codes) + 1}")
        day = _at(number, 1, _day, cells[0])
        if day in found:
            raise ValueError(f"line {number}, column 1: a day that was there before")
        found[day] = {
            code: _at(number, column, _quote, cell)
            for column, (code, cell) in enumerate(zip(codes, cells[1:], strict=True), 2)
            if cell != _NOT_QUOTED
        }
    if not found:
        raise ValueError("line 2, column 1: no rates")
    return found


def _cells(line: str) -> list[str]:
    cells = [cell.strip(" ") for cell in line.split(",")]
    return cells if cells[-1] else cells[:-1]  # every line may end with a comma


def _at(line: int, column: int, read: Callable[[str], _Value], raw: str) -> _Value:
    try:
        return read(raw)
    except ValueError as why:
        raise ValueError(f"line {line}, column {column}: {why}") from None


# -- single values, each of which says what is wrong ----------------------------------------------


def _currency(raw: str) -> str:
    if not _CURRENCY.fullmatch(raw) or raw == EURO:
        raise ValueError("not a currency like USD")
    return raw


def _quote(raw: str) -> str:
    if not _QUOTE.fullmatch(raw) or not Fraction(raw):
        raise ValueError("not a rate like 1.1512")
    return raw


def _day(raw: str) -> date:
    long = _LONG_DAY.fullmatch(raw)
    if long and long[2] in MONTH_NAMES:
        year, month, day = int(long[3]), MONTH_NAMES.index(long[2]) + 1, int(long[1])
    elif _ISO_DAY.fullmatch(raw):
        year, month, day = map(int, raw.split("-"))
    else:
        raise ValueError("not a date like 2026-11-20 or 20 November 2026")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError("not a day of the calendar") from None


# -- XML ----------------------------------------------------------------------------------------

_PROLOG: Final = re.compile(r"<\?xml [^<>&?]{0,100}\?>\s*")
_TAG: Final = re.compile(
    r"(?P<text>[^<>&]*)<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z:]*)"
    r"(?P<attributes>(?:\s+[A-Za-z][A-Za-z:]*\s*=\s*(?:\"[^\"<&]*\"|'[^'<&]*'))*)\s*(?P<empty>/?)>"
)
_ATTRIBUTE: Final = re.compile(r"([A-Za-z:]+)\s*=\s*[\"']([^\"'<&]*)[\"']")
_ROOT: Final = ("Envelope",)
_ALL: Final = (*_ROOT, "Cube")
_OF_DAY: Final = (*_ALL, "Cube")
_ONE: Final = (*_OF_DAY, "Cube")
_FREE_TEXT: Final = {(*_ROOT, "subject"), (*_ROOT, "Sender", "name")}
_KNOWN: Final = {_ROOT, (*_ROOT, "Sender"), _ALL, _OF_DAY, _ONE, *_FREE_TEXT}
"""Every element there is, by its path; no other may come, nor any declaration or entity."""


class _Reader:
    """Takes one tag after the other and keeps the rates."""

    def __init__(self) -> None:
        self.path: tuple[str, ...] = ()
        self.ended = False
        self.found: dict[date, dict[str, str]] = {}
        self._quotes: dict[str, str] = {}

    def take(self, tag: re.Match[str]) -> None:
        """Raise `ValueError` for a tag that does not belong where it is."""
        name = tag["name"].rpartition(":")[2]
        if tag["text"].strip() and self.path not in _FREE_TEXT:
            raise ValueError("text between the elements")
        if tag["end"]:
            if self.path[-1:] != (name,) or tag["attributes"] or tag["empty"]:
                raise ValueError("an end without its beginning")
            self._leave()
            return
        self.path = (*self.path, name)
        if self.path not in _KNOWN or self.ended:
            raise ValueError("an element that does not belong there")
        self._enter(_ATTRIBUTE.findall(tag["attributes"]))
        if tag["empty"]:
            self._leave()

    def _enter(self, attributes: list[tuple[str, str]]) -> None:
        names = sorted(name for name, _ in attributes)
        value = dict(attributes)
        if self.path == _OF_DAY:
            if names != ["time"]:
                raise ValueError("no time of its own")
            day = _day(value["time"])
            if day in self.found:
                raise ValueError("a day that was there before")
            self._quotes = self.found[day] = {}
        elif self.path == _ONE:
            if names != ["currency", "rate"]:
                raise ValueError("not one currency and its rate")
            code = _currency(value["currency"])
            if code in self._quotes:
                raise ValueError("a currency that was there before")
            self._quotes[code] = _quote(value["rate"])

    def _leave(self) -> None:
        if self.path == _OF_DAY and not self._quotes:
            raise ValueError("a day without rates")
        self.path = self.path[:-1]
        self.ended = not self.path


def _from_xml(text: str) -> dict[date, dict[str, str]]:
    reader, text = _Reader(), text.rstrip()
    prolog = _PROLOG.match(text)
    at = prolog.end() if prolog else 0
    while at < len(text):
        tag = _TAG.match(text, at)
        if tag is None:
            odd = re.compile("[<>&]").search(text, at)
            _refuse(text, odd.start() if odd else len(text), "not the XML of reference rates")
        try:
            reader.take(tag)
        except ValueError as why:
            _refuse(text, tag.end("text"), str(why))
        at = tag.end()
    if not reader.ended or not reader.found:
        _refuse(text, len(text), "ends too early" if reader.path else "no rates")
    return reader.found


def _refuse(text: str, at: int, why: str) -> NoReturn:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    raise ValueError(f"line {line}, column {column}: {why}")
