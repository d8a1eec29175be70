"""Fixtures for tests that drive a whole installation by its command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from install import Install

from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.slack import Slack

# How fast examples come says something about the machine, not about us.
settings.register_profile(
    "suite", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`./run test tests/crash --kill-points 150` is the whole of what the suite has a slice of."""
    how_many = "at how many system calls the daemon is killed"
    parser.addoption("--kill-points", type=int, default=12, metavar="N", help=how_many)
    parser.addoption("--record", action="store_true", help="write the snapshots of messages anew")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than cores: many tests wait for a process, a socket or a disk."""
    return (os.cpu_count() or 1) + 1


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """An installation without configuration and vault yet."""
    return Install(tmp_path)


@pytest.fixture
def openrouter() -> Iterator[OpenRouter]:
    """A stand-in with one account whose keys are "manager" and "default"."""
    with OpenRouter(_now, [StandInAccount()]) as openrouter:
        yield openrouter


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack(_now) as slack:
        yield slack
