"""One daemon for all that only looks; whoever changes something starts a daemon of its own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from install import Install, eventually
from watched import Watched, configure, free_port, now, remember_yuan, spend

from bot.sandbox.deepseek import DeepSeek
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.slack import Slack


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Two accounts, one of them in yuan, Slack, a budget, subscriptions, a declared cost."""
    install = Install(tmp_path_factory.mktemp("watched"))
    with (
        OpenRouter(now, [StandInAccount()]) as openrouter,
        DeepSeek(now) as deepseek,
        Slack(now) as slack,
    ):
        deepseek.topped_up, deepseek.granted = {"CNY": Decimal(100)}, {}
        spend(openrouter)
        remember_yuan(install)
        port = free_port()
        configure(install, openrouter, deepseek, slack, port)
        with install.daemon() as daemon:
            assert daemon.refreshed()
            assert daemon.refreshed("deepseek/main")
            assert eventually(lambda: daemon.status()["slack"]["state"] == "connected")
            slack.user.command("/spend", "7d")
            watched = Watched(install, daemon, port, openrouter, slack)
            assert eventually(lambda: counted(watched)), daemon.log
            yield watched


def counted(watched: Watched) -> bool:
    """Whether what was seen above was counted as well, which comes after."""
    acks = "costcompass_slack_acknowledgement_duration_seconds_count"
    reads = "costcompass_refreshes_total"
    read = [watched.value(reads, account=one, result="ok") for one in ("main", "deepseek/main")]
    return all(read) and watched.value(acks, kind="/spend") == 1
