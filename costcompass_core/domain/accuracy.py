"""How far the forecast has been off: the account's own past, forecast again day by day.

Rolling origins: as if it were the evening of each past day, what was known by then forecasts the days
after it, and what they really cost judges it. Windows overlap, so their errors are not independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from costcompass_core.domain.burn import BURN_DAYS, Burn, History, burn_of
from costcompass_core.domain.days import ONE_DAY, each_day
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.movers import mean
from costcompass_core.domain.outlook import BAND_DAYS, LEVEL_DAYS, Outlook, estimate, outlook_of
from costcompass_core.domain.reports import Health, share_of

HORIZONS: Final = (7, 30)
"""Days ahead that are judged: a week, and about a month."""
MOST_ORIGINS: Final = 200
"""Origins of each horizon at most, the newest."""


@dataclass(frozen=True, slots=True)
class Off:
    """How far one method was off: USD on average, as a share of what came, and in which direction.

    `share` is `None` where nothing was spent.
    `bias` is the mean of forecast minus reality (USD): above zero it expected too much.
    """

    usd: Usd
    share: Decimal | None
    bias: Usd


@dataclass(frozen=True, slots=True)
class Horizon:
    """How forecasts of the next `days` UTC days did, made on `origins` days from `first` to `last`.

    `actual` is what the days cost on average (USD). `inside` is the share of forecasts of which it
    lay in the 80 % band. All are `None` where no day has enough history behind and ahead of it.
    """

    days: int
    origins: int
    first: date | None = None
    last: date | None = None
    actual: Usd | None = None
    walk: Off | None = None
    plain: Off | None = None
    inside: Decimal | None = None

    @property
    def needed(self) -> int:
        """Days of history that the first judgement needs."""
        return BAND_DAYS + self.days


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """The answer to `forecast accuracy`; `known_days` is how many days of history there are."""

    horizons: tuple[Horizon, ...]
    known_days: int
    data_through: date | None
    health: tuple[Health, ...]


class _Trial(NamedTuple):
    """One forecast and what came (USD)."""

    origin: date
    actual: Usd
    walk: Usd
    plain: Usd
    inside: bool


class _Evening(NamedTuple):
    """What was expected on an evening by what was known then."""

    outlook: Outlook | None
    burn: Burn | None


Evenings = dict[date, _Evening]
"""Shared by the horizons of one report: what was expected does not depend on how far one looks."""


def replay(
    history: History, days: int, most: int = MOST_ORIGINS, evenings: Evenings | None = None
) -> Horizon:
    """Return how forecasts of `days` days would have done on the newest `most` days they could."""
    newest_first = list(_trials(history, days, most, {} if evenings is None else evenings))
    if not newest_first:
        return Horizon(days, 0)
    count = len(newest_first)
    actual = Usd.total(one.actual for one in newest_first)
    inside = Usd.of(sum(one.inside for one in newest_first))
    return Horizon(
        days,
        count,
        newest_first[-1].origin,
        newest_first[0].origin,
        mean([one.actual for one in newest_first]),
        _off([one.walk - one.actual for one in newest_first], actual),
        _off([one.plain - one.actual for one in newest_first], actual),
        share_of(inside, Usd.of(count)),
    )


def _trials(history: History, days: int, most: int, evenings: Evenings) -> Iterator[_Trial]:
    """Yield the trials, the newest first: each with all days of its window known."""
    began, newest = history.began, history.through
    if began is None or newest is None:
        return
    spent, found = history.spent, 0
    origin = newest - timedelta(days=days)
    while origin >= began + timedelta(days=BAND_DAYS - 1) and found < most:
        ahead = [spent.get(day) for day in each_day(origin + ONE_DAY, origin + days * ONE_DAY)]
        known = [one for one in ahead if one is not None]
        trial = None
        if len(known) == days and origin in spent:
            if origin not in evenings:
                evenings[origin] = _evening(history, origin)
            trial = _trial(evenings[origin], origin, known)
        if trial is not None:
            found += 1
            yield trial
        origin -= ONE_DAY


def _evening(history: History, origin: date) -> _Evening:
    days = each_day(origin - (LEVEL_DAYS - 1) * ONE_DAY, origin)
    known = {day: history.spent[day] for day in days if day in history.spent}
    past = History(known, history.began)
    return _Evening(outlook_of(past), burn_of(past))


def _trial(evening: _Evening, origin: date, ahead: Sequence[Usd]) -> _Trial | None:
    """Forecast the days `ahead` from the evening of `origin`, as far as it could be done then."""
    outlook, burn = evening
    band = outlook.band(len(ahead)) if outlook else None
    if outlook is None or burn is None or burn.days < BURN_DAYS:
        return None
    expected, actual = outlook.over(origin + ONE_DAY, len(ahead)), Usd.total(ahead)
    ends = [estimate(expected * factor) for factor in band] if band else [estimate(expected)] * 2
    return _Trial(
        origin,
        actual,
        estimate(expected),
        Usd.of_ratio(burn.over(len(ahead))),
        ends[0] <= actual <= ends[1],
    )


def _off(errors: Sequence[Usd], actual: Usd) -> Off:
    sizes = [Usd(abs(one.amount)) for one in errors]
    share = share_of(Usd.total(sizes), actual) if actual else None
    return Off(mean(sizes) or ZERO, share, mean(errors) or ZERO)
