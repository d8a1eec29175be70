"""The digest as a terminal shows it: the sentence first, its figures under it."""

from __future__ import annotations

from datetime import datetime, tzinfo

from bot import alert_words
from bot.digest_words import daily as digest_words
from bot.digest_words.pieces import mover_figure
from bot.digest_words.prices import news_line
from bot.terminal.figures import figure_line, shown
from bot.terminal.paint import Paint, wrapped
from bot.terminal.reports import timeline_line
from costcompass_core.domain.digest import DigestReport
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.timeline import daily

_NAME = 32
"""Columns of a model's name."""


def digest_text(report: DigestReport, now: datetime, zone: tzinfo, paint: Paint) -> str:
    """Return a digest in at most 80 columns."""
    parts = [paint(wrapped(digest_words.headline(report), ""), "bold"), ""]
    parts += [_incident(one, zone, paint) for one in report.incidents]
    parts += [""] if report.incidents else []
    parts += [shown(one, zone, paint) for one in digest_words.figures(report)]
    if picture := timeline_line(daily(report.outlook.recent), paint):
        parts += ["", picture]
    parts += _movers(report, paint)
    parts += _prices(report, paint)
    parts.append("")
    parts += [wrapped(note) for note in digest_words.notes(report)]
    parts.append(paint(wrapped(digest_words.footer(report, now, zone)), "dim"))
    return "\n".join(parts) + "\n"


def _incident(incident: Incident, zone: tzinfo, paint: Paint) -> str:
    line = wrapped(alert_words.line(incident, zone), "    ")
    return f"  {paint('!', 'red' if incident.critical else 'yellow')}{line[3:]}"


def _movers(report: DigestReport, paint: Paint) -> list[str]:
    if not report.movers:
        return []
    lines = ["", paint(f"  {digest_words.movers_title(report)}", "dim")]
    for one in report.movers:
        change, rests_on = mover_figure(one, "usually")
        lines.append(figure_line(one.name, change, rests_on, paint, room=_NAME))
    return lines


def _prices(report: DigestReport, paint: Paint) -> list[str]:
    if not report.prices:
        return []
    lines = ["", paint(f"  {digest_words.PRICES_TITLE}", "dim")]
    return lines + [wrapped(news_line(one, report.day)) for one in report.prices]
