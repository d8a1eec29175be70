"""The page of configuration keys is made of the code, so that it can neither lack nor invent one."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

from bot.config_keys import TOP
from bot.config_tables import Table

ROOT = Path(__file__).parents[2]


def sentences(table: Table, path: str) -> Iterator[tuple[str, str]]:
    yield path, table.says
    for name, key in table.keys.items():
        yield f"{path}.{name}", key.says
    for name, below in table.tables.items():
        yield from sentences(below, f"{path}.{name}")


def test_the_page_is_what_the_code_says() -> None:
    script = runpy.run_path(str(ROOT / ".ci" / "configuration_page.py"))
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert page == script["page"](), "write it anew with ./run docs"


def test_every_key_and_table_says_in_sentences_what_it_means() -> None:
    for path, says in sentences(TOP, ""):
        assert says[0].isupper() or says[0] in "`*", f"{path}: {says}"
        assert says.endswith("."), f"{path}: {says}"
