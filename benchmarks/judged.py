"""One moment in a series' past as the product sees it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from benchmarks.origins import Origin
from costcompass_core.domain.burn import History
from costcompass_core.domain.money import Usd
from costcompass_core.domain.outlook import Outlook, outlook_of


@dataclass(frozen=True, slots=True)
class Judged:
    """One origin with the product's outlook and, where they were asked, the rivals' days."""

    origin: Origin
    outlook: Outlook
    rivals: dict[str, list[Decimal]]

    @property
    def series(self) -> tuple[str, int]:
        """What a series' errors are summed by: its name and the length of history."""
        return self.origin.series, len(self.origin.past)


def history_of(origin: Origin) -> History:
    """Return the past in the product's form."""
    return History({day: Usd(cost) for day, cost in origin.past}, origin.past[0][0])


def outlook_at(origin: Origin) -> Outlook:
    """Return what the product expects after the history."""
    outlook = outlook_of(history_of(origin))
    assert outlook is not None  # there is a history
    return outlook


def plain(origin: Origin) -> Decimal:
    """Return the plain rule's burn (USD a day)."""
    return sum((cost for _, cost in origin.past[-7:]), Decimal(0)) / 7
