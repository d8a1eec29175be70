"""`forecast accuracy` as a terminal shows it, and as JSON."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from bot import accuracy_words
from bot.terminal.paint import Paint, wrapped
from costcompass_core.domain.accuracy import AccuracyReport, Horizon, Off


def accuracy_text(report: AccuracyReport, now: datetime, _zone: tzinfo, paint: Paint) -> str:
    """Return the answer to `forecast accuracy` in at most 80 columns."""
    parts = [paint(wrapped(accuracy_words.headline(report), ""), "bold"), ""]
    notes = [*accuracy_words.lines(report), *accuracy_words.troubles(report, now)]
    return "\n".join([*parts, *(wrapped(one) for one in notes)]).rstrip() + "\n"


def accuracy_shape(report: AccuracyReport) -> dict[str, Any]:
    """Return the `forecast accuracy --json` object; what can't be judged yet is `None`."""
    return {
        "known_days": report.known_days,
        "horizons": [_horizon(one) for one in report.horizons],
        "data_through": None if report.data_through is None else str(report.data_through),
    }


def _horizon(one: Horizon) -> dict[str, Any]:
    return {
        "days": one.days,
        "needed_days": one.needed,
        "forecasts": one.origins,
        "first": None if one.first is None else str(one.first),
        "last": None if one.last is None else str(one.last),
        "actual_usd": None if one.actual is None else one.actual.text(),
        "forecast": _off(one.walk),
        "plain_rule": _off(one.plain),
        "inside_band": None if one.inside is None else str(one.inside),
    }


def _off(off: Off | None) -> dict[str, str | None] | None:
    if off is None:
        return None
    return {
        "off_usd": off.usd.text(),
        "share": None if off.share is None else str(off.share),
        "bias_usd": off.bias.text(),
    }
