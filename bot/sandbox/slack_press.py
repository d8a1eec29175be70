"""Pressing a button: which one is meant, and what Slack tells the app about it.

The payload's shape: docs.slack.dev/reference/interaction-payloads/block_actions-payload.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.sandbox.slack_blocks import elements_of
from bot.sandbox.slack_workspace import Shown

_TOLD = ("type", "action_id", "block_id", "text", "value", "url", "style")
"""What of a button is repeated in the payload."""


_KEPT = ("type", "action_id", "block_id", "placeholder")
"""Likewise of a menu."""

Blocks = Sequence[Mapping[str, Any]]


def pressed(blocks: Blocks, wanted: str) -> dict[str, Any]:
    """Return what the payload says of the one button with this text or action_id.

    Raises `LookupError`, which is the caller's fault, where there is none or more than one.
    """
    buttons = [one for one in _elements(blocks) if one["type"] == "button"]
    found = [one for one in buttons if wanted in (one["text"]["text"], one["action_id"])]
    if len(found) != 1:
        there = ", ".join(repr(one["text"]["text"]) for one in buttons) or "none"
        raise LookupError(f"{len(found)} buttons {wanted!r}, where there are {there}")
    return {key: found[0][key] for key in _TOLD if key in found[0]}


def chosen(blocks: Blocks, menu: str, option: str) -> dict[str, Any]:
    """Return what the payload says of an option, by its text or value, of the menu `menu`.

    A menu is known by its action_id or its placeholder. Raises `LookupError` as above.
    """
    menus = [one for one in _elements(blocks) if one["type"] in {"static_select", "overflow"}]
    names = [(one["action_id"], one.get("placeholder", {}).get("text")) for one in menus]
    found = [one for one, name in zip(menus, names, strict=True) if menu in name]
    if len(found) != 1:
        raise LookupError(f"{len(found)} menus {menu!r}, where there are {names}")
    options = [one for one in found[0]["options"] if option in (one["text"]["text"], one["value"])]
    if len(options) != 1:
        there = [one["text"]["text"] for one in found[0]["options"]]
        raise LookupError(f"{len(options)} options {option!r}, where there are {there}")
    told: dict[str, Any] = {key: found[0][key] for key in _KEPT if key in found[0]}
    return {**told, "selected_option": options[0]}


def surroundings(shown: Shown, bot: Mapping[str, str]) -> dict[str, Any]:
    """Return the message and its place, as the payload has them; an ephemeral one is left out."""
    thread = {"thread_ts": shown.thread_ts} if shown.thread_ts else {}
    container = {
        "type": "message",
        "message_ts": shown.ts,
        "channel_id": shown.channel,
        "is_ephemeral": bool(shown.only_for),
        **thread,
    }
    if shown.only_for:
        return {"container": container}
    blocks = [_identified(block, index) for index, block in enumerate(shown.blocks)]
    words = {"type": "message", "text": shown.text, "ts": shown.ts, "blocks": blocks}
    return {"container": container, "message": {**bot, **words, **thread}}


def _elements(blocks: Blocks) -> Iterator[dict[str, Any]]:
    for index, block in enumerate(blocks):
        whole = _identified(block, index)
        for element in elements_of(whole):
            yield {**element, "block_id": whole["block_id"]}


def _identified(block: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Return a block with the ids that Slack makes up where we sent none."""
    whole = {"block_id": f"made-up-{index}", **block}
    if block["type"] == "actions":
        whole["elements"] = [
            {"action_id": f"made-up-{index}-{place}", **element}
            for place, element in enumerate(block["elements"])
        ]
    if "accessory" in block:
        whole["accessory"] = {"action_id": f"made-up-{index}", **block["accessory"]}
    return whole
