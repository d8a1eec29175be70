"""Colours and widths, only where a terminal shows them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

_CODES: Final = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "cyan": "36", "red": "31"}
WIDTH: Final = 80
"""Columns that every table keeps to."""


@dataclass(frozen=True, slots=True)
class Paint:
    """Wraps text in a colour when `on`, returns it as it is otherwise."""

    on: bool

    def __call__(self, text: str, *styles: str) -> str:
        """Return `text` in the given styles."""
        if not self.on or not text:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


def columns(text: str) -> int:
    """Return how many terminal columns `text` takes: wide characters take two, marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def fit(text: str, width: int) -> str:
    """Return `text` padded or cut in the middle to exactly `width` columns, nothing below one."""
    if width < 1:
        return ""
    if columns(text) > width:
        head = _room_for(text, width * 2 // 3)
        tail = len(text)
        while columns(text[:head]) + 1 + columns(text[tail - 1 :]) <= width:
            tail -= 1
        text = f"{text[:head]}…{text[tail:]}"
    return text + " " * (width - columns(text))


def wrapped(text: str, indent: str = "  ", width: int = WIDTH) -> str:
    """Return `text` broken into lines of at most `width` columns, at spaces where that suffices.

    A line takes two columns at least, or no wide character would find a place.
    """
    room = max(width - columns(indent), 2)
    lines, line = [], ""
    for word in text.split():
        if line and columns(line) + 1 + columns(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
        while columns(line) > room:
            cut = _room_for(line, room)
            lines.append(line[:cut])
            line = line[cut:]
    return "\n".join(indent + one for one in [*lines, line])


def _room_for(text: str, width: int) -> int:
    """Return how many characters from the start of `text` surely fit into `width` columns."""
    size = min(len(text), width)
    while columns(text[:size]) > width:
        size -= 1
    return size
