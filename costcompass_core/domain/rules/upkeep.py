"""Rules about what keeps the figures coming: fresh data, a good key, an open vault, free BYOK."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from costcompass_core.domain.days import ONE_DAY, midnight, newest_completed, utc_day
from costcompass_core.domain.facts import Fact, Facts
from costcompass_core.domain.reread import SETTLES_AFTER
from costcompass_core.domain.rules.views import (
    RELIEVED,
    STALE_AFTER,
    AccountView,
    Finding,
    Limits,
    PartState,
    SystemView,
    tenths,
)

BYOK_PERCENTS: Final = (Decimal(80), Decimal(100))
"""Per cent of the free BYOK volume that are told."""
LOCKED_FOR: Final = timedelta(minutes=10)
"""How long a daemon may wait for its passphrase before that is an incident."""
_LANDS_LATE: Final = timedelta(hours=2)
"""How long after a day has settled its absence is an incident."""


def byok_volume(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether this month's list-price volume under own keys nears what is free of a fee."""
    activity = (view.parts or {}).get("activity")
    if activity is None or activity.succeeded_at is None or _late(activity, view, limits):
        return None
    percent = view.byok_month.ratio() / limits.byok_free.ratio() * 100
    level = sum(percent >= one for one in BYOK_PERCENTS)
    facts: dict[str, Fact] = {
        "spent": view.byok_month,
        "amount": limits.byok_free,
        "percent": tenths(percent),
        "crossed": BYOK_PERCENTS[:level],
    }
    holds = sum(percent >= Fraction(one) * RELIEVED for one in BYOK_PERCENTS)
    return Finding(level, holds, len(BYOK_PERCENTS), facts, activity.succeeded_at)


def _late(activity: PartState, view: AccountView, limits: Limits) -> bool:
    return view.now - (activity.succeeded_at or view.since) > STALE_AFTER * limits.activity_every


_OWN_RULE: Final = frozenset({"key_rejected", "wrong_key_type", "vault_locked"})
"""Reasons of failure that have a rule of their own: one problem is one incident."""


def data_stale(view: AccountView, limits: Limits) -> Finding | None:
    """Say whether a part was not refreshed for three intervals, or the newest day is overdue."""
    parts = view.parts or {}
    if any(one.reason in _OWN_RULE for one in parts.values()):
        return None
    found = _stale_part(parts, view, limits) or _overdue(view, limits)
    if found is None:
        return Finding(0, 0, 1, {}, view.now)
    # Just started, or woken from sleep: what looks old may be read in a moment.
    part = "balance" if found["part"] == "balance" else "activity"
    patience = STALE_AFTER * _intervals(limits)[part]
    return Finding(1, 1, 1, found, view.now) if view.now - view.since >= patience else None


def _intervals(limits: Limits) -> dict[str, timedelta]:
    return {"balance": limits.balance_every, "activity": limits.activity_every}


def _stale_part(parts: Mapping[str, PartState], view: AccountView, limits: Limits) -> Facts | None:
    """Return the facts of the first part without a good refresh for three intervals."""
    for part, every in _intervals(limits).items():
        state = parts.get(part)
        good = state.succeeded_at if state else None
        if view.now - (good or view.since) < STALE_AFTER * every:
            continue
        facts: dict[str, Fact] = {"part": part}
        if good is not None:
            facts["good_at"] = good
        if state is not None and state.error:
            facts["error"] = state.error
        return facts
    return None


def _overdue(view: AccountView, limits: Limits) -> Facts | None:
    """Return the facts of a newest completed day that should have been read by now."""
    newest = newest_completed(utc_day(view.now))
    settled = midnight(newest + ONE_DAY) + SETTLES_AFTER + _LANDS_LATE + limits.activity_every
    known = view.burn.end if view.burn else None
    if known is None or known >= newest or view.now < settled:
        return None
    return {"part": "day", "day": newest, "known": known}


def key_rejected(view: AccountView, _limits: Limits) -> Finding | None:
    """Say whether the provider refuses the account's key, or it is of a kind that can't read spend."""
    parts = list((view.parts or {}).values())
    for part in parts:
        if part.reason in {"key_rejected", "wrong_key_type"}:
            facts: dict[str, Fact] = {"reason": part.reason, "error": part.error or ""}
            return Finding(1, 1, 1, facts, part.tried_at)
    if any(part.failures for part in parts) or not parts:
        return None
    return Finding(0, 0, 1, {}, view.now)


def vault_locked(view: SystemView, _limits: Limits) -> Finding | None:
    """Say whether the daemon has been waiting for its passphrase for a while."""
    if view.locked_since is None or view.now - view.locked_since < LOCKED_FOR:
        return Finding(0, 0, 1, {}, view.now)
    return Finding(1, 1, 1, {"since": view.locked_since}, view.now)
