"""Quiet hours: a span of local time, every day, in which only what cannot wait is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` up to `end` in `zone`; an `end` before `start` is on the next morning."""

    start: time
    end: time
    zone: tzinfo

    def until(self, now: datetime) -> datetime | None:
        """Return when the quiet hours around `now` end (UTC), `None` outside of them."""
        local = now.astimezone(self.zone)
        for began in (local.date() - timedelta(days=1), local.date()):
            ended = began if self.end > self.start else began + timedelta(days=1)
            first = datetime.combine(began, self.start, self.zone).astimezone(UTC)
            last = datetime.combine(ended, self.end, self.zone).astimezone(UTC)
            if first <= now < last:
                return last
        return None
