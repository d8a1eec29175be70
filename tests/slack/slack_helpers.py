"""What the Slack tests share besides their fixtures."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bot.slack.blocks import Message
from bot.slack.commands.base import Command
from bot.slack.socket import SlackConnection

Connect = Callable[..., SlackConnection]


def now() -> datetime:
    return datetime.now(UTC)


def eventually(true: Callable[[], bool], timeout: float = 20.0) -> bool:
    end = time.monotonic() + timeout
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def reaches(connection: SlackConnection, state: str) -> bool:
    """Wait for a state that stays; one that passes by itself may be over before anybody looks."""
    return eventually(lambda: connection.status().state == state)


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


ECHO = Command(
    "/spend",
    "[PERIOD]",
    "Echoes",
    lambda _, words, __: Message(f"You typed: {words}", (section("."),)),
)


_DATE = re.compile(r"<!date\^\d+\^[^|<>]*\|([^<>]*)>")
_UNSEEN = {"block_id", "action_id", "value"}


def visible(message: Any) -> str:
    """Everything of a message that people see or hear, drawn or spelled out: no ids, no values.

    Moments that Slack writes in each reader's own zone are here as their fallback.
    """
    seen = json.dumps(_seen([*message.blocks, *message.plain]), ensure_ascii=False)
    return _DATE.sub(r"\1", seen) + message.text


def _seen(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _seen(one) for key, one in node.items() if key not in _UNSEEN}
    return [_seen(one) for one in node] if isinstance(node, list | tuple) else node
