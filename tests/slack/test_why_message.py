"""`/spend why` in Slack: whatever names and amounts come in, and over the real connection."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from install import usage
from slack_helpers import Connect, visible

from bot.sandbox.slack import Slack
from bot.sandbox.slack_blocks import problems
from bot.slack.commands.base import Command
from bot.slack.commands.spend import COMMAND
from bot.slack.why_message import why_message
from bot.terminal.paint import Paint, columns
from bot.terminal.why import why_shape, why_text
from costcompass_core.domain.attribution import attribute
from costcompass_core.domain.days import Period
from costcompass_core.domain.query import SpendQuery
from costcompass_core.domain.reports import Amounts, Health
from costcompass_core.domain.why import HostSplit, WhyReport
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import remember_account, replace_days
from costcompass_core.usecases.report import Questions

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
AFTER = Period("last 7 days", date(2026, 11, 16), date(2026, 11, 22))
BEFORE = Period("the 7 days before", date(2026, 11, 9), date(2026, 11, 15))
HEALTH = (Health("main", "openrouter", date(2026, 11, 22), NOW),)
ODD = ("<!channel>", "`a` *b*", "\x1b[31mred\x07", "\u202eevil", "x" * 300, "字" * 90, "", "&" * 80)


def report(before, after, missing=()):
    found = attribute(before, after)
    hosts = HostSplit(found.shifts[0].name, found) if len(found.shifts) > 1 else None
    return WhyReport(
        SpendQuery(AFTER, filters=("<!here>",)), BEFORE, found, None if missing else hosts,
        missing, date(2026, 11, 22), NOW, HEALTH,
    )  # fmt: skip


slices = st.lists(
    st.builds(
        lambda name, cost, tokens, own: Amounts(name, cost, own, 1, tokens, tokens, 0, None),
        st.sampled_from(ODD) | st.text(max_size=100),
        st.decimals(-10, 10**17, places=6),
        st.none() | st.integers(0, 2**62),
        st.decimals(0, 10, places=2),
    ),
    max_size=16,
)
gaps = st.sampled_from([(), (date(2026, 11, 10),), (date(2026, 11, 22),)])


@given(slices, slices, gaps)
@settings(deadline=None)
def test_any_names_and_amounts_can_be_told(before, after, missing):
    told = report(before, after, missing)
    message = why_message(told, NOW)
    assert not problems(list(message.blocks))
    assert not problems(list(message.plain))
    shown = visible(message)
    assert not re.search(r"<[!@#h]", shown)
    assert not re.search(r"[\x1b\x07\u202a-\u202e]", shown)
    text = why_text(told, NOW, Paint(on=False))
    assert max(map(columns, text.splitlines())) <= 80
    assert not re.search(r"[\x1b\x07\u202a-\u202e]", text)


def test_effects_beyond_any_bill_still_fit_on_a_terminal():
    huge = [Amounts("a", Decimal(10**17), Decimal(0), 1, 1, 0, 0, None)]
    rows = [*huge, Amounts("b", Decimal(1), Decimal(0), 1, 2**62, 0, 0, None)]
    text = why_text(report(huge, rows), NOW, Paint(on=False))
    assert max(map(columns, text.splitlines())) <= 80
    assert "+$4.6E+35" in text


@given(slices, slices)
@settings(deadline=None)
def test_the_json_adds_up_to_the_last_digit(before, after):
    told = why_shape(report(before, after))
    change = Fraction(told["change_usd"])
    assert sum(map(Fraction, told["total"].values())) == change
    assert sum(Fraction(one["change_usd"]) for one in told["models"]) == change
    for one in told["models"]:
        effects = [one["volume_usd"], one["mix_usd"], one["price_usd"]]
        assert (None in effects) == (one["tag"] == "non-token")
        if None not in effects:
            assert sum(map(Fraction, effects)) == Fraction(one["change_usd"])


def test_what_does_not_fit_is_one_line_with_its_sums():
    many = [Amounts(f"m/{i:03}", Decimal(i), Decimal(0), 1, 10, 10, 0, None) for i in range(1, 31)]
    assert "and 18 others with $171.00 together" in visible(why_message(report([], many), NOW))


def test_it_is_asked_in_slack_with_the_word_anywhere(slack: Slack, connect: Connect, tmp_path):
    today = NOW.date()  # not the clock's: a UTC day may begin meanwhile
    days = {today - timedelta(days=ago): [] for ago in range(1, 16)}
    for ago, cost in ((2, "9"), (9, "4")):
        day = today - timedelta(days=ago)
        days[day].append(usage(day, "a/model", cost))
    with closing(open_store(tmp_path)) as store:
        with store.writing() as tx:
            remember_account(tx, "main", "openrouter")
            replace_days(tx, "main", days, NOW)
            note_success(tx, "main", "activity", NOW)
        questions = Questions(store)
        connect(
            Command("/spend", "", "", lambda _, words, __: COMMAND.answer(questions, words, NOW))
        )
        for words in ("why", "7d why", "WHY 7d a/"):
            reply = slack.user.command("/spend", words)
            assert reply.text.startswith("Up $5.00")
            assert "`a/model` got dearer per token." in reply.text
        assert "by model" in slack.user.command("/spend", "why by host").text
        assert "Use /spend" in slack.user.command("/spend", "why help").text
    assert slack.violations == ()
