"""Crossings that are about to happen, prepared once for every test here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from harness import EIO, Crossing, Point, account, now, site, undisturbed, wind_up

from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack_workspace import Shown
from costcompass_core.storage.store import FILE_NAME

FULL, LOW, DRY = account("full", left=100), account("low", left=20), account("dry", left=8)
TOPPED = account("topped", left=208, credit=1200)


@pytest.fixture(scope="session")
def provider() -> Iterator[OpenRouter]:
    """One account at four moments of its life; which one it is depends on the key."""
    with OpenRouter(now, [FULL, LOW, DRY, TOPPED]) as openrouter:
        yield openrouter


@pytest.fixture(scope="session")
def eve(tmp_path_factory: pytest.TempPathFactory, provider: OpenRouter) -> Crossing:
    """30 days and a good balance are stored; the next reading is below both levels."""
    begin = Crossing("begin", Path("none"), FULL, ())
    with site(tmp_path_factory.mktemp("eve"), begin, provider) as at:
        done = at.install.run("refresh")
        assert done.returncode == 0, done.stderr
        wind_up(at.install.state)
        return Crossing("opened", at.install.state / FILE_NAME, DRY, (2,))


@pytest.fixture(scope="session")
def stories(
    tmp_path_factory: pytest.TempPathFactory, provider: OpenRouter, eve: Crossing
) -> list[tuple[Crossing, list[Point]]]:
    """Every crossing with the points that the daemon comes through on its way."""

    def live(crossing: Crossing) -> tuple[Path, tuple[Shown, ...], list[Point]]:
        with site(tmp_path_factory.mktemp(crossing.name), crossing, provider) as at:
            points = undisturbed(at, crossing, provider)
            wind_up(at.install.state)
            return at.install.state / FILE_NAME, at.slack.messages, points

    low, low_shown, _ = live(replace(eve, name="low", account=LOW, levels=(1,)))
    worse = Crossing("worse", low, DRY, (2,), low_shown)
    dry, dry_shown, points = live(eve)
    resolved = Crossing("resolved", dry, TOPPED, (), dry_shown)
    refused = replace(eve, name="refused", faults=EIO, posts=3)
    others = [(one, live(one)[2]) for one in (worse, resolved, refused)]
    return [(eve, points), *others]
