"""Pressing a button: which one is meant, and what Slack tells the app about it.

The payload's shape: docs.slack.dev/reference/interaction-payloads/block_actions-payload.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack_blocks import elements_of
from bot.sandbox.slack_workspace import Shown

_TOLD = ("type", "action_id", "text", "value", "url", "style")
"""What of a button is repeated in the payload."""


def pressed(shown: Shown, wanted: str) -> dict[str, Any]:
    """Return what the payload says of the one button with this text or action_id.

    Raises `LookupError`, which is the caller's fault, where there is none or more than one.
    """
    buttons = list(_buttons(shown))
    found = [one for one in buttons if wanted in (one["text"]["text"], one["action_id"])]
    if len(found) != 1:
        there = ", ".join(repr(one["text"]["text"]) for one in buttons) or "none"
        raise LookupError(f"{len(found)} buttons {wanted!r} in {shown.ts}, which has {there}")
    return found[0]


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


def _buttons(shown: Shown) -> Iterator[dict[str, Any]]:
    for index, block in enumerate(shown.blocks):
        whole = _identified(block, index)
        for element in elements_of(whole):
            if element["type"] == "button":
                told = {key: element[key] for key in _TOLD if key in element}
                yield {**told, "block_id": whole["block_id"]}


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
