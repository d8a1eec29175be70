"""A ledger from before there were several providers, upgraded: every answer is what it was."""

from contextlib import closing
from dataclasses import replace

from stack_world import NOW, WORDS, Ledger, ago, refreshed, usage, view

from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.days import Month, each_day
from costcompass_core.domain.money import Usd
from costcompass_core.storage import migrations
from costcompass_core.storage.spend import every_row
from costcompass_core.storage.store import open_store

OLD = {
    "account": "name, provider",
    "usage": "account, day, model, permaslug, endpoint, host, requests, prompt_tokens,"
    " completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost",
    "usage_day": "account, day, read_at, emptied_at, rows, keyed, requests, prompt_tokens,"
    " completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost, source",
    "usage_month": "*",
    "balance": "*",
    "refresh": "*",
}
"""What the schema before had of each table, in its order."""


def copied(tx, table, columns):
    return table, tx.execute(f"SELECT {columns} FROM {table}").fetchall()


def test_a_ledger_from_before_several_providers_answers_as_it_did(tmp_path, monkeypatch):
    """What two accounts had in the schema before, with amounts that no float could hold."""
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
    with closing(open_store(tmp_path / "new")) as store:
        ledger = Ledger(store)
        for account, first in (("main", 40), ("team", 20)):
            days = {
                day: [usage(day, "a/b", f"{n}.0000000000000000000{n}"), usage(day, "c", "1E-20")]
                for n, day in enumerate(each_day(ago(first), ago(1)), 1)
            }
            ledger.put(account, days)
        refreshed(ledger)
        with store.writing() as tx:
            tx.execute("UPDATE account SET title = ''")
        answers = answered(store)
        with store.reading() as tx:
            tables = dict(copied(tx, *one) for one in OLD.items())
    with monkeypatch.context() as before:
        before.setattr(migrations, "STEPS", migrations.STEPS[:5])
        old = open_store(tmp_path / "old")
        with old.writing() as tx:
            for table, rows in tables.items():
                marks = ", ".join("?" * len(rows[0]))
                tx.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        old.close()
    with closing(open_store(tmp_path / "old")) as store:
        assert answered(store) == answers
        with store.reading() as tx:
            assert dict(copied(tx, *one) for one in OLD.items()) == tables


def answered(store):
    """Return everything that is answered without several providers, and that it is so."""
    ledger = Ledger(store)
    spent = [ledger.spend(words) for words in (*WORDS, "all", "by account", "by key", "by service")]
    assert all(one.stack is None for one in spent)
    assert len(spent[0].rows) == 2
    with store.reading() as tx:
        rows = list(every_row(tx, "2026-01-01", "2026-12-31"))
    views = [
        view(ledger, Budget("all", Usd.of(9))),
        view(ledger, Budget("m", Usd.of(9), model="c")),
    ]
    month = ledger.monthly(Month(2026, 10))
    why = ledger.questions.why("7d", NOW)
    home = replace(ledger.questions.home(NOW), incidents=())
    return spent, rows, ledger.forecast(), ledger.digest(), views, month, why, home
