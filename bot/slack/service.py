"""Slack as the daemon sees it: start, wake, status, stop.

The libraries behind it take as long to import as everything else together, so they are loaded in a
thread of their own: refreshes and the control socket need not wait for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from bot.config import Slack
from bot.slack.commands.base import Alerts, Desk, Questions
from costcompass_core.domain.secret import Secret
from costcompass_core.storage.store import Store

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_sdk.web import WebClient

    from bot.slack.commands.base import Command
    from bot.slack.homes import Homes
    from bot.slack.looks import Looks
    from bot.slack.socket import SlackConnection, SlackStatus

_LOADING: Final = Lock()


def load_libraries() -> None:
    """Load Slack's libraries, one thread after the other.

    slack_sdk's modules import each other in circles: where two threads begin at different ends,
    each waits for the other's half, and Python ends that with an error in both.
    """
    with _LOADING:
        # A default value of theirs asks for the home folder, which a user of systemd's making lacks.
        os.environ.setdefault("HOME", "/")
        import_module("slack_bolt")


class SlackService:
    """One workspace's connection, made from the configuration and the vault's two tokens."""

    def __init__(
        self,
        config: Slack,
        questions: Questions,
        reveal: Callable[[str], Secret],
        now: Callable[[], datetime],
        *,
        alerts: Alerts,
        desk: Desk,
        store: Store,
        credits_urls: Mapping[str, str],
        connected: Callable[[], None],
        acknowledged: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        """Connect nothing yet; `reveal` is asked for the tokens at every sign-in.

        `desk` also remembers what Slack can draw. `credits_urls` says for each account where its
        balance is topped up; `connected` is told of every new connection, and `acknowledged` what
        was acknowledged and after how many seconds.
        """
        self._config = config
        self._questions = questions
        self._reveal = reveal
        self._now = now
        self._alerts = alerts
        self._desk = desk
        self._store = store
        self._credits_urls = credits_urls
        self._connected = connected
        self._acknowledged = acknowledged
        self._loaded = Event()
        self._ended = Event()
        self._connection: SlackConnection
        self._messages: Looks
        self._views: Looks
        self._commands: Sequence[Command]
        self._homes: Homes

    def start(self) -> None:
        """Begin to connect and return at once."""
        Thread(target=self._load, name="slack-loader", daemon=True).start()

    def _load(self) -> None:
        load_libraries()
        from bot.slack.commands import COMMANDS  # noqa: PLC0415 - see the module's first lines
        from bot.slack.homes import Homes  # noqa: PLC0415
        from bot.slack.looks import Looks  # noqa: PLC0415
        from bot.slack.socket import SlackConnection  # noqa: PLC0415
        from bot.slack.web import web_client  # noqa: PLC0415

        api_url = f"{self._config.api_url}/"
        self._messages, self._views = Looks(self._desk), Looks(self._desk, surface="home")
        self._homes = Homes(
            self._store,
            self._questions.home,
            lambda: web_client(self._reveal("slack/bot-token"), api_url),
            self._now,
            zone=self._questions.zone,
            credits_urls=self._credits_urls,
            allowed_users=self._config.allowed_users,
            looks=self._views,
        )
        self._commands = COMMANDS
        self._connection = SlackConnection(
            lambda: (self._reveal("slack/bot-token"), self._reveal("slack/app-token")),
            api_url,
            self._build,
            self._now,
            connected=self._connected,
            acknowledged=self._acknowledged,
        )
        ended = self._ended.is_set()  # then nobody waits any more, and nobody would stop these
        if not ended:
            self._homes.start()
        self._loaded.set()
        if not ended:
            self._connection.start()

    def looks(self) -> Looks | None:
        """Return what is known of how the workspace draws messages, `None` before that is asked."""
        return self._messages if self._loaded.is_set() else None

    def is_connected(self) -> bool:
        """Return whether people are heard right now; never waits."""
        return self._loaded.is_set() and self._connection.status().state == "connected"

    def _build(self, client: WebClient, team_id: str) -> App:
        """Return the app of the workspace that we are signed in to."""
        from bot.slack.app import build_app  # noqa: PLC0415 - see the module's first lines

        self._messages.meet(team_id, client)
        self._views.meet(team_id, None)
        return build_app(
            client=client,
            commands=self._commands,
            questions=self._questions,
            alerts=self._alerts,
            team_id=team_id,
            allowed_users=self._config.allowed_users,
            now=self._now,
            looks=self._messages,
            desk=self._desk,
            homes=self._homes,
            share_in=self._config.share_in,
        )

    def changed(self) -> None:
        """Note that what Homes show may have changed."""
        if self._loaded.is_set():
            self._homes.changed()

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
        self._ended.set()
        if self._loaded.wait(timeout):
            self._homes.stop(0)
            self._connection.stop(timeout)
