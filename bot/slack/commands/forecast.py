"""`/forecast`: what next month will cost, and how long the balance lasts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.slack.accuracy_message import accuracy_message
from bot.slack.blocks import Message
from bot.slack.commands.base import Answer, Command, Questions
from bot.slack.forecast_message import forecast_message
from bot.slack.help_message import help_message
from bot.slack.lever_messages import if_message
from bot.usage_help import FORECAST_EXAMPLES, FORECAST_HELP, FORECAST_USAGE
from costcompass_core.domain.query import ask_of, wants_help

_ASKS: Final[Mapping[str, Answer]] = {
    "accuracy": lambda questions, words, now: accuracy_message(questions.accuracy(words, now), now),
    "if": lambda questions, words, now: if_message(questions.forecast_if(words, now), now),
}
"""What else may be asked, by the word that asks it."""


def _answer(questions: Questions, words: str, now: datetime) -> Message:
    ask, rest = ask_of(words, _ASKS)
    if wants_help(words) or wants_help(rest):
        return help_message("/forecast", FORECAST_USAGE, FORECAST_HELP, FORECAST_EXAMPLES)
    if ask is not None:
        return _ASKS[ask](questions, rest, now)
    return forecast_message(questions.forecast(words, now), now)


COMMAND = Command("/forecast", FORECAST_USAGE, "Next month's cost, balance and runway", _answer)
