"""Why spend changed, from a real store: periods, words, gaps, and the biggest mover's hosts."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from install import usage

from bot import why_words
from bot.terminal.paint import Paint
from bot.terminal.why import why_shape, why_text
from costcompass_core.domain.errors import UsageError
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import remember_account, replace_days
from costcompass_core.usecases.report import Questions

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
M = 1_000_000


def ago(days):
    return NOW.date() - timedelta(days=days)


def used(days_ago, model, cost, tokens, **fields):
    tokens = {"prompt_tokens": tokens, "completion_tokens": 0}
    return usage(ago(days_ago), model, cost, **(tokens | fields))


WEEKS = [
    used(10, "a/model", "60", 10 * M), used(10, "b/model", "20", 40 * M),
    used(10, "c/model", "10", 10 * M),
    used(2, "a/model", "110", 20 * M), used(2, "b/model", "15", 30 * M),
    used(2, "d/model", "45", 15 * M),
]  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    """Make questions over the rows, with every one of the last 40 days read but `unread` ones."""
    store = open_store(tmp_path)

    def make(rows, unread=()):
        days = {ago(n): [] for n in range(1, 41) if n not in unread}
        for row in rows:
            days[row.day].append(row)
        with store.writing() as tx:
            remember_account(tx, "main", "openrouter")
            replace_days(tx, "main", days, NOW)
            note_success(tx, "main", "activity", NOW)
        return Questions(store)

    yield make
    store.close()


def test_two_weeks_in_the_contracts_shape(ledger):
    told = why_shape(ledger(WEEKS).why("", NOW))
    assert told["period"] == {"from": "2026-11-16", "to": "2026-11-22"}
    assert told["before"] == {"from": "2026-11-09", "to": "2026-11-15"}
    assert (told["before_usd"], told["after_usd"], told["change_usd"]) == ("90", "170", "80")
    assert told["total"] == {"volume_usd": "7.5", "mix_usd": "82.5", "price_usd": "-10"}
    assert told["models"][0] == {
        "name": "a/model", "before_usd": "60", "after_usd": "110", "change_usd": "50",
        "volume_usd": "5", "mix_usd": "55", "price_usd": "-10", "tag": None,
    }  # fmt: skip
    assert [one["tag"] for one in told["models"]] == [None, "new", "gone", None]
    for effect in ("volume_usd", "mix_usd", "price_usd"):
        assert sum(Decimal(one[effect]) for one in told["models"]) == Decimal(told["total"][effect])
    assert (told["hosts"], told["missing_days"]) == (None, [])


def test_until_yesterday_is_read_the_usual_question_is_about_the_days_before_it(ledger):
    questions = ledger(WEEKS)
    midnight = NOW + timedelta(hours=16)
    report = questions.why("", midnight)
    assert why_shape(report)["period"] == {"from": "2026-11-16", "to": "2026-11-22"}
    assert report.comparable
    assert "23 Nov is not known yet: these are the days before it." in why_words.notes(
        report, midnight
    )
    asked = questions.why("7d", midnight)
    assert (asked.missing_days, asked.not_yet) == ((date(2026, 11, 23),), None)
    assert questions.why("", midnight + timedelta(days=1)).missing_days
    assert questions.why("", NOW).not_yet is None


def test_the_sentence_comes_first_and_says_which_models_did_it(ledger):
    questions = ledger(WEEKS)
    assert why_words.headline(questions.why("7d", NOW)) == (
        "Up $80.00: $82.50 because traffic moved to a/model and d/model (new), $10.00 less because"
        " a/model got cheaper per token, $7.50 from more volume (8.3% more tokens)."
    )
    filtered = why_words.headline(questions.why("b/ 7d", NOW))
    assert filtered == (
        "Down $5.00 on models matching b/: $5.00 from less volume (25.0% fewer tokens)."
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "Unchanged: nothing was spent in either period."),
        ([used(2, "a", "5", M)], "Up $5.00: $5.00 from a (new)."),
        (
            [used(9, "a", "5", M), used(2, "a", "5", M), used(2, "image", "3.5", 0)],
            "Up $3.50: $3.50 from cost without tokens (image).",
        ),
        ([used(9, "a", "5", M), used(2, "a", "5", M)], "Unchanged at $5.00."),
        (
            [used(9, "a", "9", M), used(9, "b", "1", M), used(2, "a", "2", M), used(2, "b", "1.004", M)],
            "Down $7.00: $7.00 because a got cheaper per token.",
        ),
        (  # a cheap model that gained traffic saved money, although its own cost rose
            [used(9, "a", "90", 9 * M), used(9, "b", "1", M), used(2, "a", "10", M), used(2, "b", "9", 9 * M)],
            "Down $72.00: $72.00 because traffic moved to b.",
        ),
    ],
)  # fmt: skip
def test_what_else_can_have_happened(ledger, rows, sentence):
    assert why_words.headline(ledger(rows).why("", NOW)) == sentence


def test_the_hosts_of_the_biggest_mover(ledger):
    rows = [
        used(9, "z-ai/glm", "20", 18 * M, host="Cheap"),
        used(9, "z-ai/glm", "5", 2 * M, host="Dear", endpoint="2"),
        used(2, "z-ai/glm", "45", 18 * M, host="Dear", endpoint="2"),
        used(2, "z-ai/glm", "2", 2 * M, host="Cheap"),
        used(9, "other", "1000", M), used(2, "other", "1001", M),
    ]  # fmt: skip
    report = ledger(rows).why("", NOW)
    assert why_words.hosts_line(report.hosts) == (
        "z-ai/glm: 80.0% of its tokens moved to Dear, which costs 2.2 times as much per token."
    )
    assert [one["name"] for one in why_shape(report)["hosts"]["rows"]] == ["Dear", "Cheap"]
    assert why_shape(report)["hosts"]["model"] == "z-ai/glm"


def test_days_that_were_never_read_make_it_not_comparable(ledger):
    report = ledger(WEEKS, unread=(1, 12)).why("7d", NOW)
    text = why_text(report, NOW, Paint(on=False))
    assert text.startswith("Not comparable, for 2 days were never read: at least $170.00 in 16–22")
    assert "11 Nov, 22 Nov" in text
    assert "82.50" not in text
    assert "new" not in text
    assert why_shape(report)["missing_days"] == ["2026-11-11", "2026-11-22"]


def test_just_after_midnight_it_is_about_the_week_that_is_known(ledger):
    report = ledger(WEEKS, unread=(1,)).why("", NOW)
    told = why_shape(report)
    assert told["period"] == {"from": "2026-11-15", "to": "2026-11-21"}
    assert (told["before"]["from"], told["missing_days"]) == ("2026-11-08", [])


def test_older_data_is_not_taken_for_the_newest_week(ledger):
    told = why_shape(ledger([], unread=(1, 2)).why("", NOW))
    assert (told["period"]["to"], told["missing_days"]) == (
        "2026-11-22",
        ["2026-11-21", "2026-11-22"],
    )


def test_free_models_and_own_keys_are_told_beside_it(ledger):
    rows = [
        used(9, "a", "5", M), used(2, "a", "6", M), used(2, "free/x", "0", M),
        used(2, "own", "0", M, byok_cost=Decimal("3.25")),
    ]  # fmt: skip
    report = ledger(rows).why("", NOW)
    notes = " ".join(why_words.notes(report, NOW))
    assert "a million tokens cost" in why_words.periods_line(report)
    assert "Free, but their tokens count as volume, which mix takes back: free/x." in notes
    assert "Paid elsewhere under your own keys, in no figure here: $3.25, before $0.00" in notes
    unpaid = ledger([used(9, "own", "0", M, byok_cost=Decimal(3))]).why("own", NOW)
    assert "a million" not in why_words.periods_line(unpaid)


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        ("yesterday", ("2026-11-21", "2026-11-21"), ("2026-11-22", "2026-11-22")),
        ("mtd", ("2026-10-10", "2026-10-31"), ("2026-11-01", "2026-11-22")),
        ("last month", ("2026-08-31", "2026-09-30"), ("2026-10-01", "2026-10-31")),
        ("2026-10-01..2026-10-15", ("2026-09-16", "2026-09-30"), ("2026-10-01", "2026-10-15")),
    ],
)
def test_a_period_is_compared_with_as_many_days_before_it(ledger, words, before, after):
    told = why_shape(ledger([]).why(words, NOW))
    assert tuple(told["before"].values()) == before
    assert tuple(told["period"].values()) == after


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("today", "use `yesterday` or `7d`"),
        ("2026-11-23", "use `yesterday` or `7d`"),
        ("2027-01", "use `last month` or `7d`"),
        ("all", "use a period such as `30d`"),
        ("7d by host", "always told by model"),
        ("yesturday", "did you mean `yesterday`?"),
        ("7d 30d", "more than one period"),
        ("x" * 600, "too long"),
    ],
)
def test_words_that_make_no_sense_name_the_mend(ledger, words, hint):
    with pytest.raises(UsageError) as caught:
        ledger(WEEKS).why(words, NOW)
    assert hint in str(caught.value)


def test_what_lies_before_the_calendar_is_no_crash(ledger):
    with pytest.raises(UsageError, match="nothing comes before"):
        ledger([]).why("2000-01-01..9998-01-01", datetime.combine(date(9000, 1, 1), NOW.timetz()))
