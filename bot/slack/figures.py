"""Figures in two columns: what each is called, the figure, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Final

from bot import words
from bot.slack.blocks import Block, fields
from bot.slack.voice import SLACK
from bot.slack.words import escape
from bot.words import Figure

_FIGURES: Final = 10
"""Figures in one section; Slack takes no more."""
_MOST_FIGURES: Final = 60


def figure_blocks(figures: Iterable[Figure]) -> Iterator[Block]:
    """Yield figures in two columns, each with what it rests on below it."""
    shown = [_figure(one) for one in figures][:_MOST_FIGURES]
    for start in range(0, len(shown), _FIGURES):
        yield fields(shown[start : start + _FIGURES])


def _figure(one: Figure) -> str:
    when = [SLACK.moment(one.at, UTC)] if one.at is not None else []
    rests_on = ", ".join([*when, *([escape(one.rests_on)] if one.rests_on else [])])
    label = escape(words.clean(one.label))
    told = f"{label[:1].upper()}{label[1:]}\n*{escape(one.figure)}*"
    return f"{told}\n{rests_on}" if rests_on else told
