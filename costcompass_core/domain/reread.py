"""What to believe when a day is read again: rows arrive late, are corrected, and glitch away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Final

from costcompass_core.domain.days import ONE_DAY, each_day, midnight, newest_completed
from costcompass_core.domain.usage import Usage

REREAD_DAYS: Final = 3
"""Newest completed UTC days that a refresh usually asks for again: that is how late corrections come."""
SETTLES_AFTER: Final = timedelta(hours=6)
"""How long after its end a day without rows counts as unreported rather than as zero."""


class Verdict(Enum):
    """What becomes of a day that was asked for."""

    REPLACE = "replace"
    """Store what was reported in place of what was there."""
    SAME = "same"
    """Nothing changed; only note that it was read."""
    DOUBT = "doubt"
    """A day with rows came back empty for the first time: keep the rows until it is said again."""
    UNREPORTED = "unreported"
    """No rows yet of a day that just ended: unknown, which is not zero."""


def days_to_ask(
    read: Collection[date], today: date, window: int, reread: int = REREAD_DAYS
) -> list[date] | None:
    """Return the completed UTC days a refresh asks for: the new ones and the newest `reread`.

    `None` stands for everything on offer, which is what a first read wants. Days of the window that
    were never read count as new, however old they are.
    """
    if not read:
        return None
    newest = newest_completed(today)
    again = newest - (reread - 1) * ONE_DAY
    return [
        day
        for day in each_day(newest - (window - 1) * ONE_DAY, newest)
        if day >= again or day not in read
    ]


def judge(
    day: date,
    reported: Sequence[Usage],
    stored: Sequence[Usage] | None,
    *,
    emptied_before: bool,
    now: datetime,
    final_after: timedelta = timedelta(0),
) -> Verdict:
    """Decide what to do with the rows `reported` for `day`, given those `stored` (`None`: unread).

    `emptied_before` says that the refresh before this one already found the day empty, and
    `final_after` how long after its end the rows of a day may still come.
    """
    if reported:
        same = stored is not None and same_rows(reported, stored)
        return Verdict.SAME if same and not emptied_before else Verdict.REPLACE
    if stored:
        return Verdict.REPLACE if emptied_before else Verdict.DOUBT
    if stored is None and now < midnight(day) + ONE_DAY + max(final_after, SETTLES_AFTER):
        return Verdict.UNREPORTED
    return Verdict.SAME if stored is not None else Verdict.REPLACE


def same_rows(ones: Sequence[Usage], others: Sequence[Usage]) -> bool:
    """Return whether two readings of a day say the same, however the amounts are written."""

    def said(rows: Sequence[Usage]) -> set[Usage]:
        return {row if row.raw is None else row._replace(raw=None) for row in rows}

    return len(ones) == len(others) and said(ones) == said(others)


def growing(days: Collection[date], now: datetime, final_after: timedelta) -> set[date]:
    """Return those of the days whose rows may still grow at `now`."""
    return {day for day in days if now < midnight(day) + ONE_DAY + final_after}
