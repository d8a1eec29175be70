"""`spend` and `forecast` as a terminal shows them: the number first, everything within 80 columns."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.terminal.paint import Paint, columns, fit, wrapped
from bot.terminal.reports import forecast_text, spend_text
from costcompass_core.domain.burn import History
from costcompass_core.domain.days import Month, Period
from costcompass_core.domain.forecast import AccountBalance, forecast
from costcompass_core.domain.money import ZERO, Usd
from costcompass_core.domain.query import SpendQuery
from costcompass_core.domain.reports import Amounts, Before, Health, SpendReport, ranked
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.domain.timeline import cut, timeline

NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
PLAIN, COLOUR = Paint(on=False), Paint(on=True)
NOVEMBER = Period("November 2026", date(2026, 11, 1), date(2026, 11, 22), Month(2026, 11))
GOOD = Health("main", "openrouter", date(2026, 11, 22), NOW - timedelta(minutes=5))


def amounts(name: str, cost: str, requests: int | None = 1200, tokens: int | None = 750) -> Amounts:
    return Amounts(name, Decimal(cost), Decimal(0), requests, tokens, tokens, 0, None)


def report(*rows: Amounts, **changes: object) -> SpendReport:
    ranking, total, byok = ranked(rows)
    values: dict[str, object] = {
        "query": SpendQuery(NOVEMBER), "total": total, "byok": byok, "rows": ranking,
        "subscriptions": ZERO, "foreign_subscriptions": (), "unattributed": None,
        "missing_days": (), "data_through": date(2026, 11, 22),
        "refreshed_at": GOOD.refreshed_at, "health": (GOOD,), **changes,
    }  # fmt: skip
    return SpendReport(**values)  # type: ignore[arg-type]


def spend(*rows: Amounts, **changes: object) -> str:
    return spend_text(report(*rows, **changes), NOW, PLAIN)


def test_spend_as_people_read_it():
    text = spend(
        amounts("anthropic/claude-sonnet-4.5", "61.22", 1200, 750_000),
        amounts("google/gemini-2.5-flash-preview-09-2025", "30.61", None, None),
        amounts("openai/gpt-5-mini", "0.004", 999_960, 12),
        subscriptions=Usd.of("40.00"),
        unattributed=Usd.of("0.31"),
        missing_days=(date(2026, 11, 3), date(2026, 11, 5), date(2026, 11, 6)),
    )
    assert text == (
        "November 2026: at least $91.83 spent, most on anthropic/claude-sonnet-4.5\n"
        "(66.7%).\n"
        "\n"
        "  model                                     cost  share  tokens   per 1M\n"
        "  anthropic/claude-sonnet-4.5             $61.22  66.7%    1.5M   $40.81  ██████\n"
        "  google/gemini-2.5-flash-…iew-09-2025    $30.61  33.3%       –        –  ███\n"
        "  openai/gpt-5-mini                       <$0.01   0.0%      24  $166.67\n"
        "  total                                   $91.83\n"
        "\n"
        "  Subscriptions on top: $40.00 for November 2026.\n"
        "  The balance lost $0.31 beyond the reported usage.\n"
        "  Not included, never read: 3 Nov, 5–6 Nov (3 days).\n"
        "  Source: openrouter activity through 2026-11-22 (UTC days), read 5 minutes ago\n"
        "  · 3 days of it never read\n"
    )


def test_the_period_before_and_the_period_over_time_stand_beside_the_figures():
    october = Period("the 22 days before", date(2026, 10, 10), date(2026, 10, 31))
    before = {"anthropic/claude-sonnet-4.5": Usd.of(50), "openai/gpt-5-mini": Usd.of(30)}
    text = spend(
        amounts("anthropic/claude-sonnet-4.5", "61.22", 1200, 750_000),
        amounts("google/gemini-2.5-flash", "30.61", None, None),
        amounts("openai/gpt-5-mini", "0.004", 999_960, 12),
        before=Before(october, Usd.of(80), before),
        timeline=timeline(
            cut(NOVEMBER), {date(2026, 11, day): Usd.of(day % 7) for day in range(1, 23)}
        ),
    )
    assert text == (
        "November 2026: $91.83 spent, 14.8% more than in the 22 days before ($80.00),\n"
        "most on anthropic/claude-sonnet-4.5 (66.7%).\n"
        "\n"
        "  ▅▆▇█▁▂▃▅▆▇█▁▂▃▅▆▇█▁▂  3 Nov to 22 Nov: $0.00 to $6.00 a day\n"
        "\n"
        "  model                            cost  share  tokens   per 1M    trend\n"
        "  anthropic/claude-sonnet-4.5    $61.22  66.7%    1.5M   $40.81  ▲ 22.4%  ██████\n"
        "  google/gemini-2.5-flash        $30.61  33.3%       –        –      new  ███\n"
        "  openai/gpt-5-mini              <$0.01   0.0%      24  $166.67 ▼ 100.0%\n"
        "  total                          $91.83\n"
        "\n"
        "  Source: openrouter activity through 2026-11-22 (UTC days), read 5 minutes ago\n"
        "  · nothing missing\n"
    )


def test_days_stand_in_their_own_order():
    text = spend(
        amounts("2026-11-01", "1"), amounts("2026-11-02", "3"), query=SpendQuery(NOVEMBER, "day")
    )
    assert text.index("  2026-11-01 ") < text.index("  2026-11-02 ")
    assert "most on 2026-11-02 (75.0%)" in text


def test_the_first_of_a_month_leads_with_last_months_total():
    december = Period("December 2026", date(2026, 12, 1), None, Month(2026, 12))
    text = spend(query=SpendQuery(december), last_month=Usd.of("263.51"))
    assert text.startswith(
        "Last month came to $263.51; no day of December 2026 is completed yet.\n"
    )


def test_today_is_what_the_balance_lost():
    today = Period("today (2026-11-23)", date(2026, 11, 23), date(2026, 11, 23), today=True)
    known = {"query": SpendQuery(today), "today": Usd.of("3.21"), "today_since": NOW}
    text = spend(unattributed=Usd.of("3.21"), **known)
    assert text.startswith("Today so far: $3.21, by the balance since 09:05 UTC.\n")
    assert spend(**known).startswith("Today so far: at least $3.21, by the balance since 09:05")
    unknown = spend(query=SpendQuery(today))
    assert unknown.startswith("Today's spend is not known yet: no two balance readings")


def test_nothing_known_is_not_nothing_spent():
    week = Period("last 2 days", date(2026, 11, 21), date(2026, 11, 22))
    text = spend(query=SpendQuery(week), missing_days=tuple(week.days()))
    assert text.startswith("What last 2 days cost is not known: none of its days was ever read.")
    assert "$0.00" not in text
    assert spend(query=SpendQuery(week)).startswith("Last 2 days: $0.00 spent.\n")


def test_trouble_and_age_are_told_beside_the_figures():
    failing = Health(
        "main", "openrouter", date(2026, 11, 20), NOW - timedelta(days=2), "it is down",
        NOW - timedelta(minutes=1),
    )  # fmt: skip
    late = Health("side", "openrouter", date(2026, 11, 20), NOW)
    unread = Health("new", "openrouter")
    text = spend(amounts("a/model", "1"), health=(failing, late, unread))
    assert "Account main could not be refreshed (1 minute ago): it is down." in text
    assert "Account side is only known through 20 Nov." in text
    assert "Account new has not been read yet." in text
    assert "Nothing has been read yet" in spend(health=(), refreshed_at=None, data_through=None)


def sample_forecast(*balances: AccountBalance, subscriptions: tuple[Subscription, ...] = ()) -> str:
    spent = {date(2026, 11, day): Usd.of("7.21") for day in range(1, 23)}
    told = forecast(
        date(2026, 11, 23), {"main": History(spent, date(2026, 11, 1))}, balances, subscriptions, (GOOD,)
    )  # fmt: skip
    return forecast_text(told, NOW, BERLIN, PLAIN)


def test_forecast_as_people_read_it():
    balance = AccountBalance("main", Usd.of("41.37"), NOW - timedelta(minutes=5))
    text = sample_forecast(balance, subscriptions=(Subscription("Plus", Usd.of(20)),))
    assert text == (
        "December 2026 will cost about $243.51: $7.21 a day × 31 days + $20.00\n"
        "subscriptions.\n"
        "\n"
        "  usage              $223.51  mean of the 7 newest completed UTC days, 16–22 Nov\n"
        "  subscriptions       $20.00  active next month\n"
        "  December 2026      $243.51  together\n"
        "  this month         $158.62  so far, completed days\n"
        "  by 30 Nov          $216.30  four times out of five $205.92 to $241.51\n"
        "  balance             $41.37  23 Nov 10:00 CET, 5 minutes ago\n"
        "  runway            5.7 days  as expected, empty on 29 Nov 2026 (UTC)\n"
        "\n"
        "  ██████████████  9 Nov to 22 Nov: $7.21 to $7.21 a day\n"
        "\n"
        "  Runway: one time in ten it ends within 4.2 days, one in ten after more than\n"
        "  7.0.\n"
    )


def test_a_forecast_that_knows_nothing_says_so():
    told = forecast(date(2026, 11, 23), {"main": History({}, None)}, (), (), ())
    text = forecast_text(told, NOW, BERLIN, PLAIN)
    assert text.startswith("December 2026 can't be forecast yet: no completed day has been read.")
    assert "$" not in text


def test_a_subscription_in_another_currency_is_in_no_total():
    euros = Subscription("Abo", Usd.of("9.99"), "month", "EUR")
    text = sample_forecast(subscriptions=(euros,))
    assert text.startswith("December 2026 will cost about $223.51: $7.21 a day × 31 days.\n")
    assert "Not in dollars, so in no total: Abo, 9.99 EUR a month." in text


NAMES = st.text(max_size=300) | st.text("字x\u0301\u202e\x1b[0m \n`<!channel>", max_size=120)
COSTS = st.decimals("-1e17", "1e17", allow_nan=False, places=6) | st.just(Decimal("1e-30"))
COUNTS = st.none() | st.integers(0, 2**63 - 1)


@given(
    st.dictionaries(NAMES, st.tuples(COSTS, COUNTS, COUNTS), max_size=5),
    st.lists(NAMES, max_size=2),
    st.sampled_from(["model", "host", "day"]),
)
def test_no_name_and_no_amount_leaves_80_columns_or_moves_the_cursor(rows, filters, by):
    given_rows = [
        Amounts(name, cost, Decimal(0), requests, tokens, tokens, tokens, None)
        for name, (cost, requests, tokens) in rows.items()
    ]
    text = spend(*given_rows, query=SpendQuery(NOVEMBER, by, tuple(filters)))
    assert max(map(columns, text.split("\n"))) <= 80
    assert all(c.isprintable() or c == "\n" for c in text)
    assert re.search("[\u202a-\u202e\u2066-\u2069]", text) is None


@given(COSTS.map(Usd), st.text(max_size=64))
def test_no_balance_leaves_80_columns(left, account):
    balances = (AccountBalance(account, left, NOW), AccountBalance("side", left, NOW))
    text = sample_forecast(*balances)
    assert max(map(columns, text.split("\n"))) <= 80


@given(st.text("ab字\u0301é🎉 ", max_size=60), st.integers(4, 40))
def test_fit_takes_exactly_its_width_and_wrapped_at_most(text, width):
    assert columns(fit(text, width)) == width
    assert fit(text, -width) == fit(text, 0) == ""
    assert "".join(wrapped(text, "", -width).split()) == "".join(text.split())
    lines = wrapped(text, "  ", width).split("\n")
    assert max(map(columns, lines)) <= width
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_colour_changes_no_column():
    rows = (amounts("a/model", "2"), amounts("b/model", "1"))
    text = spend_text(report(*rows), NOW, COLOUR)
    assert "\x1b[1m" in text
    assert re.sub(r"\x1b\[[\d;]*m", "", text) == spend(*rows)
