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
    "…": "",
}
"""What stands for something in the documents, and something it may stand for."""
_PLACEHOLDER = re.compile(rf"(?<!\S)({'|'.join(map(re.escape, PLACEHOLDERS))})(?!\S)")
_OPERATORS = "|&;()"
_CODE = re.compile(r"\(exit code (\d+)|exits? with (\d+)")
_CONTAINERS = {"docker", "podman"}
_STARTS = re.compile(
    r"(.*costcompass run &|.*systemctl (start|restart|enable --now) costcompass"
    r"|.*docker compose up -d|docker run -d .*)(?!\S)"
)
_ENDS = re.compile(
    r".*(systemctl (stop|disable --now) costcompass|docker (compose )?(stop|down))\b"
)


@dataclass(frozen=True)
class Call:
    """One call of ours: the words that follow it, and whether `./run` or a container gets them."""

    words: tuple[str, ...]
    is_run: bool = False
    in_container: bool = False


@dataclass(frozen=True)
class Line:
    """One line of a block that calls us, that starts or ends the daemon, or sets a variable for us.

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
    def variable(self) -> tuple[str, str] | None:
        """The variable that the line sets, to nothing where it takes it away."""
        found = re.fullmatch(r"(export|unset) (COSTCOMPASS_\w+)(=(.*))?", self.text)
        return (found[2], found[4] or "") if found else None

    @property
    def starts(self) -> bool:
        """Whether the daemon runs from here on."""
        return _STARTS.fullmatch(self.text) is not None

    @property
    def ends(self) -> bool:
        """Whether the daemon runs up to here."""
        return _ENDS.match(self.text) is not None


def blocks(page: Path) -> list[list[Line]]:
    """Return every block of a page for a shell that calls us."""
    fenced = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", page.read_text(), re.MULTILINE | re.DOTALL)
    found = [lines(content) for _, language, content in fenced if language in SHELLS]
    return [one for one in found if any(line.calls for line in one)]


def lines(block: str) -> list[Line]:
    """Return the lines of a block that matter; where there are prompts, the rest is output."""
    joined = re.sub(r" *\\\n *", " ", block)
    prompted = bool(re.search(r"^ *\$ ", joined, re.MULTILINE))
    parts = re.split(r"^ *\$ ", joined, flags=re.MULTILINE)[1:] if prompted else joined.splitlines()
    found = map(_line, parts)
    return [one for one in found if one.calls or one.starts or one.ends or one.variable]


def _line(part: str) -> Line:
    said, _, output = part.partition("\n")
    text, _, note = said.partition(" #")
    text = filled(text)
    return Line(text, tuple(calls(text)), _said_code(f"{note}\n{output}"))


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
            yield filled(" ".join(quoted.split()))


def filled(text: str) -> str:
    """Put something in the place of each placeholder."""
    return _PLACEHOLDER.sub(lambda found: PLACEHOLDERS[found[1]], text).strip()


def calls(text: str) -> Iterator[Call]:
    """Yield the calls in a line of shell."""
    for part in _parts(text):
        if found := _call(part):
            yield found


def _parts(text: str) -> list[list[str]]:
    """Return the simple commands of a line, without `sudo`; none where it is no shell."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=f"{_OPERATORS}<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        tokens = list(lexer)
    except ValueError:  # output, with an apostrophe
        return []
    parts: list[list[str]] = [[]]
    for token in tokens:
        if set(token) <= set(_OPERATORS):
            parts.append([])
        else:
            parts[-1].append(token)
    return [_bare(part) for part in parts]


def _bare(tokens: Sequence[str]) -> list[str]:
    """Return a simple command without redirections, variables before it, and `sudo`."""
    places = [place for place, one in enumerate(tokens) if set(one) <= set("<>")]
    gone = {*places, *(place + 1 for place in places)}
    words = [one for place, one in enumerate(tokens) if place not in gone]
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if words and words[0] == "sudo":
        words.pop(0)
        while words and words[0].startswith("-"):
            del words[: 2 if words[0] == "-u" else 1]
    return words


def _call(words: Sequence[str]) -> Call | None:
    contained = bool(words) and words[0] in _CONTAINERS
    if contained:
        places = [place for place, one in enumerate(words) if _ours(one)]
        words = words[places[-1] :] if places and {"run", "exec"} & set(words[1:3]) else []
    if not words or not _ours(words[0]):
        return None
    told = tuple(words[1:]) or (("run",) if contained else ())  # what the image does by itself
    return Call(told, words[0] == "./run", contained)


def _ours(word: str) -> bool:
    return word == "./run" or re.fullmatch(r"(\S*/)?costcompass(:[\w.]+)?", word) is not None


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
