"""Messages and the few Block Kit blocks they are made of, as plain dicts within Slack's limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

Block = dict[str, Any]

_SECTION: Final = 2900
"""Characters that a section's text stays within; Slack's limit is 3,000."""
_CONTEXT: Final = 1900
"""Likewise of a context; the limit is 2,000."""


@dataclass(frozen=True)
class Message:
    """What people get to see. `text` is a whole sentence with the number in it.

    Notifications and screen readers use `text` alone; `blocks` are Slack's Block Kit as plain dicts.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()


def fitted(text: str, most: int = _SECTION) -> str:
    """Return `text` within `most` characters and a few, cut at the end of a line where it has any."""
    if len(text) <= most:
        return text
    return (text[:most].rpartition("\n")[0] or text[:most]) + "\n… and more than fits here"


def section(text: str) -> Block:
    """Return a section; `verbatim` keeps Slack from turning words into links and mentions."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": fitted(text), "verbatim": True}}


def bullets(lines: Iterable[str]) -> Block:
    """Return a section with a line each; the lines are escaped already."""
    return section("\n".join(f"• {line}" for line in lines))


def context(text: str) -> Block:
    """Return small print."""
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": fitted(text, _CONTEXT), "verbatim": True}],
    }


def button(text: str, action: str, value: str) -> Block:
    """Return a button; `action` is what a press of it is known by."""
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "text": label, "action_id": action, "value": value}
