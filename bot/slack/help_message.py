"""How a command is used: its words, and examples that can be tried with one press."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.slack.blocks import Message, Piece, bullets, button, context, section
from bot.slack.words import escape
from bot.usage_help import Example


def help_message(
    name: str, usage: str, lines: Sequence[str], examples: Sequence[Example]
) -> Message:
    """Return how the command `name` is used, and the button that tries out alerts."""
    first = f"{name} {usage}".strip()
    return Message(escape(f"Use {first}."), tuple(_pieces(name, first, lines, examples)))


def _pieces(
    name: str, first: str, lines: Sequence[str], examples: Sequence[Example]
) -> Iterator[Piece]:
    yield section(f"*Use* `{escape(first)}`")
    for number, one in enumerate(examples, 1):
        typed = f"{name} {one.words}".strip()
        try_it = button("Try it", f"ask_example_{number}", typed, aloud=f"Try {typed}")
        yield section(f"`{escape(typed)}`\n{escape(one.about)}", try_it)
    yield bullets(map(escape, lines))
    yield context("Only you see answers until you share them. All days of spend are UTC days.")
    test = button("Send a test alert", "alert_test", "test")
    yield {"type": "actions", "block_id": "help", "elements": [test]}
