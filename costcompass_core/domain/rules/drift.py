"""Rules about traffic that moved to dearer places: another model, or another host of the same one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from costcompass_core.domain.attribution import Attribution, Shift, Slice
from costcompass_core.domain.facts import Fact
from costcompass_core.domain.mixbound import mix_at_most
from costcompass_core.domain.money import Usd, exact_sum
from costcompass_core.domain.past import (
    WEEK,
    Used,
    before_week,
    compare_hosts,
    compare_week,
    in_week,
)
from costcompass_core.domain.rules.unusual import (
    lacks_rows,
    least_over,
    past_is_known,
    stood_out,
    usage_read_at,
)
from costcompass_core.domain.rules.views import AccountView, Finding, Limits

DEARER: Final = Fraction(1, 5)
"""By how much moved traffic raises the price of a mean token before that is told."""
DRIFT_LASTS: Final = timedelta(days=14)
_OF_MONTH: Final = Fraction(1, 20)
_OF_MODEL: Final = Fraction(1, 5)
_ENOUGH: Final = 100
"""A hundredth of the tokens that moved has to say what the usual host cost."""


def routing_drift(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether traffic that moved between models makes a mean token a fifth dearer."""
    floor, compared = limits.drift_above, _compared(view, limits)
    if compared is None:
        return None
    base, used = compared
    least = least_over(base, floor, _OF_MONTH)
    if mix_at_most(used) < least:
        return _none(view)
    week = compare_week(used, len(base))
    mix, at_old_mix = _mix(week.found)
    if mix / week.days < least or mix < DEARER * at_old_mix:
        return _none(view)
    to = max(_told(week.found), key=_moved_in)
    left = min(_told(week.found), key=lambda one: _share_gained(one, week.found))
    facts: dict[str, Fact] = {
        **_window(view),
        "to": to.name,
        "left": left.name,
        "over": Usd.of_ratio(mix / week.days),
        "spent": Usd.of_ratio((at_old_mix + mix) / week.days),
        "usual": Usd.of_ratio(at_old_mix / week.days),
        "days": len(base),
        "least": Usd.of_ratio(least),
        "floor": floor,
    }
    if at_old_mix:
        facts["dearer"] = Usd.of_ratio(mix / at_old_mix * 100).amount
    return _found(view, facts)


def fallback_routing(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether a model's traffic moved to a dearer host, of the model where that cost most."""
    floor, compared = limits.drift_above, _compared(view, limits)
    if compared is None:
        return None
    base, used = compared
    moves = [_move(model, rows, len(base), floor) for model, rows in _by_model(used).items()]
    worst = max((one for one in moves if one), key=lambda one: (one.over, one.model), default=None)
    if worst is None:
        return _none(view)
    facts: dict[str, Fact] = {
        **_window(view),
        "model": worst.model,
        "to": worst.to,
        "left": worst.usual,
        "price": Usd.of_ratio(worst.price * 1_000_000),
        "usual_price": Usd.of_ratio(worst.usual_price * 1_000_000),
        "over": Usd.of_ratio(worst.over),
        "days": len(base),
        "least": Usd.of_ratio(worst.least),
        "floor": floor,
    }
    return _found(view, facts)


class _Move(NamedTuple):
    model: str
    usual: str
    to: str
    usual_price: Fraction
    price: Fraction
    over: Fraction
    least: Fraction


def _move(model: str, rows: Sequence[Used], base_days: int, floor: Usd) -> _Move | None:
    """Return what a model's traffic at dearer hosts than its usual one cost more."""
    recent = [one for one in rows if in_week(one)]
    spent = exact_sum(one.amounts.cost for one in recent)
    if spent < floor.amount or len({one.host for one in rows}) < 2:
        return None
    least = max(floor.ratio(), Fraction(spent) * _OF_MODEL)
    if mix_at_most(rows, by_host=True) < least:
        return None
    compared = compare_hosts(rows, base_days)
    over = _mix(compared.found)[0] / compared.days
    told = _told(compared.found)
    if over < least or not told:
        return None
    usual = max(told, key=lambda one: one.before.tokens or 0)
    to = max(told, key=_moved_in)
    old, new = _price(usual.before), _price(to.after)
    if to is usual or old is None or new is None or not _is_dearer(rows, usual, to):
        return None
    return _Move(model, usual.name, to.name, old, new, over, least)


def _is_dearer(rows: Sequence[Used], usual: Shift, to: Shift) -> bool:
    """Return whether a mean token costs surely more now than usually, by the rates of the host."""
    old, new = _price(usual.before), _price(to.after)
    longer = _by_composition(rows, usual.name, to.name)
    enough = (usual.before.tokens or 0) * _ENOUGH >= (to.after.tokens or 0)
    return enough and bool(old and new and longer and new > old * longer)


def _by_composition(rows: Sequence[Used], usual: str, to: str) -> Fraction | None:
    """Return how many times as much a token may cost at `to` for no more than longer answers.

    A mean token costs p * s + c * (1 - s), with s the share of prompts: at the same two prices it
    grows no more than the share of prompts or that of answers does. `None` where there is no bound.
    """
    before = _split(one for one in rows if before_week(one) and one.host == usual)
    after = _split(one for one in rows if in_week(one) and one.host == to)
    grown = []
    for old, new in zip(before, after, strict=True):
        if new and not old:
            return None
        if new:
            grown.append(Fraction(new * sum(before), old * sum(after)))
    return max(grown, default=None)


def _split(used: Iterable[Used]) -> tuple[int, int]:
    """Return the tokens of prompts and of answers."""
    sides = [(one.amounts.prompt_tokens or 0, one.amounts.completion_tokens or 0) for one in used]
    return sum(one for one, _ in sides), sum(one for _, one in sides)


def _by_model(used: Sequence[Used]) -> dict[str, list[Used]]:
    """Return what is known to have been used at some host, by model."""
    found: dict[str, list[Used]] = {}
    for one in used:
        if one.host:
            found.setdefault(one.amounts.name, []).append(one)
    return found


def _compared(view: AccountView, limits: Limits) -> tuple[list[Usd], Sequence[Used]] | None:
    """Return the 28 days before the last 7 and who was used since, where all of it is known.

    In a week with a day that stood out nothing is judged: a burst is no drift, and has its own alert.
    """
    past, used = view.past, view.used
    if past is None or used is None or not past.read or not past_is_known(view, limits):
        return None
    base = past.base(WEEK)
    if base is None or past.week(0) is None:
        return None
    if lacks_rows(view, least_over(base, limits.drift_above, _OF_MONTH)):
        return None
    burst = any(stood_out(past, age, limits.spike_above) for age in range(WEEK))
    return None if burst else (base, used)


def _told(found: Attribution) -> list[Shift]:
    return [one for one in found.shifts if one.effects is not None]


def _mix(found: Attribution) -> tuple[Fraction, Fraction]:
    """Return what the mix changed, and what the new tokens would have cost in the old mix."""
    mix = (found.total.mix - found.untold).ratio()
    before = Usd.total(one.before.cost for one in _told(found))
    return mix, (before + found.total.volume).ratio()


def _moved_in(one: Shift) -> Fraction:
    return one.effects.mix.ratio() if one.effects else Fraction(0)


def _share_gained(one: Shift, found: Attribution) -> Fraction:
    before = sum(each.before.tokens or 0 for each in _told(found)) or 1
    after = sum(each.after.tokens or 0 for each in _told(found)) or 1
    return Fraction(one.after.tokens or 0, after) - Fraction(one.before.tokens or 0, before)


def _price(one: Slice) -> Fraction | None:
    """Return what a token cost (USD)."""
    return one.cost.ratio() / one.tokens if one.tokens else None


def _window(view: AccountView) -> dict[str, Fact]:
    return {"first": view.past.day(WEEK - 1)} if view.past else {}


def _found(view: AccountView, facts: dict[str, Fact]) -> Finding:
    new = int(view.past is not None and view.past.newest >= view.past.watched)
    return Finding(new, 1, 1, facts, usage_read_at(view), lasts=DRIFT_LASTS, once=True)


def _none(view: AccountView) -> Finding:
    return Finding(0, 0, 1, {}, usage_read_at(view), lasts=DRIFT_LASTS, once=True)
