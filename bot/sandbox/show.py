"""How Slack messages look in a terminal: enough of Block Kit and mrkdwn to read a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bot.sandbox.show_blocks import chart, menu, table
from bot.sandbox.slack_people import USER
from bot.sandbox.slack_workspace import Shown
from bot.terminal.paint import WIDTH, Paint, columns

_RULE: Final = "─" * 40
_THREAD: Final = "  │ "


def conversation(messages: Sequence[Shown], paint: Paint, margin: str = "") -> str:
    """Return messages in their order, each reply indented below the message it belongs to."""
    known = {one.ts for one in messages}
    parts = []
    for one in messages:
        if one.thread_ts not in known:
            parts.append(_message(one, paint, margin))
            replies = (reply for reply in messages if reply.thread_ts == one.ts)
            parts += [_message(reply, paint, margin + _THREAD) for reply in replies]
    return "\n".join(parts)


def shown(blocks: Sequence[Mapping[str, Any]], text: str, paint: Paint, margin: str) -> str:
    """Return a message's blocks, or its text where it has none, behind `margin`."""
    lines = [line for block in blocks for line in _block(block, paint)] or _lines(text, paint)
    return "\n".join(margin + one for line in lines for one in _wrapped(line, WIDTH - len(margin)))


def _message(message: Shown, paint: Paint, margin: str) -> str:
    """Return a message below a line that says who wrote it and when."""
    at = datetime.fromtimestamp(int(message.ts.partition(".")[0]), UTC)
    notes = [
        "Somebody" if message.via == "person" else "CostCompass",
        f"{at:%H:%M} UTC",
        *(["edited"] if message.edited else []),
        *(["also sent to the channel"] if message.broadcast else []),
        *([f"only visible to {_member(message.only_for)}"] if message.only_for else []),
    ]
    head = margin + paint(" · ".join(notes), "dim")
    return f"{head}\n{shown(message.blocks, message.text, paint, margin)}"


def _block(block: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    match block["type"]:
        case "section":
            yield from _section(block, paint)
        case "context":
            for element in block["elements"]:
                yield paint(_plain(element.get("text") or element["alt_text"]), "dim")
        case "header":
            yield paint(block["text"]["text"], "bold")
        case "actions":
            yield "  ".join(_element(element, paint) for element in block["elements"])
        case "divider":
            yield paint(_RULE, "dim")
        case "data_table":
            yield from table(block, paint)
        case "data_visualization":
            yield from chart(block, paint)


def _section(block: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    if "text" in block:
        yield from _lines(block["text"]["text"], paint)
    for field in block.get("fields", ()):
        label, *figure = field["text"].split("\n")
        yield _styled(f"{label} {' · '.join(figure)}", paint)
    if "accessory" in block:
        yield _element(block["accessory"], paint)


def _element(element: Mapping[str, Any], paint: Paint) -> str:
    """Return a button, or the name of what else there is; no line breaks inside it."""
    if element["type"] != "button":
        return paint(f"[ {menu(element)} ]".replace(" ", "\u00a0"), "bold")
    text = element["text"]["text"] + (" ↗" if "url" in element else "")
    style = {"primary": "green", "danger": "red"}.get(element.get("style", ""), "bold")
    return paint(f"[ {text} ]".replace(" ", "\u00a0"), style)


def _lines(text: str, paint: Paint) -> list[str]:
    return [_styled(line, paint) for line in text.split("\n")]


def _styled(line: str, paint: Paint) -> str:
    """Show bold and code as a terminal can."""
    line = re.sub(r"(?<!\w)\*(.+?)\*(?!\w)", lambda found: paint(found[1], "bold"), line)
    return _unescaped(re.sub(r"`(.+?)`", lambda found: paint(found[1], "cyan"), line))


def _plain(text: str) -> str:
    return _unescaped(text.replace("`", ""))


def _unescaped(text: str) -> str:
    """Put words in the place of Slack's own <…>, then undo the escaping of people's."""
    text = re.sub(r"<([^<>]+)>", lambda found: _word(found[1]), text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _word(token: str) -> str:
    """Return what a reader sees of a moment, a mention or a link; a moment's fallback is enough."""
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return _member(target[1:])
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!") and not label:
        return f"@{target[1:]}"
    return label or target


def _member(ident: str) -> str:
    return "@you" if ident == USER else f"@{ident}"


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
