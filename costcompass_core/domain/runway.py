"""How long a balance lasts: a walk over the expected days until it is used up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext
from itertools import accumulate
from typing import Final, NamedTuple

from costcompass_core.domain.days import ONE_DAY, midnight, utc_day
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.outlook import ROUGH, WEEK, Band, Outlook

BAND_REACHES: Final = 90
"""Days ahead up to which the band still opens; beyond, its factors stay as they are."""
_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS: Final = ONE_DAY // _MICROSECOND
_NONE: Final = Decimal(0)
_ONE: Final = Decimal(1)


class Walk(NamedTuple):
    """Days until a balance is used up, as expected and at the two ends of the 80 % band.

    In one case out of ten it is used up before `early`, and in one after `late`; both are `None`
    under 14 days of history.
    """

    days: Decimal
    early: Decimal | None
    late: Decimal | None


def walk(outlook: Outlook, left: Usd, at: datetime) -> Walk | None:
    """Return how many days from the moment `at` (UTC) on `left` lasts, `None` where nothing burns.

    The first day counts with the part of it that is left. The ends of the band are where the
    expected sum, times the band's factor for that many days, reaches `left` for the first time.
    """
    if outlook.whole_week <= 0:
        return None
    if left <= ZERO:
        nothing = None if outlook.band(1) is None else _NONE
        return Walk(_NONE, nothing, nothing)
    with localcontext(ROUGH):
        way, amount = _Way(outlook, at), +left.amount
        days = way.reaches(amount)
        if outlook.band(1) is None:
            return Walk(days, None, None)
        least = min(int(days), BAND_REACHES)  # the early end is before it, the late one after
        return Walk(
            days,
            way.reaches(amount, _high, most=min(least + 2, BAND_REACHES)),
            way.reaches(amount, _low, least=least),
        )


Factor = Callable[[Band], Decimal]


def _high(band: Band) -> Decimal:
    return band.high


def _low(band: Band) -> Decimal:
    return band.low


class _Way:
    """The sums (USD) that are expected by each midnight (UTC) after the moment `at`."""

    def __init__(self, outlook: Outlook, at: datetime) -> None:
        today = utc_day(at)
        ahead = midnight(today + ONE_DAY) - at
        self._outlook = outlook
        self._part = Decimal(ahead // _MICROSECOND) / _MICROSECONDS
        start = today.weekday()
        days = (outlook.week * (BAND_REACHES // WEEK + 2))[start : start + BAND_REACHES]
        self._sums = list(accumulate((days[0] * self._part, *days[1:]), initial=_NONE))

    def reaches(
        self,
        left: Decimal,
        factor: Factor | None = None,
        least: int = 0,
        most: int = BAND_REACHES,
    ) -> Decimal:
        """Return after how many days the sum, times the factor for that many days, reaches `left`.

        It is looked for between the midnights `least` and `most`, where it is surely reached.
        Beyond `BAND_REACHES` days the factor stays as it is there. Where the sum dips, because the
        next day is expected to cost nearly nothing, it is one of the days around the dip.
        """
        if factor is None:
            weeks = (left / self._outlook.whole_week).to_integral_value(ROUND_FLOOR)
            left -= weeks * self._outlook.whole_week  # so that few days are left to search
            return weeks * WEEK + self._search(max(left, _NONE), None, 0, WEEK + 1)
        farthest = self._sum(BAND_REACHES, factor)
        if farthest >= left:
            return self._search(left, factor, least, most)
        return self.reaches(left * self._sums[-1] / farthest)

    def _sum(self, midnights: int, factor: Factor | None) -> Decimal:
        if not (factor and midnights):
            return self._sums[midnights]
        return self._sums[midnights] * factor(self._outlook.bands(midnights))

    def _search(self, left: Decimal, factor: Factor | None, least: int, most: int) -> Decimal:
        """Return when `left` is reached, on a straight line between the midnights around it."""
        sums = range(1, most + 1)
        before = bisect_left(sums, left, lo=least, key=lambda one: self._sum(one, factor))
        below, above = self._sum(before, factor), self._sum(before + 1, factor)
        within = (left - below) / (above - below) if above > below else _NONE
        started = self._part + before - 1 if before else _NONE
        return started + within * (_ONE if before else self._part)
