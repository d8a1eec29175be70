"""Pieces of sentences that the digest and the monthly report share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot import words
from bot.words import Figure
from costcompass_core.domain.days import MONTH_NAMES
from costcompass_core.domain.forecast import NextMonth
from costcompass_core.domain.ledger import Pace, Restated
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.movers import Mover
from costcompass_core.domain.subscriptions import Subscription


def versus(pace: Pace, what: str = "") -> str:
    """Return `12.3% above October`, with what it is compared with after that."""
    whose = f"{MONTH_NAMES[pace.through.month - 1]}{what}"
    if pace.change >= 2:
        return f"{1 + pace.change:.1f} times {whose}"
    if not pace.change:
        return f"the same as {whose}"
    side = "above" if pace.change > 0 else "below"
    return f"{words.percent(abs(pace.change))} {side} {whose}"


def plan_figure(plan: NextMonth, left_out: Sequence[Subscription]) -> Figure | None:
    """Return the plain rule's answer; `left_out` are subscriptions in other currencies."""
    if plan.total is None or plan.burn_per_day is None:
        return None
    rests_on = f"{words.usd(plan.burn_per_day)} a day × {plan.month.days} days"
    if plan.subscriptions:
        rests_on += f" + {words.usd(plan.subscriptions)} subscriptions"
    if left_out:
        rests_on += f", without {len(left_out)} in another currency"
    return Figure(plan.month.label, words.usd(plan.total), rests_on)


def mover_figure(mover: Mover, before: str) -> tuple[str, str]:
    """Return how much a model changed, and from what to what; `before` says "usually" or "was"."""
    cost = words.usd(mover.cost) if mover.cost else "nothing"
    if mover.new:
        return signed(mover.change), f"{cost}, new"
    usual = words.usd(mover.usual) if mover.usual else "nothing"
    return signed(mover.change), f"{cost}, {before} {usual}"


def signed(change: Usd) -> str:
    """Return an amount with its sign."""
    return f"+{words.usd(change)}" if change > ZERO else words.usd(change)


def restated_lines(days: Iterable[Restated], *, several: bool) -> list[str]:
    """Return a sentence for each restated day, naming the account where there are several."""
    return [
        f"{words.day(one.day)} was restated{f' for {one.account}' if several else ''}:"
        f" {words.usd(one.before)} → {words.usd(one.after)} ({signed(one.after - one.before)})."
        for one in days
    ]
