"""`/forecast if` and `/spend advice` through real Bolt, with names that would like to be markup."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

from slack_helpers import Connect

from bot.sandbox.slack import Slack
from bot.slack.commands import COMMANDS
from bot.slack.commands.base import Command
from costcompass_core.domain.advice import advise
from costcompass_core.domain.advice.view import View
from costcompass_core.domain.burn import Burn
from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.forecast import next_month
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import Amounts
from costcompass_core.domain.whatif import parse_if, what_if

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


def test_both_answers_reach_slack_whole_and_escaped(slack: Slack, connect: Connect):
    connect(*map(asked, COMMANDS))
    moved = slack.user.command("/forecast", "if big -> small 50%")
    assert moved.text.startswith("50% of `a/big` on `a/&lt;!channel&gt;ˋ*b*` would save about $")
    assert "(estimate)" in moved.text
    advised = slack.user.command("/spend", "advice")
    assert advised.text.startswith("1 suggestion, the first about $18.00 a month, of $20.00 spent")
    for reply in (moved, advised):
        assert reply.error == ""
        assert "<!channel>" not in str(reply.blocks)
    assert slack.violations == ()
