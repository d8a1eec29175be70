"""Single fields of decoded JSON, checked; each says what is wrong in words that follow its name."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([ T]00:00:00(\.0{1,9})?Z?)?")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NAME_CHARACTERS: Final = 512
_MOST: Final = 10**12
"""Counts stay below this, so that thousands of rows still add up within SQLite's integers."""


class Days(dict[Any, date]):
    """Days by the text that stood for them, because the same few come thousands of times.

    Looking up anything but `YYYY-MM-DD`, alone or at midnight, raises `ValueError` or `TypeError`.
    """

    def __missing__(self, raw: object) -> date:
        match = _DAY.fullmatch(raw) if isinstance(raw, str) else None
        if match is None:
            raise ValueError("is not a date like 2026-11-22")
        try:
            day = self[raw] = date.fromisoformat(match[1])
        except ValueError:
            raise ValueError("is not in the calendar") from None
        return day


class Names(dict[Any, str]):
    """Names fit to store by the text as sent, likewise; anything but text raises `TypeError`."""

    def __missing__(self, raw: object) -> str:
        if not isinstance(raw, str):
            raise TypeError("is not text")
        name = self[raw] = clean(raw)
        return name


def clean(name: str) -> str:
    """Replace what no database or terminal should get, and cut what is longer than any name."""
    return _UNSAFE.sub("\ufffd", name[:_NAME_CHARACTERS])


def count(raw: object) -> int | None:
    """Return a count as it is; `None` stays unknown. Raises `ValueError`."""
    if type(raw) is int:  # not isinstance, because true is no count
        if 0 <= raw < _MOST:
            return raw
        raise ValueError("is out of range")
    if raw is None:
        return None
    raise ValueError("is not a whole number")


def count_or_text(raw: object) -> int | None:
    """Return a count that may come as its digits in text. Raises `ValueError`."""
    if isinstance(raw, str) and re.fullmatch(r"[0-9]{1,12}", raw, re.ASCII):
        return count(int(raw))
    return count(raw)
