"""Rules about what keeps the figures coming: fresh data, a good key, an open vault, free BYOK."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from costcompass_core.domain.days import ONE_DAY, midnight
from costcompass_core.domain.facts import Fact, Facts
from costcompass_core.domain.reread import SETTLES_AFTER
from costcompass_core.domain.rules.views import (
    AHEAD,
    RELIEVED,
    STALE_AFTER,
    AccountView,
    DayState,
    Finding,
    Limits,
    PartState,
    SystemView,
    is_fresh,
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
    read_at = activity.succeeded_at if activity else None
    if read_at is None or not is_fresh(read_at, view.now, STALE_AFTER * limits.activity_every):
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
    return Finding(level, holds, len(BYOK_PERCENTS), facts, read_at)


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
        if parts and part not in parts:
            continue  # the provider has none to read
        state = parts.get(part)
        good = state.succeeded_at if state else None
        if good is not None and good > view.now + AHEAD:
            good = None  # by a clock that was set back since
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
    """Return the facts of the newest day that is due by now, where its usage is missing."""
    if view.slow:
        return None  # its days come when they come; the refresh itself is watched
    late = SETTLES_AFTER + _LANDS_LATE + limits.activity_every
    due = next((one for one in view.days if view.now >= midnight(one.day + ONE_DAY) + late), None)
    known = view.burn.end if view.burn else None
    if due is None or known is None or not _is_missing(due, limits):
        return None
    return {"part": "day", "day": due.day, "known": min(known, due.day - ONE_DAY)}


def _is_missing(day: DayState, limits: Limits) -> bool:
    """Return whether a day was not read, or has no rows at all though the balance lost money."""
    if day.reported is None:
        return True
    return not day.reported and day.unreported >= limits.notice_above


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
