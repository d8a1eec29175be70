"""The server's side of Socket Mode: tickets, connections, envelopes and their acknowledgements."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Event, Lock
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from bot.sandbox.websocket import Frame, Misbehaved, Opcode, WebSocket

_MOST_LINKS: Final = 10
"""Connections of one app at a time (node-slack-sdk #1654)."""


class NotConnected(Exception):
    """No connection could take the envelope."""


@dataclass(eq=False)
class _Link:
    """One connection; a leaving one was asked to go and gets nothing new."""

    socket: WebSocket
    leaving: bool = False


@dataclass
class _Pending:
    """An envelope that waits for its acknowledgement."""

    sent: float
    done: Event = field(default_factory=Event)
    payload: Mapping[str, Any] = field(default_factory=dict)
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What came back in time, and the seconds it took."""

    payload: Mapping[str, Any]
    latency: float


class Links:
    """The open connections of the app, and how many were `opened` ever.

    `silent` makes the server deaf and dumb on them, pongs included.
    """

    def __init__(self) -> None:
        self.silent = False
        self.opened = 0
        self._tickets: set[str] = set()
        self._links: list[_Link] = []
        self._pending: dict[str, _Pending] = {}
        self._lock = Lock()
        self._changed = Condition(self._lock)

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._links)

    def wait(self, count: int, timeout: float = 10.0) -> bool:
        """Wait until exactly `count` connections are open."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._links) == count, timeout)

    def issue_ticket(self) -> str:
        """Return a ticket that admits one connection."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    def redeem(self, ticket: str) -> bool:
        """Use a ticket up; `False` if it never was or is no longer good."""
        with self._lock:
            known = ticket in self._tickets
            self._tickets.discard(ticket)
            return known

    def serve(self, socket: WebSocket) -> None:
        """Greet a new connection and listen to it until it is over."""
        link = _Link(socket)
        with self._changed:
            self._links.append(link)
            self.opened += 1
            count = len(self._links)
            self._changed.notify_all()
        try:
            self._greet(link, count)
            self._listen(socket)
        except Misbehaved as fault:
            socket.close(fault.code, str(fault))
        finally:
            with self._changed:
                self._links.remove(link)
                self._changed.notify_all()

    def deliver(
        self, kind: str, payload: Mapping[str, Any], timeout: float = 3.0
    ) -> Acknowledged | None:
        """Send an envelope down one connection; `None` if nobody acknowledges it in time.

        Slack does not send an unacknowledged command again, so neither do we.
        """
        ident, pending = str(uuid4()), _Pending(monotonic())
        envelope = {"envelope_id": ident, "type": kind, "payload": payload}
        self._pending[ident] = pending
        try:
            self._send_to_one({**envelope, "accepts_response_payload": kind != "events_api"})
            if not pending.done.wait(timeout):
                return None
            return Acknowledged(pending.payload, pending.latency)
        finally:
            del self._pending[ident]

    def disconnect(self, reason: str) -> None:
        """Ask every connection to go, as Slack does before it refreshes a server."""
        envelope = {"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}}
        for link in self._open():
            link.leaving = True
            link.socket.send(Opcode.TEXT, json.dumps(envelope).encode())

    def close(self) -> None:
        """Close every connection with a close frame."""
        for link in self._open():
            link.socket.close()

    def drop(self) -> None:
        """Cut every connection without a word."""
        for link in self._open():
            link.socket.drop()

    def _open(self) -> tuple[_Link, ...]:
        with self._lock:
            return tuple(self._links)

    def _send_to_one(self, envelope: Mapping[str, Any]) -> None:
        """Try the connections in order of age, those asked to leave last."""
        for link in sorted(self._open(), key=lambda link: link.leaving):
            try:
                if not self.silent:
                    link.socket.send(Opcode.TEXT, json.dumps(envelope).encode())
            except OSError:
                continue
            return
        raise NotConnected

    def _greet(self, link: _Link, count: int) -> None:
        debug = {"host": "stand-in", "build_number": 1, "approximate_connection_time": 18_060}
        hello: dict[str, Any] = {"type": "hello", "num_connections": count, "debug_info": debug}
        if count > _MOST_LINKS:
            link.leaving = True
            hello = {"type": "disconnect", "reason": "too_many_websockets", "debug_info": debug}
        link.socket.send(Opcode.TEXT, json.dumps(hello).encode())
        link.socket.send(Opcode.PING, b"stand-in")

    def _listen(self, socket: WebSocket) -> None:
        while (frame := socket.receive()) is not None:
            if self.silent:
                continue
            if frame.opcode is Opcode.CLOSE:
                socket.close()
            elif frame.opcode is Opcode.PING:
                with suppress(OSError):  # a peer that is gone may have acknowledged before it went
                    socket.send(Opcode.PONG, frame.payload)
            elif frame.opcode is Opcode.TEXT:
                self._acknowledge(frame)

    def _acknowledge(self, frame: Frame) -> None:
        try:
            message = json.loads(frame.payload)
            pending = self._pending.get(message["envelope_id"])
        except (ValueError, TypeError, KeyError):
            raise Misbehaved(1008, "not an acknowledgement") from None
        if pending is not None:
            pending.payload = message.get("payload") or {}
            pending.latency = monotonic() - pending.sent
            pending.done.set()
