"""The Web API methods that the bot may call, with Slack's scopes, token kinds and error words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from bot.sandbox.loopback import Incoming
from bot.sandbox.slack_views import View
from bot.sandbox.slack_workspace import BOT, Refused, Workspace

Arguments = Mapping[str, Any]

_FARTHEST: Final = timedelta(days=120)
"""How far ahead chat.scheduleMessage plans."""
_TRUE: Final = (True, 1, "1", "true")
"""What a flag may say in JSON or in a form."""


class Token(NamedTuple):
    """Whose token it is and what it may do."""

    kind: str
    """"bot" or "app"."""
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method as it came in, without its token.

    `error` is "" where it took effect, even if the answer was lost; otherwise Slack's word, or
    "fault" or "outage" where it never got to Slack's ears.
    """

    method: str
    arguments: Arguments
    at: datetime
    error: str = ""

    @property
    def delivery(self) -> Any:
        """The id in the payload of the message's metadata, `None` without one."""
        metadata = self.arguments.get("metadata")
        payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
        return payload.get("id") if isinstance(payload, dict) else None


class WebApi:
    """Answers `method` as Slack does; `tokens` maps each valid token to what it may do."""

    def __init__(
        self, workspace: Workspace, tokens: Mapping[str, Token], open_link: Callable[[], str]
    ) -> None:
        self._workspace = workspace
        self._tokens = tokens
        connect = _Method(lambda *_: {"url": open_link()}, "connections:write", "app")
        self._methods = {**_METHODS, "apps.connections.open": connect}

    def call(self, method: str, arguments: Arguments, presented: str) -> dict[str, Any]:
        """Return the good body; raises `Refused` otherwise."""
        known = self._methods.get(method)
        if known is None:
            raise Refused("unknown_method", req_method=method)
        self._permit(presented, known)
        return {"ok": True, **known.answer(self._workspace, arguments)}

    def scopes(self, presented: str) -> tuple[str, ...]:
        """Return the scopes of a token, for the header that Slack sends with them."""
        token = self._tokens.get(presented)
        return token.scopes if token else ()

    def _permit(self, presented: str, method: _Method) -> None:
        if not presented:
            raise Refused("not_authed")
        token = self._tokens.get(presented)
        if token is None:
            raise Refused("invalid_auth")
        if token.kind != method.kind:
            raise Refused("not_allowed_token_type")
        if method.scope and method.scope not in token.scopes:
            provided = ",".join(token.scopes)
            raise Refused("missing_scope", needed=method.scope, provided=provided)


def _auth_test(workspace: Workspace, _arguments: Arguments) -> dict[str, Any]:
    team = {"team": workspace.team, "team_id": workspace.team_id}
    user = {"user": "costcompass", "user_id": workspace.bot_user, "bot_id": BOT}
    return {
        "url": "https://sandbox.slack.invalid/",
        **team,
        **user,
        "is_enterprise_install": False,
    }


def _post(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.channel(arguments.get("channel"))
    workspace.check(arguments, "chat.postMessage")
    metadata = _metadata(arguments)
    thread = workspace.parent(channel, arguments.get("thread_ts"))
    broadcast = bool(thread) and arguments.get("reply_broadcast") in _TRUE
    shown = workspace.show(
        arguments, channel, thread_ts=thread, broadcast=broadcast, metadata=metadata
    )
    message = {**workspace.bot, "type": "message", "text": shown.text, "ts": shown.ts}
    threaded = {"thread_ts": thread} if thread else {}
    return {"channel": channel, "ts": shown.ts, "message": {**message, **threaded}}


def _update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.editable(arguments.get("channel"))
    workspace.check(arguments, "chat.update")
    changed = {"metadata": _metadata(arguments)} if "metadata" in arguments else {}
    shown = workspace.edit(channel, arguments.get("ts"), {**arguments, **changed})
    return {"channel": channel, "ts": shown.ts, "text": shown.text}


def _post_ephemeral(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.channel(arguments.get("channel"))
    user = str(arguments.get("user", ""))
    if not user.startswith("U"):
        raise Refused("user_not_in_channel")
    workspace.check(arguments, "chat.postEphemeral")
    shown = workspace.show(arguments, channel, via="ephemeral", only_for=user)
    return {"message_ts": shown.ts}


def _schedule(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.channel(arguments.get("channel"))
    workspace.check(arguments, "chat.scheduleMessage")
    at, now = _whole(arguments.get("post_at")), int(workspace.now().timestamp())
    if at <= now:
        raise Refused("time_in_past")
    if at > now + _FARTHEST.total_seconds():
        raise Refused("time_too_far")
    ident = workspace.serial("Q")
    workspace.scheduled[ident] = (channel, at)
    return {"channel": channel, "scheduled_message_id": ident, "post_at": at}


def _unschedule(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    workspace.channel(arguments.get("channel"))
    if not workspace.scheduled.pop(str(arguments.get("scheduled_message_id")), None):
        raise Refused("invalid_scheduled_message_id")
    return {}


def _permalink(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.known(arguments.get("channel"))
    shown = workspace.find(channel, arguments.get("message_ts"))
    path = f"{channel}/p{shown.ts.replace('.', '')}"
    return {"channel": channel, "permalink": f"https://sandbox.slack.invalid/archives/{path}"}


def _validate(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    workspace.check({"text": "-", "blocks": arguments.get("blocks")}, "blocks.validate")
    return {}


def _publish(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    member = str(arguments.get("user_id", ""))
    if not member.startswith("U"):
        raise Refused("user_not_found")
    workspace.check_view(arguments.get("view"), "home", "views.publish")
    now, ident = workspace.now(), workspace.serial("V")
    return {"view": workspace.views.publish(member, arguments["view"], ident, now).payload}


def _open(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    member, error = workspace.views.redeem(str(arguments.get("trigger_id")), workspace.now())
    if error:
        raise Refused(error)
    workspace.check_view(arguments.get("view"), "modal", "views.open")
    view = View(workspace.serial("V"), arguments["view"], workspace.now())
    workspace.views.modals[member] = view
    return {"view": view.payload}


class _Method(NamedTuple):
    answer: Callable[[Workspace, Arguments], dict[str, Any]]
    scope: str = "chat:write"
    kind: str = "bot"


_METHODS: Final[Mapping[str, _Method]] = {
    "auth.test": _Method(_auth_test, ""),
    "blocks.validate": _Method(_validate, ""),
    "chat.deleteScheduledMessage": _Method(_unschedule),
    "chat.getPermalink": _Method(_permalink),
    "chat.postEphemeral": _Method(_post_ephemeral),
    "chat.postMessage": _Method(_post),
    "chat.scheduleMessage": _Method(_schedule),
    "chat.update": _Method(_update),
    "views.open": _Method(_open, ""),
    "views.publish": _Method(_publish, ""),
}


def read_arguments(incoming: Incoming) -> tuple[dict[str, Any], str]:
    """Return a call's arguments, from a form or a JSON body, and the token it presents."""
    kind = incoming.headers.get("content-type", "")
    text = incoming.body.decode(errors="replace")
    arguments: dict[str, Any] = {**incoming.query}
    if kind.startswith("application/x-www-form-urlencoded"):
        arguments |= parse_qsl(text, keep_blank_values=True)
    for name in ("blocks", "metadata", "view"):
        if isinstance(arguments.get(name), str):
            arguments[name] = _decoded(arguments[name], f"invalid_{name}")
    if text and kind.startswith("application/json"):
        body = _decoded(text, "invalid_json")
        arguments |= body if isinstance(body, dict) else {}
    scheme, _, bearer = incoming.headers.get("authorization", "").partition(" ")
    token = bearer if scheme == "Bearer" else str(arguments.get("token", ""))
    return arguments, token


def _decoded(text: str, otherwise: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Refused(otherwise) from None


def _metadata(arguments: Arguments) -> Mapping[str, Any]:
    metadata = arguments.get("metadata") or {"event_type": "-", "event_payload": {}}
    shape = isinstance(metadata, dict) and isinstance(metadata.get("event_payload"), dict)
    if not shape or not isinstance(metadata.get("event_type"), str):
        raise Refused("invalid_metadata_format")
    return metadata if arguments.get("metadata") else {}


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Refused("invalid_time") from None
