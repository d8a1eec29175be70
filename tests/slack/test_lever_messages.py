"""`/forecast if` and `/spend advice` through real Bolt, with names that would like to be markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import get_args

import pytest
from slack_helpers import Connect, visible

from bot.sandbox.slack import Slack
from bot.sandbox.slack_blocks import problems
from bot.slack.blocks import Message
from bot.slack.commands import COMMANDS
from bot.slack.commands.base import Command
from bot.slack.lever_messages import advice_message, if_message
from bot.terminal.levers import advice_text, if_text
from bot.terminal.paint import Paint, columns
from costcompass_core.domain.advice import AdviceReport, advise
from costcompass_core.domain.advice.view import Advice, Kind, View
from costcompass_core.domain.burn import Burn
from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.forecast import next_month
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import Amounts
from costcompass_core.domain.whatif import parse_if, what_if

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PLAIN = Paint(on=False)
BIG, EVIL = "a/big", "a/<!channel>`*b*"
USED = Amounts(BIG, Decimal(20), Decimal(0), 10_000, 10_000_000, 1_000_000, 0, 0)
CHEAP = {"prompt": Usd.of("1e-7"), "completion": Usd.of("1e-6")}
OTHER = Listed(EVIL, EVIL, EVIL, CHEAP)
PLAN = next_month(
    date(2026, 11, 23), Burn(date(2026, 11, 16), date(2026, 11, 22), 7, Usd.of(70)), []
)


def asked(command: Command) -> Command:
    """The real command, over questions that have one answer each."""
    questions = SimpleNamespace(
        forecast_if=lambda words, at: what_if(
            PLAN, USED, None, OTHER, percent=parse_if(words).percent, read_at=at
        ),
        advice=lambda words, at: advise(
            View({BIG: USED}, {}, {EVIL: OTHER}, 30), date(2026, 11, 22)
        ),
    )
    return Command(
        command.name,
        command.usage_hint,
        command.description,
        lambda _, words, at: command.answer(questions, words, at),
    )


@pytest.mark.parametrize("name", ["<!channel> `a`\n*b*", "\u202eevil", "x" * 300, "字" * 300, ""])
def test_any_name_can_be_told_by_every_kind_of_advice(name: str):
    counts = {"requests": 9, "prompt_tokens": 9, "completion_tokens": 9, "tokens": 9, "hosts": 1}
    shares = {one: Decimal("0.9") for one in ("cached", "best", "output", "reasoning", "dearer")}
    found = tuple(
        Advice(kind, name, Usd.of(1), Usd.of(2), name, counts, shares) for kind in get_args(Kind)
    )
    report = AdviceReport(found, Usd.of(9), 30, date(2026, 11, 22), has_prices=True)
    used = USED._replace(name=name, byok_cost=Decimal(1))
    for moved in (USED._replace(name=name), used, used._replace(cost=Decimal(0))):
        answer = what_if(PLAN, moved, None, replace(OTHER, ident=name), percent=1, read_at=NOW)
        for message in (if_message(answer, NOW), advice_message(report)):
            shown = visible(message)
            assert not problems(list(message.blocks))
            assert "<!channel>" not in shown
            assert "\u202e" not in shown
        for text in (if_text(answer, NOW, UTC, PLAIN), advice_text(report, NOW, UTC, PLAIN)):
            assert max(map(columns, text.splitlines())) <= 80


def test_both_answers_reach_slack_whole_and_escaped(slack: Slack, connect: Connect):
    connect(*map(asked, COMMANDS))
    moved = slack.user.command("/forecast", "if big -> small 50%")
    assert moved.text.startswith("50% of `a/big` on `a/&lt;!channel&gt;ˋ*b*` would save about $")
    assert "(estimate)" in moved.text
    advised = slack.user.command("/spend", "advice")
    assert advised.text.startswith("1 suggestion, the first about $18.00 a month, of $20.00 spent")
    for reply in (moved, advised):
        assert reply.error == ""
        assert "<!channel>" not in visible(Message(reply.text, reply.blocks))
    assert slack.violations == ()
