"""A Slack of our own on 127.0.0.1, for the demo and the tests; nothing of it talks to anyone else.

It is as strict as the real one where we know how strict that is (scopes, token kinds, block limits,
single-use tickets, 3 s to acknowledge) and it misbehaves on request, as networks do.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from io import BufferedIOBase
from socket import socket
from types import TracebackType
from typing import Any, Final, Self

from bot.sandbox.slack_api import Token, WebApi, read_arguments
from bot.sandbox.slack_faults import Fault, Faults
from bot.sandbox.slack_http import Request, Response, Server
from bot.sandbox.slack_links import Links
from bot.sandbox.slack_people import CHANNEL, People
from bot.sandbox.slack_workspace import Channel, Refused, Shown, Workspace
from bot.sandbox.websocket import HandshakeRefused, WebSocket, handshake

TEAM: Final = "T0SANDBOX01"

CHANNELS: Final = (
    Channel(CHANNEL, "spend"),
    Channel("C0ARCHIVED1", "old-spend", archived=True),
    Channel("C0STRANGE01", "elsewhere", member=False),
)
"""The first is where the bot belongs; to the others it must not be able to post."""


class Slack:
    """The stand-in, running while it is entered.

    `user` types commands and presses buttons, `messages` is what people see, `violations` what a
    real Slack would have refused, `links` the open connections, `faults` what is to go wrong.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        team_id: str = TEAM,
        scopes: tuple[str, ...] = ("commands", "chat:write"),
        app_scopes: tuple[str, ...] = ("connections:write",),
        channels: tuple[Channel, ...] = CHANNELS,
    ) -> None:
        self.team_id = team_id
        self.bot_token = f"xoxb-{secrets.token_hex(12)}"
        self.app_token = f"xapp-{secrets.token_hex(12)}"
        self.faults = Faults()
        self.links = Links()
        self._workspace = Workspace(team_id, channels, now)
        tokens = {
            self.bot_token: Token("bot", scopes),
            self.app_token: Token("app", app_scopes),
        }
        self._api = WebApi(self._workspace, tokens, self._link_url)
        self._server = Server(self._answer, self._upgrade, self._workspace.violations.append)
        self.api_url = f"http://{self._server.address}/api/"
        self.user = People(self._workspace, self.links, f"http://{self._server.address}/respond/")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    @property
    def messages(self) -> tuple[Shown, ...]:
        """Every message so far, as people see it now."""
        return tuple(self._workspace.messages)

    @property
    def violations(self) -> tuple[str, ...]:
        """Everything that a real Slack would have refused for its content."""
        return tuple(self._workspace.violations)

    def outage(self, on: bool) -> None:
        """Refuse everything and cut what is open, or come back."""
        self._server.refuse(on)
        if on:
            self.links.drop()

    def _link_url(self) -> str:
        return f"ws://{self._server.address}/link/?ticket={self.links.issue_ticket()}"

    def _answer(self, request: Request) -> Response | None:
        area, _, rest = request.path.lstrip("/").partition("/")
        if area == "api":
            return self._answer_api(rest, request)
        if area == "respond":
            return self._answer_respond(rest, request)
        return Response(404, "not found")

    def _answer_api(self, method: str, request: Request) -> Response | None:
        fault = self.faults.next(method)
        if fault is not None and not fault.accepted:
            return _spoilt(fault)
        answer = self._call(method, request)
        return _spoilt(fault) if fault is not None else answer

    def _call(self, method: str, request: Request) -> Response:
        token = ""
        try:
            arguments, token = read_arguments(request)
            body = self._api.call(method, arguments, token)
        except Refused as refused:
            body = {"ok": False, "error": refused.code, **refused.more}
        scopes = self._api.scopes(token)
        return Response(200, body, {"X-OAuth-Scopes": ",".join(scopes)} if scopes else {})

    def _answer_respond(self, ident: str, request: Request) -> Response | None:
        fault = self.faults.next("response_url")
        if fault is not None and not fault.accepted:
            return _spoilt(fault)
        try:
            arguments, _ = read_arguments(request)
            self.user.respond(ident, arguments)
            answer = Response(200, "ok")
        except Refused as refused:
            answer = Response(404 if refused.code.endswith("_url") else 400, refused.code)
        return _spoilt(fault) if fault is not None else answer

    def _upgrade(self, request: Request, connection: socket, reader: BufferedIOBase) -> None:
        """Turn a connection into a Socket Mode link; a refused handshake spends its ticket too."""
        known = self.links.redeem(request.query.get("ticket", ""))
        fault = self.faults.next("link")
        try:
            greeting = handshake(request.headers)
        except HandshakeRefused:
            greeting = b""
        if fault is not None or not known or not greeting:
            connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(greeting)
        self.links.serve(WebSocket(connection, reader))


def _spoilt(fault: Fault) -> Response | None:
    if fault.status == 0:
        return None
    if fault.error:
        waiting = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
        refused: dict[str, Any] = {"ok": False, "error": fault.error}
        return Response(fault.status, refused, waiting)
    return Response(fault.status, "<html>upstream request failed</html>")
