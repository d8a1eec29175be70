"""What `/spend` and `/forecast` look like, whatever names and amounts come in."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_helpers import visible

from bot.sandbox.slack_blocks import problems
from bot.slack.forecast_message import forecast_message
from bot.slack.spend_message import spend_message
from costcompass_core.domain.burn import History
from costcompass_core.domain.days import Month, Period
from costcompass_core.domain.forecast import AccountBalance, forecast
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.query import SpendQuery
from costcompass_core.domain.reports import Amounts, Health, SpendReport, ranked
from costcompass_core.domain.subscriptions import Subscription

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HEALTH = (Health("main", "openrouter", date(2026, 11, 22), NOW),)
NOVEMBER = Period("November 2026", date(2026, 11, 1), date(2026, 11, 22), Month(2026, 11))

HOSTILE = (
    "<!channel>",
    "<@U0123456789>",
    "`code` *bold* _it_ ~no~",
    "http://evil.example/x",
    "a\nb\r\n*c*",
    "\u202eevil\u2066",
    "\x1b[31mred\x07",
    "x" * 300,
    "&lt;!here&gt;",
    "",
)


def amounts(name: str, cost: str, tokens: int | None = 10) -> Amounts:
    return Amounts(name, Decimal(cost), Decimal(0), 3, tokens, tokens, 0, None)


def report(rows: list[Amounts], **changes: object) -> SpendReport:
    ranking, total, byok = ranked(rows)
    values: dict[str, object] = {
        "query": SpendQuery(NOVEMBER), "total": total, "byok": byok, "rows": ranking,
        "subscriptions": ZERO, "foreign_subscriptions": (), "unattributed": None,
        "missing_days": (), "data_through": date(2026, 11, 22), "refreshed_at": NOW,
        "health": HEALTH, **changes,
    }  # fmt: skip
    return SpendReport(**values)  # type: ignore[arg-type]


def names() -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(HOSTILE), st.text(max_size=400))


@given(
    st.lists(
        st.tuples(names(), st.decimals(0, 10**6, places=4)), max_size=40, unique_by=lambda x: x[0]
    )
)
@settings(deadline=None)
def test_any_names_and_amounts_make_blocks_that_slack_takes(
    rows: list[tuple[str, Decimal]],
) -> None:
    message = spend_message(report([amounts(name, str(cost)) for name, cost in rows]), NOW)

    assert not problems(list(message.blocks))
    assert not problems(list(message.plain))
    assert 0 < len(message.text) <= 4000
    assert not re.search(r"<(?![$\d])", visible(message)), "it could mention or link"
    assert all(c.isprintable() or c == "\n" for c in message.text)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_one_quiet_piece_of_one_row(name: str) -> None:
    message = spend_message(report([amounts(name, "2"), amounts("b/calm", "1")]), NOW)

    [spelled] = [one for one in message.plain if "1. " in str(one)]
    assert spelled["text"]["verbatim"] is True
    first, second = spelled["text"]["text"].split("\n")
    assert re.fullmatch(r"1\. \*\$2\.00\*  `[^`]*`  66\.7% · .*", first)
    assert "`b/calm`" in second
    [table] = [one for one in message.blocks if one["type"] == "data_table"]
    assert [cell["type"] for cell in table["rows"][1][:2]] == ["raw_text", "raw_number"]
    assert not re.search("[<>]", table["rows"][1][0]["text"])


def test_the_text_is_a_sentence_with_the_number() -> None:
    message = spend_message(
        report([amounts("a/model", "61.225"), amounts("b/model", "60.575")]), NOW
    )
    assert message.text == "November 2026: $121.80 spent, most on `a/model` (50.3%)."


def test_what_is_missing_is_told_and_never_hidden_in_the_total() -> None:
    message = spend_message(
        report([amounts("a/model", "5")], missing_days=(date(2026, 11, 3), date(2026, 11, 4))), NOW
    )
    assert "at least $5.00" in message.text
    assert "3–4 Nov (2 days)" in visible(message)


def test_four_hundred_models_fit_with_the_rest_summed() -> None:
    message = spend_message(report([amounts(f"m/{i}", "1") for i in range(400)]), NOW)
    assert not problems(list(message.blocks))
    assert not problems(list(message.plain))
    assert "and 388 others with $388.00 together" in visible(message)
    [table] = [one for one in message.blocks if one["type"] == "data_table"]
    costs = [row[1]["value"] for row in table["rows"][1:]]
    assert (len(costs), sum(costs)) == (100, 400)
    assert table["rows"][-1][0]["text"] == "301 others together"


def test_an_account_in_trouble_says_so() -> None:
    failing = (Health("main", "openrouter", date(2026, 11, 20), NOW, "it <broke>", NOW),)
    message = spend_message(report([amounts("a", "1")], health=failing), NOW)
    assert "it &lt;broke&gt;" in visible(message)


def test_the_forecast_leads_with_its_number_and_how_it_comes_about() -> None:
    spent = {date(2026, 11, day): Usd.of("7.21") for day in range(1, 23)}
    asked = forecast(
        date(2026, 11, 23),
        {"main": History(spent, date(2026, 11, 1))},
        [AccountBalance("main", Usd.of("41.37"), NOW)],
        [Subscription("Plus", Usd.of("40"))],
        HEALTH,
    )
    message = forecast_message(asked, NOW)

    assert message.text == (
        "December 2026 will cost about $263.51: $7.21 a day × 31 days + $40.00 subscriptions."
    )
    shown = visible(message)
    assert "About $263.51 · December 2026" in shown
    assert "*5.7 days*\\nas expected, empty on 29 Nov 2026 (UTC)" in shown
    assert not problems(list(message.blocks))


def test_a_forecast_without_any_data_says_that_nothing_is_known() -> None:
    message = forecast_message(forecast(date(2026, 11, 23), {}, [], [], ()), NOW)
    assert "can't be forecast yet" in message.text
    assert not problems(list(message.blocks))
