"""What becomes of the models on offer from some moment on: prices, ends, removals, odd entries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


class Shelf:
    """Changes of the list, each from its moment (UTC) on."""

    def __init__(self) -> None:
        self._changes: list[tuple[datetime, str, dict[str, Any]]] = []
        self._odd: list[Any] = []

    def price(self, model: str, at: datetime = _ALWAYS, **prices: str) -> None:
        """Change prices of `model` (wire names, USD per token as text, "-1" for varying ones)."""
        self._changes.append((at, model, {"pricing": prices}))

    def expire(self, model: str, day: str | None, at: datetime = _ALWAYS) -> None:
        """Announce that `model` may be removed after `day`, or with `None` that it stays."""
        self._changes.append((at, model, {"expiration_date": day}))

    def remove(self, model: str, at: datetime = _ALWAYS, until: datetime | None = None) -> None:
        """Take `model` off the list, and put it back at `until`."""
        self._changes.append((at, model, {"gone": True}))
        if until is not None:
            self._changes.append((until, model, {"gone": False}))

    def add_odd(self, entry: Any) -> None:
        """List an entry as it is."""
        self._odd.append(entry)

    def shown(self, listed: list[dict[str, Any]], now: datetime) -> list[Any]:
        """Return the list as it is at `now`."""
        found = {one["id"]: {**one, "expiration_date": None} for one in listed}
        for at, model, change in self._changes:
            if at <= now and model in found:
                prices = found[model]["pricing"] | change.get("pricing", {})
                found[model] |= {**change, "pricing": prices}
        kept = (one for one in found.values() if not one.pop("gone", False))
        return [*kept, *self._odd]
