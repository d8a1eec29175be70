"""Rows of a file added up into bills, a few thousand at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from costcompass_core.domain.bill import Bill
from costcompass_core.domain.usage import Usage
from costcompass_core.providers.rows import gathered

_BATCH: Final = 1000


class Bills:
    """The bills of one file while it is read.

    Files split a day by hour, by project, by resource; what we store does not, so rows of one key
    are added up as they come and the file is never held. A row's `part` keeps apart what must not
    be added up though the key is the same: a one-time credit on a service used daily would pass
    for daily spend. Where that happens, the row's endpoint says which part it is.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], dict[str, _Sum]] = {}

    def add(self, provider: str, account: str, row: Usage, part: str = "") -> None:
        """Count `row` on the account's bill; the usual part has no name."""
        sums = self._sums.setdefault((provider, account), {})
        if part not in sums:
            sums[part] = _Sum()
        sums[part].add(row)

    def made(self) -> tuple[Bill, ...]:
        """Return the bills, sorted by provider and account, each sorted by day."""
        return tuple(
            _bill(provider, account, self._sums[provider, account])
            for provider, account in sorted(self._sums)
        )


class _Sum:
    def __init__(self) -> None:
        self._fresh: list[Usage] = []
        self._kept: list[Usage] = []
        self._limit = _BATCH

    def add(self, row: Usage) -> None:
        self._fresh.append(row)
        if len(self._fresh) >= _BATCH:
            # Adding to short rows first keeps the joined amounts, as written, from being copied
            # once for every row of the file.
            self._kept += _added_up(self._fresh)
            self._fresh = []
            if len(self._kept) > self._limit:
                self._kept = _added_up(self._kept)
                self._limit = 2 * len(self._kept) + _BATCH

    def rows(self) -> list[Usage]:
        return _added_up([*self._kept, *_added_up(self._fresh)])


def _added_up(rows: Iterable[Usage]) -> list[Usage]:
    by_day = gathered(rows, {row.day for row in rows})
    return [row for of_day in by_day.values() for row in of_day]


def _bill(provider: str, account: str, sums: dict[str, _Sum]) -> Bill:
    found: dict[tuple[object, ...], Usage] = {}
    for part in sorted(sums):
        for row in sums[part].rows():
            told = row
            while _key(told) in found:
                told = told._replace(endpoint=f"{told.endpoint} ({part})")
            found[_key(told)] = told
    rows = sorted(found.values(), key=_order)
    return Bill(provider, account, tuple(rows), rows[0].day, rows[-1].day)


def _key(row: Usage) -> tuple[object, ...]:
    return row.day, row.model, row.permaslug, row.endpoint, row.currency


def _order(row: Usage) -> tuple[str, ...]:
    return row.day.isoformat(), row.model, row.endpoint, row.currency
