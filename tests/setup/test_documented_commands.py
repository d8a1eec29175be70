"""What the documents tell people to type is typed here: block by block, on a prepared installation.

A page that is added is found by itself. A new command needs a line below only where it asks questions
(`TYPED`), needs the daemon (`WITH_DAEMON`), or cannot be run in a test (`UNDERSTOOD_ONLY`).
"""

from __future__ import annotations

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
from documented import PAGES, WORDS, Call, Line, blocks, calls, check, inline, lines
from install import Install

from bot.sandbox.company import Company
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.scenario import demo_account
from bot.sandbox.slack import Slack

UNDERSTOOD_ONLY = {
    "run": "stays until it is stopped; `run &` is really started",
    "init": "asks questions, which tests/cli/test_init.py answers",
    "demo": "takes half a minute; tests/cli/test_demo.py plays it",
    **dict.fromkeys(WORDS, "works on the checkout itself, as CI does"),
}
"""Commands that are not run here but have to be understood, by their first word, and why."""
ELSEWHERE = {"docker": "needs Docker", "podman": "needs Podman", "sudo": "needs root"}
"""Programs that start ours where a test cannot be, and why."""
TYPED = {"vault change-passphrase": "a new one of some length\n" * 2}
"""What is typed into a command; `vault add` gets the right key of its account by itself."""
WITH_DAEMON = {"status", "unlock", "alert"}
"""First words of commands that ask the running daemon."""
BEGINNING = "vault create"
"""A block with this begins with neither vault nor database."""
HARMLESS = {"cat", "gzip", "head", "jq", "echo", "printf", "wc", "tee"}
"""Programs that may stand beside ours in a line that is run."""


@dataclass(frozen=True)
class Prepared:
    """An installation that has read thirty days of six providers, and the keys that it was given."""

    install: Install
    keys: dict[str, str]

    def copied_to(self, folder: Path, *, empty: bool) -> Install:
        """Return a copy of it below `folder` that a block may do with what it likes."""
        other = Install(folder)
        text = self.install.config.read_text().replace(str(self.install.folder), str(folder))
        other.config.write_text(text)
        if not empty:
            shutil.copytree(self.install.state, other.state)
        for started in (folder / "bin" / "costcompass", folder / "run"):
            started.parent.mkdir(exist_ok=True)
            started.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m bot "$@"\n')
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
        beside = "".join(
            f'[[account]]\nname = "main"\nprovider = "{one.provider}"\n'
            f'base_url = "{one.biller.base_url}"\n{one.options}\n'
            for one in company.connected
        )
        install.configure(openrouter, slack, more=beside)
        keys = {f"{one.provider}/main": one.key for one in company.connected} | {
            "openrouter/main": account.management_key.secret,
            "slack/bot-token": slack.bot_token,
            "slack/app-token": slack.app_token,
        }
        kept = {name.replace("/", "__").replace("-", "_"): one for name, one in keys.items()}
        install.keep(**kept)
        done = install.run("refresh")
        assert done.returncode == 0, done.stderr
        wrong = {"wrong": account.inference_keys[0].secret}
        yield Prepared(install, keys | wrong)


SHOWN = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page), 1)
]


@pytest.mark.parametrize("block", SHOWN)
def test_what_a_block_shows_can_be_typed_line_by_line(block, prepared, tmp_path):
    firsts = {" ".join(call.words[:2]) for line in block for call in line.calls}
    install = prepared.copied_to(tmp_path, empty=BEGINNING in firsts)
    asks = any(one.split()[0] in WITH_DAEMON for one in firsts if one)
    started = any(line.stays for line in block)
    with ExitStack() as stack:
        if asks and not started:
            stack.enter_context(install.daemon())
        for line in block:
            for call in line.calls:
                check(call)
            if line.stays:
                stack.enter_context(install.daemon())
            elif all(can_be_run(call) for call in line.calls):
                done = typed(install, line, prepared)
                as_told = done.returncode == line.code or (line.code < 0 < done.returncode)
                assert as_told, f"{line.text}: {done.returncode}: {done.stdout}{done.stderr}"


def can_be_run(call: Call) -> bool:
    return not (call.within or (call.words and call.words[0] in UNDERSTOOD_ONLY))


def typed(install: Install, line: Line, prepared: Prepared) -> subprocess.CompletedProcess[str]:
    """Have a shell run a line as it stands there."""
    strangers = {one for one in line.programs if one not in HARMLESS}
    assert not strangers, f"{line.text}: is {strangers} harmless?"
    words = line.calls[0].words
    answer = TYPED.get(" ".join(words[:2]), "")
    if words[:2] == ("vault", "add"):
        answer = prepared.keys["wrong" if line.code else words[2]]
    return subprocess.run(
        ["/bin/sh", "-c", line.text],
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
    shown = [
        call for page in PAGES for block in blocks(page) for line in block for call in line.calls
    ]
    assert {call.within for call in shown} - {""} <= set(ELSEWHERE)
    for word in (*TYPED, BEGINNING):
        assert any(" ".join(call.words[:2]) == word for call in shown), f"no page shows {word}"
