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
