"""Keeps a Socket Mode connection open for as long as the daemon lives, whatever Slack does."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final, Literal

from slack_bolt import App
from slack_sdk.web import WebClient

from bot.slack.link import Link
from bot.slack.web import Identity, explained, identify, link_url, web_client
from costcompass_core.domain.secret import Secret

State = Literal["connecting", "connected", "refused", "stopped"]

Tokens = Callable[[], tuple[Secret, Secret]]
"""Reveals (bot token, app-level token); raises `CostCompassError` where it cannot."""

_SETTLED: Final = 10
"""A link that lived for this many ping intervals was a good one; the next is opened at once."""

_DRAIN: Final = 1.0
"""Seconds that running commands get to answer when a link is closed."""

_SAYINGS: Final[Mapping[State, str]] = {
    "connecting": "Connecting to Slack",
    "connected": "Connected to Slack",
    "refused": "Slack will not have us",
    "stopped": "Slack connection closed",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SlackStatus:
    """How the connection is; `last_error` is one line with the mend, "" while connected."""

    state: State
    since: datetime
    last_error: str = ""
    team: str = ""
    bot_user: str = ""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds between attempts: from `first`, doubling up to `longest`; `refused` after a permanent no."""

    first: float = 1.0
    longest: float = 60.0
    refused: float = 600.0

    def after(self, failures: int) -> float:
        """Return the pause after so many failures in a row, spread so that daemons do not march in step."""
        pause = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


_PAUSES: Final = Pauses()


@dataclass(frozen=True, slots=True)
class _SignedIn:
    """What stays the same from one connection to the next while the tokens do."""

    tokens: tuple[Secret, Secret]
    client: WebClient
    identity: Identity
    app: App


class SlackConnection:
    """Runs in threads of its own: `start`, then `status` at any time, then `stop`."""

    def __init__(
        self,
        tokens: Tokens,
        api_url: str,
        build: Callable[[WebClient, str], App],
        now: Callable[[], datetime],
        *,
        ping_interval: float = 3.0,
        pauses: Pauses = _PAUSES,
        connected: Callable[[], None] = lambda: None,
        acknowledged: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        """`build` makes the app from a client and the id of the team that the bot token belongs to.

        `connected` is told of every new connection, `acknowledged` what was and after how many seconds.
        """
        self._tokens = tokens
        self._api_url = api_url
        self._build = build
        self._now = now
        self._ping_interval = ping_interval
        self._pauses = pauses
        self._tell_connected = connected
        self._acknowledged = acknowledged
        self._failures = 0
        """In a row."""
        self._signed_in: _SignedIn | None = None
        self._links: list[Link] = []
        self._lock = Lock()
        self._stopping = Event()
        self._poked = Event()
        self._status = SlackStatus("connecting", now())
        self._thread = Thread(target=self._run, name="slack", daemon=True)

    def start(self) -> None:
        """Begin to connect and return at once; an outage only delays."""
        self._thread.start()

    def status(self) -> SlackStatus:
        """Return how the connection is right now."""
        return self._status

    def wake(self) -> None:
        """Try again now rather than after the pause: the tokens or the network may be better."""
        self._poked.set()

    def stop(self, timeout: float = 2.0) -> bool:
        """Close after running commands have answered; `False` if that took more than `timeout` seconds."""
        self._stopping.set()
        self._poked.set()
        with self._lock:
            for link in self._links:
                link.spend("closed by us")
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._wait(self._live())
            except Exception:  # noqa: BLE001 - the thread must outlive every surprise
                _log.exception("The Slack connection has met a fault of ours; it goes on")
                self._wait(self._pauses.longest)
        self._retire_links()
        self._sign_out()
        self._become(SlackStatus("stopped", self._now()))

    def _live(self) -> float:
        """Connect, stay for as long as the link does, and return the seconds until the next try."""
        try:
            signed_in = self._sign_in()
            link = self._open_link(signed_in)
            self._become(_connected(signed_in.identity, self._now()))
            self._retire_links(keep=link)
            self._tell_connected()
            link.watch()
            return self._after_loss(link)
        except Exception as error:  # noqa: BLE001 - Slack's libraries raise many kinds
            self._retire_links()
            return self._after_failure(error)

    def _open_link(self, signed_in: _SignedIn) -> Link:
        """Open a link beside the old one, which is closed later: no command falls between."""
        url = link_url(signed_in.client, signed_in.tokens[1])
        link = Link(signed_in.app, url, self._ping_interval, self._acknowledged)
        with self._lock:
            self._links.append(link)
        if self._stopping.is_set():
            link.spend("closed by us")
        link.establish()
        return link

    def _sign_in(self) -> _SignedIn:
        """Find out whose tokens these are and build the app, unless they are the same as before."""
        tokens = self._tokens()
        if self._signed_in is None or self._signed_in.tokens != tokens:
            self._sign_out()
            client = web_client(tokens[0], self._api_url)
            identity = identify(client)
            app = self._build(client, identity.team_id)
            self._signed_in = _SignedIn(tokens, client, identity, app)
        return self._signed_in

    def _sign_out(self) -> None:
        if self._signed_in is not None:
            self._signed_in.app.listener_runner.listener_executor.shutdown(wait=False)
        self._signed_in = None

    def _retire_links(self, keep: Link | None = None) -> None:
        for link in [link for link in self._links if link is not keep]:
            link.retire(_DRAIN)
            with self._lock:
                self._links.remove(link)

    def _after_loss(self, link: Link) -> float:
        """Return the pause: none after a link that was good for a while."""
        if not link.relieved:
            self._trouble("connecting", f"the connection was lost: {link.lost}")
            self._retire_links()
        if monotonic() - link.opened > _SETTLED * self._ping_interval:
            self._failures = 0
            return 0.0
        self._failures += 1
        return self._pauses.after(self._failures)

    def _after_failure(self, error: Exception) -> float:
        """Say what failed and return the pause: long after a permanent no, as Slack asks after a 429."""
        self._failures += 1
        known, at_least = explained(error)
        _log.debug("Connecting to Slack failed", exc_info=error)
        if known.permanent:
            self._sign_out()
            self._trouble("refused", str(known))
            return self._pauses.refused
        self._trouble("connecting", str(known))
        return max(at_least, self._pauses.after(self._failures))

    def _trouble(self, state: State, error: str) -> None:
        if not self._stopping.is_set():
            self._become(replace(self._status, state=state, since=self._now(), last_error=error))

    def _become(self, status: SlackStatus) -> None:
        """Take on a status; `since` moves, and the log hears of it, only where something is new."""
        before = self._status
        if status.state == before.state:
            status = replace(status, since=before.since)
        self._status = status
        if (status.state, status.last_error) != (before.state, before.last_error):
            level = logging.WARNING if status.last_error else logging.INFO
            _log.log(
                level,
                "%s%s",
                _SAYINGS[status.state],
                status.last_error and f": {status.last_error}",
            )

    def _wait(self, seconds: float) -> None:
        if not self._stopping.is_set():
            self._poked.wait(seconds)
        self._poked.clear()


def _connected(identity: Identity, now: datetime) -> SlackStatus:
    return SlackStatus("connected", now, "", identity.team, identity.bot_user)
