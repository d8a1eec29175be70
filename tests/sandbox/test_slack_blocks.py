"""Block Kit as documented: what the stand-in takes and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_clients import section

from bot.sandbox.slack_blocks import problems


def raw(text: str) -> dict[str, str]:
    return {"type": "raw_text", "text": text}


def data_table(**changes: Any) -> dict[str, Any]:
    number = {"type": "raw_number", "value": 1.5, "text": "$1.50"}
    rows = [[raw("Model"), raw("Cost")], [raw("a/b"), number]]
    return {"type": "data_table", "caption": "Spend by model", "rows": rows, **changes}


def chart(**changes: Any) -> dict[str, Any]:
    points = [{"label": "Mon", "value": 1}, {"label": "Tue", "value": 0}]
    axis = {"categories": ["Mon", "Tue"], "x_label": "Day", "y_label": "USD"}
    drawn = {"type": "bar", "series": [{"name": "a", "data": points}], "axis_config": axis}
    return {"type": "data_visualization", "title": "Spend", "chart": {**drawn, **changes}}


def pie(*values: Any) -> dict[str, Any]:
    segments = [{"label": f"m{i}", "value": value} for i, value in enumerate(values)]
    return {
        "type": "data_visualization",
        "title": "S",
        "chart": {"type": "pie", "segments": segments},
    }


def button(**changes: Any) -> dict[str, Any]:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": "Go"},
        "action_id": "go",
        **changes,
    }


GOOD: list[list[dict[str, Any]]] = [
    [{"type": "header", "text": {"type": "plain_text", "text": "a" * 150, "emoji": True}}],
    [section("a" * 3_000)] * 50,
    [{"type": "section", "fields": [{"type": "mrkdwn", "text": "a"}] * 10, "expand": True}],
    [{**section("a"), "accessory": button(style="primary", value="v", url="https://a.invalid")}],
    [{"type": "divider"}, {"type": "context", "elements": [{"type": "mrkdwn", "text": "a"}] * 10}],
    [{"type": "actions", "block_id": "b", "elements": [button(), button(action_id="stop")]}],
    [{"type": "image", "image_url": "https://a.invalid/a.png", "alt_text": "a"}],
    [{"type": "markdown", "text": "# a"}],
    [{"type": "table", "rows": [[raw("a")] * 20] * 100}],
    [data_table(page_size=10, row_header_column_index=0)],
    [chart(), pie(1, 2)],
    [chart(type="line")],
]

BAD: list[tuple[str, Any]] = [
    ("no list", {"type": "divider"}),
    ("no block", []),
    ("not a block", ["a"]),
    ("51 blocks", [section("a")] * 51),
    ("unknown block", [{"type": "alert", "text": "a"}]),
    ("unknown key", [{"type": "divider", "color": "red"}]),
    ("a block_id twice", [{"type": "divider", "block_id": "a"}] * 2),
    ("header in mrkdwn", [{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}]),
    ("long header", [{"type": "header", "text": {"type": "plain_text", "text": "a" * 151}}]),
    ("text as a string", [{"type": "section", "text": "a"}]),
    ("empty text", [section("")]),
    ("long text", [section("a" * 3_001)]),
    ("empty section", [{"type": "section"}]),
    ("11 fields", [{"type": "section", "fields": [{"type": "mrkdwn", "text": "a"}] * 11}]),
    (
        "emoji in mrkdwn",
        [{"type": "section", "text": {"type": "mrkdwn", "text": "a", "emoji": True}}],
    ),
    ("11 elements", [{"type": "context", "elements": [{"type": "mrkdwn", "text": "a"}] * 11}]),
    ("an action_id twice", [{"type": "actions", "elements": [button(), button()]}]),
    (
        "an action_id in two blocks",
        [{"type": "actions", "elements": [button()]}, {**section("a"), "accessory": button()}],
    ),
    ("a long label", [{"type": "actions", "elements": [button(accessibility_label="a" * 76)]}]),
    ("a long address", [{"type": "actions", "elements": [button(url="https://" + "a" * 3_000)]}]),
    ("a long action_id", [{"type": "actions", "elements": [button(action_id="a" * 256)]}]),
    ("long button", [{"type": "actions", "elements": [button(value="v" * 2_001)]}]),
    ("wrong style", [{"type": "actions", "elements": [button(style="green")]}]),
    ("image without alt", [{"type": "image", "image_url": "https://a.invalid/a.png"}]),
    ("image without source", [{"type": "image", "alt_text": "a"}]),
    ("two tables", [{"type": "table", "rows": [[raw("a")]]}] * 2),
    ("21 cells", [{"type": "table", "rows": [[raw("a")] * 21]}]),
    ("a bare cell", [{"type": "table", "rows": [["a"]]}]),
    ("a header alone", [data_table(rows=[[raw("a")]])]),
    ("102 rows", [data_table(rows=[[raw("a")]] * 102)]),
    ("ragged rows", [data_table(rows=[[raw("a")], [raw("a"), raw("b")]])]),
    ("no caption", [data_table(caption="")]),
    ("page of 0", [data_table(page_size=0)]),
    ("no such column", [data_table(row_header_column_index=2)]),
    ("20,001 characters", [data_table(rows=[[raw("a" * 2_001)]] * 10)]),
    (
        "a number as text",
        [data_table(rows=[[raw("a")], [{"type": "raw_number", "value": "1", "text": "1"}]])],
    ),
    ("three charts", [pie(1)] * 3),
    ("7 segments", [pie(*range(1, 8))]),
    ("an empty segment", [pie(1, 0)]),
    ("not a number", [pie(float("nan"))]),
    ("long label", [chart(axis_config={"categories": ["M" * 21]})]),
    ("labels that are not the categories", [chart(axis_config={"categories": ["Mon", "Wed"]})]),
    ("a series twice", [chart(series=chart()["chart"]["series"] * 2)]),
    ("21 points", [chart(series=[{"name": "a", "data": [{"label": "Mon", "value": 1}] * 21}])]),
    ("no axis", [chart(axis_config=None)]),
    ("a donut", [chart(type="donut")]),
]


@pytest.mark.parametrize("blocks", GOOD)
def test_good_blocks_are_taken(blocks: list[dict[str, Any]]):
    assert problems(blocks) == ()


@pytest.mark.parametrize("blocks", [bad for _, bad in BAD], ids=[name for name, _ in BAD])
def test_bad_blocks_are_refused(blocks: Any):
    assert problems(blocks)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "text", "rows", "chart", "series", "elements", "block_id"]
                ),
                inner
                | st.sampled_from(
                    ["section", "table", "data_table", "data_visualization", "actions"]
                ),
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_is_sent_is_judged_without_a_crash(blocks: Any):
    assert all(isinstance(problem, str) for problem in problems(blocks))
