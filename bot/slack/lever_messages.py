"""`/forecast if` and `/spend advice` as Block Kit: pure, the difference first."""

from __future__ import annotations

from datetime import datetime

from bot.lever_words import (
    advice_footer,
    advice_headline,
    advice_line,
    if_figures,
    if_headline,
    if_notes,
)
from bot.slack.blocks import Message, bullets, context, section
from bot.slack.controls import advice_controls, forecast_controls
from bot.slack.words import escape, fenced
from costcompass_core.domain.advice import AdviceReport
from costcompass_core.domain.whatif import IfReport


def if_message(report: IfReport, now: datetime) -> Message:
    """Return the answer to `/forecast if`."""
    headline = escape(if_headline(report, fenced))
    figures = [
        f"*{escape(one.figure)}*  {escape(one.label)} · {escape(one.rests_on)}"
        for one in if_figures(report)
    ]
    blocks = [section(f"*{headline}*"), section("\n".join(figures))]
    if notes := if_notes(report, now, fenced):
        blocks.append(bullets(map(escape, notes)))
    return Message(headline, (*blocks, *forecast_controls(f"/forecast if {report.words}")))


def advice_message(report: AdviceReport) -> Message:
    """Return the answer to `/spend advice`."""
    headline = escape(advice_headline(report))
    blocks = [section(f"*{headline}*")]
    if report.found:
        blocks.append(bullets(escape(advice_line(one, fenced)) for one in report.found))
    footer = context(escape(advice_footer(report)))
    return Message(headline, (*blocks, footer, *advice_controls()))
