"""Several providers in one answer: each with its own total, how that is known and through when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from costcompass_core.domain.money import Usd, exact_sum
from costcompass_core.domain.rates import Rate, converted
from costcompass_core.domain.reports import Health, SpendRow, share_of
from costcompass_core.domain.usage import USD, Basis

Known = Literal["reported", "derived", "declared", "mixed"]
"""How a total is known: one `Basis`, or several of them."""


@dataclass(frozen=True, slots=True)
class Seller:
    """One provider within an answer: what it took (USD) and which of the ranked rows are its own."""

    provider: str
    title: str
    cost: Usd
    share: Decimal
    known: Known
    rows: tuple[SpendRow, ...]


def sellers_of(
    rows: Sequence[SpendRow], total: Usd, titles: Mapping[str, str], known: Mapping[str, Known]
) -> tuple[Seller, ...]:
    """Return the providers of the rows, the dearest first, each with its rows in their order."""
    own: dict[str, list[SpendRow]] = {}
    for row in rows:
        own.setdefault(row.provider, []).append(row)
    found = []
    for provider, some in own.items():
        cost = Usd.total(row.cost for row in some)
        found.append(
            Seller(
                provider,
                titles.get(provider, provider),
                cost,
                share_of(cost, total),
                known.get(provider, "reported"),
                tuple(some),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.cost.ratio(), one.title)))


class Caveat(NamedTuple):
    """What has to be known of an account's figures within a period (UTC days).

    `lags`: final only through `day`, later days may be incomplete. `begins`: nothing is known before
    `day`. `at_least`: money that came in on `day` can hide spend. `lapsed`: `amount` of what was
    granted ran out on `day` and is not counted. `unattributed`: `amount` went over several days
    before `day` that nobody looked at.
    """

    kind: Literal["lags", "begins", "at_least", "lapsed", "unattributed"]
    account: str
    provider: str
    title: str
    day: date | None
    amount: Decimal | None = None
    currency: str = USD


class ForeignRow(NamedTuple):
    """One row of cost in another currency than USD, in major units."""

    name: str
    provider: str
    cost: Decimal


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What a period cost in one currency; `rows` add up to `total` exactly, the dearest first."""

    currency: str
    total: Decimal
    rows: tuple[ForeignRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Converted:
    """All currencies in one: `total` is of `currency`, `None` where a rate is missing (`without`)."""

    currency: str
    total: Decimal | None
    rates: tuple[Rate, ...]
    without: tuple[str, ...]


def by_currency(rows: Iterable[tuple[str, ForeignRow]], home: str) -> tuple[CurrencyTotal, ...]:
    """Return the totals per currency, the home currency first, then by name."""
    found: dict[str, list[ForeignRow]] = {}
    for currency, row in rows:
        found.setdefault(currency, []).append(row)
    return tuple(
        CurrencyTotal(
            currency,
            exact_sum(row.cost for row in some),
            tuple(sorted(some, key=lambda row: (-row.cost, row.name, row.provider))),
        )
        for currency, some in sorted(found.items(), key=lambda one: (one[0] != home, one[0]))
    )


@dataclass(frozen=True, slots=True)
class Exchange:
    """The currency that people think in, and what the others are worth in it."""

    home: str = USD
    rates: Mapping[str, Rate] | None = None

    def of(self, totals: Mapping[str, Decimal]) -> Converted | None:
        """Return all totals as one; `None` where nothing is to be converted or no rate is known."""
        if not self.rates or set(totals) <= {self.home}:
            return None
        total, used, without = converted(totals, self.home, self.rates)
        return Converted(self.home, total, used, without)


DOLLARS: Final = Exchange()
"""People who think in USD and convert nothing."""


def known_by(bases: Collection[Basis]) -> Known:
    """Return how a total is known whose parts are known in these ways."""
    return next(iter(bases)) if len(bases) == 1 else "mixed"


def lagging(conditions: Iterable[Health], first: date, last: date) -> list[Caveat]:
    """Return which accounts' figures begin late or are not final yet within the period."""
    found = []
    for one in conditions:
        if not one.slow or one.since is None:
            continue
        if one.data_through is None or one.data_through < last:
            found.append(Caveat("lags", one.account, one.provider, one.title, one.data_through))
        if one.since > first:
            found.append(Caveat("begins", one.account, one.provider, one.title, one.since))
    return found


@dataclass(frozen=True, slots=True)
class Stack:
    """What an answer says beyond one provider in dollars.

    `sellers` are empty where the rows are ranked by something else than what providers sell.
    `currencies` are empty where all is in USD; `titles` and `known` are by provider.
    """

    titles: Mapping[str, str]
    known: Mapping[str, Known]
    sellers: tuple[Seller, ...] = ()
    currencies: tuple[CurrencyTotal, ...] = ()
    converted: Converted | None = None
    caveats: tuple[Caveat, ...] = ()

    @property
    def several(self) -> bool:
        """Whether there is more than one provider."""
        return len(self.titles) > 1
