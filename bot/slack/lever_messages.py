"""`/forecast if` as Block Kit: pure, the difference first."""

from __future__ import annotations

from datetime import datetime

from bot.lever_words import if_figures, if_headline, if_notes
from bot.slack.blocks import bullets, section
from bot.slack.commands.base import Message
from bot.slack.words import escape, fenced
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
    return Message(headline, tuple(blocks))
