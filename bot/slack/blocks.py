"""Messages and the Block Kit blocks they are made of, as plain dicts within Slack's limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from zlib import crc32

from bot.slack.pieces import Block, Chart, Piece, Table, drawn, spelled_out

__all__ = ["Block", "Message", "Piece"]

_SECTION: Final = 2900
"""Characters that a section's text stays within; Slack's limit is 3,000."""
_CONTEXT: Final = 1900
"""Likewise of a context; the limit is 2,000."""
_LABEL: Final = 75
"""Characters of what a button or an option says."""
_HEADER: Final = 150
_OPTION: Final = 150
"""Characters of an option's value; Slack refuses a longer one, so that option is left out."""


@dataclass(frozen=True)
class Message:
    """What people get to see. `text` is a whole sentence with the number in it.

    Notifications and screen readers use `text` alone. `pieces` are Block Kit blocks as plain dicts,
    charts and tables; `blocks` draws the latter with Slack's newest blocks, `plain` spells them out
    for workspaces that do not have those yet.
    """

    text: str
    pieces: tuple[Piece, ...] = ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks, with charts and tables drawn by Slack."""
        return tuple(drawn(self.pieces))

    @property
    def plain(self) -> tuple[Block, ...]:
        """The blocks, with charts and tables spelled out in sections."""
        return tuple(spelled_out(self.pieces))

    @property
    def is_rich(self) -> bool:
        """Whether it holds anything that a workspace may not know how to draw."""
        return any(isinstance(one, Chart | Table) for one in self.pieces)

    def shown(self, *, rich: bool) -> tuple[Block, ...]:
        """Return the blocks as a workspace can draw them."""
        return self.blocks if rich else self.plain

    def plus(self, *pieces: Piece) -> Message:
        """Return the message with more at its end."""
        return replace(self, pieces=(*self.pieces, *pieces))

    def without(self, *actions: str) -> Message:
        """Return the message without the controls of these `action_id`s."""
        kept = (_without(one, actions) for one in self.pieces)
        return replace(self, pieces=tuple(one for one in kept if one is not None))

    def without_controls(self) -> Message:
        """Return the message with nothing to press, for where nobody should, or not now."""
        pieces = (_untouched(one) for one in self.pieces)
        return replace(self, pieces=tuple(one for one in pieces if one is not None))


def _without(piece: Piece, actions: Sequence[str]) -> Piece | None:
    if not isinstance(piece, dict) or piece["type"] != "actions":
        return piece
    left = [one for one in piece["elements"] if one.get("action_id") not in actions]
    return piece | {"elements": left} if left else None


def _untouched(piece: Piece) -> Piece | None:
    if not isinstance(piece, dict):
        return piece
    if piece["type"] == "actions":
        return None
    return {key: value for key, value in piece.items() if key != "accessory"}


def fitted(text: str, most: int = _SECTION) -> str:
    """Return `text` within `most` characters and a few, cut at the end of a line where it has any."""
    if len(text) <= most:
        return text
    return (text[:most].rpartition("\n")[0] or text[:most]) + "\n… and more than fits here"


def header(text: str) -> Block:
    """Return a large line; it is plain text, in which nothing has a meaning to Slack."""
    return {"type": "header", "text": _plain(text, _HEADER)}


def section(text: str, accessory: Block | None = None) -> Block:
    """Return a section; `verbatim` keeps Slack from turning words into links and mentions."""
    block: Block = {"type": "section", "text": _markdown(text, _SECTION)}
    return block if accessory is None else block | {"accessory": accessory}


def fields(texts: Iterable[str]) -> Block:
    """Return a section of up to ten short texts, in two columns."""
    return {"type": "section", "fields": [_markdown(one, _CONTEXT) for one in list(texts)[:10]]}


def bullets(lines: Iterable[str]) -> Block:
    """Return a section with a line each; the lines are escaped already."""
    return section("\n".join(f"• {line}" for line in lines))


def context(text: str) -> Block:
    """Return small print."""
    return {"type": "context", "elements": [_markdown(text, _CONTEXT)]}


def divider() -> Block:
    """Return a line across."""
    return {"type": "divider"}


def _markdown(text: str, most: int) -> Block:
    return {"type": "mrkdwn", "text": fitted(text, most), "verbatim": True}


def _plain(text: str, most: int) -> Block:
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return {"type": "plain_text", "text": cut, "emoji": False}


def button(text: str, action: str, value: str, *, aloud: str = "") -> Block:
    """Return a button; `action` is what a press of it is known by, `aloud` what it says to the ear."""
    label = {"accessibility_label": aloud[:_LABEL]} if aloud else {}
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": text[:_LABEL]},
        "action_id": action,
        "value": value,
        **label,
    }


def confirmed(element: Block, title: str, text: str, yes: str) -> Block:
    """Return a control that asks back before it does anything."""
    dialog = {
        "title": _plain(title, 100),
        "text": _plain(text, 300),
        "confirm": _plain(yes, 30),
        "deny": _plain("Cancel", 30),
    }
    return element | {"confirm": dialog}


def select(
    action: str, placeholder: str, options: Iterable[tuple[str, str]], chosen: str = ""
) -> Block | None:
    """Return a menu of (text, value) pairs, `chosen` being the value that stands there.

    What is too long for Slack is left out, and the menu with it where nothing remains.
    """
    every = [option(text, value) for text, value in options if 0 < len(value) <= _OPTION][:100]
    if not every:
        return None
    now = next((one for one in every if one["value"] == chosen), None)
    return {
        "type": "static_select",
        "action_id": action,
        "placeholder": _plain(placeholder, _OPTION),
        "options": every,
        **({"initial_option": now} if now else {}),
    }


def option(text: str, value: str) -> Block:
    """Return one choice."""
    return {"text": _plain(text, _LABEL), "value": value}


def actions(name: str, *elements: Block | None) -> list[Block]:
    """Return a row of controls, or none where there is no control.

    `name` says what the row is about: Slack keeps what was chosen in a row for as long as that is the
    same, and wants another where the message says something new.
    """
    there = [one for one in elements if one is not None]
    ident = f"row-{crc32(name.encode()):08x}"
    return [{"type": "actions", "block_id": ident, "elements": there}] if there else []
