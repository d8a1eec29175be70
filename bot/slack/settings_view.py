"""The form for what may be changed at run time, and what was filled in: pure.

What is typed is turned into settings as the configuration has them, and checked by its readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any, Final

from bot import alert_words, words
from bot.slack.blocks import Block, context, option
from bot.slack.voice import SLACK
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.settings import Setting

CALLBACK: Final = "settings"
_WAKE, _RESET = "snoozes", "reset"
_DAYS: Final = tuple((name, name[:3].lower()) for name in words.DAY_NAMES)
"""A weekday's name, and what the configuration calls it."""
_MOST_SNOOZES: Final = 10
_TEXTS: Final = (
    ("alerts.balance_below", "Tell when a balance is below", "USD, such as 25, 10; empty: off"),
    (
        "alerts.runway_below_days",
        "Tell when a balance lasts less than",
        "Days, such as 7, 3; empty: off",
    ),
    ("alerts.repeat_every", "Repeat an open alert every", "Such as 12h or 2d"),
    ("alerts.quiet_hours", "Quiet hours", "Such as 22:00-07:00, in the same zone; empty: none"),
)
"""Key, label and what to type."""
_LISTS: Final = frozenset({"alerts.balance_below", "alerts.runway_below_days"})


def settings_view(
    texts: Mapping[str, str], changed: Mapping[str, Setting], asleep: Sequence[Incident], zone: str
) -> dict[str, Any]:
    """Return the form: `texts` is what is in force, `changed` what was set here before.

    `asleep` are the snoozed incidents, `zone` the name of the daemon's time zone.
    """
    blocks = [
        _input("digest.time", "Digest at", _time(texts["digest.time"]), f"{zone}; empty: never"),
        _input("digest.weekdays", "Digest on", _days(texts["digest.weekdays"]), "Empty: never"),
        *(
            _input(key, label, _text(texts[key], key), hint, optional=key != "alerts.repeat_every")
            for key, label, hint in _TEXTS
        ),
        *_snoozes(asleep),
        *_history(changed),
    ]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": {"type": "plain_text", "text": "CostCompass settings"},
        "submit": {"type": "plain_text", "text": "Save"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": blocks,
    }


def _input(key: str, label: str, element: Block, hint: str = "", *, optional: bool = True) -> Block:
    return {
        "type": "input",
        "block_id": key,
        "optional": optional,
        "label": {"type": "plain_text", "text": label},
        "element": element | {"action_id": key},
        **({"hint": {"type": "plain_text", "text": hint}} if hint else {}),
    }


def _time(text: str) -> Block:
    return {"type": "timepicker", **({"initial_time": text} if text else {})}


def _days(text: str) -> Block:
    options = [option(label, word) for label, word in _DAYS]
    chosen = [one for one in options if f'"{one["value"]}"' in text]
    more = {"initial_options": chosen} if chosen else {}
    return {"type": "multi_static_select", "options": options, **more}


def _boxes(options: Sequence[Block], chosen: Sequence[Block]) -> Block:
    more = {"initial_options": list(chosen)} if chosen else {}
    return {"type": "checkboxes", "options": list(options), **more}


def _text(text: str, key: str) -> Block:
    shown = text.strip("[]") if key in _LISTS else text
    more = {"initial_value": shown} if shown else {}
    return {"type": "plain_text_input", "max_length": 200, **more}


def _snoozes(asleep: Sequence[Incident]) -> Iterator[Block]:
    """Yield the snoozed alerts; taking a tick away ends a snooze."""
    if asleep:
        options = [
            option(words.clean(_named(one), 75), str(one.ident)) for one in asleep[:_MOST_SNOOZES]
        ]
        yield _input(_WAKE, "Snoozed now", _boxes(options, options), "Untick to end a snooze")


def _named(incident: Incident) -> str:
    key = incident.key
    return " ".join(one for one in (alert_words.title(key.rule), key.account, key.subject) if one)


def _history(changed: Mapping[str, Setting]) -> Iterator[Block]:
    """Yield who changed what, and the way back to the file."""
    if not changed:
        yield context("All of this is as the configuration file says.")
        return
    lines = [
        f"`{key}` changed by {SLACK.who(one.by)}, {SLACK.moment(one.at, UTC)}"
        for key, one in changed.items()
    ]
    yield context("\n".join(lines))
    back = [option("Go back to what the configuration file says", "file")]
    yield _input(_RESET, "Undo every change", _boxes(back, ()))


class Filled:
    """What a form was sent with."""

    def __init__(self, state: Mapping[str, Any], initial: Mapping[str, str]) -> None:
        """Read the state of a form's inputs; `initial` is what stood in it, by key.

        What was left as it was is no change. Unknown inputs are left out.
        """
        values: dict[str, Any] = {
            block: element.get(block, {}) for block, element in state.get("values", {}).items()
        }
        self.reset = bool(values.get(_RESET, {}).get("selected_options"))
        told = {key: _value(key, values[key]) for key in initial if key in values}
        self.values = {key: text for key, text in told.items() if text != initial[key]}
        self._snoozes = values.get(_WAKE)

    def woken(self, asleep: Sequence[Incident]) -> list[int]:
        """Return which of the snoozed incidents were unticked."""
        if self._snoozes is None:
            return []
        kept = {one["value"] for one in self._snoozes.get("selected_options") or ()}
        return [one.ident for one in asleep[:_MOST_SNOOZES] if str(one.ident) not in kept]


def _value(key: str, input_: Mapping[str, Any]) -> str:
    """Return what was filled in as a setting has it."""
    if key == "digest.time":
        return str(input_.get("selected_time") or "")
    if key == "digest.weekdays":
        chosen = {one["value"] for one in input_.get("selected_options") or ()}
        return "[" + ", ".join(f'"{word}"' for _, word in _DAYS if word in chosen) + "]"
    text = str(input_.get("value") or "").strip()
    if key not in _LISTS:
        return text
    amounts = [one.lstrip("$") for one in text.strip("[]").replace(",", " ").split()]
    return f"[{', '.join(amounts)}]"
