"""The checks of Slack's table, data_table and data_visualization blocks, the strict limit of each.

Shapes: docs.slack.dev/reference/block-kit/blocks/{table,data-table,data-visualization}-block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.sandbox.slack_shapes import Problems, is_list, items, keys, listed, number, string

_LABEL: Final = 20
"""Characters of a category, segment or series name."""


def table(block: Mapping[str, Any], at: str) -> Problems:
    """Check a plain table: up to 100 rows of up to 20 cells."""
    yield from keys(block, at, "type rows", "column_settings")
    yield from _rows(block.get("rows"), f"{at}/rows", 1, 100)
    yield from listed(block.get("column_settings", [None]), f"{at}/column_settings", 1, 20)


def data_table(block: Mapping[str, Any], at: str) -> Problems:
    """Check a sortable table: a header and up to 100 rows, all of the same width."""
    yield from keys(block, at, "type rows caption", "page_size row_header_column_index")
    yield from string(block.get("caption"), f"{at}/caption", 2_000)
    if not _between(block.get("page_size", 5), 1, 100):
        yield f"{at}/page_size: 1 to 100"
    rows = block.get("rows")
    yield from _rows(rows, f"{at}/rows", 2, 101)
    if is_list(rows) and rows:
        yield from _data_rows([row if is_list(row) else () for row in rows], block, at)


def _data_rows(rows: list[Any], block: Mapping[str, Any], at: str) -> Problems:
    if len({len(row) for row in rows}) > 1:
        yield f"{at}/rows: rows of different length"
    if not _between(block.get("row_header_column_index", 0), 0, len(rows[0]) - 1):
        yield f"{at}/row_header_column_index: no such column"
    cells = [cell for row in rows for cell in row if isinstance(cell, Mapping)]
    if any(isinstance(c, Mapping) and c.get("type") == "rich_text" for c in rows[0]):
        yield f"{at}/rows/0: a header cell cannot be rich_text"
    if sum(len(str(cell.get("text", ""))) for cell in cells) > 20_000:
        yield f"{at}: at most 20000 characters in all cells together"


def _rows(rows: Any, at: str, least: int, most: int) -> Problems:
    yield from listed(rows, at, least, most)
    for row_at, row in items(rows, at):
        yield from listed(row, row_at, 1, 20)
        for cell_at, cell in items(row, row_at):
            yield from _cell(cell, cell_at)


def _cell(cell: Any, at: str) -> Problems:
    kind = cell.get("type") if isinstance(cell, Mapping) else None
    match kind:
        case "raw_text":
            yield from keys(cell, at, "type text")
            yield from string(cell.get("text"), f"{at}/text", 3_000)
        case "raw_number":
            yield from keys(cell, at, "type value text")
            yield from string(cell.get("text"), f"{at}/text", 3_000)
            if not number(cell.get("value")):
                yield f"{at}/value: a number"
        case "rich_text":
            yield from keys(cell, at, "type elements")
            yield from listed(cell.get("elements"), f"{at}/elements", 1, 100)
        case _:
            yield f"{at}: a raw_text, raw_number or rich_text cell"


def data_visualization(block: Mapping[str, Any], at: str) -> Problems:
    """Check a chart: pie, or bar, line or area over shared categories."""
    yield from keys(block, at, "type title chart")
    yield from string(block.get("title"), f"{at}/title", 50)
    chart = block.get("chart")
    kind = chart.get("type") if isinstance(chart, Mapping) else None
    if kind == "pie":
        yield from _pie(block["chart"], f"{at}/chart")
    elif kind in {"bar", "line", "area"}:
        yield from _plot(block["chart"], f"{at}/chart")
    else:
        yield f"{at}/chart: a pie, bar, line or area chart"


def _pie(chart: Mapping[str, Any], at: str) -> Problems:
    yield from keys(chart, at, "type segments")
    yield from listed(chart.get("segments"), f"{at}/segments", 1, 6)
    for place, segment in items(chart.get("segments"), f"{at}/segments"):
        yield from _point(segment, place)
        if isinstance(segment, Mapping) and number(segment.get("value")) and segment["value"] <= 0:
            yield f"{place}/value: more than 0"


def _plot(chart: Mapping[str, Any], at: str) -> Problems:
    yield from keys(chart, at, "type series axis_config")
    axis = chart.get("axis_config")
    yield from _axis(axis, f"{at}/axis_config")
    categories = axis.get("categories") if isinstance(axis, Mapping) else None
    yield from listed(chart.get("series"), f"{at}/series", 1, 6)
    for place, series in items(chart.get("series"), f"{at}/series"):
        yield from keys(series, place, "name data")
        if isinstance(series, Mapping):
            yield from _series(series, categories, place)
    names = [
        str(s.get("name")) for _, s in items(chart.get("series"), at) if isinstance(s, Mapping)
    ]
    if len(names) != len(set(names)):
        yield f"{at}/series: a name twice"


def _series(series: Mapping[str, Any], categories: Any, at: str) -> Problems:
    yield from string(series.get("name"), f"{at}/name", _LABEL)
    yield from listed(series.get("data"), f"{at}/data", 1, 20)
    for place, point in items(series.get("data"), f"{at}/data"):
        yield from _point(point, place)
    labels = [p.get("label") for _, p in items(series.get("data"), at) if isinstance(p, Mapping)]
    if labels != categories:
        yield f"{at}/data: the labels are the categories, in their order"


def _axis(axis: Any, at: str) -> Problems:
    yield from keys(axis, at, "categories", "x_label y_label")
    if isinstance(axis, Mapping):
        yield from listed(axis.get("categories"), f"{at}/categories", 1, 20)
        for place, category in items(axis.get("categories"), f"{at}/categories"):
            yield from string(category, place, _LABEL)
        for key in ("x_label", "y_label"):
            yield from string(axis.get(key, "-"), f"{at}/{key}", 50)


def _point(point: Any, at: str) -> Problems:
    yield from keys(point, at, "label value")
    if isinstance(point, Mapping):
        yield from string(point.get("label"), f"{at}/label", _LABEL)
        if not number(point.get("value")):
            yield f"{at}/value: a number"


def _between(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
