"""`forecast if`: next month's cost had a share of one model's traffic run on another.

The traffic is that of the burn window (the 7 newest completed UTC days that are known), for the days
of next month. What a model costs now is reported; what the other would cost is an estimate at list
prices (`domain.prices`) for the same tokens. The two are never mixed: the headline of `/forecast`
stands beside it unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.forecast import NextMonth
from costcompass_core.domain.money import Usd
from costcompass_core.domain.prices import list_cost
from costcompass_core.domain.reports import Amounts, tokens_of

_USE: Final = "use `forecast if MODEL to OTHER 50%`; the share is 100% where none is written"
_FORM: Final = re.compile(
    r"(\S+?)\s*(?:->|=>|→|⇒|\sto\s)\s*(\S+)(?:\s+(\S+?)\s*%?)?", re.IGNORECASE
)
_SHARE: Final = re.compile(r"[0-9]{1,4}")
_TORN: Final = re.compile(r"\S+\s+[-=]")
"""What is left of an arrow in front of a shell, which takes `>` for a file to write to."""
_QUOTES: Final = "`'\"“”‘’"
"""What a name copied from a message may stand in."""
_SKEWED: Final = Fraction(1, 10)
"""Share of the reported cost beyond which list prices are said to miss it."""

Unknown = Literal["price", "tokens", "own keys"]


@dataclass(frozen=True, slots=True)
class IfQuery:
    """The words: two names as typed and the share in percent."""

    model: str
    other: str
    percent: int


def parse_if(words: str) -> IfQuery:
    """Return what `words` after `if` ask. Raises `UsageError`."""
    found = _FORM.fullmatch(words.strip())
    model, other = (one.strip(_QUOTES) for one in found.group(1, 2)) if found else ("", "")
    if found is None or not model or not other:
        torn = "a shell takes `->` apart: write `to`; " if _TORN.fullmatch(words.strip()) else ""
        raise UsageError("`if` needs two models", torn + _USE)
    typed = found[3] or "100"
    share = int(typed) if _SHARE.fullmatch(typed) else 0
    if not 1 <= share <= 100:
        raise UsageError(
            f"`{typed}%` is not a share of traffic", "write a whole number, 1% to 100%"
        )
    return IfQuery(model, other, share)


@dataclass(frozen=True, slots=True)
class Effective:
    """What another model cost the account in 30 days: USD per million tokens (reported)."""

    per_million: Usd
    tokens: int


@dataclass(frozen=True, slots=True)
class IfReport:
    """The answer. All amounts are USD for next month and for `percent` of the model's traffic.

    `now` is at the reported cost. `at_list` and `on_other` are estimates at list prices, `None`
    where a price or count is not known, which `unknown` names; so they are where own keys paid for a
    part, for no count says which tokens those were. `byok` is what the traffic costs outside this
    balance. `start` to `end` are the UTC days it was seen on, `read_at` the price list's.
    """

    plan: NextMonth
    model: str
    other: Listed
    percent: int
    start: date
    end: date
    now: Usd
    byok: Usd
    at_list: Usd | None
    on_other: Usd | None
    unknown: Unknown | None
    read_at: datetime
    effective: Effective | None = None
    cached: bool = False

    @property
    def words(self) -> str:
        """The words after `forecast if` that ask it again."""
        return f"{self.model} to {self.other.ident} {self.percent}%"

    @property
    def difference(self) -> Usd | None:
        """What moving would change a month (estimate): negative saves."""
        if self.on_other is None or not self.now:
            return None
        return self.on_other - self.now

    @property
    def total(self) -> Usd | None:
        """Next month's total after the move (estimate)."""
        change, total = self.difference, self.plan.total
        return None if change is None or total is None else total + change

    @property
    def skew(self) -> Decimal | None:
        """How far list prices are from the reported cost, as a share of it, where over 10 %."""
        if self.at_list is None or not self.now:
            return None
        share = (self.at_list - self.now).ratio() / self.now.ratio()
        return Decimal(round(share * 1000)).scaleb(-3) if abs(share) > _SKEWED else None


def what_if(
    plan: NextMonth,
    used: Amounts,
    listed: Listed | None,
    other: Listed,
    *,
    percent: int,
    read_at: datetime,
    effective: Effective | None = None,
) -> IfReport:
    """Compute the answer for `used`, the model's usage in the burn window of `plan`.

    `listed` is the model's own entry of the price list. `plan` must have a burn.
    """
    burn = plan.burn
    if burn is None:
        raise ValueError("no burn window")
    scale = Fraction(percent, 100) * plan.month.days / burn.days

    def monthly(usd: Fraction | None) -> Usd | None:
        return None if usd is None else Usd.of_ratio(usd * scale)

    own_keys = bool(used.byok_cost)
    on_other = None if own_keys else list_cost(other.prices, used)
    unknown: Unknown | None = None
    if on_other is None:
        unknown = "own keys" if own_keys else "price" if other.varies else "tokens"
    return IfReport(
        plan,
        used.name,
        other,
        percent,
        burn.start,
        burn.end,
        Usd.of_ratio(Fraction(used.cost) * scale),
        Usd.of_ratio(Fraction(used.byok_cost) * scale),
        monthly(list_cost(listed.prices, used)) if listed and not own_keys else None,
        monthly(on_other),
        unknown,
        read_at,
        effective,
        "input_cache_read" in other.prices,
    )


def effective_of(used: Amounts | None) -> Effective | None:
    """Return what a model's tokens really cost the account, where that is known."""
    tokens = None if used is None else tokens_of(used)
    if used is None or not tokens or used.cost <= 0:
        return None
    return Effective(Usd.of_ratio(Fraction(used.cost) * 1_000_000 / tokens), tokens)
