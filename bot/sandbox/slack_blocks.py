"""What Slack refuses in a message: Block Kit's shapes and limits, the stricter value where sources differ.

Shapes: docs.slack.dev/reference/block-kit. Only what a message of ours could hold is modelled; any
other block or element counts as refused, so that nothing slips through unchecked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.sandbox.slack_inputs import input_block, options
from bot.sandbox.slack_shapes import (
    PLAIN,
    Problems,
    is_list,
    items,
    keys,
    listed,
    string,
    text_object,
)
from bot.sandbox.slack_tables import data_table, data_visualization, table

LONGEST_TEXT: Final = 4_000
"""Characters of a message's own text; Slack takes more in places, but advises this."""


_IN_VIEW: Final = 100
"""Blocks of a view, which unlike a message may have inputs."""


def problems(blocks: Any, most: int = 50) -> tuple[str, ...]:
    """Say everything that is wrong with `blocks`; `most` is 50 in a message and 100 in a view."""
    return tuple(_blocks(blocks, most))


def _blocks(blocks: Any, most: int) -> Problems:
    yield from listed(blocks, "/blocks", 1, most)
    for at, block in items(blocks, "/blocks"):
        kind = block.get("type") if isinstance(block, Mapping) else None
        check = input_block if kind == "input" and most == _IN_VIEW else _BLOCKS.get(str(kind))
        if check is None:
            yield f"{at}: a {kind!r} block is not for messages, or not known here"
            continue
        yield from string(block.get("block_id", "-"), f"{at}/block_id", 255)
        yield from check({k: v for k, v in block.items() if k != "block_id"}, at)
    yield from _totals([b for b in blocks if isinstance(b, Mapping)] if is_list(blocks) else [])


def _totals(blocks: list[Mapping[str, Any]]) -> Problems:
    for kind, most in (("table", 1), ("data_visualization", 2)):
        if sum(block.get("type") == kind for block in blocks) > most:
            yield f"/blocks: at most {most} {kind} in a message"
    if sum(len(str(b.get("text"))) for b in blocks if b.get("type") == "markdown") > 12_000:
        yield "/blocks: at most 12000 characters in all markdown blocks together"
    elements = [one for block in blocks for one in elements_of(block)]
    for key, things in (("block_id", blocks), ("action_id", elements)):
        ids = [str(thing[key]) for thing in things if key in thing]
        if len(ids) != len(set(ids)):
            yield f"/blocks: {key} twice"


def elements_of(block: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what can be pressed or chosen in a block."""
    row = block.get("elements") if block.get("type") == "actions" else None
    every = [*(one for _, one in items(row, "")), block.get("accessory")]
    return [one for one in every if isinstance(one, Mapping)]


def _header(block: Mapping[str, Any], at: str) -> Problems:
    yield from keys(block, at, "type text")
    yield from text_object(block.get("text"), f"{at}/text", 150, PLAIN)


def _section(block: Mapping[str, Any], at: str) -> Problems:
    yield from keys(block, at, "type", "text fields accessory expand")
    if "text" not in block and "fields" not in block:
        yield f"{at}: a section needs text or fields"
    if "text" in block:
        yield from text_object(block["text"], f"{at}/text", 3_000)
    if "fields" in block:
        yield from listed(block["fields"], f"{at}/fields", 1, 10)
        for place, field in items(block["fields"], f"{at}/fields"):
            yield from text_object(field, place, 2_000)
    if "accessory" in block:
        yield from _element(block["accessory"], f"{at}/accessory")


def _context(block: Mapping[str, Any], at: str) -> Problems:
    yield from keys(block, at, "type elements")
    yield from listed(block.get("elements"), f"{at}/elements", 1, 10)
    for place, element in items(block.get("elements"), f"{at}/elements"):
        if isinstance(element, Mapping) and element.get("type") == "image":
            yield from _element(element, place)
        else:
            yield from text_object(element, place, 2_000)


def _actions(block: Mapping[str, Any], at: str) -> Problems:
    yield from keys(block, at, "type elements")
    yield from listed(block.get("elements"), f"{at}/elements", 1, 25)
    for place, element in items(block.get("elements"), f"{at}/elements"):
        yield from _element(element, place)


def _divider(block: Mapping[str, Any], at: str) -> Problems:
    yield from keys(block, at, "type")


def _markdown(block: Mapping[str, Any], at: str) -> Problems:
    yield from keys(block, at, "type text")
    yield from string(block.get("text"), f"{at}/text", 12_000)


def _image(block: Mapping[str, Any], at: str) -> Problems:
    yield from keys(block, at, "type alt_text", "image_url slack_file title")
    if ("image_url" in block) == ("slack_file" in block):
        yield f"{at}: an image has exactly one of image_url and slack_file"
    yield from string(block.get("alt_text"), f"{at}/alt_text", 2_000)
    yield from string(block.get("image_url", "-"), f"{at}/image_url", 3_000)
    if "title" in block:
        yield from text_object(block["title"], f"{at}/title", 2_000, PLAIN)


def _element(element: Any, at: str) -> Problems:
    kind = element.get("type") if isinstance(element, Mapping) else None
    check = _ELEMENTS.get(str(kind))
    if check is None:
        yield f"{at}: a {kind!r} element is not known here"
    else:
        yield from string(element.get("action_id", "-"), f"{at}/action_id", 255)
        yield from check({k: v for k, v in element.items() if k != "action_id"}, at)


def _button(button: Mapping[str, Any], at: str) -> Problems:
    yield from keys(button, at, "type text", "value url style confirm accessibility_label")
    yield from text_object(button.get("text"), f"{at}/text", 75, PLAIN)
    for key, limit in (("value", 2_000), ("url", 3_000), ("accessibility_label", 75)):
        yield from string(button.get(key, "-"), f"{at}/{key}", limit)
    if button.get("style", "primary") not in {"primary", "danger"}:
        yield f"{at}/style: primary, danger or nothing"


def _overflow(menu: Mapping[str, Any], at: str) -> Problems:
    yield from keys(menu, at, "type options", "confirm")
    yield from options(menu.get("options"), f"{at}/options", 5)


def _static_select(menu: Mapping[str, Any], at: str) -> Problems:
    yield from keys(menu, at, "type options", "placeholder initial_option confirm")
    yield from options(menu.get("options"), f"{at}/options", 100)
    if "placeholder" in menu:
        yield from text_object(menu["placeholder"], f"{at}/placeholder", 150, PLAIN)
    if "initial_option" in menu and menu["initial_option"] not in menu.get("options", ()):
        yield f"{at}/initial_option: is not one of the options"


_Check = Callable[[Mapping[str, Any], str], Problems]

_BLOCKS: Final[Mapping[str, _Check]] = {
    "actions": _actions,
    "context": _context,
    "data_table": data_table,
    "data_visualization": data_visualization,
    "divider": _divider,
    "header": _header,
    "image": _image,
    "markdown": _markdown,
    "section": _section,
    "table": table,
}

_ELEMENTS: Final[Mapping[str, _Check]] = {
    "button": _button,
    "image": _image,
    "overflow": _overflow,
    "static_select": _static_select,
}
