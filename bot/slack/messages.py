"""Reports to Block Kit: pure, plain dicts. The first line is the state and the number."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from bot import forecast_words, summary, words
from bot.slack.blocks import Message, bullets, button, context, section
from bot.slack.words import escape, fenced
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import SpendReport, SpendRow, tokens_of

_ROWS: Final = 12
"""Ranked rows in one message; the rest is one line with its sum."""


def spend_message(report: SpendReport, now: datetime) -> Message:
    """Return the answer to `/spend`."""
    headline = escape(summary.spend_headline(report, fenced))
    blocks = [section(f"*{headline}*")]
    if report.rows:
        blocks.append(section("\n".join(_ranking(report))))
    if notes := summary.spend_notes(report, now):
        blocks.append(bullets(escape(note) for note in notes))
    source = summary.spend_source(report, now)
    return Message(headline, (*blocks, context(escape(source))))


def _ranking(report: SpendReport) -> list[str]:
    rows = report.rows
    if report.query.by == "day":
        rows = tuple(sorted(rows, key=lambda one: one.name, reverse=True))
    lines = [_row(place, row) for place, row in enumerate(rows[:_ROWS], 1)]
    if rest := rows[_ROWS:]:
        left = escape(words.usd(Usd.total(one.cost for one in rest)))
        lines.append(f"and {words.plural(len(rest), 'other')} with {left} together")
    return lines


def _row(place: int, row: SpendRow) -> str:
    counts = row.counts
    told = [words.percent(row.share)]
    if counts.requests is not None:
        told.append(f"{words.count(counts.requests)} requests")
    if (tokens := tokens_of(counts)) is not None:
        told.append(f"{words.count(tokens)} tokens")
    return f"{place}. *{escape(words.usd(row.cost))}*  {escape(fenced(row.name))}  {escape(' · '.join(told))}"


def forecast_message(report: ForecastReport, now: datetime, zone: tzinfo) -> Message:
    """Return the answer to `/forecast`."""
    several = len(report.balances) > 1
    headline = escape(forecast_words.forecast_headline(report))
    lines = [
        *(forecast_words.balance_line(one, zone, now, several=several) for one in report.balances),
        *_runway(report, several=several),
        forecast_words.this_month_line(report),
        *forecast_words.no_range(report),
        *summary.foreign(report.foreign_subscriptions),
        *summary.troubles(report.health, now),
    ]
    return Message(
        headline,
        (
            section(f"*{headline}*"),
            bullets(escape(line) for line in lines),
            context(escape(_footer(report))),
        ),
    )


def _runway(report: ForecastReport, *, several: bool) -> list[str]:
    line, spread = (
        forecast_words.runway_line(report.runway, several=several),
        forecast_words.runway_range(report.runway),
    )
    return [f"{line.removesuffix('.')}; {spread}." if spread else line]


def _footer(report: ForecastReport) -> str:
    burn = forecast_words.burn_line(report)
    if not burn:
        return "No completed day is known yet."
    picture = forecast_words.recent_line(report)
    recent = f"last {len(report.recent)} days {picture}"
    return f"Burn rate: {burn}" + (f" · {recent}" if picture else "")


def help_message(name: str, usage: str, lines: tuple[str, ...]) -> Message:
    """Return how a command is used, with examples, and the button that tries out alerts."""
    first = f"Use {name} {usage}".strip()
    listed = "\n".join(f"• {escape(line)}" for line in lines)
    test = button("Send a test alert", "alert_test", "test")
    return Message(
        escape(f"{first}."),
        (section(f"*`{escape(first)}`*\n{listed}"), {"type": "actions", "elements": [test]}),
    )
