"""What older versions left behind, opened by this one: nothing is lost and every figure stays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from install import PASSPHRASE
from left_behind import FIXTURES, Left

from bot.cli import run
from costcompass_core import __version__
from costcompass_core.domain.secret import Secret
from costcompass_core.storage.migrations import STEPS
from costcompass_core.storage.store import FILE_NAME, open_store
from costcompass_core.vault.file import unlock

LEFT = sorted(one.name for one in FIXTURES.iterdir())
PROMISED = ("next_month", "balance", "data_through")
"""What of a forecast may not change; the rest are estimates, which may get better."""


@pytest.fixture
def answer(left_by, monkeypatch, capsys) -> Callable[[Left, str], str]:
    """Ask this version, at the moment the older one was asked."""

    def ask(left: Left, words: str) -> str:
        monkeypatch.chdir(left.install.folder)
        for name, value in left.install.environ.items():
            monkeypatch.setenv(name, value)
        with freeze_time(left.told["asked_at"]):
            assert run(words.split()) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return ask


def same(old: Any, new: Any, where: str = "") -> None:
    """Demand everything of `old` in `new`; keys may have come since."""
    if isinstance(old, Mapping):
        for key, value in old.items():
            assert key in new, f"{where}.{key} is gone"
            same(value, new[key], f"{where}.{key}")
    elif isinstance(old, list):
        assert len(old) == len(new), f"{where} had {len(old)} rows and has {len(new)}"
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            same(before, after, f"{where}[{number}]")
    else:
        assert old == new, f"{where} was {old!r} and is {new!r}"


def schema(database: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(database)) as opened:
        found = opened.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
            " AND tbl_name != '_sqlite_migrations' ORDER BY type, name"
        )
        return found.fetchall()


def steps(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as opened:
        return [name for (name,) in opened.execute("SELECT name FROM _sqlite_migrations")]


def upgrade(left: Left) -> None:
    open_store(left.install.state).close()


@pytest.mark.parametrize("name", LEFT)
def test_an_upgraded_ledger_answers_to_the_digit_what_the_older_version_answered(
    name, left_by, answer
):
    left = left_by(name)
    upgrade(left)
    for words, said in left.told["answers"].items():
        now_said = json.loads(answer(left, f"{words} --json"))
        kept = {key: said[key] for key in PROMISED} if words == "forecast" else said
        same(kept, now_said, words)
    rows = [json.loads(row) for row in answer(left, "export --format jsonl").splitlines()]
    same(left.told["export"], rows, "export")


@pytest.mark.parametrize("name", LEFT)
def test_an_upgraded_ledger_is_sound_and_has_the_schema_of_a_new_one(name, left_by, tmp_path):
    left = left_by(name)
    before = steps(left.database)
    upgrade(left)
    (tmp_path / "new").mkdir()
    open_store(tmp_path / "new").close()
    assert schema(left.database) == schema(tmp_path / "new" / FILE_NAME)
    assert steps(left.database)[: len(before)] == before
    assert steps(left.database) == [step.__name__ for step in STEPS]
    with closing(sqlite3.connect(left.database)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("name", LEFT)
def test_an_older_vault_opens_and_is_not_rewritten_by_that(name, left_by):
    left = left_by(name)
    before = left.install.vault.read_bytes()
    opened = unlock(left.install.vault, Secret(PASSPHRASE))
    assert {"openrouter/main", "slack/bot-token"} <= set(opened.names())
    assert opened.reveal("slack/bot-token").expose() == "xoxb-1-not-a-real-token"
    assert left.install.vault.read_bytes() == before


def test_an_older_ledger_is_answered_from_once_something_upgraded_it(left_by):
    left = left_by("m0001")
    before = left.files()
    refused = left.install.run("spend", "all")
    assert refused.returncode == 1
    assert "an older version wrote it" in refused.stderr
    assert {name: left.files()[name] for name in before} == before, "a reader upgrades nothing"
    upgrade(left)
    assert left.install.run("spend", "all").returncode == 0


@pytest.mark.parametrize(
    "words", [("spend",), ("refresh",), ("run",), ("export", "--format", "csv"), ("backup", "copy")]
)
def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(words, left_by):
    left = left_by(__version__)
    with closing(sqlite3.connect(left.database)) as opened, opened:
        opened.execute("UPDATE _sqlite_migrations SET name = 'm9999_later' WHERE id = 6")
    before = left.files()
    refused = left.install.run(*words)
    assert refused.returncode == 1
    assert "was written by a newer version (it has m9999_later)" in refused.stderr
    assert {name: left.files()[name] for name in before} == before


@pytest.mark.parametrize("name", ["m0001", __version__])
def test_a_backup_of_an_older_ledger_keeps_it_and_is_restored_as_a_new_one(name, left_by, answer):
    left = left_by(name)
    before = steps(left.database)
    assert left.install.run("backup", "copy").returncode == 0
    assert steps(left.install.folder / "copy" / FILE_NAME) == before == steps(left.database)
    left.database.unlink()
    assert left.install.run("restore", "copy").returncode == 0
    assert steps(left.database) == [step.__name__ for step in STEPS]
    same(left.told["answers"]["spend all"], json.loads(answer(left, "spend all --json")))


def test_every_released_version_left_something_to_upgrade_from():
    assert __version__ in LEFT, (
        f"before {__version__} is released, write what it leaves behind: ./run fixture {__version__}"
    )


def test_what_a_release_left_is_of_that_release(left_by):
    told = left_by(__version__).told
    assert told["version"].startswith(f"costcompass {__version__} ")
    assert all(told["answers"].values())
    assert told["export"]
