"""docs/troubleshooting.md: each trouble it tells of is made, and its commands say what it says.

`.ci/run` runs it by its name, which keeps it out of the suite, like `documented_commands.py`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from troubles import TROUBLES, World, world

from bot.sandbox.slack_people import CHANNEL
from costcompass_core.domain import errors

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text()
SHOWN = re.findall(r"(?:<!-- trouble: ([a-z-]+) -->\n)?```text\n(.*?)```", PAGE, re.DOTALL)
LOG = "journalctl -u costcompass"


def told(block: str) -> Iterator[tuple[str, list[str], int]]:
    """Yield each command of a block, the lines it prints, and its exit code."""
    joined = re.sub(r"\n {6}", " ", block)
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        code = 0
        if found := re.fullmatch(r"\(exit code (\d+)\)", lines[-1]):
            code = int(found[1])
            lines.pop()
        yield command, lines, code


def printed(here: World, command: str) -> tuple[str, int]:
    """Run what the page says, and return what it prints with the page's own names in it."""
    if command == LOG:
        output, code = here.log, 0
    else:
        name, *words = shlex.split(command)
        assert name == "costcompass"
        done = here.install.run(*words)
        output, code = done.stdout + done.stderr, done.returncode
    install = here.install
    plain = {
        f"http://{here.openrouter.address}": "https://openrouter.ai",
        f"{here.openrouter.address}/": "openrouter.ai/",
        here.openrouter.address: "openrouter.ai:443",
        CHANNEL: "C0123456789",
        str(install.state): "/var/lib/costcompass",
        str(install.config): "/etc/costcompass/config.toml",
        install.environ.get("COSTCOMPASS_HTTP__LISTEN", "…"): "127.0.0.1:9464",
    }
    port = install.environ.get("COSTCOMPASS_HTTP__LISTEN", "").rpartition(":")[2]
    for actual, shown in plain.items():
        output = output.replace(actual, shown)
    return re.sub(rf":{port}\b", ":9464", output) if port else output, code


def pattern(line: str) -> re.Pattern[str]:
    """What a line of the page stands for: `…` for anything, spaces for any number of them."""
    words = (re.escape(word).replace("…", ".*") for word in line.split())
    return re.compile(r"\s+".join(words))


@pytest.mark.parametrize(
    ("name", "block"), SHOWN, ids=[f"{name}-{place}" for place, (name, _) in enumerate(SHOWN)]
)
def test_what_the_page_shows_is_what_one_sees(name: str, block: str, tmp_path: Path):
    with world(tmp_path) as here:
        TROUBLES[name](here)
        for command, lines, code in told(block):
            output, ended = printed(here, command)
            assert ended == code, f"{command}: {output}"
            seen = iter(output.splitlines())
            for line in lines:  # in their order; others may stand between
                assert any(pattern(line).fullmatch(one) for one in seen), f"{line!r} in {output}"


def test_every_trouble_is_on_the_page_and_none_is_told_without_being_made():
    assert {name for name, _ in SHOWN} == TROUBLES.keys()


def test_every_exit_code_is_in_the_table():
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = {one.exit_code for one in kinds if issubclass(one, errors.CostCompassError)}
    assert {int(one) for one in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)} == {0, *codes}


def test_every_step_on_the_way_to_a_host_is_in_the_table():
    code = (Path(__file__).parents[2] / "costcompass_core/providers/reach.py").read_text()
    code += (Path(__file__).parents[2] / "bot/doctor/examine.py").read_text()
    table = PAGE.partition("| `doctor` says |")[2].partition("\n\n")[0]
    steps = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(steps) == 9
    for step in steps:
        assert step.replace("4 s", "{patience:g} s") in code


def test_every_section_can_be_found_from_the_list():
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) == anchors
