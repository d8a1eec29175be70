"""What a rule's words are made of: the pieces of its sentences, and the levels that are crossed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bot.alert_words.voice import Case, listed
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.rules.views import RECOVERED, RELIEVED


@dataclass(frozen=True, slots=True)
class Told:
    """The pieces of an incident's sentences, to be read as follows.

    "`subject` is `state`: `figure`." while it is open, "Resolved: `again`." once it is over, and
    "`subject` was `state` from … to …" in lists. `details` are whole sentences.
    """

    subject: str
    state: str
    figure: str
    again: str
    details: tuple[str, ...] = ()


class Words(NamedTuple):
    """A rule's title, where its figures come from, and what tells it."""

    title: str
    source: str
    tell: Callable[[Case], Told]


MARGIN_ABOVE: Final = f"{int((RECOVERED - 1) * 100)}% above"
MARGIN_BELOW: Final = f"{int((1 - RELIEVED) * 100)}% below"


def levels(
    case: Case, where: str, crossed: Sequence[str], margin: str, unit: str = ""
) -> list[str]:
    """Return which levels are crossed, and why one that no longer is may still count."""
    if not case.level:
        return []
    lines = []
    if crossed:
        more = "" if len(crossed) == 1 else "s"
        lines.append(f"{where}{more} of {case.voice.text(listed(crossed))}{unit}.")
    if len(crossed) < case.level and not used_up(case):
        lines.append(f"Recovering: a level once crossed counts until the figure is {margin} it.")
    return lines


def used_up(case: Case) -> bool:
    """Return whether a balance is at or below zero."""
    left = case.usd("left")
    return left is not None and left <= ZERO
