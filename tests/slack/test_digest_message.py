"""What a digest and a monthly report look like in Slack, whatever names come in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from slack_helpers import visible

from bot.sandbox.slack_blocks import problems
from bot.slack.blocks import Message
from bot.slack.digest_messages import digest_message, monthly_message
from costcompass_core.domain.burn import History
from costcompass_core.domain.days import Month, each_day
from costcompass_core.domain.digest import DigestReport, MonthlyReport, digest_of
from costcompass_core.domain.forecast import AccountBalance, forecast, next_month
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.ledger import Ledger, Pace, Restated
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.movers import ModelDay, Mover
from costcompass_core.domain.prices import EndNews, News, PriceNews
from costcompass_core.domain.reports import Amounts, Health, ranked
from costcompass_core.domain.rules.views import Key

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HEALTH = Health("main", "openrouter", date(2026, 11, 22), NOW)
HOSTILE = "<!channel> `code` *bold* http://evil.example/x\n\u202eevil" + "x" * 300


def incident(ident: int, level: int) -> Incident:
    key = Key("budget_spent", "", HOSTILE)
    facts = {"spent": Usd.of(9), "amount": Usd.of(10), "per": "month", "percent": Decimal(90)}
    return Incident(ident, key, NOW, level, 3, level, facts, NOW, NOW)


def digest(
    *incidents: Incident, left: str = "41.37", day: date = TODAY, health: Health = HEALTH
) -> DigestReport:
    """A dollar a day since 1 October, and a model that is new yesterday."""
    newest = date(2026, 11, 22)
    spent = {one: Usd.of(1) for one in each_day(date(2026, 10, 1), newest)}
    ledger = Ledger(("main",), {"main": History(spent, date(2026, 10, 1))})
    balances = [AccountBalance("main", Usd.of(left), NOW)]
    return digest_of(
        day, NOW, newest, ledger, forecast(TODAY, ledger.histories, balances, (), (health,)),
        costs=[ModelDay(newest, HOSTILE, Usd.of("2.5"))], known_models=(), incidents=incidents,
        changes=(),
    )  # fmt: skip


def monthly(models: int) -> MonthlyReport:
    rows, total, byok = ranked(
        Amounts(f"{HOSTILE}{i}", Decimal(i), Decimal(1), 1, 1, 1, 1, 1) for i in range(models)
    )
    october = Pace(date(2026, 10, 31), Usd.of(3), Decimal("-0.25"))
    return MonthlyReport(
        Month(2026, 11), total, byok, rows, rows[:2], ((TODAY, ZERO), (NOW.date(), Usd.of(1))),
        october, (Mover(HOSTILE, ZERO, Usd.of(2), new=False),), Usd.of(20), (),
        next_month(TODAY, None, ()), (Restated("main", TODAY, Usd.of(1), Usd.of(2)),), (TODAY,),
        (HEALTH,),
    )  # fmt: skip


def test_news_of_prices_reach_slack_whole_whatever_the_names() -> None:
    old, new = {"prompt": Usd.of("0.000003"), "request": Usd.of(1)}, {"completion": Usd.of("1e-9")}
    told: list[News] = [EndNews(f"{HOSTILE}{i}", TODAY, Usd.of(1)) for i in range(9)]
    told.append(PriceNews(HOSTILE, old, new, None))
    for prices in (told, told[::-1]):
        message = digest_message(replace(digest(), prices=tuple(prices)), NOW, BERLIN)
        assert not problems(list(message.blocks))
        assert "<!channel>" not in visible(message)
        assert "\u202e" not in visible(message)
        assert "and 2 other models" in visible(message)
    assert "input price $3 per M tokens → varies, output price varies → $0.001 per M" in visible(
        message
    )
    assert "request price $1 → none, which can't be weighted" in visible(message)


def test_the_text_is_a_sentence_with_the_state_and_the_numbers() -> None:
    calm = digest_message(digest(), NOW, BERLIN)
    assert calm.text == "$1.00 yesterday, $22.00 this month, balance $41.37 for about 41.4 days."
    failing = Health("main", "openrouter", date(2026, 11, 20), NOW, "it <broke>", NOW)
    bad = digest_message(
        digest(incident(1, 1), incident(2, 3), left="-0.5", health=failing), NOW, BERLIN
    )
    assert bad.text == (
        "2 open alerts, 1 critical, data not up to date: $1.00 yesterday, $22.00 this month,"
        " balance used up (-$0.50)."
    )
    assert "it &lt;broke&gt;" in visible(bad)


def test_a_failed_try_is_told_without_an_alarm_and_an_old_balance_with_its_age() -> None:
    blip = replace(HEALTH, error="it timed out", failed_at=NOW)
    report = replace(digest(health=blip), at=NOW + timedelta(hours=3))
    message = digest_message(report, report.at, BERLIN)
    assert message.text == "$1.00 yesterday, $22.00 this month, balance $41.37 3 hours ago."
    assert "could not be refreshed (3 hours ago): it timed out" in visible(message)


def test_yesterday_is_only_called_so_where_it_is_the_readers() -> None:
    auckland = digest_message(digest(day=date(2026, 11, 24)), NOW, ZoneInfo("Pacific/Auckland"))
    assert auckland.text.startswith("$1.00 on 22 Nov, ")


@pytest.mark.parametrize(
    "message",
    [
        digest_message(digest(), NOW, BERLIN),
        digest_message(digest(*(incident(i, 3) for i in range(40))), NOW, BERLIN, NOW),
        monthly_message(monthly(400), NOW, BERLIN, NOW - timedelta(hours=3)),
        monthly_message(monthly(0), NOW, BERLIN),
    ],
    ids=["digest", "forty alerts", "a big month", "an empty month"],
)
def test_hostile_names_stay_quiet_and_slack_takes_the_blocks(message: Message) -> None:
    assert not problems(list(message.blocks))
    assert not problems(list(message.plain))
    assert 0 < len(message.text) <= 4000
    assert "<!channel" not in visible(message)
    assert "`code`" not in visible(message)
    assert all(one.isprintable() for one in message.text)


def test_a_month_leads_with_its_total_and_says_what_it_lacks() -> None:
    message = monthly_message(monthly(3), NOW, BERLIN, NOW - timedelta(hours=3))
    assert message.text.startswith(
        "November 2026 came to at least $3.00, 25.0% below October; most on `"
    )
    told = visible(message)
    assert "Delayed: due 23 Nov 06:00 CET, 3 hours ago" in told
    assert "23 Nov was restated: $1.00 → $2.00 (+$1.00)." in told
    assert "before\u00a0$2.00" in told
