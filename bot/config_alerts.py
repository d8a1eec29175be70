"""What the user wants to be told, when and where: frozen values from the checked configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.letters import Desk, Route
from costcompass_core.domain.money import Usd
from costcompass_core.domain.quiet import QuietHours
from costcompass_core.domain.rules.views import Limits
from costcompass_core.usecases.watch import Watch

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As the configuration names them."""


@dataclass(frozen=True, slots=True)
class Digest:
    """When the digest comes: a local time, `None` for never, and weekdays (Monday is 0)."""

    time: time | None
    weekdays: frozenset[int]


@dataclass(frozen=True, slots=True)
class Alerts:
    """Everything about alerts and digests; `desk` says where they go.

    The two URLs are as secret as a token, for whoever knows them can post there: no repr has them.
    """

    limits: Limits
    budgets: tuple[Budget, ...]
    desk: Desk
    digest: Digest
    repeat_every: timedelta
    webhook_url: str
    heartbeat_url: str

    def __repr__(self) -> str:
        """Leave the addresses out of logs and tracebacks."""
        return f"Alerts({self.limits}, {self.budgets}, {self.desk}, {self.digest})"

    def watch(self, accounts: tuple[str, ...], since: datetime) -> Watch:
        """Return what is watched from `since` on."""
        reached = bool(self.desk.channel or self.desk.routes)
        return Watch(
            accounts,
            since,
            self.limits,
            self.budgets,
            self.repeat_every,
            (*(("slack",) if reached else ()), *(("webhook",) if self.webhook_url else ())),
        )


def alerts_from(raw: Mapping[str, Any], zone: ZoneInfo) -> Alerts:
    """Return the settings that a checked configuration holds."""
    told = raw["alerts"]
    return Alerts(
        Limits(
            tuple(dict.fromkeys(told["balance_below"])),
            _numbers(told["runway_below_days"]),
            told["notice_above"],
            told["byok_free_volume"],
            raw["refresh"]["balance"],
            raw["refresh"]["activity"],
            told["spike_above"],
            told["level_above"],
            told["drift_above"],
        ),
        tuple(_budget(one) for one in raw["budget"]),
        Desk(
            raw["slack"]["channel"],
            tuple(
                Route(one["to"], one["kind"], one["rule"], one["account"]) for one in raw["route"]
            ),
            _quiet(told["quiet_hours"], zone),
        ),
        Digest(
            raw["digest"]["time"],
            frozenset(WEEKDAYS.index(one) for one in raw["digest"]["weekdays"]),
        ),
        told["repeat_every"],
        told["webhook_url"],
        told["heartbeat_url"],
    )


def _budget(raw: Mapping[str, Any]) -> Budget:
    match = raw["match"] or {"account": None, "model": None, "provider": None}
    percents = _numbers(raw["alert_at_percent"])
    return Budget(
        raw["name"],
        raw["amount"],
        raw["per"],
        percents,
        match["account"],
        match["model"],
        match["provider"],
    )


def _numbers(levels: Iterable[Usd]) -> tuple[Decimal, ...]:
    """Return levels that are no money, each of them once."""
    return tuple(dict.fromkeys(one.amount for one in levels))


def _quiet(span: str, zone: ZoneInfo) -> QuietHours | None:
    if not span:
        return None
    start, end = (time.fromisoformat(one) for one in span.split("-"))
    return QuietHours(start, end, zone)
