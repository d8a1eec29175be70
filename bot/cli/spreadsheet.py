"""Cells that a spreadsheet shows and does not run."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
RUN: Final = frozenset({"=", "+", "-", "@", "\t", "\r"})
"""What a cell begins with that a spreadsheet would run."""


def is_number(value: object) -> bool:
    """Return whether a cell is one plain number, whatever sign is before it."""
    return _NUMBER.fullmatch(str(value)) is not None


def inert(value: object) -> str:
    """Put an apostrophe before what a spreadsheet would run."""
    text = str(value)
    return f"'{text}" if text[:1] in RUN else text
