"""Moments in a series' past from which the next days are forecast, and what then came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from benchmarks.daily import LLM
from benchmarks.llm_series import Series

HISTORIES: Final = (14, 30, 60)
"""Days of history: a new account's, OpenRouter's window, and what the ledger soon holds."""
AHEAD: Final = 30
FAR: Final = 90
"""Days after which no runway is looked at."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A forecast's circumstances: `past` days with their costs, and up to 90 that came after."""

    group: str
    series: str
    past: Series
    future: tuple[Decimal, ...]
    turn: int
    """Its place among those of its series and history."""

    @property
    def first(self) -> date:
        """The day after the history."""
        return date.fromordinal(self.past[-1][0].toordinal() + 1)

    @property
    def mean(self) -> Decimal:
        """The mean of the last 28 days."""
        recent = self.past[-28:]
        return sum((cost for _, cost in recent), Decimal(0)) / len(recent)

    def actual(self, days: int) -> Decimal:
        """What the next days cost together."""
        return sum(self.future[:days], Decimal(0))


def origins(groups: dict[str, dict[str, Series]]) -> list[Origin]:
    """Return every third day of LLM series, up to 12 of any other, with each length of history.

    Histories that cost nothing in their last 28 days are left out: there is nothing to forecast.
    """
    made = []
    for group, members in groups.items():
        for name, series in members.items():
            for history in HISTORIES:
                for turn, end in enumerate(_ends(history, len(series) - AHEAD, group == LLM)):
                    future = tuple(cost for _, cost in series[end : end + FAR])
                    made.append(Origin(group, name, series[end - history : end], future, turn))
    return [one for one in made if one.mean > 0]


def _ends(first: int, last: int, llm: bool) -> list[int]:
    if llm:
        return list(range(first, last + 1, 3))
    most = min(12, last - first + 1)
    return [first + place * (last - first) // max(most - 1, 1) for place in range(most)]
