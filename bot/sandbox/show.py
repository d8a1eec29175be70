"""How a Slack message looks in a terminal: enough of mrkdwn to read a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.terminal.paint import WIDTH, Paint, columns


def shown(blocks: Sequence[Mapping[str, Any]], text: str, paint: Paint, margin: str) -> str:
    """Return a message's blocks, or its text where it has none, behind `margin`."""
    lines = [line for block in blocks for line in _block(block, paint)] or _lines(text, paint)
    return "\n".join(margin + one for line in lines for one in _wrapped(line, WIDTH - len(margin)))


def _block(block: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    if block["type"] == "section":
        yield from _lines(block["text"]["text"], paint)
    elif block["type"] == "context":
        for element in block["elements"]:
            yield paint(_plain(element["text"]), "dim")
    elif block["type"] == "header":
        yield paint(block["text"]["text"], "bold")


def _lines(text: str, paint: Paint) -> list[str]:
    return [_styled(line, paint) for line in text.split("\n")]


def _styled(line: str, paint: Paint) -> str:
    """Show bold and code as a terminal can."""
    line = re.sub(r"(?<!\w)\*(.+?)\*(?!\w)", lambda found: paint(found[1], "bold"), line)
    return _unescaped(re.sub(r"`(.+?)`", lambda found: paint(found[1], "cyan"), line))


def _plain(text: str) -> str:
    return _unescaped(text.replace("`", ""))


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _wrapped(line: str, width: int) -> Iterator[str]:
    """Break a styled line at spaces; escape codes take no columns."""
    indent, room, row = "", width, ""
    for word in line.split(" "):
        bare = re.sub(r"\x1b\[[\d;]*m", "", f"{row} {word}" if row else word)
        if row and columns(bare) > room:
            yield indent + row
            indent, room, row = "  ", width - 2, word
        else:
            row = f"{row} {word}" if row else word
    yield indent + row
