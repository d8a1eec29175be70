"""What the rules of advice look at, and what one suggestion is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.money import Usd
from costcompass_core.domain.prices import MONTH_DAYS
from costcompass_core.domain.reports import Amounts

Kind = Literal["cheaper model", "caching", "output", "host"]


class Known:
    """A model's usage of which every count that matters was reported."""

    def __init__(self, used: Amounts) -> None:
        """Use `known`."""
        self.name = used.name
        self.used = used
        self.cost = Fraction(used.cost)
        self.requests = used.requests or 0
        self.prompt = used.prompt_tokens or 0
        self.completion = used.completion_tokens or 0

    @property
    def tokens(self) -> int:
        """All tokens; reasoning is part of completion."""
        return self.prompt + self.completion


def known(used: Amounts) -> Known | None:
    """Return usage that may be advised on: paid from the balance alone, and with its counts."""
    paid = used.cost > 0 and not used.byok_cost
    counted = used.prompt_tokens is not None and used.completion_tokens is not None
    return Known(used) if paid and counted and used.requests else None


@dataclass(frozen=True, slots=True)
class View:
    """An account's usage of the last `days` known of 30 completed UTC days, and the price list."""

    models: Mapping[str, Amounts]
    hosts: Mapping[str, Sequence[Amounts]]
    listed: Mapping[str, Listed]
    days: int

    def known(self) -> Iterator[Known]:
        """Yield the models that may be advised on."""
        for used in self.models.values():
            if (one := known(used)) is not None:
                yield one

    def monthly(self, usd: Fraction) -> Usd:
        """Return what an amount of these days comes to in 30 days (USD)."""
        return Usd.of_ratio(usd * MONTH_DAYS / self.days)


@dataclass(frozen=True, slots=True)
class Advice:
    """One suggestion: what it would save of `cost`, both USD in 30 days; `saving` is an estimate.

    `other` is the model or host to use instead. `counts` and `shares` are the numbers behind it.
    """

    kind: Kind
    model: str
    saving: Usd
    cost: Usd
    other: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, Decimal] = field(default_factory=dict)


def share(part: int | Fraction, whole: int | Fraction) -> Decimal:
    """Return `part / whole` with four decimals."""
    return Decimal(round(Fraction(part) / Fraction(whole) * 10_000)).scaleb(-4)
