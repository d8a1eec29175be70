"""Slack as the daemon sees it: start, wake, status, stop.

The libraries behind it take as long to import as everything else together, so they are loaded in a
thread of their own: refreshes and the control socket need not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from bot.config import Slack
from bot.slack.commands.base import Alerts, Questions
from costcompass_core.domain.secret import Secret

if TYPE_CHECKING:
    from bot.slack.socket import SlackConnection, SlackStatus

_LOADING: Final = Lock()


def load_libraries() -> None:
    """Load Slack's libraries, one thread after the other.

    slack_sdk's modules import each other in circles: where two threads begin at different ends,
    each waits for the other's half, and Python ends that with an error in both.
    """
    with _LOADING:
        import_module("slack_bolt")


class SlackService:
    """One workspace's connection, made from the configuration and the vault's two tokens."""

    def __init__(
        self,
        config: Slack,
        questions: Questions,
        reveal: Callable[[str], Secret],
        now: Callable[[], datetime],
        alerts: Alerts,
    ) -> None:
        """Connect nothing yet; `reveal` is asked for the tokens at every sign-in."""
        self._config = config
        self._questions = questions
        self._reveal = reveal
        self._now = now
        self._alerts = alerts
        self._loaded = Event()
        self._connection: SlackConnection

    def start(self) -> None:
        """Begin to connect and return at once."""
        Thread(target=self._load, name="slack-loader", daemon=True).start()

    def _load(self) -> None:
        load_libraries()
        from bot.slack.app import build_app  # noqa: PLC0415 - see the module's first lines
        from bot.slack.commands import COMMANDS  # noqa: PLC0415
        from bot.slack.socket import SlackConnection  # noqa: PLC0415

        self._connection = SlackConnection(
            lambda: (self._reveal("slack/bot-token"), self._reveal("slack/app-token")),
            f"{self._config.api_url}/",
            lambda client, team_id: build_app(
                client=client,
                commands=COMMANDS,
                questions=self._questions,
                alerts=self._alerts,
                team_id=team_id,
                allowed_users=self._config.allowed_users,
                now=self._now,
            ),
            self._now,
        )
        self._connection.start()
        self._loaded.set()

    def status(self) -> SlackStatus:
        """Return how the connection is right now."""
        self._loaded.wait()
        return self._connection.status()

    def wake(self) -> None:
        """Try again now: the tokens may be there, or better."""
        self._loaded.wait()
        self._connection.wake()

    def stop(self, timeout: float) -> None:
        """Close after running commands have answered, within `timeout` seconds."""
        if self._loaded.wait(timeout):
            self._connection.stop(timeout)
