"""`/spend`: what was spent, ranked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.slack.blocks import Message
from bot.slack.commands.base import Answer, Command, Questions
from bot.slack.help_message import help_message
from bot.slack.lever_messages import advice_message
from bot.slack.spend_message import spend_message
from bot.slack.why_message import why_message
from bot.usage_help import SPEND_EXAMPLES, SPEND_HELP, SPEND_USAGE
from costcompass_core.domain.query import ask_of, wants_help

_ASKS: Final[Mapping[str, Answer]] = {
    "why": lambda questions, words, now: why_message(questions.why(words, now), now),
    "advice": lambda questions, words, now: advice_message(questions.advice(words, now)),
}
"""What else may be asked, by the word that asks it."""


def _answer(questions: Questions, words: str, now: datetime) -> Message:
    ask, rest = ask_of(words, _ASKS)
    if wants_help(words) or wants_help(rest):
        return help_message("/spend", SPEND_USAGE, SPEND_HELP, SPEND_EXAMPLES)
    if ask is not None:
        return _ASKS[ask](questions, rest, now)
    return spend_message(questions.spend(words, now), now)


COMMAND = Command("/spend", SPEND_USAGE, "What your models cost, ranked", _answer)
