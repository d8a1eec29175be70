"""How values are written in the ledger: plain decimal text, ISO days, fixed-width UTC moments."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from costcompass_core.domain.money import Usd, exact_sum


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
