"""Lines of figures on a terminal: a label, the figure, and what it rests on, in three columns."""

from __future__ import annotations

from datetime import tzinfo

from bot import words
from bot.terminal.paint import WIDTH, Paint, fit, wrapped

_LABEL, _FIGURE = 15, 11
"""Columns of the label and the figure."""


def shown(one: words.Figure, zone: tzinfo, paint: Paint, *, room: int = _LABEL) -> str:
    """Return a figure as a line, its moment in `zone`."""
    when = [words.moment(one.at, zone)] if one.at is not None else []
    rests_on = ", ".join([*when, *([one.rests_on] if one.rests_on else [])])
    return figure_line(one.label, one.figure, rests_on, paint, room=room)


def figure_line(label: str, figure: str, rests_on: str, paint: Paint, *, room: int = _LABEL) -> str:
    """Return a line within `WIDTH`, more of them where `rests_on` is long; `room` is the label's."""
    figure = f"{figure:>{_FIGURE}}"
    line = f"  {fit(words.clean(label), room)}{paint(figure, 'bold')}  "
    left = WIDTH - 2 - room - len(figure) - 2
    first, *rest = wrapped(rests_on, "", left).split("\n")
    return "\n".join([line + first, *(" " * (WIDTH - left) + more for more in rest)]).rstrip()
