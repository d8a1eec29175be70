"""The documents say what the code does."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path

from bot.cli import cli
from bot.config import parse_config
from bot.config_keys import RULE_NAMES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_readme_names_every_command() -> None:
    tables = "\n".join(line for line in README.splitlines() if line.startswith("| `"))
    named = {word for cell in re.findall(r"`([^`]+)`", tables) for word in cell.split("|")}
    first_words = {one.split()[0] for one in named if one.strip()}
    assert set(cli.list_commands(None)) <= first_words  # type: ignore[arg-type]


def test_the_readme_s_configuration_is_valid() -> None:
    for example, names in zip(
        re.findall(r"```toml\n(.*?)```", README, re.DOTALL),
        (["anthropic/main"], ["main"]),
        strict=True,
    ):
        config = parse_config(tomllib.loads(example, parse_float=Decimal), {})
        assert [one.name for one in config.accounts] == names


def test_the_alerts_page_names_every_rule_and_its_configuration_is_valid() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text()
    assert set(RULE_NAMES) == set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    account = {"account": [{"name": "main", "provider": "openrouter"}]}
    config = parse_config(tomllib.loads(example) | account, {})
    assert len(config.alerts.desk.routes) == 2


def test_every_command_on_the_backup_page_is_one() -> None:
    page = (ROOT / "docs" / "backup.md").read_text()
    named = set(re.findall(r"(?:^|[`$] ?)costcompass ([a-z]+)", page, re.MULTILINE))
    assert {"backup", "restore", "status", "doctor"} <= named <= set(cli.list_commands(None))  # type: ignore[arg-type]
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert parse_config(tomllib.loads(example), {}).backup.keep == 7


def test_links_inside_the_repository_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_architecture_page_draws_the_layers_that_ci_enforces() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    drawn = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    for contract in contracts["contracts"]:
        for layer in contract.get("layers", ()):
            assert layer in drawn, f"{layer} is not in ARCHITECTURE.md"


def test_the_index_of_the_documents_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    for page in {*ROOT.glob("docs/*.md")} - {ROOT / "docs" / "README.md"}:
        assert f"]({page.name})" in index, f"docs/README.md needs a line for {page.name}"


def test_every_configuration_that_the_documents_show_is_valid() -> None:
    account = {"account": [{"name": "main", "provider": "openrouter"}]}
    for page in ROOT.glob("docs/*.md"):
        for example in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL):
            parse_config(account | tomllib.loads(example, parse_float=Decimal), {})
