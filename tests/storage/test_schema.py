"""The schema as reviewed: `schema.sql` shows every change of it, and migrating twice changes nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from costcompass_core.domain.usage import Usage
from costcompass_core.storage import migrations
from costcompass_core.storage.migrations import STEPS
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import add_past
from costcompass_core.usecases.report import Questions

SNAPSHOT = Path(__file__).with_name("schema.sql")


def ours(store):
    with store.reading() as tx:
        found = tx.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name != '_sqlite_migrations' AND sql NOT NULL"
            " ORDER BY tbl_name, type DESC, name"
        )
        return "".join(f"{row[0].strip()};\n\n" for row in found)


def test_the_schema_is_the_one_in_the_snapshot(tmp_path):
    store = open_store(tmp_path)
    schema = ours(store)
    store.close()
    (tmp_path / "schema.sql").write_text(schema)
    assert schema == SNAPSHOT.read_text(), (
        f"if a migration means this, copy {tmp_path / 'schema.sql'} over {SNAPSHOT}"
    )


def test_every_table_is_strict(tmp_path):
    store = open_store(tmp_path)
    with store.reading() as tx:
        found = tx.execute(
            "SELECT name, strict FROM pragma_table_list"
            " WHERE schema = 'main' AND type = 'table' AND name NOT LIKE '%sqlite%'"
        ).fetchall()
    store.close()
    assert len(found) == SNAPSHOT.read_text().count("CREATE TABLE")
    assert [name for name, strict in found if not strict] == []


def test_opening_again_migrates_nothing_again(tmp_path):
    def migrated():
        store = open_store(tmp_path)
        with store.reading() as tx:
            applied = tx.execute("SELECT * FROM _sqlite_migrations").fetchall()
        schema = ours(store)
        store.close()
        return applied, schema

    first = migrated()
    assert migrated() == first
    assert [row[2] for row in first[0]] == [step.__name__ for step in STEPS]


def test_a_ledger_of_the_first_version_is_upgraded_with_all_that_it_holds(tmp_path, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(migrations, "STEPS", STEPS[:1])
        old = open_store(tmp_path)
        with old.writing() as tx:
            tx.execute("INSERT INTO account VALUES ('main', 'openrouter')")
            tx.execute("INSERT INTO refresh VALUES ('main', 'balance', 't', 's', 2, 'why', 1)")
        old.close()
    store = open_store(tmp_path)
    with store.reading() as tx:
        found = tx.execute("SELECT name, provider FROM account").fetchall()
        assert found == [("main", "openrouter")]
        found = tx.execute("SELECT error, permanent, reason FROM refresh").fetchall()
        assert found == [("why", 1, None)]
    assert ours(store) == SNAPSHOT.read_text()
    store.close()


def test_a_ledger_from_before_analytics_keeps_its_days_and_lets_none_be_overwritten(
    tmp_path, monkeypatch
):
    day, now = date(2026, 11, 22), datetime(2026, 11, 23, 9, tzinfo=UTC)
    counts = ("0.30", "0")
    with monkeypatch.context() as before:
        before.setattr(migrations, "STEPS", STEPS[:2])
        old = open_store(tmp_path)
        with old.writing() as tx:
            tx.execute("INSERT INTO account VALUES ('main', 'openrouter')")
            read = (day.isoformat(), "2026-11-23T08:00:00.000000Z")
            tx.execute(
                "INSERT INTO usage VALUES ('main', ?, 'a/b', 'a/b-1', 'e', 'H', 1, 2, 3, 0, NULL, ?, ?)",
                (day.isoformat(), *counts),
            )
            tx.execute(
                "INSERT INTO usage_day VALUES ('main', ?, ?, NULL, 1, 1, 1, 2, 3, 0, NULL, ?, ?)",
                (*read, *counts),
            )
            tx.execute(
                "INSERT INTO usage_month VALUES ('main', '2026-11', 'a/b', 'H', 1, 2, 3, 0, NULL, ?, ?)",
                counts,
            )
        old.close()
    store = open_store(tmp_path)
    other = Usage(day, "x/y", "x/y", "", "", 1, 1, 1, 0, 0, Decimal(9), Decimal(0))
    with store.writing() as tx:
        assert add_past(tx, "main", {day: (other,)}, now) == ()
    report = Questions(store).spend("yesterday", now)
    assert [(row.name, row.cost.text()) for row in report.rows] == [("a/b", "0.30")]
    assert Questions(store).spend("mtd", now).total.text() == "0.30"
    store.close()
