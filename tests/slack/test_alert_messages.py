"""What alerts look like in Slack: buttons that follow the state, and nothing that escapes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alert_words.rules import RULES
from bot.sandbox.slack_blocks import problems
from bot.slack import alert_messages
from bot.slack.blocks import Message
from costcompass_core.domain.incidents import Incident, acknowledged, snoozed
from costcompass_core.domain.letters import Late, Letter, TellSummary
from costcompass_core.domain.money import Usd
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.rules.views import Finding, Key

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CREDITS = "https://provider.example/credits"
FACTS: dict[str, Any] = {
    "left": Usd.of("12.4"), "days": Decimal("1.7"), "crossed": (Usd.of(25),),
    "empty_at": NOW + timedelta(days=1, hours=16),
}  # fmt: skip


def incident(rule="balance_low", subject="", account="main", facts=FACTS, **more) -> Incident:
    values = {"level": 1, "of": 2, "worst": 1, "as_of": NOW, "told_at": NOW, **more}
    return Incident(7, Key(rule, account, subject), NOW, facts=facts, **values)


def posted(one: Incident, late=None) -> Message:
    return alert_messages.incident_message(one, NOW, BERLIN, CREDITS, late)


def buttons(message: Message) -> list[str]:
    return [
        element["action_id"].removeprefix("incident_")
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def visible(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def markup(message: Message) -> str:
    """Return the texts that Slack looks for mentions, links and styles in."""
    texts = [one["text"] for one in message.blocks if one["type"] == "section"]
    texts += [e for one in message.blocks if one["type"] == "context" for e in one["elements"]]
    assert all(one["verbatim"] for one in texts)
    return "\n".join(one["text"] for one in texts)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (incident(), ["open_credits", "acknowledge", "snooze_4h", "snooze_24h", "snooze_top_up"]),
        (acknowledged(incident(), "U123", NOW).incident,
         ["open_credits", "unacknowledge", "snooze_4h", "snooze_24h", "snooze_top_up"]),
        (snoozed(incident(), "4h", "U123", NOW).incident, ["open_credits", "acknowledge", "wake"]),
        (incident("vault_locked", account=""), ["acknowledge", "snooze_4h", "snooze_24h"]),
        (incident(resolved_at=NOW), []),
    ],
)  # fmt: skip
def test_buttons_follow_the_state(one, expected):
    message = posted(one)
    assert buttons(message) == expected
    assert not problems(list(message.blocks))


def test_a_button_says_which_incident_it_is_for_and_one_is_primary():
    elements = posted(incident()).blocks[-1]["elements"]
    assert {one["value"] for one in elements} == {"7"}
    assert [one["url"] for one in elements if one.get("style") == "primary"] == [CREDITS]
    edited = posted(incident(seq=1)).blocks[-1]
    assert edited["block_id"] != posted(incident()).blocks[-1]["block_id"]


def test_the_text_alone_tells_it_all_and_moments_are_shown_in_the_readers_zone():
    message = posted(incident(), Late(NOW - timedelta(hours=3), False))
    assert message.text.startswith("Balance of main is low: $12.40, about 1.7 days left. ")
    assert "noticed 23 Nov 07:00 CET, 3 hours ago" in message.text
    assert "your level of $25" in message.text
    assert "<" not in message.text
    stamp = int((NOW + timedelta(days=1, hours=16)).timestamp())
    assert f"<!date^{stamp}^{{date_short_pretty}} {{time}}|25 Nov 02:00 CET>" in visible(message)


def test_who_pressed_is_mentioned_where_a_mention_wakes_nobody():
    message = posted(snoozed(incident(), "top_up", "U0123456789", NOW).incident)
    assert "Snoozed by <@U0123456789> until a top-up" in visible(message)
    assert "<@" not in message.text


def test_a_reply_repeats_the_state_and_says_what_happened():
    worse = incident(level=2, worst=2, facts={**FACTS, "crossed": (Usd.of(25), Usd.of(10))})
    reply = alert_messages.reply_message(worse, "worse", NOW, BERLIN)
    assert reply.text == (
        "Balance of main is critical: $12.40, about 1.7 days left."
        " It got worse. At or below your levels of $25 and $10."
    )
    reminder = alert_messages.reply_message(incident(), "reminded", NOW, BERLIN)
    assert "Reminder" in reminder.text
    assert not buttons(reply)


def summary(incidents, letters, *, quiet, notices=(), late=None) -> Message:
    telling = TellSummary(
        "C1", tuple(letters), late, incidents=tuple(incidents), notices=tuple(notices),
        follow=(), quiet=quiet,
    )  # fmt: skip
    return alert_messages.summary_message(telling, NOW, BERLIN)


def letter(what, ident=7) -> Letter:
    return Letter(1, f"incident:{ident}:{what}", "incident", NOW, what, ident)


def test_a_quiet_night_is_one_summary():
    over = replace(incident("runway_short"), ident=8, resolved_at=NOW)
    top_up = Notice("top_up", "main", "n", {"amount": Usd.of(50), "left": Usd.of(60)}, NOW)
    letters = [letter("opened"), letter("worse"), letter("opened", 8), letter("resolved", 8)]
    message = summary([incident(), over], letters, quiet=True, notices=[top_up])
    first, *lines = message.text.split("\n")
    assert first == "While it was quiet: 2 opened, 1 resolved, 1 notice."
    assert len(lines) == 3
    assert "Runway of main was short" in lines[1]
    assert "$50.00" in lines[2]


def test_what_was_over_before_it_could_be_told_is_its_own_line():
    over = incident(resolved_at=NOW + timedelta(hours=2))
    message = summary(
        [over], [letter("opened"), letter("resolved")], quiet=False, late=Late(NOW, False)
    )
    assert message.text.startswith("Balance of main was low 23 Nov 10:00–12:00 CET, resolved.")


def test_a_long_summary_counts_what_it_leaves_out():
    many = [replace(incident(subject="&" * 300), ident=i) for i in range(45)]
    message = summary(many, [letter("opened", i) for i in range(45)], quiet=True)
    assert "45 opened" in message.text
    assert "and 25 others" in visible(message)
    assert not problems(list(message.blocks))


def test_what_the_database_refused_is_plainly_marked():
    finding = Finding(1, 1, 2, FACTS, NOW)
    message = alert_messages.unrecorded_message(
        Key("balance_low", "main"), finding, "disk <full>", NOW, BERLIN
    )
    assert message.text.startswith("Balance of main is low: $12.40")
    for said in (message.text, visible(message)):
        assert "NOT RECORDED" in said
        assert "disk &lt;full&gt;" in said
    assert not buttons(message)


def test_a_test_is_marked_as_one():
    message = alert_messages.test_message("U0123456789", NOW, BERLIN)
    assert message.text.startswith("TEST: ")
    assert "<@U0123456789>" in visible(message)
    assert buttons(message) == ["alert_test"]
    assert not problems(list(message.blocks))


HOSTILE = (
    "<!channel>", "<@U0123456789>", "`x` *b*", "http://evil.example", "a\n• forged", "&" * 999,
    "\u202eevil", "\x1b[31mred", "", "<!date^1^{time}|x>",
)  # fmt: skip
DATE = re.compile(r"<!date\^\d{10}\^[^<>|]*\|[^<>|]*>")


@given(
    rule=st.sampled_from([*RULES, "newer_rule"]),
    name=st.one_of(st.sampled_from(HOSTILE), st.text(max_size=400)),
    left=st.decimals(-(10**6), 10**6, places=4),
    over=st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_hostile_names_and_errors_neither_mention_nor_link_nor_break_out(rule, name, left, over):
    facts = {
        **FACTS, "left": Usd.of(left), "spent": Usd.of("0.001"), "percent": Decimal("0.01"),
        "part": "balance", "error": name,
    }  # fmt: skip
    one = incident(rule, name, facts=facts, resolved_at=NOW if over else None, by=name)
    one = replace(one, acknowledged_at=None if over else NOW)
    notice = Notice("database_back", "main", "n", facts, NOW)
    for message in (
        posted(one, Late(NOW - timedelta(hours=1), False)),
        alert_messages.reply_message(one, "worse", NOW, BERLIN),
        alert_messages.notice_message(notice, NOW, BERLIN),
        summary([one], [letter("opened")], quiet=True),
        alert_messages.unrecorded_message(one.key, Finding(1, 1, 2, facts, NOW), name, NOW, BERLIN),
    ):
        assert not problems(list(message.blocks))
        assert 0 < len(message.text) <= 4000
        assert "<" not in message.text
        shown = DATE.sub("", markup(message))
        if re.fullmatch(r"[UW][A-Z0-9]{2,}", name):  # a member's id: whoever pressed is named so
            shown = shown.replace(f" by <@{name}>", "", 1)
        assert "<" not in shown
        assert "\n• forged" not in shown
