"""The schema as reviewed: `schema.sql` shows every change of it, and migrating twice changes nothing."""

from pathlib import Path

from costcompass_core.storage import migrations
from costcompass_core.storage.migrations import STEPS
from costcompass_core.storage.store import open_store

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
            " WHERE schema = 'main' AND name NOT LIKE '%sqlite%'"
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
        assert tx.execute("SELECT * FROM account").fetchall() == [("main", "openrouter")]
        found = tx.execute("SELECT error, permanent, reason FROM refresh").fetchall()
        assert found == [("why", 1, None)]
    assert ours(store) == SNAPSHOT.read_text()
    store.close()
