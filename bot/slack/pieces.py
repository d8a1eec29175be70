"""Charts and tables: drawn by Slack's newest blocks, or spelled out where a workspace has none.

Shapes and limits: docs.slack.dev/reference/block-kit/blocks, data_visualization (16 June 2026) and
data_table (May 2026). Numbers there are for drawing and sorting only; the text beside each is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final, TypeVar

from bot import words
from bot.slack.words import escape, fenced
from costcompass_core.domain.money import EXACT, ZERO, Usd, exact_sum

Block = dict[str, Any]
Item = TypeVar("Item")

_MOST_ROWS: Final = 100
"""Rows of a table in Slack, below its head."""
_PAGE: Final = 10
_SPELLED: Final = 12
"""Rows of a table that is spelled out."""
_IN_SECTION: Final = 6
"""Of these, so that long names do not push any out of a section."""
_SPELLED_AS: Final = {
    "Share": "{}",
    "Tokens": "{} tokens",
    "Per 1M tokens": "{} per 1M",
    "Trend": "{}",
    "Note": "{}",
    "Provider": "{}",
    "Cost": "{}",
}
"""How a cell reads behind its row's name; those of other columns follow the column's own name."""
_LABEL: Final = 20
"""Characters of a label in a chart."""
_ROUND: Final = Context(prec=EXACT.prec)  # this one may round: it only ever draws


@dataclass(frozen=True, slots=True)
class Point:
    """One bar or slice; `value` is `None` where it is not known."""

    label: str
    value: Decimal | None
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar for each point, or slices of a whole (`pie`); labels are unique.

    `series` says what the values are, such as "USD a day".
    """

    title: str
    series: str
    points: tuple[Point, ...]
    pie: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, and the number to sort it by."""

    text: str
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads. The first column names the row, the second is the amount it is ranked by.

    `left_out` rows with `rest` USD together have no row of their own.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0
    rest: Usd = ZERO


def table_of(
    caption: str,
    heads: Sequence[str],
    items: Sequence[Item],
    row: Callable[[Item], tuple[Cell, ...]],
    amount: Callable[[Item], Usd],
) -> Table:
    """Return a table with a row for each of the first items, as many as Slack takes.

    Beyond that, the last row is all others together, so that the column still adds up.
    """
    most = len(items) if len(items) <= _MOST_ROWS else _MOST_ROWS - 1
    rest = items[most:]
    together = Usd.total(amount(one) for one in rest)
    return Table(caption, tuple(heads), tuple(map(row, items[:most])), len(rest), together)


Piece = Block | Chart | Table


def drawn(pieces: Iterable[Piece]) -> Iterator[Block]:
    """Yield blocks with charts and tables as Slack draws them."""
    for piece in pieces:
        if isinstance(piece, Chart):
            yield _chart(piece)
        elif isinstance(piece, Table):
            yield _table(piece)
        else:
            yield piece


def spelled_out(pieces: Iterable[Piece]) -> Iterator[Block]:
    """Yield blocks that every workspace knows."""
    for piece in pieces:
        if isinstance(piece, Chart):
            if picture := _sparks(piece):
                yield _section(picture)
        elif isinstance(piece, Table):
            lines = _lines(piece)
            for start in range(0, len(lines), _IN_SECTION):
                yield _section("\n".join(lines[start : start + _IN_SECTION]))
        else:
            yield piece


def _chart(chart: Chart) -> Block:
    points = [(_label(one), one.value) for one in chart.points]
    if chart.pie:
        shape: Block = {
            "type": "pie",
            "segments": [
                {"label": name, "value": _number(value)} for name, value in points if value
            ],
        }
    else:
        data = [{"label": name, "value": _number(value or Decimal(0))} for name, value in points]
        shape = {
            "type": "bar",
            "series": [{"name": chart.series[:_LABEL], "data": data}],
            "axis_config": {"categories": [name for name, _ in points]},
        }
    return {"type": "data_visualization", "title": chart.title[:50], "chart": shape}


def _label(point: Point) -> str:
    """Return a point's label, which says where nothing is known, for a chart has no gaps."""
    unknown = " (not read)" if point.value is None else ""
    room = _LABEL - len(unknown)
    label = point.label if len(point.label) <= room else f"{point.label[: room - 1]}…"
    return label + unknown


def _number(value: Decimal) -> float:
    """Return a number for Slack to draw or sort by: JSON has no other, and none is read back."""
    step = Decimal("0.01") if abs(value) >= 1 else Decimal("0.000001")
    return float(value.quantize(step, ROUND_HALF_EVEN, _ROUND))


def _table(table: Table) -> Block:
    rows: list[Sequence[Cell]] = [*table.rows]
    if table.left_out:
        rows.append(_others(table))
    heads = [{"type": "raw_text", "text": one} for one in table.heads]
    return {
        "type": "data_table",
        "caption": table.caption,
        "page_size": _PAGE,
        "row_header_column_index": 0,
        "rows": [heads, *([_cell(one) for one in row] for row in rows)],
    }


def _others(table: Table) -> list[Cell]:
    """Return one row for all that have none of their own."""
    blank = [Cell("–")] * (len(table.heads) - 2)
    name = f"{table.left_out:,} others together"
    return [Cell(name), Cell(words.usd(table.rest), table.rest.amount), *blank]


def _sum(rows: Sequence[tuple[Cell, ...]]) -> Usd:
    return Usd(exact_sum(row[1].value or Decimal(0) for row in rows))


def _cell(cell: Cell) -> Block:
    if cell.value is None:
        return {"type": "raw_text", "text": cell.text}
    return {"type": "raw_number", "value": _number(cell.value), "text": cell.text}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _sparks(chart: Chart) -> str:
    known = [one for one in chart.points if one.value is not None]
    if chart.pie or len(known) < 2:
        return ""
    least, most = (pick(known, key=lambda one: one.value or 0) for pick in (min, max))
    picture = words.sparkline([one.value or Decimal(0) for one in known])
    span = f"{known[0].label} to {known[-1].label}: {least.text} to {most.text}"
    return f"{picture}  {escape(f'{span} ({chart.series})')}"


def _lines(table: Table) -> list[str]:
    """Return a line for each of the first rows, and one for the rest with its sum."""
    lines = []
    for place, (name, lead, *others) in enumerate(table.rows[:_SPELLED], 1):
        told = [
            _SPELLED_AS.get(head, f"{head.lower()} {{}}").format(cell.text)
            for head, cell in zip(table.heads[2:], others, strict=True)
            if cell.text != "–"
        ]
        kept = (one.replace(" ", "\u00a0") for one in told)  # no line ends within a figure
        behind = f"  {escape(' · '.join(kept))}" if told else ""
        lines.append(f"{place}. *{escape(lead.text)}*  {escape(fenced(name.text))}{behind}")
    rest = table.rows[_SPELLED:]
    if more := len(rest) + table.left_out:
        left = escape(words.usd(_sum(rest) + table.rest))
        lines.append(f"and {words.plural(more, 'other')} with {left} together")
    return lines
