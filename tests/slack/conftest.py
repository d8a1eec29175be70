"""A stand-in Slack, and the real connection and app brought up against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from slack_helpers import ECHO, Connect, now, reaches

from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import USER
from bot.slack.app import build_app
from bot.slack.commands.base import Command
from bot.slack.socket import Pauses, SlackConnection
from costcompass_core.domain.secret import Secret


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack(now) as slack:
        yield slack


@pytest.fixture
def connect(slack: Slack) -> Iterator[Connect]:
    """Returns a function that starts a connection, quick to try again.

    A `ping_interval` makes it quick to notice, and takes two and a half of them without a turn of
    its own for a loss.
    """
    with ExitStack() as stack:

        def connect(
            *commands: Command,
            tokens: Callable[[], tuple[Secret, Secret]] | None = None,
            allowed: frozenset[str] = frozenset({USER}),
            state: str = "connected",
            presses: object = None,
            ping_interval: float = 3.0,
        ) -> SlackConnection:
            connection = SlackConnection(
                tokens or (lambda: (Secret(slack.bot_token), Secret(slack.app_token))),
                slack.api_url,
                lambda client, team_id: build_app(
                    client=client,
                    commands=commands or (ECHO,),
                    questions=object(),
                    alerts=presses,
                    team_id=team_id,
                    allowed_users=allowed,
                    now=now,
                ),
                now,
                ping_interval=ping_interval,
                pauses=Pauses(first=0.05, longest=0.2),
            )
            stack.callback(connection.stop, 20)
            connection.start()
            assert reaches(connection, state)
            return connection

        yield connect
