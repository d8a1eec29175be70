"""What people get to see stays within limits that somebody else wrote down (slackblocks)."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from outside_limits import EXCEEDS, LIMITS, excesses

SNAPSHOTS = Path(__file__).parent / "snapshots"


def test_every_recorded_message_and_view_stays_within_the_limits_of_slackblocks():
    found = [
        f"{path.name} {at}: {limit} is {LIMITS.get(limit, 'not allowed')}"
        for path in sorted(SNAPSHOTS.glob("*.json"))
        for at, limit in excesses(json.loads(path.read_text()))
    ]
    assert not found, "\n".join(found)


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


OPTION = {"text": plain("o"), "value": "v", "description": plain("d"), "url": "u"}
CONFIRM = {"title": plain("t"), "text": plain("t"), "confirm": plain("c"), "deny": plain("d")}
BUTTON = {
    "type": "button",
    "text": plain("b"),
    "action_id": "a",
    "url": "u",
    "value": "v",
    "accessibility_label": "l",
    "confirm": CONFIRM,
}
SELECT = {
    "type": "static_select",
    "action_id": "s",
    "placeholder": plain("p"),
    "options": [OPTION],
    "initial_option": OPTION,
}
GROUPED = {"type": "static_select", "option_groups": [{"label": plain("g"), "options": [OPTION]}]}
PEOPLE = {"type": "multi_users_select", "max_selected_items": 1}
ELEMENTS = [
    BUTTON,
    SELECT,
    GROUPED,
    {"type": "overflow", "options": [OPTION]},
    {"type": "checkboxes", "options": [OPTION]},
    {"type": "radio_buttons", "options": [OPTION]},
    PEOPLE,
]
CELL = {"type": "raw_text", "text": "c"}
POINT = {"label": "p", "value": 1}
BARS = {
    "type": "bar",
    "series": [{"name": "s", "data": [POINT]}],
    "axis_config": {"categories": ["p"], "x_label": "x", "y_label": "y"},
}
PICTURE = {"type": "image", "image_url": "u", "alt_text": "a"}
MESSAGE: dict[str, Any] = {
    "text": "t",
    "blocks": [
        {"type": "header", "block_id": "h", "text": plain("h")},
        {"type": "section", "text": plain("s"), "fields": [plain("f")], "accessory": PICTURE},
        {"type": "context", "elements": [plain("c")]},
        {"type": "actions", "elements": ELEMENTS},
        {"type": "data_table", "caption": "c", "page_size": 5, "rows": [[CELL], [CELL]]}
        | {"row_header_column_index": 0},
        {"type": "table", "rows": [[CELL]], "column_settings": [{}]},
        {"type": "data_visualization", "title": "t", "chart": BARS},
        {"type": "data_visualization", "title": "t", "chart": {"type": "pie", "segments": [POINT]}},
        {"type": "markdown", "text": "m"},
        PICTURE | {"title": plain("i")},
    ],
    "attachments": [{}],
}
INPUT = {"type": "plain_text_input", "min_length": 1, "max_length": 9, "placeholder": plain("p")}
NUMBER = {"type": "number_input", "placeholder": plain("p")}
TIME = {"type": "timepicker", "placeholder": plain("p")}
MODAL: dict[str, Any] = {
    "type": "modal",
    "title": plain("t"),
    "close": plain("c"),
    "submit": plain("s"),
    "private_metadata": "m",
    "callback_id": "c",
    "external_id": "e",
    "blocks": [
        {"type": "input", "label": plain("l"), "hint": plain("h"), "element": INPUT},
        {"type": "input", "label": plain("l"), "element": NUMBER},
        {"type": "input", "label": plain("l"), "element": TIME},
        {"type": "alert", "text": plain("a")},
    ],
}
# Where a limit is broken: the beginning of its name, and the place in one of the two above.
PLACES = {
    "TEXT": "/blocks/1/text/text",
    "SECTION_TEXT": "/blocks/1/text/text",
    "SECTION_FIELDS_ITEM": "/blocks/1/fields/0/text",
    "SECTION_FIELDS": "/blocks/1/fields",
    "IMAGE_ELEMENT_IMAGE_URL": "/blocks/1/accessory/image_url",
    "IMAGE_ELEMENT_ALT_TEXT": "/blocks/1/accessory/alt_text",
    "BLOCK_ID": "/blocks/0/block_id",
    "HEADER_TEXT": "/blocks/0/text/text",
    "CONTEXT_ELEMENTS": "/blocks/2/elements",
    "ACTIONS_ELEMENTS": "/blocks/3/elements",
    "ACTION_ID": "/blocks/3/elements/0/action_id",
    "BUTTON_TEXT": "/blocks/3/elements/0/text/text",
    "BUTTON_URL": "/blocks/3/elements/0/url",
    "BUTTON_VALUE": "/blocks/3/elements/0/value",
    "BUTTON_ACCESSIBILITY_LABEL": "/blocks/3/elements/0/accessibility_label",
    **{
        f"CONFIRMATION_{part.upper()}": f"/blocks/3/elements/0/confirm/{part}/text"
        for part in ("title", "text", "confirm", "deny")
    },
    "SELECT_PLACEHOLDER": "/blocks/3/elements/1/placeholder/text",
    "SELECT_OPTIONS": "/blocks/3/elements/1/options",
    "OPTION_TEXT": "/blocks/3/elements/1/options/0/text/text",
    "OPTION_VALUE": "/blocks/3/elements/1/initial_option/value",
    "OPTION_DESCRIPTION": "/blocks/3/elements/1/options/0/description/text",
    "OPTION_URL": "/blocks/3/elements/1/options/0/url",
    "SELECT_OPTION_GROUPS": "/blocks/3/elements/2/option_groups",
    "OPTION_GROUP_LABEL": "/blocks/3/elements/2/option_groups/0/label/text",
    "OPTION_GROUP_OPTIONS": "/blocks/3/elements/2/option_groups/0/options",
    "OVERFLOW_OPTIONS": "/blocks/3/elements/3/options",
    "CHECKBOXES_OPTIONS": "/blocks/3/elements/4/options",
    "RADIO_BUTTONS_OPTIONS": "/blocks/3/elements/5/options",
    "MULTI_SELECT_MAX_SELECTED_ITEMS": "/blocks/3/elements/6/max_selected_items",
    "DATA_TABLE_ROWS": "/blocks/4/rows",
    "DATA_TABLE_COLUMNS": "/blocks/4/rows/0",
    "DATA_TABLE_PAGE_SIZE": "/blocks/4/page_size",
    "DATA_TABLE_ROW_HEADER_COLUMN_INDEX": "/blocks/4/row_header_column_index",
    "DATA_TABLE_CELL_TEXT": "/blocks/4/rows/1/0/text",
    "TABLE_ROWS": "/blocks/5/rows",
    "TABLE_COLUMNS": "/blocks/5/rows/0",
    "TABLE_COLUMN_SETTINGS": "/blocks/5/column_settings",
    "DATA_VISUALIZATION_TITLE": "/blocks/6/title",
    "DATA_VISUALIZATION_SERIES": "/blocks/6/chart/series",
    "DATA_VISUALIZATION_SERIES_NAME": "/blocks/6/chart/series/0/name",
    "DATA_VISUALIZATION_DATA": "/blocks/6/chart/series/0/data",
    "DATA_VISUALIZATION_POINT_LABEL": "/blocks/6/chart/series/0/data/0/label",
    "DATA_VISUALIZATION_CATEGORIES": "/blocks/6/chart/axis_config/categories",
    "DATA_VISUALIZATION_CATEGORY_LABEL": "/blocks/6/chart/axis_config/categories/0",
    "DATA_VISUALIZATION_AXIS_LABEL": "/blocks/6/chart/axis_config/y_label",
    "DATA_VISUALIZATION_SEGMENTS": "/blocks/7/chart/segments",
    "DATA_VISUALIZATION_SEGMENT_LABEL": "/blocks/7/chart/segments/0/label",
    "DATA_VISUALIZATION_SEGMENT_VALUE": "/blocks/7/chart/segments/0/value",
    "MARKDOWN_TEXT": "/blocks/8/text",
    "IMAGE_IMAGE_URL": "/blocks/9/image_url",
    "IMAGE_ALT_TEXT": "/blocks/9/alt_text",
    "IMAGE_TITLE": "/blocks/9/title/text",
    "MESSAGE_BLOCKS": "/blocks",
    "MESSAGE_ATTACHMENTS": "/attachments",
}
IN_MODAL = {
    "VIEW_BLOCKS": "/blocks",
    **{f"VIEW_{part.upper()}": f"/{part}/text" for part in ("title", "close", "submit")},
    **{
        f"VIEW_{part.upper()}": f"/{part}"
        for part in ("private_metadata", "callback_id", "external_id")
    },
    "INPUT_LABEL": "/blocks/0/label/text",
    "INPUT_HINT": "/blocks/0/hint/text",
    "PLAIN_TEXT_INPUT_MIN_LENGTH": "/blocks/0/element/min_length",
    "PLAIN_TEXT_INPUT_MAX_LENGTH": "/blocks/0/element/max_length",
    "PLAIN_TEXT_INPUT_PLACEHOLDER": "/blocks/0/element/placeholder/text",
    "NUMBER_INPUT_PLACEHOLDER": "/blocks/1/element/placeholder/text",
    "TIME_PICKER_PLACEHOLDER": "/blocks/2/element/placeholder/text",
    "ALERT_TEXT": "/blocks/3/text/text",
}
SUMS = {  # broken by many blocks together, or beside a limit that is reached first
    "MESSAGE_DATA_VISUALIZATIONS_MAX_ITEMS": [MESSAGE["blocks"][7]] * 3,
    "MARKDOWN_TOTAL_TEXT_MAX_LENGTH": [{"type": "markdown", "text": "m" * 4001}] * 3,
    "DATA_TABLE_CONTENT_MAX_LENGTH": [
        {"type": "data_table", "rows": [[CELL], [CELL | {"text": "c" * 20_000}]]}
    ],
    "DATA_TABLE_TOTAL_CONTENT_MAX_LENGTH": [
        {"type": "data_table", "rows": [[CELL], [CELL | {"text": "c" * 10_000}]]}
    ]
    * 2,
}
# No message of ours holds any of these, and our own stand-in refuses them.
ELSEWHERE = (
    *("BUTTON_AGENT_PROMPT", "CARD_", "CAROUSEL_", "CONTAINER_", "CONTEXT_ACTIONS_"),
    *("CONVERSATION_FILTER_", "DATE_PICKER_", "DISPATCH_ACTION_", "EMAIL_", "FEEDBACK_", "FILE_"),
    *("ICON_", "MESSAGE_CHANNEL", "PLAN_", "RICH_TEXT_", "SELECT_MIN_QUERY", "URL_INPUT"),
    *("VIDEO_", "WORKFLOW_"),
)
BREAKS = [
    (f"{name}{ending}", document, at)
    for document, places in ((MESSAGE, PLACES), (MODAL, IN_MODAL))
    for name, at in places.items()
    for ending in EXCEEDS
    if f"{name}{ending}" in LIMITS
]


def with_value(document: dict[str, Any], at: str, change: Any) -> dict[str, Any]:
    """`document` with what stands at `at` replaced by what `change` makes of it."""
    whole = place = copy.deepcopy(document)
    *way, last = (int(one) if one.isdigit() else one for one in at.split("/")[1:])
    for one in way:
        place = place[one]
    place[last] = change(place[last])
    return whole


def sized(limit: str, past: int) -> Any:
    """A change to a value that is `past` what `limit` allows; 0 is just allowed."""
    most = LIMITS[limit]
    if limit.endswith("_LENGTH"):
        return lambda _: "x" * max(0, most + (past if "MAX" in limit else -past))
    if limit.endswith("_ITEMS"):
        return lambda items: items[:1] * (most + (past if "MAX" in limit else -past))
    if limit.endswith("EXCLUSIVE_MIN"):
        return lambda _: most + 1 - past
    return lambda _: most + (past if limit.endswith("_MAX") else -past)


@pytest.mark.parametrize(("limit", "document", "at"), BREAKS, ids=[one[0] for one in BREAKS])
def test_a_value_past_a_limit_is_reported_with_its_place_and_one_at_the_limit_is_not(
    limit, document, at
):
    assert excesses(document) == []
    assert (at, limit) in excesses(with_value(document, at, sized(limit, 1)))
    assert (at, limit) not in excesses(with_value(document, at, sized(limit, 0)))


@pytest.mark.parametrize("limit", SUMS)
def test_blocks_are_counted_together(limit):
    assert limit in [name for _, name in excesses({"blocks": SUMS[limit]})]
    assert limit not in [name for _, name in excesses({"blocks": SUMS[limit][1:]})]


def test_a_block_where_slack_does_not_take_it_is_reported():
    chart = MESSAGE["blocks"][6]
    assert excesses({"type": "home", "blocks": [chart]}) == []
    assert ("/blocks/0", "data_visualization in a modal") in excesses(MODAL | {"blocks": [chart]})


def test_every_limit_that_slackblocks_knows_is_broken_above_or_of_something_that_we_do_not_send():
    broken = {limit for limit, _, _ in BREAKS} | set(SUMS)
    left = {one for one in LIMITS if one not in broken and not one.startswith(ELSEWHERE)}
    assert not left
