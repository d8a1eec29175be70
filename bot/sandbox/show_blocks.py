"""How Slack's charts, tables and menus look in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from bot import words
from bot.terminal.paint import WIDTH, Paint, columns, fit

_ROWS: Final = 10
_NAME: Final = 28
_GAP: Final = 2
_BAR: Final = 24


def table(block: Mapping[str, Any], paint: Paint, width: int = WIDTH - 4) -> Iterator[str]:
    """Yield the first rows of a data_table, aligned; names give way where it is too wide."""
    rows = [[cell["text"] for cell in row] for row in block["rows"]]
    head, *body = rows
    shown = body[: max(block.get("page_size", 5), 1)][:_ROWS]
    widths = [max(columns(row[place]) for row in [head, *shown]) for place in range(1, len(head))]
    while widths and sum(widths) + _GAP * len(widths) + 12 > width:
        widths.pop()  # a narrow terminal shows fewer columns, as a telephone does
    name = min(_NAME, width - sum(widths) - _GAP * len(widths))
    for row in [head, *shown]:
        cells = "".join(
            " " * (_GAP + room - columns(cell)) + cell
            for cell, room in zip(row[1:], widths, strict=False)
        )
        line = fit(row[0], name) + cells
        yield paint(line, "dim") if row is head else line
    if (more := len(body) - len(shown)) > 0:
        yield paint(f"… 1–{len(shown)} of {len(body)}, {words.plural(more, 'more row')}", "dim")


def chart(block: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    """Yield a data_visualization: a line of little bars, or a bar for each slice."""
    yield paint(block["title"], "dim")
    shape = block["chart"]
    if shape["type"] == "pie":
        total = sum(Decimal(str(one["value"])) for one in shape["segments"])
        for one in shape["segments"]:
            share = Decimal(str(one["value"])) / total
            yield f"{fit(one['label'], 20)}  {words.bar(share, _BAR)} {words.percent(share)}"
        return
    [series] = shape["series"]
    values = [Decimal(str(one["value"])) for one in series["data"]]
    picture = "".join(mark * 2 for mark in words.sparkline(values))
    span = f"{min(values):,.2f} to {max(values):,.2f} {series['name']}"
    yield f"{paint(picture, 'cyan')}  {span}"


def menu(element: Mapping[str, Any]) -> str:
    """Return a menu as what stands in it."""
    if element["type"] == "overflow":
        return "⋯"
    chosen = element.get("initial_option") or {}
    told = chosen.get("text", {}).get("text") or element.get("placeholder", {}).get("text", "")
    return f"{told} ▾"
