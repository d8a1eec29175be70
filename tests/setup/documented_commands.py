"""What the documents tell people to type is typed here: block by block, on a prepared installation.

A page that is added is found by itself. A new command needs a line below only where it asks questions
(`TYPED`), asks the daemon (`WITH_DAEMON`), or cannot be run in a test (`UNDERSTOOD_ONLY`).

`.ci/run` runs it by its name, which keeps it out of the suite: it takes as long as a fifth of that.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from documented import PAGES, WORDS, Line, blocks, calls, check, inline, lines
from install import Install

from bot.sandbox.company import Company
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.scenario import demo_account
from bot.sandbox.slack import Slack

UNDERSTOOD_ONLY = {
    "run": "stays until it is stopped; a line that starts it in the background starts it here",
    "init": "asks questions, which tests/cli/test_init.py answers",
    "demo": "takes half a minute; tests/cli/test_demo.py plays it",
    **dict.fromkeys(WORDS, "works on the checkout itself, as CI does"),
}
"""Commands that are not run here but have to be understood, by their first word, and why."""
TYPED = {"vault change-passphrase": "a new one of some length\n" * 2}
"""What is typed into a command; `vault add` gets the right key of its account by itself."""
WITH_DAEMON = {"status", "unlock", "alert", "healthcheck"}
"""First words of commands that ask the running daemon."""
BEGINNING = ("vault", "create")
"""A block with this begins with neither vault nor database, and only with the accounts it adds."""
HARMLESS = {"cat", "gzip", "head", "jq", "echo", "printf", "wc", "tee"}
"""Programs that may stand beside ours in a line that is run."""
STARTER = f'#!/bin/sh\nexec {sys.executable} -P -m bot "$@"\n'
SUDO = '#!/bin/sh\nwhile [ "$1" = -u ]; do shift 2; done\nexec "$@"\n'


@dataclass(frozen=True)
class Prepared:
    """An installation that has read thirty days of six providers.

    `keys` are what was put into its vault by name, `tables` the lines of its accounts by their entry.
    """

    install: Install
    keys: dict[str, str]
    tables: dict[str, str]

    def copied_to(self, folder: Path, block: list[Line]) -> Install:
        """Return a copy of it below `folder` that a block may do with what it likes."""
        words = [call.words for line in block for call in line.calls]
        begins = any(one[:2] == BEGINNING for one in words)
        added = {one[2] for one in words if one[:2] == ("vault", "add")}
        other = Install(folder)
        text = self.install.config.read_text().replace(str(self.install.folder), str(folder))
        for entry, table in self.tables.items():
            text += table if entry in added or not begins else ""
        other.config.write_text(text)
        if not begins:
            shutil.copytree(self.install.state, other.state)
        for name, content in (("bin/costcompass", STARTER), ("run", STARTER), ("bin/sudo", SUDO)):
            started = folder / name
            started.parent.mkdir(exist_ok=True)
            started.write_text(content)
            started.chmod(0o755)
        other.environ["PATH"] = f"{folder / 'bin'}:{other.environ['PATH']}"
        return other


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    account = demo_account(_now().date())
    with OpenRouter(_now, [account]) as openrouter, Slack(_now) as slack, Company(_now) as company:
        install = Install(tmp_path_factory.mktemp("prepared"))
        install.configure(openrouter, slack)
        tables = {
            f"{one.provider}/main": f'[[account]]\nname = "main"\nprovider = "{one.provider}"\n'
            f'base_url = "{one.biller.base_url}"\n{one.options}\n'
            for one in company.connected
        }
        keys = {f"{one.provider}/main": one.key for one in company.connected} | {
            "openrouter/main": account.management_key.secret,
            "slack/bot-token": slack.bot_token,
            "slack/app-token": slack.app_token,
        }
        kept = {name.replace("/", "__").replace("-", "_"): one for name, one in keys.items()}
        install.keep(**kept)
        alone = install.config.read_text()
        install.config.write_text(alone + "".join(tables.values()))
        done = install.run("refresh")
        assert done.returncode == 0, done.stderr
        install.config.write_text(alone)
        wrong = {"wrong": account.inference_keys[0].secret}
        yield Prepared(install, keys | wrong, tables)


SHOWN = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page), 1)
]


@pytest.mark.parametrize("block", SHOWN)
def test_what_a_block_shows_can_be_typed_line_by_line(block, prepared, tmp_path):
    install = prepared.copied_to(tmp_path, block)
    asks = any(
        call.words[:1] and call.words[0] in WITH_DAEMON for line in block for call in line.calls
    )
    with ExitStack() as stack:
        if asks and not any(line.starts for line in block):
            stack.enter_context(install.daemon())
        for line in block:
            for call in line.calls:
                check(call)
            if line.variable:
                name, value = line.variable
                install.environ[name] = moved(value, install)
                if not value:
                    del install.environ[name]
            elif line.starts:
                stack.close()
                stack.enter_context(install.daemon())
            elif line.ends:
                stack.close()
            elif not any(
                call.words[:1] and call.words[0] in UNDERSTOOD_ONLY for call in line.calls
            ):
                done = typed(install, line, prepared)
                as_told = done.returncode == line.code or (line.code < 0 < done.returncode)
                assert as_told, f"{line.text}: {done.returncode}: {done.stdout}{done.stderr}"


def moved(text: str, install: Install) -> str:
    """Return a line whose folders are the installation's or below it: it touches no other."""

    def below(found: re.Match[str]) -> str:
        place = Path(found[0].replace("/var/lib/costcompass", str(install.state)))
        if not place.is_relative_to(install.folder):
            place = install.folder / "elsewhere" / found[0].lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        return str(place)

    return re.sub(r"(?<![\w./:-])/(etc|home|mnt|srv|tmp|var)/[^\s'\"]+", below, text)


def typed(install: Install, line: Line, prepared: Prepared) -> subprocess.CompletedProcess[str]:
    """Have a shell run a line as it stands there; what a container would get, we get."""
    strangers = {one for one in line.programs if one not in HARMLESS}
    assert not strangers, f"{line.text}: is {strangers} harmless?"
    call = line.calls[0]
    answer = TYPED.get(" ".join(call.words[:2]), "")
    if call.words[:2] == ("vault", "add"):
        answer = prepared.keys["wrong" if line.code else call.words[2]]
    text = shlex.join(["costcompass", *call.words]) if call.in_container else line.text
    text = moved(text, install)
    if call.words[0] == "restore":
        install.run("backup", text.split()[-1])  # of a day that this installation never saw
    return subprocess.run(
        ["/bin/sh", "-c", text],
        env=install.environ,
        cwd=install.folder,
        input=answer,
        capture_output=True,
        check=False,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_sentence_names_is_one(page):
    for quoted in inline(page):
        for call in calls(quoted):
            try:
                check(call)
            except click.MissingParameter:
                continue  # a command may be named without all that it needs


@pytest.mark.parametrize(
    "text",
    [
        "costcompass spent",
        "costcompass spend --jsn",
        "costcompass cost add one",
        "costcompass vault remve main",
        "docker exec -it costcompass costcompass docter",
        "gzip < x | costcompass export --format pdf > y",
        "./run tests",
    ],
)
def test_a_command_that_nobody_could_type_would_be_found(text):
    [line] = lines(text)
    with pytest.raises(click.ClickException):
        check(line.calls[0])


def test_every_exception_is_needed():
    every = [blocks(page) for page in PAGES]
    shown = {
        call.words for page in every for block in page for line in block for call in line.calls
    }
    for word in (*TYPED, " ".join(BEGINNING)):
        assert any(" ".join(words[:2]) == word for words in shown), f"no page shows {word}"
