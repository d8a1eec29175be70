"""An installation in which everything is right, for tests that spoil one thing of it."""

from __future__ import annotations

import pytest
from install import Install

from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import Slack


@pytest.fixture
def whole(install: Install, openrouter: OpenRouter, slack: Slack) -> Install:
    install.configure(openrouter, slack)
    install.keep(
        openrouter__main=openrouter.accounts[0].management_key.secret,
        slack__bot_token=slack.bot_token,
        slack__app_token=slack.app_token,
    )
    return install
