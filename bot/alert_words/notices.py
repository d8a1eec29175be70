"""How one-off notices read, one function a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bot import words
from bot.alert_words.unusual import new_model
from bot.alert_words.voice import Case
from costcompass_core.domain.money import ZERO


class Event(NamedTuple):
    """A notice in sentences: what happened, then what has to be known about it."""

    headline: str
    details: tuple[str, ...] = ()


class EventWords(NamedTuple):
    """A notice's title and what tells it."""

    title: str
    tell: Callable[[Case], Event]


def _top_up(case: Case) -> Event:
    return Event(
        f"Top-up of {case.money('amount')} seen: balance of {case.on} is {case.money('left')}."
    )


def _balance_drop(case: Case) -> Event:
    amount = case.money("amount")
    if case.facts.get("kind") == "day":
        return Event(
            f"Balance of {case.on} lost {amount} more on {case.day('day')} than the reported usage"
            " explains.",
            (
                f"Lost {case.money('lost')}, of which {case.money('reported')} is reported usage.",
                "What took the rest is not reported.",
            ),
        )
    return Event(
        f"Credits of {case.on} fell by {amount}, which the reported usage does not explain: {case.money('left')} left.",
        ("It may be a refund, or expired or moved credits; the provider does not say which.",),
    )


def _history_restated(case: Case) -> Event:
    change = case.usd("change")
    sign = "+" if change is not None and change > ZERO else ""
    return Event(
        f"{case.day('day')} restated {sign}{case.money('change')}: {case.on} cost"
        f" {case.money('after')} that day, not {case.money('before')}.",
        ("So the provider reports it now; totals that include the day have changed with it.",),
    )


def _new_model(case: Case) -> Event:
    headline, *more = new_model(case)
    return Event(headline, tuple(one for one in more if one))


def _database_back(case: Case) -> Event:
    since, until, error = case.moment("since"), case.moment("until"), case.error()
    span = f" {case.voice.span(since, until, case.zone)}" if since and until else ""
    return Event(
        f"The database takes writes again; it refused them{span}.",
        (
            *([f"The reason: {error}."] if error else []),
            "What was read meanwhile is not stored; its balance alerts came marked as not recorded.",
        ),
    )


def _unknown(case: Case) -> Event:
    """Tell a notice of a rule that this version does not know; a newer one may have left it."""
    what = case.voice.text(words.clean(case.rule.replace("_", " ")))
    return Event(f"Notice of {case.on or 'this installation'}: {what}.")


NOTICES: Final[Mapping[str, EventWords]] = {
    "top_up": EventWords("Top-up", _top_up),
    "balance_drop": EventWords("Unexplained loss", _balance_drop),
    "history_restated": EventWords("Restated history", _history_restated),
    "new_model": EventWords("New model", _new_model),
    "database_back": EventWords("Database back", _database_back),
}
"""Every rule that notices come from."""


def event_of(case: Case) -> Event:
    """Return how a notice reads, in general terms where this version does not know its rule."""
    known = NOTICES.get(case.rule)
    return known.tell(case) if known else _unknown(case)
