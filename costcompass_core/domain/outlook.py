"""What the coming days are expected to cost: a recent level with a weekly rhythm, and its band.

The level is an exponentially weighted mean of the last 60 days whose weights halve every 7 days. Each
weekday's factor is its mean over the last 28 days relative to that of all, drawn towards 1 as if it
had been seen four more times at the usual amount, for four Mondays say little about Mondays. Both
were compared with a dozen other methods on real daily series (docs/forecast.md has the figures).

These are estimates, so decimals are rounded here, to 28 digits; what was reported never passes through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, repeat
from typing import Final, NamedTuple

from costcompass_core.domain.burn import History
from costcompass_core.domain.money import Usd, half_even

LEVEL_DAYS: Final = 60
WEEK: Final = 7
_HALVES_EVERY: Final = 7
_RHYTHM_DAYS: Final = 28
_DRAWN: Final = 4
"""How many more times a weekday counts as seen at the usual amount."""
BAND_DAYS: Final = 14
"""Days of history from which on a band is told."""

ROUGH: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
"""The context of estimates; unlike the one for money it may round."""
_FADES: Final = ROUGH.power(Decimal(2), ROUGH.divide(Decimal(-1), Decimal(_HALVES_EVERY)))
_WEIGHTS: Final = tuple(
    accumulate(repeat(_FADES, LEVEL_DAYS - 1), ROUGH.multiply, initial=Decimal(1))
)
"""How much a day counts in the level, by its age."""
_WEIGHED: Final = tuple(accumulate(_WEIGHTS, ROUGH.add, initial=Decimal(0)))
"""How much the newest days count together, by their number."""
_MOST_SPREAD: Final = Decimal(2)
_FLOOR: Final = Decimal("0.12") ** 2
_BELOW: Final = Decimal("1.5")
_ABOVE: Final = Decimal("2.5")
_BY_DAY: Final = ROUGH.divide(Decimal(1), Decimal(WEEK))
_NONE: Final = Decimal(0)


class Band(NamedTuple):
    """Factors around an expected sum between which the real one lies four times out of five."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Outlook:
    """What days are expected to cost, by what is known of `days` UTC days up to `through`.

    `week` is the expected USD of each weekday, Monday first. `spread` is the coefficient of variation
    of the last 28 days, `None` with fewer than two.
    """

    through: date
    days: int
    week: tuple[Decimal, ...]
    spread: Decimal | None

    def day(self, day: date) -> Decimal:
        """Return the USD that the UTC day is expected to cost."""
        return self.week[day.weekday()]

    def over(self, first: date, days: int) -> Decimal:
        """Return the USD that `days` UTC days from `first` on are expected to cost together."""
        weeks, rest = divmod(days, WEEK)
        start = first.weekday()
        with localcontext(ROUGH):
            return weeks * self.whole_week + sum((self.week * 2)[start : start + rest], _NONE)

    def band(self, days: int) -> Band | None:
        """Return the 80 % band of what `days` days in a row cost together, as factors.

        `None` under 14 days of history. With c for the spread, at most 2, and h for the days:

            s = sqrt(0.12^2 + c^2 (1/28 + 1/h)),  low = max(0, 1 - 1.5 s),  high = 1 + s (2.5 + h/7)

        s is the error of a mean of 28 days and the noise of h more, with a floor. No normal
        distribution is assumed: spend grows more often than it fades, so the upper side opens by the
        week. The constants are calibrated on real and made-up daily series (docs/forecast.md).
        """
        if self.days < BAND_DAYS or self.spread is None:
            return None
        with localcontext(ROUGH):
            return self.bands(days)

    def bands(self, days: int) -> Band:
        """Return the same where there surely is one, by the caller's decimal context."""
        level, noise = self._squares
        sigma = (level + noise / days).sqrt()
        low = 1 - _BELOW * sigma
        return Band(low if low > 0 else _NONE, 1 + sigma * (_ABOVE + days * _BY_DAY))

    @cached_property
    def _squares(self) -> tuple[Decimal, Decimal]:
        """The squared errors of the level, and of one day around it."""
        noise = min(self.spread or _NONE, _MOST_SPREAD) ** 2
        return _FLOOR + noise / _RHYTHM_DAYS, noise

    @cached_property
    def whole_week(self) -> Decimal:
        """The USD of any seven days in a row."""
        with localcontext(ROUGH):
            return sum(self.week, _NONE)


def outlook_of(history: History) -> Outlook | None:
    """Return what the days after a history are expected to cost, `None` without a known day."""
    through = history.through
    if through is None:
        return None
    with localcontext(ROUGH):
        known = _known(history, through)
        recent = [cost for age, cost in known if age < _RHYTHM_DAYS]
        mean = sum(recent, _NONE) / (len(recent) or 1)
        if mean <= 0:
            return Outlook(through, len(known), (_NONE,) * WEEK, None)
        level = _level(known)
        week = tuple(max(level * factor, _NONE) for factor in _rhythm(known, mean, through))
        return Outlook(through, len(known), week, _spread(recent, mean))


def _known(history: History, through: date) -> list[tuple[int, Decimal]]:
    """Return the age in days and the cost of each known day that counts, newest first."""
    ages = LEVEL_DAYS
    if history.began is not None:
        ages = min(ages, max((through - history.began).days + 1, 1))
    newest, spent = through.toordinal(), history.spent
    days = [spent.get(date.fromordinal(newest - age)) for age in range(ages)]
    return [(age, cost.amount) for age, cost in enumerate(days) if cost is not None]


def _level(known: Sequence[tuple[int, Decimal]]) -> Decimal:
    """Return the mean (USD a day) in which a day counts half as much as one a week later."""
    spent = sum([_WEIGHTS[age] * cost for age, cost in known], _NONE)
    whole = known[-1][0] == len(known) - 1  # no day between is unknown, as nearly always
    weights = _WEIGHED[len(known)] if whole else sum([_WEIGHTS[age] for age, _ in known], _NONE)
    return spent / weights


def _rhythm(
    known: Sequence[tuple[int, Decimal]], mean: Decimal, through: date
) -> Iterator[Decimal]:
    """Yield each weekday's factor, Monday first; they average 1."""
    sums, seen, newest = [_DRAWN * mean] * WEEK, [_DRAWN] * WEEK, through.weekday()
    for age, cost in known:
        if age < _RHYTHM_DAYS:
            sums[(newest - age) % WEEK] += cost
            seen[(newest - age) % WEEK] += 1
    means = [total / count for total, count in zip(sums, seen, strict=True)]
    whole = sum(means, _NONE)
    for one in means:
        yield one * WEEK / whole


def _spread(costs: Sequence[Decimal], mean: Decimal) -> Decimal | None:
    if len(costs) < 2:
        return None
    squares = sum([cost * cost for cost in costs], _NONE) - len(costs) * mean * mean
    return (max(squares, _NONE) / (len(costs) - 1)).sqrt() / mean


def estimate(amount: Decimal) -> Usd:
    """Return an estimated amount (USD), to 12 decimals, half-even."""
    over, under = amount.as_integer_ratio()  # as `rounded`, without looking for common divisors
    return Usd.of_ratio(Fraction(half_even(over * 10**12, under), 10**12))


def rounded(figure: Decimal, places: int) -> Fraction:
    """Return a figure to `places` decimals, half-even, however large it is.

    `Decimal` itself refuses where the digits before and after the point exceed its context.
    """
    return Fraction(round(Fraction(figure) * 10**places), 10**places)
