"""Figures and the table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

_HEAD: Final = ("what", "n", "measured", "against", "ratio", "goal", "met")
_WIDTHS: Final = (35, 5, 9, 9, 6, 7, 3)
"""With single spaces between them: 80 columns."""


@dataclass(frozen=True, slots=True)
class Goal:
    """The bound that the ratio has to keep, or the measured value where it stands for itself.

    With `most` it is a range: at least `bound` and no more than `most`.
    """

    side: Literal["≤", "≥"]
    bound: float
    most: float | None = None

    def met(self, value: float) -> bool:
        if self.most is not None and value > self.most:
            return False
        return value <= self.bound if self.side == "≤" else value >= self.bound

    def __str__(self) -> str:
        if self.most is not None:
            return f"{self.bound:g}–{self.most:g}"
        return f"{self.side} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value in `unit`, of `n` measurements, and what was measured beside it."""

    what: str
    n: int
    unit: Literal["", "×", "ms", "MB", "%", "rows/s"]
    measured: float
    against: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.against is None else self.measured / self.against

    @property
    def met(self) -> bool | None:
        value = self.measured if self.ratio is None else self.ratio
        return None if self.goal is None else self.goal.met(value)


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines of at most 80 columns."""
    lines = [_line(_HEAD), _line(["─" * width for width in _WIDTHS])]
    return "\n".join([*lines, *(_line(_cells(figure)) for figure in figures)])


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return the figures as JSON values."""
    return [
        {
            "what": one.what,
            "n": one.n,
            "unit": one.unit,
            "measured": one.measured,
            "against": one.against,
            "ratio": one.ratio,
            "goal": None if one.goal is None else str(one.goal),
            "met": one.met,
        }
        for one in figures
    ]


def _cells(one: Figure) -> tuple[str, ...]:
    return (
        one.what,
        str(one.n),
        _quantity(one.measured, one.unit),
        "" if one.against is None else _quantity(one.against, one.unit),
        "" if one.ratio is None else f"{one.ratio:.{2 if one.ratio >= 0.1 else 3}f}",
        "" if one.goal is None else str(one.goal),
        {True: "yes", False: "NO", None: ""}[one.met],
    )


def _quantity(value: float, unit: str) -> str:
    if unit == "rows/s":
        return f"{value / 1000:.0f} k/s"
    digits = 1 if value >= 10 else 2 if value >= 0.1 or unit == "%" else 3
    return f"{value:.{digits}f} {unit}".rstrip()


def _line(cells: Sequence[str]) -> str:
    first, *others = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    )
    return " ".join([first, *others]).rstrip()
