"""What cost reports have in common: rows of one key added up, token counts placed beside costs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from costcompass_core.domain.days import ONE_DAY
from costcompass_core.domain.money import EXACT, parse_amount, plain
from costcompass_core.domain.usage import Usage

NO_COST: Final = "(no cost reported)"
"""The line of a model whose tokens are reported and whose cost is not."""


_LONGEST_RAW: Final = 1000


class Tokens(NamedTuple):
    """What one model used on one UTC day; `None` where that is not reported."""

    requests: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


def amount_or_none(raw: object) -> Decimal | None:
    """Return an amount or quantity that may be missing. Raises `ValueError`."""
    return None if raw is None else parse_amount(raw)


def hundredths(raw: object) -> Decimal:
    """Return an amount given in hundredths (cents) in major units, exactly. Raises `ValueError`."""
    return parse_amount(raw).scaleb(-2, EXACT)


def ranges(days: Collection[date], longest: int) -> list[tuple[date, date]]:
    """Return the days as contiguous ranges, both ends included, of `longest` days at most each."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day == found[-1][1] + ONE_DAY and (day - found[-1][0]).days < longest:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def gathered(rows: Iterable[Usage], days: Iterable[date]) -> dict[date, tuple[Usage, ...]]:
    """Return the rows by day, `()` for a day of `days` without any.

    What one report splits further than we store (by project, by tier) comes as several rows of the
    same key: they are added up exactly, and the amounts as written are joined with a plus sign.
    """
    found: dict[date, dict[tuple[str, ...], Usage]] = {day: {} for day in days}
    for row in rows:
        of_day = found[row.day]
        key = (row.model, row.permaslug, row.endpoint, row.currency)
        of_day[key] = _added(of_day[key], row) if key in of_day else row
    return {day: tuple(of_day.values()) for day, of_day in found.items()}


def _added(one: Usage, other: Usage) -> Usage:
    def both(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    quantity = None
    if one.quantity is not None and other.quantity is not None and one.unit == other.unit:
        quantity = EXACT.add(one.quantity, other.quantity)
    counts: dict[str, Any] = {
        name: both(getattr(one, name), getattr(other, name)) for name in Tokens._fields
    }
    return one._replace(
        cost=EXACT.add(one.cost, other.cost),
        byok_cost=EXACT.add(one.byok_cost, other.byok_cost),
        raw=_joined(_written(one), _written(other)),
        once=one.once and other.once,
        quantity=quantity,
        unit="" if quantity is None else one.unit,
        **counts,
    )


def _joined(one: str, other: str) -> str:
    """Join two amounts as written; what is longer than anybody reads ends with an ellipsis."""
    if one.endswith("…"):
        return one
    return f"{one}+{other}" if len(one) + len(other) < _LONGEST_RAW else f"{one}+…"


def _written(row: Usage) -> str:
    return plain(row.cost) if row.raw is None else row.raw


def with_tokens(
    rows: Sequence[Usage],
    tokens: Mapping[tuple[date, str], Tokens],
    kind_of: Callable[[Usage], str | None],
    blank: Callable[[date, str], Usage],
) -> list[Usage]:
    """Return the rows with each count of (day, model) on one row of that model, 0 on the others.

    So sums are right however the cost is split. `kind_of` names the field of `Tokens` that a row is
    billed for, where it says; a count that no row is billed for stands on the model's first row. A
    model with tokens and no cost gets the `blank(day, model)` row, which costs nothing.
    """
    placed: dict[tuple[date, str], set[str]] = {}
    for row in rows:
        placed.setdefault((row.day, row.model), set()).add(kind_of(row) or "")
    found = [*rows, *(blank(day, model) for day, model in tokens if (day, model) not in placed)]
    seen: set[tuple[date, str]] = set()
    told = []
    for row in found:
        key = (row.day, row.model)
        counts, first = tokens.get(key), key not in seen
        seen.add(key)
        if counts is None:
            told.append(row)
            continue
        billed, own = placed.get(key, set()), kind_of(row)
        taken: dict[str, Any] = {
            name: count if own == name or (first and name not in billed) else 0
            for name, count in counts._asdict().items()
            if count is not None
        }
        told.append(row._replace(**taken))
        if own:  # a second row of the same kind must not repeat the count
            tokens = {**tokens, key: counts._replace(**{own: 0}) if taken.get(own) else counts}
    return told
