"""The commands that the documents show: found in the text, and looked up in the command line."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from bot.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(set(ROOT.glob("*.md")) - {ROOT / "CHANGELOG.md"}),
    *sorted(ROOT.glob("docs/*.md")),
    ROOT / "tests/upgrade/README.md",
]
"""All but the changelog, which tells what was, commands that went away included."""
SHELLS = ("", "sh", "shell", "bash", "console")
WORDS = frozenset(runpy.run_path(str(ROOT / "run"))["WORDS"])
"""What `./run` does by itself; any other word is a command of costcompass."""
PLACEHOLDERS = {
    "PROVIDER/NAME": "anthropic/main",
    "NAME": "main",
    "DAY": "2026-11-20",
    "DAYS": "90d",
    "PATH": "somewhere",
    "FOLDER": "somewhere",
    "FILE": "somewhere",
    "COMMAND": "spend",
    "VERSION": "9.9.9",
    "N": "0",
}
"""What stands for something in the documents, and something it may stand for."""
_OPERATORS = frozenset("|&;()")
_CODE = re.compile(r"\(exit code (\d+)|exits? with (\d+)")


@dataclass(frozen=True)
class Call:
    """One call of ours: what it is started with, and the words that follow.

    `within` is the program that starts it somewhere else: docker, sudo; empty for none.
    """

    words: tuple[str, ...]
    is_run: bool
    within: str


@dataclass(frozen=True)
class Line:
    """One line of a block that calls us.

    `code` is the exit code that the page says it has, 0 where it says none; -1 is any but 0, where the
    page shows an error without its code.
    """

    text: str
    calls: tuple[Call, ...]
    code: int

    @property
    def programs(self) -> list[str]:
        """What else the line starts, beside us."""
        return [part[0] for part in _parts(self.text) if part and _call(part) is None]

    @property
    def stays(self) -> bool:
        """Whether it is left running beside those that follow."""
        return self.text.endswith("&")


def blocks(page: Path) -> list[list[Line]]:
    """Return every block of a page for a shell that calls us."""
    fenced = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", page.read_text(), re.MULTILINE | re.DOTALL)
    found = [lines(content) for _, language, content in fenced if language in SHELLS]
    return [one for one in found if one]


def lines(block: str) -> list[Line]:
    """Return the lines of a block that call us; where there are prompts, the rest is output."""
    joined = re.sub(r" *\\\n *", " ", block)
    prompted = bool(re.search(r"^ *\$ ", joined, re.MULTILINE))
    parts = re.split(r"^ *\$ ", joined, flags=re.MULTILINE)[1:] if prompted else joined.splitlines()
    found = []
    for part in parts:
        said, _, output = part.partition("\n")
        text, _, note = said.partition(" #")
        if called := tuple(calls(text)):
            found.append(Line(text.strip(), called, _said_code(f"{note}\n{output}")))
    return found


def _said_code(said: str) -> int:
    """Return the exit code that a comment or the output tells."""
    if found := _CODE.search(said):
        return int(found[1] or found[2])
    return -1 if said.lstrip().startswith("costcompass: ") else 0


def inline(page: Path) -> Iterator[str]:
    """Yield what a page quotes within its sentences, and calls us."""
    prose = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for quoted in re.findall(r"`([^`]+)`", prose):
        if re.match(r"(\./run|costcompass) +[a-z-]", quoted):
            yield " ".join(quoted.split())


def calls(text: str) -> Iterator[Call]:
    """Yield the calls in a line of shell."""
    for part in _parts(text):
        if found := _call(part):
            yield found


def _parts(text: str) -> list[list[str]]:
    """Return the simple commands of a line; none where it is no shell, such as output."""
    try:
        tokens = list(shlex.shlex(text, posix=True, punctuation_chars=True))
    except ValueError:  # an apostrophe without another
        return []
    parts: list[list[str]] = [[]]
    for token in tokens:
        if set(token) <= _OPERATORS:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _call(tokens: Sequence[str]) -> Call | None:
    words = [PLACEHOLDERS.get(one, one) for one in _without_redirections(tokens)]
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    within = ""
    if words and words[0] in {"sudo", "docker", "podman"}:
        within = words[0]
        places = [place for place, one in enumerate(words) if _ours(one)]
        runs = within == "sudo" or {"run", "exec"} & set(words[1:4])
        words = words[places[-1] :] if places and runs else []
    if not words or not _ours(words[0]):
        return None
    told = tuple(one for one in words[1:] if one != "…")
    return Call(told or (("run",) if within else ()), words[0] == "./run", within)


def _ours(word: str) -> bool:
    return word == "./run" or re.fullmatch(r"(\S*/)?costcompass(:[\w.]+)?", word) is not None


def _without_redirections(tokens: Sequence[str]) -> Iterator[str]:
    skip = False
    for token in tokens:
        if set(token) <= set("<>"):
            skip = True
        elif skip:
            skip = False
        else:
            yield token


def check(call: Call) -> None:
    """Raise `click.ClickException` for a call that the command line would not understand."""
    if call.is_run and (not call.words or call.words[0] in WORDS):
        return
    with suppress(click.exceptions.Exit):  # --version, --help
        _resolve(call)


def _resolve(call: Call) -> None:
    context = cli.make_context("costcompass", list(call.words))
    command: click.Command = cli
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, inner, rest = command.resolve_command(context, rest)
        assert inner is not None
        command = inner
        context = command.make_context(name, rest, parent=context)
