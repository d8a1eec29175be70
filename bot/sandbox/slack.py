"""A Slack of our own on 127.0.0.1, for the demo and the tests; nothing of it talks to anyone else.

It is as strict as the real one where we know how strict that is (scopes, token kinds, block limits,
single-use tickets, 3 s to acknowledge) and it misbehaves on request, as networks do.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from bot.sandbox.loopback import Incoming, Loopback, Wire
from bot.sandbox.slack_api import Call, Token, WebApi, read_arguments
from bot.sandbox.slack_faults import Fault, Faults
from bot.sandbox.slack_links import Links
from bot.sandbox.slack_people import CHANNEL, People
from bot.sandbox.slack_views import View
from bot.sandbox.slack_workspace import Channel, Refused, Shown, Workspace
from bot.sandbox.websocket import HandshakeRefused, WebSocket, handshake
from bot.sandbox.wire import JSON_TYPE, Answer

TEAM: Final = "T0SANDBOX01"

CHANNELS: Final = (
    Channel(CHANNEL, "spend"),
    Channel("C0ARCHIVED1", "old-spend", archived=True),
    Channel("C0STRANGE01", "elsewhere", member=False),
)
"""The first is where the bot belongs; to the others it must not be able to post."""


class Slack(Loopback):
    """A running stand-in. Use it as a context manager.

    `user` types commands and presses buttons, `messages` is what people see, `violations` what a
    real Slack would have refused, `links` the open connections, `faults` what is to go wrong,
    `calls` what was asked of the Web API.
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
        self._calls: list[Call] = []
        self._now = now
        self._down = False
        super().__init__(now)
        self.api_url = f"http://{self.address}/api/"
        self.user = People(self._workspace, self.links, f"http://{self.address}/respond/")

    @property
    def messages(self) -> tuple[Shown, ...]:
        """Every message so far, as people see it now."""
        return tuple(self._workspace.messages)

    @property
    def violations(self) -> tuple[str, ...]:
        """Everything that a real Slack would have refused for its content."""
        return tuple(self._workspace.violations)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call of the Web API so far, in order of arrival, failed ones too."""
        return tuple(self._calls)

    @property
    def homes(self) -> Mapping[str, View]:
        """What stands in each member's Home of the app."""
        return self._workspace.views.homes

    @property
    def modals(self) -> Mapping[str, View]:
        """The form that each member has open."""
        return self._workspace.views.modals

    def draws(self, *, new_blocks: bool) -> None:
        """Take charts and tables, or refuse them as a workspace does that has none yet."""
        self._workspace.new_blocks = new_blocks

    def archive(self, channel: str, on: bool) -> None:
        """Archive a channel, or bring it back."""
        self._workspace.archive(channel, on)

    def membership(self, channel: str, on: bool) -> None:
        """Invite the bot into a channel, or remove it."""
        self._workspace.membership(channel, on)

    def delete(self, message: Shown | str) -> None:
        """Delete a message, given by its `ts` or as it once was."""
        self._workspace.delete(message)

    def outage(self, on: bool) -> None:
        """Refuse everything and cut what is open, or come back."""
        self._down = on
        if on:
            self.links.drop()

    def _link_url(self) -> str:
        return f"ws://{self.address}/link/?ticket={self.links.issue_ticket()}"

    def _serve(self, incoming: Incoming, wire: Wire) -> bool:
        """Answer one request a connection, as Slack's Python client wants it."""
        area, _, rest = incoming.path.lstrip("/").partition("/")
        if self._down:
            if area == "api":
                self._note(rest, incoming, "outage")
        elif "upgrade" in incoming.headers:
            self._upgrade(incoming, wire)
        elif area == "api":
            fault = self.faults.next(rest)
            _play(fault, wire, self._call(rest, incoming, fault))
        elif area == "respond":
            fault = self.faults.next("response_url")
            heard = fault is None or fault.accepted
            _play(fault, wire, self._respond(rest, incoming) if heard else None)
        else:
            _play(None, wire, _page(404, "not found"))
        return False

    def _call(self, method: str, incoming: Incoming, fault: Fault | None) -> Answer | None:
        """Do what is asked and note it; `None` where a fault keeps it from being heard."""
        if fault is not None and not fault.accepted:
            self._note(method, incoming, "fault")
            return None
        token, error = "", ""
        try:
            arguments, token = read_arguments(incoming)
            body = self._api.call(method, arguments, token)
        except Refused as refused:
            error = refused.code
            body = {"ok": False, "error": error, **refused.more}
        self._note(method, incoming, error)
        scopes = self._api.scopes(token)
        return _json(200, body, {"X-OAuth-Scopes": ",".join(scopes)} if scopes else {})

    def _note(self, method: str, incoming: Incoming, error: str) -> None:
        try:
            arguments, _ = read_arguments(incoming)
        except Refused:
            arguments = {}
        arguments.pop("token", None)
        self._calls.append(Call(method, arguments, self._now(), error))

    def _respond(self, ident: str, incoming: Incoming) -> Answer:
        try:
            arguments, _ = read_arguments(incoming)
            self.user.respond(ident, arguments)
        except Refused as refused:
            return _page(404 if refused.code.endswith("_url") else 400, refused.code)
        return _page(200, "ok")

    def _upgrade(self, incoming: Incoming, wire: Wire) -> None:
        """Turn a connection into a Socket Mode link; a refused handshake spends its ticket too."""
        known = self.links.redeem(incoming.query.get("ticket", ""))
        fault = self.faults.next("link")
        try:
            greeting = handshake(incoming.headers)
        except HandshakeRefused:
            greeting = b""
        if fault is not None or not known or not greeting:
            wire.send(wire.framed(_page(503, "")))
            return
        wire.send(greeting)
        self.links.serve(WebSocket(wire.connection, wire.reader))


def _play(fault: Fault | None, wire: Wire, true: Answer | None) -> None:
    """Send the true answer, or what `fault` makes of it."""
    if fault is not None and fault.pause:
        wire.wait(fault.pause)
    answer = true if fault is None or fault.status is None else _instead(fault, fault.status)
    if answer is None:
        return
    data = wire.framed(answer, connection="close")
    cut = (len(answer.body) + 1) // 2 if fault is not None and fault.cut else 0
    wire.send(data[: len(data) - cut])


def _instead(fault: Fault, status: int) -> Answer | None:
    """Return what is answered in place of the truth; `None` hangs up without a word."""
    if status == 0:
        return None
    if fault.error:
        waiting = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
        return _json(status, {"ok": False, "error": fault.error}, waiting)
    return _page(status, fault.body or "<html>upstream request failed</html>")


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": JSON_TYPE, **headers})


def _page(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/html"})
