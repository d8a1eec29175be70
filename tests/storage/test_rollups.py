"""Rollups tell what the rows tell, whatever was replaced by what, for any range, rank and filter."""

import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from costcompass_core.domain.days import each_day
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import Amounts, grouped
from costcompass_core.domain.usage import Usage
from costcompass_core.storage import spend
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import day_rows, remember_account, replace_days

NOW = datetime(2026, 4, 20, tzinfo=UTC)
START = date(2026, 1, 27)
PROVIDERS = {"one": "openrouter", "two": "acme", "three": "acme"}

DAYS = st.integers(0, 80).map(lambda n: START + timedelta(days=n))
COSTS = st.integers(-(10**30), 10**30).map(lambda n: Decimal(n).scaleb(-22, Context(prec=40)))
COUNTS = st.none() | st.integers(0, 10**15 - 1)
ROWS = st.lists(
    st.builds(
        lambda model, host, *figures: Usage(START, model, model, host, host, *figures),
        st.sampled_from(["a/large", "a/small", "b/large"]),
        st.sampled_from(["North", "South"]),
        *[COUNTS] * 5,
        COSTS,
        st.just(Decimal(0)) | COSTS,
    ),
    max_size=5,
    unique_by=lambda row: row[1:4],
)
WRITES = st.lists(st.tuples(st.sampled_from(list(PROVIDERS)), DAYS, ROWS), max_size=14)
NAMED = {
    "model": lambda account, row: row.model,
    "host": lambda account, row: row.host,
    "day": lambda account, row: row.day.isoformat(),
    "account": lambda account, row: account,
    "provider": lambda account, row: PROVIDERS[account],
}


@settings(max_examples=60, deadline=None)
@given(
    WRITES,
    st.tuples(DAYS, DAYS).map(sorted),
    st.sampled_from(list(NAMED)),
    st.none() | st.sets(st.sampled_from(["a/large", "a/small", "b/large", "unused"])),
)
def test_any_question_gets_what_the_rows_say(writes, span, by, models):
    first, last = span
    kept = {}
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        for account, day, reported in writes:
            rows = kept[account, day] = [row._replace(day=day) for row in reported]
            with store.writing() as tx:
                remember_account(tx, account, PROVIDERS[account])
                replace_days(tx, account, {day: rows}, NOW)
        with store.reading() as tx:
            chosen = None if models is None else spend.models_json(sorted(models))
            told = spend.amounts(tx, first, last, by, chosen)
            for (account, day), rows in kept.items():
                assert sorted(day_rows(tx, account, day)) == sorted(rows)
            for account in PROVIDERS:
                mine = [row.cost for (a, d), rows in kept.items() for row in rows
                        if a == account and first <= d <= last]  # fmt: skip
                assert spend.spent_between(tx, account, first, last) == Usd.total(map(Usd, mine))
        store.close()
    asked = [
        Amounts(NAMED[by](account, row), row.cost, row.byok_cost, *row[5:10])
        for (account, day), rows in kept.items()
        for row in rows
        if first <= day <= last and (models is None or row.model in models)
    ]
    if by == "day" and models is None:  # a day that was read and had no rows spent zero
        asked += [
            Amounts(day.isoformat(), Decimal(0), Decimal(0), 0, 0, 0, 0, 0)
            for day in each_day(first, last)
            if any(read == day for _, read in kept)
        ]
    assert sorted(grouped(told), key=str) == sorted(grouped(asked), key=str)


def test_history_begins_with_the_first_usage_and_counts_read_days_as_zero(tmp_path):
    store = open_store(tmp_path)
    row = Usage(START, "m", "m", "e", "h", 1, 1, 1, 1, 1, Decimal("0.5"), Decimal(0))
    with store.writing() as tx:
        remember_account(tx, "main", "openrouter")
        days = {
            START + timedelta(days=n): (
                [row._replace(day=START + timedelta(days=n))] if n == 1 else []
            )
            for n in range(3)
        }
        replace_days(tx, "main", days, NOW)
        replace_days(tx, "stranger", days, NOW)
    with store.reading() as tx:
        [(account, history)] = spend.histories(tx, START).items()
        late = spend.histories(tx, START + timedelta(days=2))["main"]
    store.close()
    assert (account, history.began) == ("main", START + timedelta(days=1))
    assert [history.spent[day].text() for day in sorted(history.spent)] == ["0", "0.5", "0"]
    assert (late.began, list(late.spent)) == (history.began, [START + timedelta(days=2)])
