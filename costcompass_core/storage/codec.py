"""How values are written in the ledger: plain decimal text, ISO days, fixed-width UTC moments."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from costcompass_core.domain.facts import Fact, Facts
from costcompass_core.domain.money import Usd, exact_sum, plain


def moment_text(moment: datetime) -> str:
    """Return a moment so that text order is time order: UTC with six decimals."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str | None) -> datetime | None:
    """Return the moment that `moment_text` wrote."""
    return None if text is None else datetime.fromisoformat(text)


def day_of(text: str | None) -> date | None:
    """Return the day that was written as `YYYY-MM-DD`."""
    return None if text is None else date.fromisoformat(text)


def usd_of(text: str) -> Usd:
    """Return an amount as it was stored."""
    return Usd(Decimal(text))


def sum_of(texts: str | None) -> Decimal:
    """Add up amounts that `group_concat(…, ' ')` joined, exactly."""
    return exact_sum(map(Decimal, texts.split())) if texts else Decimal(0)


def facts_text(facts: Facts) -> str:
    """Return facts as JSON in which every value but text and counts says what it is."""
    return json.dumps({name: _fact_shape(fact) for name, fact in facts.items()})


def _fact_shape(fact: Fact) -> Any:
    if isinstance(fact, Usd):
        return {"usd": fact.text()}
    if isinstance(fact, Decimal):
        return {"number": plain(fact)}
    if isinstance(fact, datetime):
        return {"at": moment_text(fact)}
    if isinstance(fact, date):
        return {"day": fact.isoformat()}
    if isinstance(fact, tuple):
        return [_fact_shape(one) for one in fact]
    return fact


def facts_of(text: str) -> dict[str, Fact]:
    """Return the facts that `facts_text` wrote."""
    return {name: _fact_of(shape) for name, shape in json.loads(text).items()}


def _fact_of(shape: Any) -> Any:
    if isinstance(shape, list):
        return tuple(_fact_of(one) for one in shape)
    if not isinstance(shape, dict):
        return shape
    [(kind, text)] = shape.items()
    return _KINDS.get(kind, str)(text)  # what a later version knows better is text to this one


_KINDS: Final[Mapping[str, Callable[[str], Fact]]] = {
    "usd": usd_of,
    "number": Decimal,
    "at": datetime.fromisoformat,
    "day": date.fromisoformat,
}
