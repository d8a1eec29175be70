"""What people press on an incident's message: acknowledge, snooze, and take either back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from costcompass_core.domain.incidents import (
    Change,
    Incident,
    Snooze,
    acknowledged,
    snoozed,
    unacknowledged,
    woken,
)
from costcompass_core.storage.incidents import incidents_by_id
from costcompass_core.storage.outbox import Via
from costcompass_core.storage.store import Store
from costcompass_core.usecases.watch import write_change

Press = Callable[[Incident, str, datetime], Change]


def _snooze(kind: Snooze) -> Press:
    return lambda incident, who, now: snoozed(incident, kind, who, now)


PRESSES: Final[Mapping[str, Press]] = {
    "acknowledge": acknowledged,
    "unacknowledge": unacknowledged,
    "snooze_4h": _snooze("4h"),
    "snooze_24h": _snooze("24h"),
    "snooze_top_up": _snooze("top_up"),
    "wake": woken,
}
"""What can be pressed, by the word in a button's `action_id`."""


def press(
    store: Store, ident: int, what: str, *, who: str, now: datetime, ways: Sequence[Via]
) -> Incident | None:
    """Do what was pressed and return the incident, `None` where there is no such incident.

    An incident that is resolved meanwhile only gets its message drawn again. Raises `StorageError`.
    """
    with store.writing() as tx:
        incident = incidents_by_id(tx, [ident]).get(ident)
        if incident is None:
            return None
        change = (
            PRESSES[what](incident, who, now)
            if incident.resolved_at is None
            else Change("refreshed", incident)
        )
        return write_change(tx, change, now, ways)
