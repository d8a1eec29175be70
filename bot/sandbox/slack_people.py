"""People in the pretended workspace: what they type and press, and what they get to see for it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.sandbox.slack_links import Acknowledged, Links, NotConnected
from bot.sandbox.slack_press import chosen, pressed, surroundings
from bot.sandbox.slack_views import View, filled_in
from bot.sandbox.slack_workspace import APP, Refused, Shown, Workspace

_USES: Final = 5
_LIFE: Final = timedelta(minutes=30)
"""How often and how long a response_url works."""

_LONGEST_WAIT: Final = 3.0
"""Seconds that Slack waits for an acknowledgement."""

USER: Final = "U0SANDBOX01"
CHANNEL: Final = "C0SANDBOX01"
_NAME: Final = "somebody"
_VERIFICATION: Final = "made-up-verification-token"


@dataclass
class Reply:
    """What became of a command or a press. `error` is the word Slack shows where it failed.

    "operation_timeout": no acknowledgement within 3 s. "dispatch_failed": no connection.
    "invalid_blocks" and the like: the acknowledgement's payload was refused.
    `later` holds what came through the response_url afterwards.
    """

    error: str = ""
    text: str = ""
    blocks: tuple[Mapping[str, Any], ...] = ()
    response_type: str = ""
    latency: float = 0.0
    """Seconds between sending the envelope and its acknowledgement."""
    later: list[Shown] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    """What a form was sent back with, by its block_id."""


@dataclass
class _ResponseUrl:
    reply: Reply
    channel: str
    user: str
    opened: datetime
    original: Shown | None = None
    uses: int = 0


class People:
    """Types and presses as any user of any team; the channel and the user default to the sandbox's."""

    def __init__(self, workspace: Workspace, links: Links, response_base: str) -> None:
        """`response_base` is the URL below which response_urls are."""
        self._workspace = workspace
        self._links = links
        self._base = response_base
        self._urls: dict[str, _ResponseUrl] = {}

    def command(
        self,
        name: str,
        text: str = "",
        *,
        user_id: str = USER,
        team_id: str = "",
        channel: str = CHANNEL,
    ) -> Reply:
        """Type a slash command and wait, at most 3 s, for what appears."""
        reply = Reply()
        details = {"command": name, "text": _escaped(text), **self._who(user_id, team_id, channel)}
        details["response_url"] = self._open(reply, user_id, channel)
        return self._send("slash_commands", {**details, "is_enterprise_install": "false"}, reply)

    def press(
        self, message: Shown | str, button: str, *, user_id: str = USER, team_id: str = ""
    ) -> Reply:
        """Press a button, given by its text or action_id, of a message as it stands now.

        The message is given by its `ts` or as it once was. Raises `LookupError` where the button
        is not there, or not for this user's eyes.
        """
        shown = self._seen(message, user_id)
        return self._in_message(pressed(shown.blocks, button), shown, user_id, team_id)

    def choose(self, message: Shown | str, menu: str, option: str, *, user_id: str = USER) -> Reply:
        """Choose an option, by its text or value, of a menu by its action_id or placeholder."""
        shown = self._seen(message, user_id)
        return self._in_message(chosen(shown.blocks, menu, option), shown, user_id, "")

    def _seen(self, message: Shown | str, user_id: str) -> Shown:
        shown = self._workspace.current(message)
        if shown.only_for not in ("", user_id):
            raise LookupError(f"{user_id} does not see {shown.ts}")
        return shown

    def _in_message(
        self, element: Mapping[str, Any], shown: Shown, user_id: str, team_id: str
    ) -> Reply:
        around = surroundings(shown, self._workspace.bot)
        return self._act(element, shown.channel, user_id, team_id, around, shown)

    def open_home(self, *, user_id: str = USER, team_id: str = "") -> Reply:
        """Open the app's Home."""
        at = f"{self._workspace.now().timestamp():.6f}"
        opened = {"type": "app_home_opened", "user": user_id, "tab": "home", "event_ts": at}
        view = self._workspace.views.homes.get(user_id)
        more = {"view": view.payload} if view else {}
        return self.event({**opened, "channel": f"D{user_id[1:]}", **more}, team_id=team_id)

    def press_home(self, button: str, *, user_id: str = USER) -> Reply:
        """Press a button of the app's Home."""
        view = self._workspace.views.homes[user_id]
        return self._in_view(pressed(view.content["blocks"], button), view, user_id)

    def choose_home(self, menu: str, option: str, *, user_id: str = USER) -> Reply:
        """Choose an option of a menu of the app's Home."""
        view = self._workspace.views.homes[user_id]
        return self._in_view(chosen(view.content["blocks"], menu, option), view, user_id)

    def submit(self, values: Mapping[str, Any], *, user_id: str = USER) -> Reply:
        """Send the open form with `values`, by action_id, over what stands in it."""
        view = self._workspace.views.modals[user_id]
        team = self._workspace.team_id
        details = {
            "type": "view_submission",
            "team": {"id": team, "domain": "sandbox"},
            "user": {"id": user_id, "username": _NAME, "name": _NAME, "team_id": team},
            "api_app_id": APP,
            "token": _VERIFICATION,
            "trigger_id": self._workspace.issue_trigger(user_id),
            "is_enterprise_install": False,
            "enterprise": None,
            "response_urls": [],
            "view": {**view.payload, "state": filled_in(view.content, values)},
        }
        return self._send("interactive", details, Reply())

    def action(
        self,
        action_id: str,
        value: str = "",
        *,
        user_id: str = USER,
        team_id: str = "",
        channel: str = CHANNEL,
        message_ts: str = "",
    ) -> Reply:
        """Press a button that need not be anywhere, as somebody who means harm could."""
        made_up = {"type": "button", "action_id": action_id, "block_id": "b", "value": value}
        container = {"type": "message", "message_ts": message_ts, "channel_id": channel}
        return self._act(made_up, channel, user_id, team_id, {"container": container})

    def say(self, text: str, *, channel: str = CHANNEL, thread_ts: str = "") -> Shown:
        """Post a message as a person."""
        return self._workspace.show({"text": text}, channel, via="person", thread_ts=thread_ts)

    def event(self, event: Mapping[str, Any], *, team_id: str = "") -> Reply:
        """Let something happen that the app subscribed to, once."""
        team = team_id or self._workspace.team_id
        ident = self._workspace.serial("Ev")
        outer = {"type": "event_callback", "team_id": team, "event_id": ident, "event": event}
        return self._send("events_api", outer, Reply())

    def respond(self, ident: str, content: Mapping[str, Any]) -> Shown:
        """Take a post to a response_url; raises `Refused`."""
        url = self._urls.get(ident)
        if url is None or self._workspace.now() - url.opened >= _LIFE:
            raise Refused("expired_url")
        if url.uses >= _USES:
            raise Refused("used_url")
        self._workspace.check(content, "response_url")
        url.uses += 1
        only_for = "" if content.get("response_type") == "in_channel" else url.user
        if content.get("replace_original") and url.original is not None:
            shown = self._workspace.redraw(url.original, content)
        else:
            shown = self._workspace.show(content, url.channel, via="respond", only_for=only_for)
        url.reply.later.append(shown)
        return shown

    def _act(  # noqa: PLR0917 - what a press is made of
        self,
        button: Mapping[str, Any],
        channel: str,
        user_id: str,
        team_id: str,
        around: Mapping[str, Any],
        original: Shown | None = None,
    ) -> Reply:
        """Send what Slack sends for a press; `around` is the button's surroundings."""
        reply = Reply()
        place = {
            "channel": {"id": channel, "name": self._workspace.name(channel)},
            "response_url": self._open(reply, user_id, channel, original),
        }
        return self._send_action(button, user_id, team_id, {**around, **place}, reply)

    def _in_view(self, element: Mapping[str, Any], view: View, user_id: str) -> Reply:
        """Send what Slack sends for a press in a view: no channel, no message, no response_url."""
        around = {"container": {"type": "view", "view_id": view.ident}, "view": view.payload}
        return self._send_action(element, user_id, "", around, Reply())

    def _send_action(
        self,
        button: Mapping[str, Any],
        user_id: str,
        team_id: str,
        around: Mapping[str, Any],
        reply: Reply,
    ) -> Reply:
        team = team_id or self._workspace.team_id
        at = f"{self._workspace.now().timestamp():.6f}"
        details = {
            "type": "block_actions",
            "token": _VERIFICATION,
            "api_app_id": APP,
            "user": {"id": user_id, "username": _NAME, "name": _NAME, "team_id": team},
            "team": {"id": team, "domain": "sandbox"},
            "enterprise": None,
            "is_enterprise_install": False,
            **around,
            "state": {"values": {}},
            "actions": [{**button, "action_ts": at}],
            "trigger_id": self._workspace.issue_trigger(user_id),
        }
        return self._send("interactive", details, reply)

    def _send(self, kind: str, payload: Mapping[str, Any], reply: Reply) -> Reply:
        try:
            acknowledged = self._links.deliver(kind, payload, _LONGEST_WAIT)
        except NotConnected:
            reply.error = "dispatch_failed"
            return reply
        if acknowledged is None:
            reply.error = "operation_timeout"
        else:
            self._read(acknowledged, payload, reply)
        return reply

    def _read(self, answer: Acknowledged, asked: Mapping[str, Any], reply: Reply) -> None:
        """Show the payload of an acknowledgement, if there is one and Slack would take it."""
        reply.latency = answer.latency
        if asked.get("type") == "view_submission":
            self._close(answer.payload or {}, str(asked["user"]["id"]), reply)
            return
        if not answer.payload or "command" not in asked:
            return
        try:
            self._workspace.check(answer.payload, f"acknowledging {asked['command']}")
        except Refused as refused:
            reply.error = refused.code
            return
        reply.response_type = str(answer.payload.get("response_type", "ephemeral"))
        only_for = "" if reply.response_type == "in_channel" else str(asked["user_id"])
        shown = self._workspace.show(
            answer.payload, str(asked["channel_id"]), via="ack", only_for=only_for
        )
        reply.text, reply.blocks = shown.text, shown.blocks

    def _close(self, answer: Mapping[str, Any], member: str, reply: Reply) -> None:
        """Close a form, unless it comes back with what is wrong in it."""
        if answer.get("response_action") == "errors":
            reply.errors = dict(answer["errors"])
        else:
            self._workspace.views.modals.pop(member, None)

    def _who(self, user_id: str, team_id: str, channel: str) -> dict[str, Any]:
        return {
            "token": _VERIFICATION,
            "team_id": team_id or self._workspace.team_id,
            "team_domain": "sandbox",
            "channel_id": channel,
            "channel_name": "sandbox",
            "user_id": user_id,
            "user_name": _NAME,
            "api_app_id": APP,
            "trigger_id": self._workspace.issue_trigger(user_id),
        }

    def _open(self, reply: Reply, user: str, channel: str, original: Shown | None = None) -> str:
        ident = secrets.token_urlsafe(12)
        self._urls[ident] = _ResponseUrl(reply, channel, user, self._workspace.now(), original)
        return self._base + ident


def _escaped(text: str) -> str:
    """Escape what Slack escapes in a command's text, and nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
