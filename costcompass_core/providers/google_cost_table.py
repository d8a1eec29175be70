"""The download of Google Cloud's Cost table, as the billing console makes it.

Lines about the invoice stand above its header; the currency is only there, for `($)` stands for
other dollars too. Credits are rows of their own, a total is at the foot, and most rows span the
month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from costcompass_core.domain.money import EXACT, parse_amount, plain
from costcompass_core.providers import cells
from costcompass_core.providers.bills import Bills
from costcompass_core.providers.cells import Odd
from costcompass_core.providers.fields import Days, Names
from costcompass_core.providers.google_rows import USUAL, add_row, cost_type, ungrouped
from costcompass_core.providers.strict_json import raw_text
from costcompass_core.providers.tables import Table, unreadable

NEEDS: Final = ("service_description", "sku_description", "usage_start_date")
COSTS: Final = ("unrounded_cost", "cost")
"""Of these one is needed; the first has the digits that the second lost."""
OPTIONAL: Final = ("usage_end_date", "credit_type")

_CENT: Final = Decimal("0.01")
_DATE_MEND: Final = "write it like 2026-11-20"


class CostTable:
    """Makes usage of the rows of one download, and remembers what to remark about them."""

    def __init__(self, table: Table, names: Sequence[str]) -> None:
        """Read what stands above the header. Raises `UnreadableFile` if no currency is named."""
        above = {row[0].casefold(): row[1] for row in table.above if len(row) > 1}
        self._account = above.get("billing account id", "")
        self._currency = above.get("currency", "")
        self._due = _due(above.get("total amount due", ""))
        self._cost = next(name for name in COSTS if name in names)
        if "currency" not in names and not re.fullmatch("[A-Z]{3}", self._currency):
            raise unreadable(
                table.name,
                "does not say its currency, and $ may be of several countries",
                "keep the lines above the table, of which one is Currency",
                row=table.header,
            )
        self._days, self._names = Days(), Names()
        self._sum = Decimal(0)
        self._total: Decimal | None = None
        self._last: date | None = None
        self._credited = False
        self._rows = self._long = self._dateless = 0

    def notes(self) -> list[str]:
        """Return the remarks about all rows so far."""
        if not self._rows:
            return ["the file has no rows"]
        notes = []
        if self._long:
            notes.append(f"{self._long} row(s) span more than a day and count on their first")
        if self._dateless:
            notes.append(f"{self._dateless} row(s) without a date count on the newest day above")
        for what, told in (("total", self._total), ("amount due", self._due)):
            if told is not None and not self._sums_to(told):
                notes.append(f"the rows add up to {plain(self._sum)}, the {what} is {plain(told)}")
        if not (self._credited or (self._due is not None and self._sums_to(self._due))):
            notes.append("no row is a credit: if you have any, download with all savings chosen")
        return notes

    def count(self, row: Mapping[str, str], bills: Bills) -> None:
        """Check `row` and add it to the bills; the total at the foot is none. Raises `Odd`."""
        text = row[self._cost].strip()
        # Only beside a point is a comma surely not one.
        written = ungrouped(text) if "." in text else text
        cost = cells.amount({self._cost: written}, self._cost)
        kind, named = cost_type(row), dict(row)
        if kind == "total" and not row["service_description"].strip():
            self._total = cost
            return
        if kind not in USUAL:  # taxes and rounding errors may belong to no service
            for column in NEEDS[:2]:
                named[column] = row[column].strip() or row["cost_type"]
        if not row.get("billing_account_id", "").strip():
            named["billing_account_id"] = self._account
        currency = cells.currency(row, "currency") if "currency" in row else self._currency
        raw = text if text != written else raw_text(text)
        add_row(bills, named, self._names, self._day(row, kind), (cost, raw, currency))
        self._credited = self._credited or bool(row.get("credit_type", "").strip())
        self._sum = EXACT.add(self._sum, cost)
        self._rows += 1

    def _sums_to(self, told: Decimal) -> bool:
        return abs(EXACT.subtract(told, self._sum)) < _CENT

    def _day(self, row: Mapping[str, str], kind: str) -> date:
        if kind not in USUAL and self._last and not row["usage_start_date"].strip():
            self._dateless += 1
            return self._last
        start = self._date(row, "usage_start_date")
        if row.get("usage_end_date", "").strip():
            end = self._date(row, "usage_end_date")
            if end < start:
                raise Odd("usage_end_date", "is before the start date", _DATE_MEND)
            self._long += end > start
        self._last = max(start, self._last or start)
        return start

    def _date(self, row: Mapping[str, str], column: str) -> date:
        try:
            return self._days[row[column].strip()]
        except ValueError as why:
            what = f"“{cells.shown(row[column])}” {why}" if row[column].strip() else "is empty"
            raise Odd(column, what, _DATE_MEND) from None


def _due(text: str) -> Decimal | None:
    """Return the amount due that stands above the table, where it can be made out."""
    try:
        return parse_amount(ungrouped(re.sub(r"[^\d.,-]", "", text)))
    except ValueError:
        return None
