"""The demo: the whole of it in processes, on a terminal's width, leaving nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

from install import PATIENCE, Install

from bot.terminal.paint import columns


def left_behind(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def demons(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in words:
                found.append(words)
    return found


def test_the_script_plays_once_and_leaves_nothing_behind(install: Install):
    place = install.folder / "tmp"
    place.mkdir()
    done = install.run("demo", "--script", environ={"TMPDIR": str(place)})
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    for shown in (
        "make a Management key",
        "stored openrouter/main (management key)",
        "ready: costcompass",
        "› /spend",
        "› /forecast",
        "qwen/qwen3-235b-a22b-2507 will be removed on",
        "will cost about $",
        "did you mean yesterday?",
        "Sorry, you are not on the list",
        "ended with exit code 0",
    ):
        assert shown in " ".join(said.split()), shown
    assert max(map(columns, said.splitlines())) <= 80
    assert "\x1b" not in said
    assert "sk-or-v1-" not in said
    assert "xoxb-" not in said
    assert left_behind(place) == []
    assert demons(place) == []


def test_what_a_user_types_is_answered_until_they_quit(install: Install):
    done = install.run(
        "demo", stdin="/spend by host\nhello\n/forecast tomorrow\nquit\n/spend 90d\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    _, _, turn = done.stdout.partition("Your turn")
    assert "Anthropic" in turn
    assert "Try /spend" in turn
    assert "knows no tomorrow" in turn
    assert "90 days" not in turn
    assert max(map(columns, done.stdout.splitlines())) <= 80


def test_a_closed_window_takes_everything_down(install: Install):
    place = install.folder / "tmp"
    place.mkdir()
    with install.terminal("demo", environ={"TMPDIR": str(place)}) as screen:
        screen.expect("Your turn", timeout=300)  # a dozen commands come first
        assert demons(place)
        screen.hang_up()
        screen.process.wait(PATIENCE)
    assert left_behind(place) == []
    assert demons(place) == []
