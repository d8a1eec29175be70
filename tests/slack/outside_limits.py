"""A walker over messages and views with the limits of somebody else's registry.

slackblocks generates its numbers from a registry that nobody here wrote, so a number that was read
wrongly here does not judge itself. Its own parser refuses actions, tables and charts, hence a walker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from slackblocks import _limits, _surfaces

LIMITS: Mapping[str, int] = {k: v for k, v in vars(_limits).items() if k.isupper()}
Found = Iterator[tuple[str, str]]
"""JSON pointers of excesses, each with the name of the limit."""

# The registry speaks of a CHART's parts and of all menus alike; the wire names each menu's kind.
KINDS = {
    **dict.fromkeys(("pie", "bar", "line", "area"), ("DATA_VISUALIZATION",)),
    "datepicker": ("DATE_PICKER",),
    "timepicker": ("TIME_PICKER",),
    "email_text_input": ("EMAIL_INPUT",),
    "url_text_input": ("URL_INPUT",),
    "home": ("VIEW",),
    "modal": ("VIEW",),
}
UNDER = {  # what has no type of its own is known by where it stands
    "confirm": ("CONFIRMATION",),
    "options": ("OPTION",),
    "initial_option": ("OPTION",),
    "initial_options": ("OPTION",),
    "option_groups": ("OPTION_GROUP",),
    "axis_config": ("DATA_VISUALIZATION",),
    "segments": ("DATA_VISUALIZATION_SEGMENT",),
    "series": ("DATA_VISUALIZATION", "DATA_VISUALIZATION_SERIES"),
    "data": ("DATA_VISUALIZATION_POINT",),
}
STRINGS = {  # limits of a string that stands under this name wherever it stands
    "action_id": "ACTION_ID",
    "block_id": "BLOCK_ID",
    "x_label": "DATA_VISUALIZATION_AXIS_LABEL",
    "y_label": "DATA_VISUALIZATION_AXIS_LABEL",
}
EXCEEDS: Mapping[str, Callable[[Any, int], bool]] = {
    "_MIN_LENGTH": lambda text, limit: isinstance(text, str) and len(text) < limit,
    "_MAX_LENGTH": lambda text, limit: isinstance(text, str) and len(text) > limit,
    "_MIN_ITEMS": lambda items, limit: isinstance(items, list) and len(items) < limit,
    "_MAX_ITEMS": lambda items, limit: isinstance(items, list) and len(items) > limit,
    "_MIN": lambda value, limit: isinstance(value, int | float) and value < limit,
    "_MAX": lambda value, limit: isinstance(value, int | float) and value > limit,
    "_EXCLUSIVE_MIN": lambda value, limit: isinstance(value, int | float) and value <= limit,
}


def excesses(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything in a message (`text` and `blocks`) or a view that breaks a limit of slackblocks."""
    surface = document.get("type", "message")
    kinds = ("VIEW",) if surface in {"home", "modal"} else ("MESSAGE",)
    found = [*_fields(document, "", kinds), *_below(document, ""), *_totals(document)]
    allowed = _surfaces._BLOCK_TYPES_BY_SURFACE[surface]
    for index, block in enumerate(document["blocks"]):
        if block["type"] not in allowed:
            found.append((f"/blocks/{index}", f"{block['type']} in a {surface}"))
    return found


def _below(value: Any, at: str, under: str = "") -> Found:
    """Excesses of whatever `value` holds; `under` is the name that it stands under."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _thing(one, f"{at}/{key}", key)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _thing(one, f"{at}/{index}", under)


def _thing(value: Any, at: str, under: str) -> Found:
    if isinstance(value, Mapping):
        kind = str(value.get("type", ""))
        if kind in {"plain_text", "mrkdwn"}:
            yield from _exceeded(value.get("text"), f"{at}/text", "TEXT")
            return
        yield from _fields(value, at, _kinds(kind, under))
        yield from _tables(kind, value, at)
    elif under in STRINGS:
        yield from _exceeded(value, at, STRINGS[under])
    elif under == "categories":
        yield from _exceeded(value, at, "DATA_VISUALIZATION_CATEGORY_LABEL")
    yield from _below(value, at, under)


def _kinds(kind: str, under: str) -> Sequence[str]:
    if kind == "image" and under in {"elements", "accessory"}:
        return ("IMAGE_ELEMENT",)
    if kind.endswith("_select"):
        return ("SELECT", "MULTI_SELECT") if kind.startswith("multi_") else ("SELECT",)
    if kind:
        return KINDS.get(kind, (kind.upper(),))
    return UNDER.get(under, ())


def _fields(thing: Mapping[str, Any], at: str, kinds: Sequence[str]) -> Found:
    """Excesses of fields whose limit is named for the thing and the field, as most are."""
    for key, value in thing.items():
        where, told = f"{at}/{key}", value
        if isinstance(value, Mapping) and isinstance(value.get("text"), str):
            where, told = f"{where}/text", value["text"]
        for kind in kinds:
            yield from _exceeded(told, where, f"{kind}_{key}".upper())
            if key == "fields" and isinstance(value, list):
                for index, field in enumerate(value):
                    yield from _exceeded(
                        field["text"], f"{where}/{index}/text", f"{kind}_FIELDS_ITEM"
                    )


def _tables(kind: str, block: Mapping[str, Any], at: str) -> Found:
    if kind not in {"table", "data_table"}:
        return
    for index, row in enumerate(block["rows"]):
        yield from _exceeded(row, f"{at}/rows/{index}", f"{kind}_COLUMNS".upper())
        for column, cell in enumerate(row):
            if kind == "data_table" and cell["type"] == "raw_text":
                place = f"{at}/rows/{index}/{column}/text"
                yield from _exceeded(cell["text"], place, "DATA_TABLE_CELL_TEXT")
    if kind == "data_table":
        yield from _exceeded(_texts(block["rows"]), f"{at}/rows", "DATA_TABLE_CONTENT")


def _totals(document: Mapping[str, Any]) -> Found:
    """Excesses of all blocks together."""

    def of(kind: str) -> list[Mapping[str, Any]]:
        return [block for block in document["blocks"] if block["type"] == kind]

    charts = of("data_visualization")
    yield from _exceeded(charts, "/blocks", "MESSAGE_DATA_VISUALIZATIONS")
    yield from _exceeded(_texts(of("markdown")), "/blocks", "MARKDOWN_TOTAL_TEXT")
    rows = [block["rows"] for block in of("data_table")]
    yield from _exceeded(_texts(rows), "/blocks", "DATA_TABLE_TOTAL_CONTENT")


def _texts(value: Any) -> str:
    """All that stands under the name `text`, which is what slackblocks counts."""
    if isinstance(value, Mapping):
        return "".join(
            one if key == "text" and isinstance(one, str) else _texts(one)
            for key, one in value.items()
        )
    return "".join(map(_texts, value)) if isinstance(value, list) else ""


def _exceeded(value: Any, at: str, name: str) -> Found:
    for ending, exceeds in EXCEEDS.items():
        limit = LIMITS.get(name + ending)
        if limit is not None and exceeds(value, limit):
            yield at, name + ending
