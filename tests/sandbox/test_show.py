"""Slack messages as a reader of a terminal sees them."""

from __future__ import annotations

from typing import Any

from slack_clients import section

from bot.sandbox.show import conversation, shown
from bot.sandbox.slack_people import USER
from bot.sandbox.slack_workspace import Shown
from bot.terminal.paint import WIDTH, Paint, columns

PLAIN = Paint(on=False)


def button(text: str, **more: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, **more}


def test_an_alert_reads_as_in_slack():
    moment = "<!date^1764000000^{date_short_pretty} {time}|25 Nov 18:40 UTC>"
    blocks = [
        section("*OpenRouter balance: $12.40* for `a/b` &amp; <https://a.invalid|more>"),
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Left*\n$12.40"}]},
        {"type": "actions", "elements": [button("Acknowledge"), button("Top up", url="https://a")]},
        {"type": "divider"},
        {
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": f"Snoozed by <@{USER}> until {moment}"}],
        },
    ]
    lines = shown(blocks, "", PLAIN, "  ").replace("\u00a0", " ").split("\n")
    assert lines == [
        "  OpenRouter balance: $12.40 for a/b & more",
        "  Left $12.40",
        "  [ Acknowledge ]  [ Top up ↗ ]",
        "  " + "─" * 40,
        "  Snoozed by @you until 25 Nov 18:40 UTC",
    ]


def test_replies_stand_indented_below_their_message_and_nothing_is_too_wide():
    first, second = "1764000000.000001", "1764000060.000002"
    many = {"type": "actions", "elements": [button("Snooze 24 hours")] * 6}
    messages = [
        Shown("C1", first, "Low " * 40, edited=True),
        Shown("C1", second, "Digest", (many,)),
        Shown("C1", "1764000120.000003", "Lower " * 40, thread_ts=first, broadcast=True),
        Shown("C1", "1764000180.000004", "Alone", thread_ts="1763000000.000001"),
    ]
    lines = conversation(messages, PLAIN).split("\n")
    assert max(map(columns, lines)) <= WIDTH
    heads = [line for line in lines if "CostCompass" in line]
    assert heads == [
        "CostCompass · 16:00 UTC · edited",
        "  │ CostCompass · 16:02 UTC · also sent to the channel",
        "CostCompass · 16:01 UTC",
        "CostCompass · 16:03 UTC",
    ]
    assert all(line.count("[") == line.count("]") for line in lines)


def test_charts_tables_and_menus_fit_on_a_terminal():
    cells = [
        ["Model with a name", "Cost", "Share"],
        *([f"author/model-{i}" * 3, "$1", "9%"] for i in range(14)),
    ]
    table = {
        "type": "data_table", "caption": "c", "page_size": 10,
        "rows": [[{"type": "raw_text", "text": one} for one in row] for row in cells],
    }  # fmt: skip
    data = [{"label": f"{day} Nov", "value": day % 5} for day in range(1, 21)]
    bars = {"type": "bar", "series": [{"name": "USD a day", "data": data}]}
    pie = {"type": "pie", "segments": [{"label": "a", "value": 3}, {"label": "b", "value": 1}]}
    charts = [
        {"type": "data_visualization", "title": "Spend", "chart": chart} for chart in (bars, pie)
    ]
    menu = {
        "type": "static_select", "placeholder": {"type": "plain_text", "text": "Period"},
        "options": [], "initial_option": {"text": {"type": "plain_text", "text": "Last 7 days"}},
    }  # fmt: skip
    blocks = [*charts, table, {"type": "actions", "elements": [menu, {"type": "overflow"}]}]
    lines = shown(blocks, "", PLAIN, "  ").replace("\u00a0", " ").split("\n")
    assert max(map(columns, lines)) <= WIDTH
    text = "\n".join(lines)
    assert "0.00 to 4.00 USD a day" in text
    assert "75.0%" in text
    assert "1–10 of 14, 4 more rows" in text
    assert "[ Last 7 days ▾ ]  [ ⋯ ▾ ]" in text or "[ Last 7 days ▾ ]  [ ⋯ ]" in text
