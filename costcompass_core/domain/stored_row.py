"""A row of the ledger as it leaves it."""

from __future__ import annotations

from typing import NamedTuple


class LedgerRow(NamedTuple):
    """A stored row as `storage.spend.every_row` yields it; amounts and quantity are exact text.

    `provider` is empty for an account that no answer counts any more.
    """

    day: str
    account: str
    provider: str
    model: str
    permaslug: str
    endpoint_id: str
    host: str
    requests: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    usage_usd: str | None
    byok_usd: str
    amount: str
    currency: str
    basis: str
    final: int
    once: int
    raw_amount: str
    quantity: str | None
    unit: str
    cache_write_tokens: int | None
    source: str
