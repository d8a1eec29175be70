"""`/forecast`: what next month will cost, and how long the balance lasts."""

from __future__ import annotations

from datetime import datetime

from bot.slack.commands.base import Command, Message, Questions
from bot.slack.messages import forecast_message, help_message
from bot.usage_help import FORECAST_HELP, FORECAST_USAGE
from costcompass_core.domain.query import wants_help


def _answer(questions: Questions, words: str, now: datetime) -> Message:
    if wants_help(words):
        return help_message("/forecast", FORECAST_USAGE, FORECAST_HELP)
    return forecast_message(questions.forecast(words, now), now, questions.zone)


COMMAND = Command("/forecast", FORECAST_USAGE, "Next month's cost, balance and runway", _answer)
