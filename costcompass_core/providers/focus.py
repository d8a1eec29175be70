"""Files in the FOCUS format, which clouds and hosters export: exact rows of cost, or an error.

The format's own validator lets pass what would count wrongly (an unknown category among known
ones, a period that ends before it begins, two ways of writing dates), so every row is checked here.
What counts is `BilledCost`, what the invoice says, on the UTC day that the charge begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

from costcompass_core.domain.bill import FileRead
from costcompass_core.domain.usage import Basis, Usage
from costcompass_core.providers import cells
from costcompass_core.providers.base import FOLDER, Provider
from costcompass_core.providers.bills import Bills
from costcompass_core.providers.cells import DAY, Moments, Odd
from costcompass_core.providers.fields import Names
from costcompass_core.providers.focus_columns import (
    CHARGE_CATEGORIES,
    MANDATORY,
    SERVICE_CATEGORIES,
    strangers,
    version_of,
)
from costcompass_core.providers.strict_json import raw_text
from costcompass_core.providers.tables import open_table, unreadable

CONNECTED_TITLES: Final = {
    "anthropic": "anthropic",
    "deepseek": "deepseek",
    "google": "google",
    "google cloud": "google",
    "openai": "openai",
    "openrouter": "openrouter",
    "together": "together",
    "together ai": "together",
    "vercel": "vercel",
    "x.ai": "xai",
    "xai": "xai",
}
"""Sellers as files name them (lower case), and the provider that reads the same bill by key."""

_PERIODS: Final = ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd")
_OTHER_AMOUNTS: Final = ("EffectiveCost", "ListCost", "ContractedCost")
_SELLERS: Final = ("ServiceProviderName", "ProviderName", "InvoiceIssuerName")
_LINES: Final = ("SkuId", "x_Sku", "ChargeDescription", "ChargeCategory")
_QUANTITIES: Final = (("ConsumedQuantity", "ConsumedUnit"), ("PricingQuantity", "PricingUnit"))
_COUNTS: Final = (
    "x_Requests", "x_InputTokens", "x_OutputTokens", "x_ReasoningTokens", "x_CachedInputTokens",
)  # fmt: skip
_USED: Final = frozenset((
    *MANDATORY, *_SELLERS, *_LINES, *_COUNTS, *(name for pair in _QUANTITIES for name in pair),
    "x_Model", "x_CostBasis",
))  # fmt: skip
_BASES: Final = ("reported", "derived", "declared")
_LINE_CHARACTERS: Final = 200
_NAMED: Final = "the format demands it; ask its maker, or fill it in"


def connected_name(provider: str) -> str | None:
    """Return our name of the provider that a file calls `provider`, to count no bill twice."""
    return CONNECTED_TITLES.get(" ".join(provider.split()).casefold())


def read_focus(path: Path) -> FileRead:
    """Read a FOCUS 1.0 to 1.4 file (CSV, gzipped CSV, Parquet) to its end. Raises `UnreadableFile`."""
    table = open_table(path, only=_USED)
    try:
        version = version_of(table.columns)
    except ValueError as why:
        raise unreadable(
            path.name,
            f"is not a FOCUS file: the header {why}",
            "export it as FOCUS 1.0 to 1.4 with all mandatory columns",
            row=table.header,
        ) from None
    bills, reader = Bills(), _Rows()
    for number, row in table.rows:
        try:
            reader.count(row, bills)
        except Odd as odd:
            raise unreadable(path.name, odd.what, odd.mend, row=number, column=odd.column) from None
    notes = reader.notes()
    if unknown := strangers(table.columns):
        told = ", ".join(cells.shown(name) for name in unknown[:5])
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        notes.append(f"ignored column(s) that FOCUS does not know: {told}{more}")
    return FileRead(path.name, version, bills.made(), tuple(notes))


class _Rows:
    """Makes usage of the rows of one file, and remembers what to remark about them."""

    def __init__(self) -> None:
        self._periods = {column: Moments(column) for column in _PERIODS}
        self._names = Names()
        self._rows = self._long = self._outside = 0

    def notes(self) -> list[str]:
        """Return the remarks about all rows so far."""
        if not self._rows:
            return ["the file has no rows"]
        notes = []
        if self._long:
            notes.append(f"{self._long} charge(s) last longer than a day and count on their first")
        if self._outside:
            notes.append(f"{self._outside} charge(s) lie outside their billing period")
        return notes

    def count(self, row: Mapping[str, str], bills: Bills) -> None:
        """Check `row` and add it to the bills. Raises `Odd`."""
        category = cells.one_of(row, "ChargeCategory", CHARGE_CATEGORIES)
        if row["ChargeClass"].strip():
            cells.one_of(row, "ChargeClass", ("Correction",))
        cells.one_of(row, "ServiceCategory", SERVICE_CATEGORIES)
        billed = row["BilledCost"]
        for column in _OTHER_AMOUNTS:
            if row[column] != billed and row[column].strip():  # most often all are the same
                cells.amount(row, column)
        basis = row.get("x_CostBasis", "").strip()
        basis = basis if basis in _BASES else _BASES[0]
        usage = self._usage(row, once=category != "Usage", basis=cast("Basis", basis))
        parts = [category] if usage.once else []
        parts += [] if basis == _BASES[0] else [basis]
        seller = cells.first_filled(row, _SELLERS)
        if not seller:
            column = next(name for name in _SELLERS if name in row)
            raise Odd(column, "is empty, and so are its stand-ins", _NAMED)
        account = cells.filled(row, "BillingAccountId", _NAMED)
        bills.add(self._names[seller], self._names[account], usage, ", ".join(parts))
        self._rows += 1

    def _usage(self, row: Mapping[str, str], *, once: bool, basis: Basis) -> Usage:
        start = self._period(row)
        service = self._names[cells.filled(row, "ServiceName", _NAMED)]
        model = self._names[row.get("x_Model", "").strip() or service]
        quantity, unit = _quantity(row)
        return Usage(
            start,
            model,
            model,
            self._names[cells.first_filled(row, _LINES)[:_LINE_CHARACTERS]],
            service,
            cells.count(row, "x_Requests"),
            cells.count(row, "x_InputTokens"),
            cells.count(row, "x_OutputTokens"),
            cells.count(row, "x_ReasoningTokens"),
            cells.count(row, "x_CachedInputTokens"),
            cells.amount(row, "BilledCost"),
            currency=cells.currency(row, "BillingCurrency"),
            raw=raw_text(row["BilledCost"].strip()),
            basis=basis,
            once=once,
            quantity=quantity,
            unit=self._names[unit],
        )

    def _period(self, row: Mapping[str, str]) -> date:
        start, end = (self._periods[column][row[column]] for column in _PERIODS[:2])
        if end.at <= start.at:
            raise Odd("ChargePeriodEnd", "is not after ChargePeriodStart", cells.NOW_AND_THEN)
        self._long += end.at - start.at > DAY
        given = [
            self._periods[name][row[name]] if row[name].strip() else None for name in _PERIODS[2:]
        ]
        first, last = given
        if first and last and not first.at <= start.at <= end.at <= last.at:
            self._outside += 1
        return start.day


def _quantity(row: Mapping[str, str]) -> tuple[Decimal | None, str]:
    for quantity, unit in _QUANTITIES:
        if row.get(quantity, "").strip():
            return cells.amount(row, quantity), row.get(unit, "").strip()
    return None, ""


PROVIDER: Final = Provider(
    name="focus", title="FOCUS files", read_file=read_focus, options=(FOLDER,)
)
