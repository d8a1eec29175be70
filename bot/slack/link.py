"""One Socket Mode connection: Slack's built-in client, used once and never left to heal itself.

Left alone, that client notices a lost connection after a minute, spins on a closed one and sleeps
through rate limits. Here whatever ends a link sets `spent`, and `bot.slack.socket` opens another.
"""

from __future__ import annotations

import json
import logging
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Event
from time import monotonic
from typing import Any, Final

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.slack.app import LISTENERS
from bot.slack.web import library_logger
from costcompass_core.domain.errors import Unavailable

_HELLO_TIMEOUT: Final = 10.0
"""Seconds that Slack has to greet a new connection."""

_PATIENCE: Final = 2.5
"""A link without a pong for this many ping intervals is dead."""

_LONGEST_ACK: Final = 60_000
"""Bytes of an acknowledgement; the client cannot frame 64 KiB (slack_sdk 3.47, `_build_data_frame…`)."""

_HUNG_UP: Final = getattr(select, "POLLRDHUP", 0)
"""Linux; elsewhere only a full hang-up shows, and the pongs tell the rest."""

_log = logging.getLogger(__name__)


class Link(SocketModeClient):
    """A connection to `url`, whose ticket is good for one try.

    `is_connected()` of the base class stays true on a dead connection: only the age of the last pong
    tells, and an end of file that waits to be read.
    """

    def __init__(
        self,
        app: App,
        url: str,
        ping_interval: float,
        acknowledged: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        """`acknowledged` is told what was acknowledged, and after how many seconds."""
        self.spent = Event()
        self.opened = monotonic()
        self.lost = ""
        """Why the link is spent, in words for the log."""
        self.relieved = False
        """Whether Slack asked for another link: this one still works while that is opened."""
        self._app = app
        self._tell_acknowledged = acknowledged
        self._heard = Event()
        self._running = 0
        """Envelopes that were read and have no answer yet, those that wait for a worker included."""
        self._idle = Condition()
        super().__init__(
            app_token="",  # only for asking for addresses, which this link never does
            logger=library_logger(),
            web_client=app.client,
            ping_interval=ping_interval,
            concurrency=LISTENERS,
        )
        self.proxy = app.client.proxy  # the base class would ask the environment even for loopback
        self.wss_uri = url
        self.message_listeners.append(self._hear)
        self.socket_mode_request_listeners.append(self._serve)

    def establish(self) -> None:
        """Connect and wait for Slack's hello; `Unavailable` if that fails."""
        self.connect()
        if self.current_session is None or not self.current_session.is_active():
            raise Unavailable("Slack cannot be reached (Socket Mode: the handshake failed)")
        if not self._heard.wait(_HELLO_TIMEOUT):
            raise Unavailable("Slack cannot be reached (Socket Mode: no greeting)")
        if self.spent.is_set():
            raise Unavailable(f"Slack cannot be reached (Socket Mode: {self.lost})")

    def watch(self) -> None:
        """Return once the link is spent, for whatever reason."""
        pong, since = self._last_pong(), monotonic()
        while not self.spent.wait(self.ping_interval / 4):
            if self._last_pong() != pong:
                pong, since = self._last_pong(), monotonic()
            if monotonic() - since > _PATIENCE * self.ping_interval:
                self.spend("no pong in time")
            elif self._peer_closed():
                self.spend("the connection was cut")

    def spend(self, reason: str) -> None:
        """Call the link over; the first reason stands."""
        self.lost = self.lost or reason
        self.spent.set()
        self._heard.set()

    def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Say that another link is wanted: the base class calls this wherever it would reconnect.

        It forces only where Slack sent a `disconnect` envelope.
        """
        self.relieved = force
        self.spend("Slack asked for another connection" if force else "the connection ended")

    def retire(self, patience: float) -> None:
        """Let running commands answer for at most `patience` seconds, then close everything."""
        self.spend("closed by us")
        with self._idle:
            self._idle.wait_for(lambda: self._running == 0, patience)
        if (raw := self._raw_socket()) is not None:
            with suppress(OSError):  # wakes the reader, which else sits in recv for up to 3 s
                socket.socket.shutdown(raw, socket.SHUT_RDWR)
        self.closed = True
        self.message_queue.put(None)  # wakes the worker, which else waits up to 1 s for a message
        with suppress(AttributeError):  # the reader may be closing the same socket right now
            self.disconnect()
        self.close()

    def enqueue_message(self, message: str) -> None:
        """Count an envelope as soon as it is read: `retire` must not close over one in the queue."""
        if _is_envelope(message):
            with self._idle:
                self._running += 1
        super().enqueue_message(message)

    def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """Have a message heard or served."""
        try:
            super().run_message_listeners(message, raw_message)
        finally:
            if _is_envelope(raw_message):
                with self._idle:
                    self._running -= 1
                    self._idle.notify_all()

    def _hear(
        self, _client: BaseSocketModeClient, message: dict[str, Any], _raw: str | None
    ) -> None:
        if message.get("type") == "hello":
            self._heard.set()

    def _serve(self, _client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Answer one envelope; an answer that cannot be sent is lost, and so says the log."""
        try:
            self._acknowledge(request)
        except (SlackClientError, OSError) as error:
            _log.warning("An answer was lost with the Slack connection (%s)", type(error).__name__)

    def _acknowledge(self, request: SocketModeRequest) -> None:
        begun = monotonic()
        response = self._app.dispatch(BoltRequest(mode="socket_mode", body=request.payload))
        if response.status == 200:  # otherwise Bolt has logged why, and people see a timeout
            answer = SocketModeResponse(request.envelope_id, _payload(response))
            self.send_socket_mode_response(answer)
            self._tell_acknowledged(_kind(request), monotonic() - begun)

    def _last_pong(self) -> float | None:
        return self.current_session.last_ping_pong_time if self.current_session else None

    def _peer_closed(self) -> bool:
        """Whether the other side has closed the TCP connection, which the reader does not notice."""
        raw = self._raw_socket()
        descriptor = raw.fileno() if raw is not None else -1
        if descriptor < 0:
            return True
        poll = select.poll()
        poll.register(descriptor, _HUNG_UP)
        return bool(poll.poll(0))

    def _raw_socket(self) -> socket.socket | None:
        """The TCP socket, with methods of `socket.socket` also below TLS."""
        return self.current_session.sock if self.current_session else None


def _is_envelope(raw_message: str) -> bool:
    """Return whether a message wants an acknowledgement."""
    return '"envelope_id"' in raw_message


def _kind(request: SocketModeRequest) -> str:
    """Return the command that was typed, or in a word what else people did."""
    if request.type == "slash_commands":
        return str(request.payload.get("command", "command"))
    return {"interactive": "press", "events_api": "event"}.get(request.type, "other")


def _payload(response: BoltResponse) -> dict[str, Any] | None:
    """Return what travels with the acknowledgement; its text alone where all of it is too long."""
    if not response.body:
        return None
    if not response.headers.get("content-type", [""])[0].startswith("application/json"):
        return {"text": response.body}
    payload: dict[str, Any] = json.loads(response.body)
    if len(json.dumps(payload)) > _LONGEST_ACK:
        _log.error("An answer was longer than %s bytes; only its text was sent", _LONGEST_ACK)
        return {key: payload[key] for key in ("text", "response_type") if key in payload}
    return payload
