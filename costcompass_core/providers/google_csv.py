"""Google Cloud's costs as CSV: the billing export saved from BigQuery, or the Cost table's download.

The export has a moment for each row, its currency, and the credits beside the cost; its names come
with points, with underscores, or both. For the download see `google_cost_table`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from costcompass_core.domain.bill import FileRead
from costcompass_core.domain.money import EXACT, exact_sum, parse_amount, plain
from costcompass_core.providers import cells, google_cost_table, strict_json
from costcompass_core.providers.base import FOLDER, Provider
from costcompass_core.providers.bills import Bills
from costcompass_core.providers.cells import DAY, Moments, Odd
from costcompass_core.providers.fields import Names
from costcompass_core.providers.google_cost_table import CostTable
from costcompass_core.providers.google_rows import add_row, plain_name
from costcompass_core.providers.strict_json import raw_text
from costcompass_core.providers.tables import Table, open_table, unreadable

_NEEDS: Final = ("service_description", "sku_description", "usage_start_time", "cost", "currency")
_USED: Final = frozenset((
    *_NEEDS, "billing_account_id", "cost_type", "credits", "credits_amount", "usage_end_time",
    "usage_amount", "usage_unit",
    *google_cost_table.NEEDS, *google_cost_table.COSTS, *google_cost_table.OPTIONAL,
))  # fmt: skip
_UTC: Final = ("Z", "+00:00", "+00", " UTC")
_EITHER: Final = (
    "save the billing export with service.description, sku.description, usage_start_time, cost,"
    " currency and credits, or download the Cost table with its usage dates"
)


def read_google_csv(path: Path) -> FileRead:
    """Read either file to its end; costs are net of credits. Raises `UnreadableFile`."""
    table = open_table(path, _is_header, _EITHER)
    columns = _columns(table)
    version, reader = _reader(table, list(columns))
    bills = Bills()
    for number, row in table.rows:
        try:
            reader.count({name: row[column] for name, column in columns.items()}, bills)
        except Odd as odd:
            raise unreadable(
                path.name, odd.what, odd.mend, row=number, column=columns[odd.column]
            ) from None
    return FileRead(path.name, version, bills.made(), tuple(reader.notes()))


def _is_header(names: Sequence[str]) -> bool:
    found = {plain_name(name) for name in names}
    return "service_description" in found or len(found.intersection(_NEEDS)) > 1


def _columns(table: Table) -> dict[str, str]:
    """Return the columns that we read, as the table has them, by their plain names."""
    found: dict[str, str] = {}
    for column in table.columns:
        name = plain_name(column)
        if name in _USED and found.setdefault(name, column) != column:
            what = f"says the same as {cells.shown(found[name])}"
            raise unreadable(
                table.name, what, "keep one of the two", row=table.header, column=column
            )
    return found


def _reader(table: Table, names: Sequence[str]) -> tuple[str, _Export | CostTable]:
    lacking = [name for name in _NEEDS if name not in names]
    lacking_here = [name for name in google_cost_table.NEEDS if name not in names]
    if not lacking:
        return "Google Cloud billing export", _Export(names)
    if not any(name in names for name in google_cost_table.COSTS):
        lacking_here.append("cost")
    if not lacking_here:
        return "Google Cloud Cost table", CostTable(table, names)
    nearer = lacking if len(lacking) < len(lacking_here) else lacking_here
    words = ", ".join(nearer)
    what = f"is neither of Google Cloud's files: the header lacks {words}"
    raise unreadable(table.name, what, _EITHER, row=table.header)


class _Export:
    """Makes usage of the rows of one export, and remembers what to remark about them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._starts = Moments("usage_start_time", zones=_UTC)
        self._ends = Moments("usage_end_time", zones=_UTC)
        self._names = Names()
        self._credited = "credits" in names or "credits_amount" in names
        self._rows = self._long = 0

    def notes(self) -> list[str]:
        """Return the remarks about all rows so far."""
        notes = [] if self._rows else ["the file has no rows"]
        if not self._credited:
            notes.append("the file has no column of credits, so costs are what they were before")
        if self._long:
            notes.append(f"{self._long} row(s) last longer than a day and count on their first")
        return notes

    def count(self, row: Mapping[str, str], bills: Bills) -> None:
        """Check `row` and add it to the bills. Raises `Odd`."""
        start = self._starts[row["usage_start_time"]]
        if row.get("usage_end_time", "").strip():
            end = self._ends[row["usage_end_time"]]
            if end.at < start.at:
                raise Odd("usage_end_time", "is before usage_start_time", cells.NOW_AND_THEN)
            self._long += end.at - start.at > DAY
        cost, given = cells.amount(row, "cost"), _credits(row)
        net = EXACT.add(cost, exact_sum(amount for amount, _ in given))
        written = row["cost"].strip()
        raw = "+".join([written, *(text for _, text in given)]) if given else raw_text(written)
        currency = cells.currency(row, "currency")
        add_row(bills, row, self._names, start.day, (net, raw, currency))
        self._rows += 1


def _credits(row: Mapping[str, str]) -> list[tuple[Decimal, str]]:
    """Return each credit of a row, and how it was written. Raises `Odd`."""
    listed = row.get("credits", "").strip()
    if listed in ("", "null", "[]"):
        alone = row.get("credits_amount", "").strip()
        return [(cells.amount(row, "credits_amount"), alone)] if alone else []
    mend = "save credits as JSON text (TO_JSON_STRING), or their sum as credits.amount"
    try:
        found: Any = strict_json.decode(listed.encode())
        return [_credit(one) for one in (found if isinstance(found, list) else [found])]
    except ValueError as why:
        raise Odd("credits", f"is {why}", mend) from None
    except (KeyError, TypeError):
        raise Odd("credits", "is no list of credits with an amount each", mend) from None


def _credit(one: Any) -> tuple[Decimal, str]:
    raw = one["amount"] if isinstance(one, dict) else one
    try:
        amount = parse_amount(raw)
    except ValueError as why:
        raise ValueError(f"odd: an amount {why}") from None
    return amount, raw_text(raw) or plain(amount)


PROVIDER: Final = Provider(
    name="google-csv", title="Google Cloud CSV", read_file=read_google_csv, options=(FOLDER,)
)
