"""The shapes that live activity takes beside the documented one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from bot.sandbox.wire import Row, plainly


@dataclass(slots=True)
class Quirks:
    """Shapes that live answers take and the specification does not; change them at any time."""

    date_suffix: bool = False
    """Days end in midnight: `2026-06-03 00:00:00`."""
    byok_requests: bool = False
    """Rows have this undocumented count."""
    cached_tokens: bool = True
    """Rows have this count, as since autumn 2026."""
    unknown_fields: bool = False
    """Rows have fields that nobody has heard of."""
    integer_zero: bool = False
    """No money is `0`, not `0.0`."""
    exponents: bool = False
    """Money is in scientific notation, with the same digits."""
    excess_reasoning: bool = False
    """There are more reasoning than completion tokens."""
    duplicate_row: bool = False
    """The first row comes a second time, identical."""
    shuffled: bool = False
    """Rows come in no order."""
    old_key_shape: bool = False
    """`/key` lacks what came after August 2026."""
    models_page: int = 0
    """Models on a page of `/models`, where not all come at once."""
    zero_credits: bool = False
    """An inference key is told zeros by `/credits`, not 403."""
    analytics_titles: bool = False
    """Analytics name models by their display names, not by their dated ones."""
    analytics_number_counts: bool = False
    """Analytics' counts are numbers, not text."""
    analytics_text_costs: bool = False
    """Analytics' costs are text, not numbers."""
    analytics_day_key: str = "date__day"
    """Under which name analytics' rows have their day; `created_at__day` was seen too."""
    analytics_day_suffix: str = ""
    """What follows a day there: `T00:00:00.000Z` or ` 00:00:00`."""
    analytics_most_rows: int = 10_000
    """Analytics cut off an answer with more rows than this."""
    analytics_per_minute: int = 64
    """How many analytics queries a minute an account may send."""
    analytics_retry_after: int = 5
    """Seconds that a refusal for too many of them asks to wait."""
    analytics_cached_for: int | None = None
    """Analytics say that their answer is so many seconds old."""
    analytics_to_the_minute: bool = False
    """Analytics count the days they reach back from this very moment, not from midnight."""
    no_analytics: bool = False
    """No key may use analytics, as on plans without them."""


def shaped(rows: Iterable[Row], quirks: Quirks) -> list[Row]:
    """Return `rows` in the shape that `quirks` ask for."""
    changed = [_shaped_row(row, quirks) for row in rows]
    if quirks.duplicate_row:
        changed += changed[:1]
    if quirks.shuffled:
        random.Random(len(changed)).shuffle(changed)  # noqa: S311 - an order, not a secret
    return changed


def _shaped_row(row: Row, quirks: Quirks) -> Row:
    shaped = dict(row)
    if quirks.date_suffix:
        shaped["date"] = f"{row['date']} 00:00:00"
    if quirks.byok_requests:
        shaped["byok_requests"] = 0
    if not quirks.cached_tokens:
        shaped.pop("cached_tokens", None)
    if quirks.unknown_fields:
        shaped |= {"region": "eu", "extras": {"tiers": [1, None]}}
    if quirks.excess_reasoning:
        shaped["reasoning_tokens"] = row["completion_tokens"] + 15
    return shaped


def money_writer(quirks: Quirks) -> Callable[[Decimal], str]:
    """Return how `quirks` write money: always with every digit."""

    def write(amount: Decimal) -> str:
        if not amount:
            return "0" if quirks.integer_zero else "0.0"
        return format(amount, "e") if quirks.exponents else plainly(amount)

    return write
