"""What can be pressed below an answer. Each control holds the command that it stands for.

Nothing about a message is remembered: pressing asks the command as if it were typed, so that every
button works after a restart, and an answer is the same however it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from bot.slack.blocks import Block, actions, button, confirmed, select
from bot.slack.words import bare
from costcompass_core.domain.query import DIMENSIONS, SpendQuery

SHARE: Final = "answer_share"
"""The `action_id` that posts an answer for everybody in the channel."""
REFRESH: Final = "answer_refresh"
"""The `action_id` that reads everything anew before it answers."""
_PERIODS: Final = (
    ("This month", "mtd"),
    ("Today", "today"),
    ("Yesterday", "yesterday"),
    ("Last 7 days", "7d"),
    ("Last 30 days", "30d"),
    ("Last 90 days", "90d"),
    ("Last month", "last month"),
    ("This year", "ytd"),
    ("All time", "all"),
)
_NEVER_WHY: Final = frozenset({"today", "all"})
"""Periods that have none before them to be compared with."""
_MODELS: Final = 25
"""Models on offer for a closer look; the others are found by typing their names."""


def spend_controls(query: SpendQuery, names: Sequence[str]) -> list[Block]:
    """Return the controls below `/spend`; `names` are those of its rows, the dearest first."""

    def ask(**changes: object) -> str:
        return f"/spend {replace(query, **changes).words()}"  # type: ignore[arg-type]

    here = ask()
    periods = [(text, ask(said=said)) for text, said in _with_own(query)]
    ways = [(f"By {one}", ask(by=one)) for one in DIMENSIONS]
    menus = [
        select("ask_period", "Period", periods, here),
        select("ask_by", "Ranked by", ways, here),
        _closer(query, names),
    ]
    why = replace(query, by="model").words()
    buttons = [
        button("Why it changed", "ask_why", f"/spend why {why}") if _has_why(query) else None,
        button("Forecast", "ask_forecast", "/forecast"),
        *_common(here),
    ]
    return [*actions(f"menus {here}", *menus), *actions(f"buttons {here}", *buttons)]


def _with_own(query: SpendQuery) -> Iterable[tuple[str, str]]:
    """Yield the periods on offer, before them the one that was typed where it is another."""
    if all(said != query.said for _, said in _PERIODS):
        label = query.period.label
        yield label[:1].upper() + label[1:], query.said
    yield from _PERIODS


def _has_why(query: SpendQuery) -> bool:
    return query.said not in _NEVER_WHY and query.period.end is not None and not query.period.today


def _closer(query: SpendQuery, names: Sequence[str]) -> Block | None:
    """Return the menu that looks into one model, or the way back from there."""
    if query.exactly:
        back = replace(query, by="model", filters=())
        return button("All models", "ask_back", f"/spend {back.words()}")
    if query.by != "model":
        return None
    looks = [
        (bare(name), f"/spend {replace(query, by='host', filters=(f'={name}',)).words()}")
        for name in names[:_MODELS]
        if name == name.strip() and len(name.split()) == 1
    ]
    return select("ask_model", "Look into a model…", looks)


def why_controls(query: SpendQuery, names: Sequence[str]) -> list[Block]:
    """Return the controls below `/spend why`."""

    def ask(said: str) -> str:
        return f"/spend why {replace(query, said=said).words()}"

    here = ask(query.said)
    periods = [(text, ask(said)) for text, said in _with_own(query) if said not in _NEVER_WHY]
    menus = [select("ask_period", "Period", periods, here), _closer(query, names)]
    buttons = [
        button("What it cost", "ask_spend", f"/spend {query.words()}"),
        button("How to spend less", "ask_advice", "/spend advice"),
        *_common(here),
    ]
    return [*actions(f"menus {here}", *menus), *actions(f"buttons {here}", *buttons)]


def forecast_controls(here: str = "/forecast") -> list[Block]:
    """Return the controls below `/forecast` and what is asked with it; `here` asks it again."""
    buttons = [
        button("Spend this month", "ask_spend", "/spend mtd"),
        button("Forecast", "ask_forecast", "/forecast") if here != "/forecast" else None,
        button("How far off so far?", "ask_accuracy", "/forecast accuracy")
        if here != "/forecast accuracy"
        else None,
        *_common(here),
    ]
    return actions(f"buttons {here}", *buttons)


def advice_controls() -> list[Block]:
    """Return the controls below `/spend advice`."""
    buttons = [
        button("Spend this month", "ask_spend", "/spend mtd"),
        button("Why it changed", "ask_why", "/spend why 7d"),
        *_common("/spend advice"),
    ]
    return actions("buttons /spend advice", *buttons)


def _common(here: str) -> list[Block]:
    """Return what every answer can do."""
    share = button("Share here", SHARE, here, aloud="Share this answer with the channel")
    return [
        button("Refresh now", REFRESH, here, aloud="Read the provider now, then answer again"),
        confirmed(
            share,
            "Share this answer?",
            "Everybody in this channel will see these figures.",
            "Share",
        ),
    ]


_OWN: Final = (("spend why", "Why it changed"), ("spend", "What it cost"), ("forecast", "Forecast"))
"""What the buttons below a message for everybody say, by the command they stand for."""


def own_controls(name: str, commands: Sequence[str]) -> list[Block]:
    """Return buttons that answer whoever presses, and nobody else; `name` tells messages apart."""
    buttons = []
    for number, command in enumerate(commands, 1):
        text = next(text for kind, text in _OWN if command.startswith(f"/{kind}"))
        aloud = f"{text}: {command}, only for you"
        buttons.append(button(text, f"own_{number}", command, aloud=aloud))
    return actions(f"own {name}", *buttons)


def shared_controls(here: str) -> list[Block]:
    """Return what stands below an answer that everybody sees: a look of one's own."""
    own = button("Look for yourself", "own_look", here, aloud="Show me this answer to work with")
    return actions(f"shared {here}", own)
