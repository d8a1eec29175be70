"""`forecast accuracy` in sentences: in money first, beside the plain rule."""

from __future__ import annotations

from datetime import datetime

from bot import summary, words
from costcompass_core.domain.accuracy import AccuracyReport, Horizon, Off
from costcompass_core.domain.money import CENT, ZERO, Usd

_NAMES = {7: "a week", 30: "30 days"}
NOTE = (
    "Each day of the past forecasts the days after it by what was known then. The windows overlap,"
    " so one unusual week counts in several of them."
)


def headline(report: AccuracyReport) -> str:
    """Return how far the forecast was off, by the longest window that could be judged."""
    judged = [one for one in report.horizons if one.walk]
    if not judged:
        first = report.horizons[0]
        return (
            f"How far the forecast is off can't be told yet: that needs {first.needed} days of"
            f" history, and there are {report.known_days}."
        )
    return _sentence(judged[-1])


def lines(report: AccuracyReport) -> list[str]:
    """Return a sentence for each other window, and what the figures are."""
    told = [_sentence(one) for one in report.horizons if one.walk]
    waiting = [
        f"Forecasts of {_name(one)} are judged from {one.needed} days of history on;"
        f" there are {report.known_days}."
        for one in report.horizons
        if not one.walk
    ]
    if not told:
        return waiting[1:]
    return [*told[:-1], *(_lean(one) for one in report.horizons if one.walk), *waiting, NOTE]


def troubles(report: AccuracyReport, now: datetime) -> list[str]:
    """Return a sentence for every account whose data is old, absent or failing."""
    return summary.troubles(report.health, now)


def _sentence(one: Horizon) -> str:
    if one.walk is None or one.plain is None or one.actual is None:
        return ""
    return (
        f"Forecasts of {_name(one)} were off by {words.usd(one.walk.usd)} on average"
        f" ({_share(one.walk)}{words.usd(one.actual)}),"
        f" {_against(one.walk, one.plain)}."
    )


def _share(off: Off) -> str:
    return "" if off.share is None else f"{words.percent(off.share)} of "


def _against(walk: Off, plain: Off) -> str:
    """Return how the plain rule did in comparison."""
    share = "" if plain.share is None else f" ({words.percent(plain.share)})"
    told = f"{words.usd(plain.usd)}{share}"
    if walk.usd == plain.usd:
        return f"as much as the plain rule, {told}"
    side = "less" if walk.usd < plain.usd else "more"
    return f"{side} than the plain rule with {told}"


def _lean(one: Horizon) -> str:
    """Return from which days it is, in which direction it was off, and how the band did."""
    if one.walk is None or one.inside is None or one.first is None or one.last is None:
        return ""
    span = words.span(one.first, one.last)
    bias = one.walk.bias
    lean = "neither too high nor too low" if _small(bias) else _direction(bias)
    return (
        f"{_name(one).capitalize()}: {words.plural(one.origins, 'forecast')} made {span}, {lean} on"
        f" average; {words.percent(one.inside)} ended within their range of four in five."
    )


def _direction(bias: Usd) -> str:
    size = words.usd(Usd(abs(bias.amount)))
    return f"{size} too {'high' if bias > ZERO else 'low'}"


def _small(bias: Usd) -> bool:
    return abs(bias.amount) < CENT.amount


def _name(one: Horizon) -> str:
    return _NAMES.get(one.days, f"{one.days} days")
