"""`/forecast accuracy` to Block Kit."""

from __future__ import annotations

from datetime import datetime

from bot import accuracy_words
from bot.slack.blocks import Message, bullets, section
from bot.slack.controls import forecast_controls
from bot.slack.words import escape
from costcompass_core.domain.accuracy import AccuracyReport


def accuracy_message(report: AccuracyReport, now: datetime) -> Message:
    """Return the answer to `/forecast accuracy`."""
    headline = escape(accuracy_words.headline(report))
    notes = [*accuracy_words.lines(report), *accuracy_words.troubles(report, now)]
    blocks = [section(f"*{headline}*")]
    if notes:
        blocks.append(bullets(escape(one) for one in notes))
    return Message(headline, (*blocks, *forecast_controls("/forecast accuracy")))
