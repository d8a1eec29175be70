"""Messages as reviewed: `./run test tests/slack/test_snapshots.py --record` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recorded import SNAPSHOTS, recorded

from bot.sandbox.slack_blocks import problems
from bot.sandbox.slack_views import view_problems

NAMES = sorted(one.stem for one in SNAPSHOTS.glob("*.json"))


def as_text(made: Any) -> str:
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return recorded(tmp_path_factory.mktemp("recorded"))


def test_every_message_is_the_one_that_was_reviewed(
    made: dict[str, dict[str, Any]], request: pytest.FixtureRequest
):
    if request.config.getoption("--record"):
        SNAPSHOTS.mkdir(exist_ok=True)
        for old in SNAPSHOTS.glob("*.json"):
            old.unlink()
        for name, one in made.items():
            (SNAPSHOTS / f"{name}.json").write_text(as_text(one))
    stored = {one.stem: one.read_text() for one in SNAPSHOTS.glob("*.json")}
    assert set(stored) == set(made)
    for name, one in made.items():
        assert as_text(one) == stored[name], (
            f"{name} looks different: if that is meant, run this test with --record, then"
            " `./run pictures` for the pictures of it"
        )


@pytest.mark.parametrize("name", NAMES)
def test_slack_takes_each_and_each_can_be_heard(name: str):
    shown = json.loads(Path(SNAPSHOTS, f"{name}.json").read_text())
    if shown.get("type") in {"home", "modal"}:
        assert view_problems(shown, shown["type"]) == ()
        return
    assert problems(shown["blocks"]) == ()
    text = shown["text"]
    assert 20 < len(text) <= 4000
    assert text == text.strip()
    assert text[-1] in ".?!`)" or text.endswith("level."), "a whole sentence"
    assert not set(text) & set("▲▼▁▂▃▄▅▆▇█▓░🔴🟠🟢🔕👀⚪"), "nothing that is only to be seen"
    everything = json.dumps(shown)
    assert "<!channel" not in everything
    assert "<!here" not in everything
    assert "<!everyone" not in everything


@pytest.mark.parametrize("name", NAMES)
def test_every_control_says_what_it_does_and_no_colour_stands_alone(name: str):
    shown = json.loads(Path(SNAPSHOTS, f"{name}.json").read_text())
    for block in shown["blocks"]:
        for one in block.get("elements", ()) if block["type"] == "actions" else ():
            words = one.get("text") or one.get("placeholder")
            assert len(words["text"]) > 2
        text = json.dumps(block.get("text", ""), ensure_ascii=False)
        for sign in "🔴🟠🟢⚪":
            if sign in text:
                told = text.split(sign, 1)[1]
                assert any(letter.isalpha() for letter in told[:80]), (
                    "the sign is said in words too"
                )
