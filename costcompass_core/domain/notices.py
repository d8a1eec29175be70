"""Notices: things that happened once and are told once, without a state to follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Final, Literal

from costcompass_core.domain.days import ONE_DAY, midnight
from costcompass_core.domain.facts import Fact, Facts
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.reread import SETTLES_AFTER
from costcompass_core.domain.rules.views import tenths

NoticeRule = Literal["top_up", "balance_drop", "history_restated", "new_model", "database_back"]
NOTICE_RULES: Final[tuple[NoticeRule, ...]] = (
    "top_up",
    "balance_drop",
    "history_restated",
    "new_model",
    "database_back",
)
_ROWS_AFTER: Final = ONE_DAY
"""How long after its end a UTC day's rows may still come before a loss counts as unexplained."""
_SHARE: Final = Fraction(1, 50)
"""A loss under a fiftieth of the day's usage is not told: rows may yet come late."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One event. `name` is unique to it, so that it is told once however often it is seen."""

    rule: NoticeRule
    account: str
    name: str
    facts: Facts
    at: datetime


@dataclass(frozen=True, slots=True)
class CreditsMove:
    """How the credits that were ever bought changed from one balance reading to the next (USD)."""

    account: str
    before: Usd
    after: Usd
    left: Usd
    at: datetime


def credits_moved(move: CreditsMove, floor: Usd) -> Notice | None:
    """Return a top-up, or a fall that no usage explains: a refund, expired or moved credits."""
    change = move.after - move.before
    name = f"{move.account}:{move.at.isoformat()}"
    if change > ZERO:
        facts: Facts = {"amount": change, "left": move.left}
        return Notice("top_up", move.account, f"top_up:{name}", facts, move.at)
    if -change >= floor and change:
        fall: Facts = {"amount": -change, "left": move.left, "kind": "credits"}
        return Notice("balance_drop", move.account, f"balance_drop:{name}", fall, move.at)
    return None


def settled_at(day: date) -> datetime:
    """Return when a completed UTC day counts as reported: later changes restate history."""
    return midnight(day + ONE_DAY) + SETTLES_AFTER


def all_rows_by(day: date) -> datetime:
    """Return when even late rows of a UTC day should have come."""
    return midnight(day + ONE_DAY) + _ROWS_AFTER


def restated(
    account: str, day: date, *, before: Usd, after: Usd, at: datetime, floor: Usd
) -> Notice | None:
    """Return a settled day whose reported total changed by at least `floor` (USD)."""
    change = after - before
    if abs(change.amount) < floor.amount:
        return None
    facts: Facts = {"day": day, "before": before, "after": after, "change": change}
    name = f"history_restated:{account}:{day}:{at.isoformat()}"
    return Notice("history_restated", account, name, facts, at)


@dataclass(frozen=True, slots=True)
class DayLoss:
    """What the usage counter says a UTC day took (USD), and what its rows add up to.

    `lost` is by the readings closest to its two midnights, `surely` by those inside the day.
    """

    account: str
    day: date
    lost: Usd
    surely: Usd
    reported: Usd


def unexplained(loss: DayLoss, at: datetime, floor: Usd) -> Notice | None:
    """Return a loss that the day's rows don't explain, whatever was spent around its midnights."""
    sure = (loss.surely - loss.reported).ratio()
    if sure < floor.ratio() + loss.reported.ratio() * _SHARE:
        return None
    gap = loss.lost - loss.reported
    facts: Facts = {
        "amount": gap, "day": loss.day, "lost": loss.lost, "reported": loss.reported, "kind": "day",
    }  # fmt: skip
    name = f"balance_drop:{loss.account}:{loss.day}"
    return Notice("balance_drop", loss.account, name, facts, at)


@dataclass(frozen=True, slots=True)
class FirstUse:
    """A model that an account had never used before `first` (a UTC day), and what it took since.

    `of` is what the account spent in all since then (USD).
    """

    account: str
    model: str
    first: date
    cost: Usd
    requests: int | None
    of: Usd


def new_model(use: FirstUse, at: datetime, floor: Usd) -> Notice | None:
    """Return a model that is new to the account, once it has cost at least `floor` (USD)."""
    if use.cost < floor or not use.cost:
        return None
    facts: dict[str, Fact] = {
        "model": use.model, "amount": use.cost, "first": use.first, "floor": floor,
    }  # fmt: skip
    if use.requests is not None:
        facts["requests"] = use.requests
    if use.of:
        facts["share"] = tenths(use.cost.ratio() / use.of.ratio() * 100)
    name = f"new_model:{use.account}:{use.model}"
    return Notice("new_model", use.account, name, facts, at)
