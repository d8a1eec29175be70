"""What `/spend` and `/forecast` look like, whatever names and amounts come in."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.slack_blocks import problems
from bot.slack.messages import forecast_message, spend_message
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


def visible(message: object) -> str:
    return json.dumps(message.blocks, ensure_ascii=False) + message.text  # type: ignore[attr-defined]


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
    assert 0 < len(message.text) <= 4000
    assert "<" not in visible(message), "an angle bracket could mention or link"
    assert all(c.isprintable() or c == "\n" for c in message.text)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_one_quiet_piece_of_one_row(name: str) -> None:
    message = spend_message(report([amounts(name, "2"), amounts("b/calm", "1")]), NOW)

    ranking = message.blocks[1]["text"]
    assert ranking["verbatim"] is True
    first, second = ranking["text"].split("\n")
    assert re.fullmatch(r"1\. \*\$2\.00\*  `[^`]*`  66\.7% · .*", first)
    assert "`b/calm`" in second


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
    assert "and 388 others with $388.00 together" in visible(message)


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
    message = forecast_message(asked, NOW, UTC)

    assert message.text == (
        "December 2026 will cost about $263.51: $7.21 a day × 31 days + $40.00 subscriptions."
    )
    assert "about 5.7 days, empty on 29 Nov 2026" in visible(message)
    assert not problems(list(message.blocks))


def test_a_forecast_without_any_data_says_that_nothing_is_known() -> None:
    message = forecast_message(forecast(date(2026, 11, 23), {}, [], [], ()), NOW, UTC)
    assert "can't be forecast yet" in message.text
    assert not problems(list(message.blocks))
