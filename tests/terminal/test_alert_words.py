"""How alerts read: the state and the number first, every crossed level named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bot import alert_words
from bot.alert_words.notices import NOTICES
from bot.alert_words.rules import RULES
from bot.webhook_shape import letter_shape
from costcompass_core.domain.incidents import Incident, acknowledged, snoozed
from costcompass_core.domain.letters import Letter
from costcompass_core.domain.money import Usd
from costcompass_core.domain.notices import NOTICE_RULES, Notice
from costcompass_core.domain.rules import ACCOUNT_RULES, BUDGET_RULES, SYSTEM_RULES
from costcompass_core.domain.rules.views import Key

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
BALANCE = {
    "left": Usd.of("12.4"), "per_day": Usd.of("7.29"), "rate": "mean", "days": Decimal("1.7"),
    "empty_at": NOW + timedelta(days=1, hours=16), "crossed": (Usd.of(25),),
}  # fmt: skip
RUNAWAY = {
    **BALANCE, "left": Usd.of("7.9"), "per_day": Usd.of("31.2"), "rate": "today",
    "today": Usd.of("31.2"), "today_since": NOW.replace(hour=0), "days": Decimal("0.3"),
    "empty_at": NOW + timedelta(hours=6), "crossed": (Usd.of(25), Usd.of("10.5")),
}  # fmt: skip
BUDGET = {
    "spent": Usd.of(312), "amount": Usd.of(300), "per": "month", "percent": Decimal("104.0"),
    "from": date(2026, 11, 1), "to": date(2026, 11, 30),
    "crossed": (Decimal(50), Decimal(80), Decimal("100.0")),
}  # fmt: skip


def incident(rule: str = "balance_low", facts=BALANCE, level=1, of=2, subject="", **more):
    key = Key(rule, "" if subject else "main", subject)
    return Incident(7, key, NOW, level, of, level, facts, NOW, NOW, **more)


def told(one: Incident) -> str:
    return " ".join([alert_words.headline(one, BERLIN), *alert_words.details(one, BERLIN)])


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (incident(), "Balance of main is low: $12.40, about 1.7 days left."),
        (incident(facts=RUNAWAY, level=2),
         "Balance of main is critical: $7.90, about 6 hours left at today's rate."),
        (incident(facts={"left": Usd.of("-3.2")}, level=2), "Balance of main is used up: -$3.20."),
        (incident("runway_short"),
         "Runway of main is short: about 1.7 days at the 7-day mean of $7.29 a day."),
        (incident("runway_short", RUNAWAY, 2),
         "Runway of main is critical: about 6 hours at today's rate ($31.20 so far today)."),
        (incident("budget_spent", BUDGET, 3, 3, "all"),
         'Budget "all" is used up: $312.00 of $300.00 in November 2026 (104.0%).'),
    ],
)  # fmt: skip
def test_the_state_and_the_number_come_first(one, sentence):
    assert alert_words.headline(one, BERLIN) == sentence


def test_every_crossed_level_is_named():
    assert "At or below your levels of $25 and $10.50." in told(incident(facts=RUNAWAY, level=2))
    days = {**BALANCE, "crossed": (Decimal(7), Decimal("2.5"))}
    assert "your levels of 7 and 2.5 days." in told(incident("runway_short", days, 2))
    assert "your levels of 50%, 80% and 100%." in told(
        incident("budget_spent", BUDGET, 3, 3, "all")
    )


def test_a_level_that_only_lacks_the_margin_says_so():
    assert "Recovering" in told(incident(facts={**BALANCE, "crossed": ()}))
    assert "Recovering" not in told(incident())


def test_what_ended_it_is_told():
    later = NOW + timedelta(hours=2, minutes=38)
    well = {**BALANCE, "left": Usd.of("61.37"), "crossed": ()}
    over = replace(incident(level=2), facts=well, resolved_at=later)
    assert alert_words.headline(over, BERLIN) == "Resolved: balance of main is $61.37 again."
    assert alert_words.line(over, BERLIN) == (
        "Balance of main was critical 23 Nov 10:00–12:38 CET, resolved"
    )
    filled = replace(over, facts={**well, "topped_up": Usd.of(50)})
    assert alert_words.headline(filled, BERLIN).startswith("Resolved, topped up by $50.00: ")
    left = replace(over, facts={**well, "unwatched": 1})
    assert alert_words.headline(left, BERLIN).startswith("No longer watched: balance of main")


def test_who_took_care_is_told_with_the_end_of_a_snooze():
    mine = acknowledged(incident(), "U1", NOW).incident
    assert alert_words.state_line(mine, NOW, BERLIN).startswith("Acknowledged by U1, 23 Nov 10:00")
    asleep = snoozed(incident(), "top_up", "U1", NOW).incident
    assert "by U1 until a top-up, 30 Nov 10:00 CET at the latest" in alert_words.state_line(
        asleep, NOW, BERLIN
    )
    assert alert_words.state_line(asleep, NOW + timedelta(days=8), BERLIN) == ""


@pytest.mark.parametrize(
    ("rule", "facts", "sentence"),
    [
        ("history_restated",
         {"day": date(2026, 11, 21), "before": Usd.of("7.46"), "after": Usd.of("9.3"),
          "change": Usd.of("1.84")},
         "21 Nov restated +$1.84: main cost $9.30 that day, not $7.46."),
        ("history_restated",
         {"day": date(2026, 11, 21), "before": Usd.of("9.3"), "after": Usd.of("7.46"),
          "change": Usd.of("-1.84")},
         "21 Nov restated -$1.84: main cost $7.46 that day, not $9.30."),
        ("balance_drop", {"kind": "credits", "amount": Usd.of(20), "left": Usd.of("41.37")},
         "Credits of main fell by $20.00, which the reported usage does not explain: $41.37 left."),
    ],
)  # fmt: skip
def test_notices_tell_the_amount(rule, facts, sentence):
    assert alert_words.notice_headline(Notice(rule, "main", "n", facts, NOW), BERLIN) == sentence


@pytest.mark.parametrize("kind", ["credits", "day"])
def test_a_loss_that_nothing_explains_is_never_called_a_fee(kind):
    facts = {"kind": kind, "amount": Usd.of(20), "day": date(2026, 11, 21)}
    notice = Notice("balance_drop", "main", "n", facts, NOW)
    sentences = [
        alert_words.notice_headline(notice, BERLIN),
        *alert_words.notice_details(notice, BERLIN),
    ]
    assert "fee" not in " ".join(sentences).lower()


def test_every_rule_has_words_of_its_own():
    rules = {one.__name__ for one in (*ACCOUNT_RULES, *BUDGET_RULES, *SYSTEM_RULES)}
    assert rules <= set(RULES)
    assert set(NOTICE_RULES) == set(NOTICES)


@pytest.mark.parametrize("rule", [*RULES, "clock_skew"])
def test_facts_that_are_missing_read_as_unknown(rule):
    one = incident(rule, {})
    for each in (one, replace(one, resolved_at=NOW)):
        sentence = alert_words.headline(each, BERLIN)
        assert sentence.endswith(".")
        assert "$0" not in sentence
        assert "None" not in told(each) + alert_words.line(each, BERLIN)
    if rule == "clock_skew":
        assert told(one).startswith("Clock skew of main")


def test_a_program_gets_every_digit():
    facts = {**RUNAWAY, "left": Usd.of("7.9000000001")}
    letter = Letter(1, "incident:7:0", "incident", NOW, "worse", 7)
    shape = letter_shape(letter, incident(facts=facts, level=2))
    assert (shape["version"], shape["event"], shape["critical"]) == (1, "worse", True)
    assert (shape["opened_at"], shape["resolved_at"]) == ("2026-11-23T09:00:00Z", None)
    assert shape["facts"]["left_usd"] == "7.9000000001"
    assert shape["facts"]["crossed"] == ["25", "10.5"]
    assert shape["facts"]["empty_at"] == "2026-11-23T15:00:00Z"
    assert shape["text"].startswith("Balance of main is critical")

    notice = Notice("history_restated", "main", "n", {"day": date(2026, 11, 21)}, NOW)
    shape = letter_shape(Letter(2, "n", "notice", NOW, notice=notice), None)
    assert (shape["event"], shape["rule"]) == ("notice", "history_restated")
    assert shape["facts"] == {"day": "2026-11-21"}


def test_a_runway_names_the_rate_it_is_worked_out_with():
    said = {
        rate: told(incident("runway_short", {**BALANCE, "rate": rate}))
        for rate in ("today", "yesterday", "mean")
    }
    assert "at today's rate ($7.29 so far today)" in said["today"]
    assert "at the newest days' rate of $7.29 a day" in said["yesterday"]
    assert "at the 7-day mean of $7.29 a day" in said["mean"]


def test_a_day_that_already_took_more_than_usual_makes_the_usual_rate_a_hope():
    busy = {**BALANCE, "today": Usd.of(19), "today_since": NOW.replace(hour=0)}
    assert "about 1.7 days left at the usual rate." in told(incident(facts=busy))
    assert "usual rate" not in told(incident(facts={**busy, "today": Usd.of("7.29")}))


def test_a_burst_is_told_by_the_hour_and_first_where_the_day_is_unusual_too():
    burst = {"last_hour": Usd.of("6.5"), "soonest_at": NOW + timedelta(minutes=80)}
    for rule in ("balance_low", "runway_short"):
        usual = told(incident(rule, {**BALANCE, **burst}))
        assert "about 1.7 days" in usual
        low = "$12.40, about 1.7 days left at the usual rate, about 1 hour at the pace of the last hour."
        assert (low in usual) == (rule == "balance_low")
        assert "At the soonest 23 Nov 11:20 CET at the pace of the last hour ($6.50)." in usual
    runaway = {**RUNAWAY, **burst}
    low, short = (incident(rule, runaway, 2) for rule in ("balance_low", "runway_short"))
    assert "$7.90, about 1 hour left at the pace of the last hour." in told(low)
    assert "critical: about 1 hour at the pace of the last hour ($6.50)." in told(short)
    slow = {**runaway, "days": Decimal("5.0"), "empty_at": NOW + timedelta(days=5)}
    slow["soonest_at"] = NOW + timedelta(days=2, hours=6)
    assert "about 2.2 days left at the pace of the last hour." in told(incident(facts=slow))


def test_a_period_that_is_over_is_no_recovery():
    ended = incident("budget_spent", {**BUDGET, "ended": 1}, 3, 3, "all", resolved_at=NOW)
    assert alert_words.headline(ended, BERLIN) == (
        'Its period is over: budget "all" stood at $312.00 of $300.00 in November 2026 (104.0%).'
    )
    assert alert_words.line(ended, BERLIN).endswith("its period is over")
    partly = {**BUDGET, "partly": 1}
    assert "at least $312.00 of $300.00" in told(incident("budget_spent", partly, 3, 3, "all"))


CAUSE = {"cause": "volume", "cause_model": "openai/gpt-5", "cause_usd": Usd.of("31.2")}
UNUSUAL = {
    "spend_spike": {
        "day": date(2026, 11, 22), "spent": Usd.of(48), "usual": Usd.of(5), "over": Usd.of(43),
        "days": 28,
    },
    "spend_level": {
        "first": date(2026, 11, 17), "per_day": Usd.of(30), "usual": Usd.of(10),
        "over": Usd.of(140), "days": 28, "latest": Usd.of(29),
    },
    "routing_drift": {
        "first": date(2026, 11, 16), "to": "a/dear", "left": "a/cheap", "over": Usd.of(12),
        "dearer": Decimal("41.27"),
    },
    "fallback_routing": {
        "first": date(2026, 11, 16), "model": "a/b", "to": "Azure", "left": "OpenAI",
        "price": Usd.of(12), "usual_price": Usd.of(5), "over": Usd.of(20),
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "more", "sentence"),
    [
        ("spend_spike", CAUSE,
         ("Spend of main on 22 Nov is unusual: $48.00, $43.00 over the usual $5.00 a day."
         ' Mostly "openai/gpt-5": +$31.20, more traffic. The rule: a day far from the median')),
        ("spend_spike", {"today": 1},
         ("Spend of main on 22 Nov is unusual: at least $48.00 so far, $43.00 over the usual $5.00 a"
         " day. By the balance. Which models it went to is not reported yet.")),
        ("spend_spike", {"today": 1, "leader": "a/b", "leader_usd": Usd.of(41)},
         ("Spend of main on 22 Nov is unusual: at least $48.00 so far, $43.00 over the usual $5.00 a"
         ' day. By the balance. Of what is reported by model so far, most is "a/b": $41.00.')),
        ("spend_level", CAUSE,
         ("Daily spend of main is far higher: $30.00 a day in 7 days, up from $10.00: $140.00 over,"
         ' since 17 Nov. Mostly "openai/gpt-5": +$31.20, more traffic.')),
        ("routing_drift", {},
         ("Model mix of main is dearer: $12.00 over in 7 days, since 16 Nov, by traffic that moved"
         ' from "a/cheap" to "a/dear".')),
        ("fallback_routing", {},
         ('Routing of "a/b" on main is dearer: $20.00 over in 7 days, since 16 Nov, at "Azure"'
         ' instead of "OpenAI". Per million tokens $12.00, usually $5.00.')),
    ],
)  # fmt: skip
def test_unusual_spend_says_what_was_seen_what_is_usual_and_by_how_much(rule, more, sentence):
    assert told(incident(rule, UNUSUAL[rule] | more)).startswith(sentence)


def test_the_end_of_a_level_says_whether_it_stayed():
    over = incident("spend_level", UNUSUAL["spend_level"], resolved_at=NOW)
    assert told(over) == "Resolved: $29.00 a day is the new normal of main, up from $10.00."
    back = replace(over, facts={**over.facts, "latest": Usd.of(11)})
    assert told(back) == "Resolved: daily spend of main is back to $11.00, after $30.00."
