"""`/spend`: what was spent, ranked."""

from __future__ import annotations

from datetime import datetime

from bot.slack.commands.base import Command, Message, Questions
from bot.slack.messages import help_message, spend_message
from bot.usage_help import SPEND_HELP, SPEND_USAGE
from costcompass_core.domain.query import wants_help


def _answer(questions: Questions, words: str, now: datetime) -> Message:
    if wants_help(words):
        return help_message("/spend", SPEND_USAGE, SPEND_HELP)
    return spend_message(questions.spend(words, now), now)


COMMAND = Command("/spend", SPEND_USAGE, "What your models cost, ranked", _answer)
