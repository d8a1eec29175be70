"""The checks of what a modal asks with: input blocks and their elements.

Shapes: docs.slack.dev/reference/block-kit/blocks/input-block and …/block-elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.sandbox.slack_shapes import PLAIN, Problems, items, keys, listed, string, text_object


def input_block(block: Mapping[str, Any], at: str) -> Problems:
    """Check an input with its label."""
    yield from keys(block, at, "type label element", "hint optional")
    yield from text_object(block.get("label"), f"{at}/label", 2_000, PLAIN)
    if "hint" in block:
        yield from text_object(block["hint"], f"{at}/hint", 2_000, PLAIN)
    element = block.get("element")
    kind = element.get("type") if isinstance(element, Mapping) else None
    check = _INPUTS.get(str(kind))
    if check is None or not isinstance(element, Mapping):
        yield f"{at}/element: a {kind!r} input is not known here"
        return
    yield from string(element.get("action_id"), f"{at}/element/action_id", 255)
    yield from check({k: v for k, v in element.items() if k != "action_id"}, f"{at}/element")


def _text_input(element: Mapping[str, Any], at: str) -> Problems:
    yield from keys(element, at, "type", "initial_value multiline max_length placeholder")
    if len(str(element.get("initial_value", ""))) > 3_000:
        yield f"{at}/initial_value: at most 3000 characters"
    if "placeholder" in element:
        yield from text_object(element["placeholder"], f"{at}/placeholder", 150, PLAIN)


def _time_picker(element: Mapping[str, Any], at: str) -> Problems:
    yield from keys(element, at, "type", "initial_time placeholder timezone")
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(element.get("initial_time", "00:00"))):
        yield f"{at}/initial_time: HH:MM"


def _checkboxes(element: Mapping[str, Any], at: str) -> Problems:
    yield from keys(element, at, "type options", "initial_options")
    yield from _some(element, at, 10)


def _multi_select(element: Mapping[str, Any], at: str) -> Problems:
    yield from keys(element, at, "type options", "initial_options placeholder")
    yield from _some(element, at, 100)


def _some(element: Mapping[str, Any], at: str, most: int) -> Problems:
    yield from options(element.get("options"), f"{at}/options", most)
    for place, one in items(element.get("initial_options", ()), f"{at}/initial_options"):
        if one not in element.get("options", ()):
            yield f"{place}: is not one of the options"
    if "initial_options" in element and not element["initial_options"]:
        yield f"{at}/initial_options: at least one, or leave it out"


def options(found: Any, at: str, most: int) -> Problems:
    """Check the choices of a menu or of boxes."""
    yield from listed(found, at, 1, most)
    for place, option in items(found, at):
        yield from keys(option, place, "text value", "description url")
        if isinstance(option, Mapping):
            yield from text_object(option.get("text"), f"{place}/text", 75)
            yield from string(option.get("value"), f"{place}/value", 150)


_INPUTS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Problems]]] = {
    "checkboxes": _checkboxes,
    "multi_static_select": _multi_select,
    "plain_text_input": _text_input,
    "timepicker": _time_picker,
}
