"""What the pretended workspace knows: its channels, and every message as people would see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from threading import RLock
from typing import Any, Final

from bot.sandbox.slack_blocks import LONGEST_TEXT, problems
from bot.sandbox.slack_views import Views, view_problems

APP: Final = "A0COMPASS00"
BOT: Final = "B0COMPASS00"


class Refused(Exception):
    """Slack's answer `ok: false`; `code` is its error and `more` what it adds to the body."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation; `member` says whether the bot is in it."""

    ident: str
    name: str
    member: bool = True
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as people see it; `only_for` is a user's id where nobody else sees it.

    `via` is "post", "ephemeral", "ack" (inside an acknowledgement), "respond" (a response_url) or
    "person" (not ours at all). `broadcast` shows a reply in the channel too.
    """

    channel: str
    ts: str
    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()
    via: str = "post"
    only_for: str = ""
    thread_ts: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    edited: bool = False
    broadcast: bool = False


class Workspace:
    """One team with a bot in it. `messages` and `violations` may be read at any time."""

    def __init__(
        self, team_id: str, channels: tuple[Channel, ...], now: Callable[[], datetime]
    ) -> None:
        self.team_id = team_id
        self.team = "Sandbox"
        self.bot_user = "U0COMPASS00"
        self.channels = {channel.ident: channel for channel in channels}
        self.now = now
        self.messages: list[Shown] = []
        self.violations: list[str] = []
        self.scheduled: dict[str, tuple[str, int]] = {}
        self.views = Views()
        self.new_blocks = True
        self._directs: set[str] = set()
        self._deleted: set[tuple[str, str]] = set()
        self._serial = count(1)
        self._lock = RLock()

    @property
    def bot(self) -> dict[str, str]:
        """How messages name their author, who is us."""
        return {"user": self.bot_user, "bot_id": BOT, "app_id": APP, "team": self.team_id}

    def channel(self, ident: Any) -> str:
        """Return the id of a conversation the bot may post to; a user's id opens the direct one."""
        if isinstance(ident, str) and ident.startswith("U"):
            self._directs.add("D" + ident[1:])
            return "D" + ident[1:]
        if ident in self._directs:
            return str(ident)
        found = self.channels.get(str(ident)) or self._named(str(ident).removeprefix("#"))
        if found is None:
            raise Refused("channel_not_found")
        if found.archived:
            raise Refused("is_archived")
        if not found.member:
            raise Refused("not_in_channel")
        return found.ident

    def known(self, ident: Any) -> str:
        """Return the id of a conversation where only an id will do, not a name or a user's id.

        So it is with chat.update (python-slack-sdk #528 and #696).
        """
        if ident not in self._directs and ident not in self.channels:
            raise Refused("channel_not_found")
        return str(ident)

    def editable(self, ident: Any) -> str:
        """Return the id of a conversation in which the bot's messages may be edited."""
        found = self.channels.get(self.known(ident))
        if found is not None and not found.member:
            raise Refused("channel_not_found")
        if found is not None and found.archived:
            raise Refused("is_inactive")
        return str(ident)

    def parent(self, channel: str, ts: Any) -> str:
        """Return the `ts` of the message to reply to, "" where the reply will stand on its own.

        Slack posts a reply to a deleted message at the top level and says so by leaving thread_ts
        out of its answer (slack-go #1571). Replying to what never was there is a fault of ours.
        """
        if ts is None:
            return ""
        if not isinstance(ts, str) or not re.fullmatch(r"\d{10}\.\d{6}", ts):
            reason = f"[ERROR] {ts} is not a valid thread_ts"
            raise Refused("invalid_thread_ts", response_metadata={"messages": [reason]})
        for shown in tuple(self.messages):
            if (shown.channel, shown.ts, shown.only_for, shown.thread_ts) == (channel, ts, "", ""):
                return ts
        if (channel, ts) not in self._deleted:
            self.violations.append(
                "chat.postMessage: /thread_ts: no parent message of this channel"
            )
        return ""

    def check(self, content: Mapping[str, Any], where: str) -> None:
        """Refuse text or blocks that Slack would refuse, and note every reason in `violations`."""
        text, blocks = content.get("text", ""), content.get("blocks")
        if not isinstance(text, str):
            self._refuse("invalid_arguments", where, ("/text: a string",))
        if not text.strip() and not blocks:
            self._refuse("no_text", where, ("neither text nor blocks",))
        if len(text) > LONGEST_TEXT:
            self._refuse("msg_too_long", where, (f"/text: at most {LONGEST_TEXT} characters",))
        if not self.new_blocks and _has_new(blocks):
            raise Refused("invalid_blocks", response_metadata={"messages": ["unsupported type"]})
        if blocks:
            self._refuse("invalid_blocks", where, problems(blocks))

    def check_view(self, view: Any, kind: str, where: str) -> None:
        """Refuse a view of a kind, "home" or "modal", that Slack would refuse."""
        blocks = view.get("blocks") if isinstance(view, Mapping) else None
        if not self.new_blocks and _has_new(blocks):
            raise Refused("invalid_arguments", response_metadata={"messages": ["unsupported type"]})
        self._refuse("invalid_arguments", where, view_problems(view, kind))

    def show(self, content: Mapping[str, Any], channel: str, **more: Any) -> Shown:
        """Put a checked message before people's eyes; `more` are fields of `Shown`."""
        with self._lock:
            text, blocks = str(content.get("text", "")), tuple(content.get("blocks") or ())
            shown = Shown(channel, self._stamp(), text, blocks, **more)
            self.messages.append(shown)
            return shown

    def edit(self, channel: str, ts: Any, content: Mapping[str, Any]) -> Shown:
        """Replace text and blocks of a message of ours, and metadata if there is new one."""
        with self._lock:
            old = self.find(channel, ts)
            if old.via == "person":
                raise Refused("cant_update_message")
            text, blocks = str(content.get("text", "")), tuple(content.get("blocks") or ())
            metadata = content.get("metadata", old.metadata)
            new = replace(old, text=text, blocks=blocks, metadata=metadata, edited=True)
            self.messages[self.messages.index(old)] = new
            return new

    def redraw(self, shown: Shown, content: Mapping[str, Any]) -> Shown:
        """Replace a message of ours through its response_url, an ephemeral one too."""
        with self._lock:
            old = self.current(shown)
            text, blocks = str(content.get("text", "")), tuple(content.get("blocks") or ())
            new = replace(old, text=text, blocks=blocks, edited=True)
            self.messages[self.messages.index(old)] = new
            return new

    def issue_trigger(self, member: str) -> str:
        """Return a trigger that lets the app open one modal for what a member did."""
        ident = self.serial("trigger.")
        self.views.triggers[ident] = (member, self.now())
        return ident

    def find(self, channel: str, ts: Any) -> Shown:
        """Return the message posted at `ts`."""
        for shown in tuple(self.messages):
            if (shown.channel, shown.ts, shown.only_for) == (channel, ts, ""):
                return shown
        raise Refused("message_not_found")

    def current(self, message: Shown | str) -> Shown:
        """Return a message, given as it once was or by its `ts`, as it is now, or `LookupError`."""
        ts = message.ts if isinstance(message, Shown) else message
        for shown in tuple(self.messages):
            if shown.ts == ts:
                return shown
        raise LookupError(f"no message {ts} is shown")

    def delete(self, message: Shown | str) -> None:
        """Take a message away from people's eyes."""
        with self._lock:
            shown = self.current(message)
            self.messages.remove(shown)
            self._deleted.add((shown.channel, shown.ts))

    def archive(self, channel: str, on: bool) -> None:
        """Archive a channel, or bring it back."""
        self.channels[channel] = replace(self.channels[channel], archived=on)

    def membership(self, channel: str, on: bool) -> None:
        """Invite the bot into a channel, or remove it."""
        self.channels[channel] = replace(self.channels[channel], member=on)

    def name(self, channel: str) -> str:
        """Return a conversation's name as Slack gives it in payloads."""
        found = self.channels.get(channel)
        return found.name if found else "directmessage"

    def serial(self, prefix: str) -> str:
        """Return a new id in the manner of Slack."""
        return f"{prefix}{next(self._serial):09d}"

    def _stamp(self) -> str:
        return f"{int(self.now().timestamp())}.{next(self._serial):06d}"

    def _named(self, name: str) -> Channel | None:
        return next((one for one in self.channels.values() if one.name == name), None)

    def _refuse(self, code: str, where: str, reasons: tuple[str, ...]) -> None:
        if reasons:
            self.violations.extend(f"{where}: {reason}" for reason in reasons)
            raise Refused(code, response_metadata={"messages": [f"[ERROR] {r}" for r in reasons]})


def _has_new(blocks: Any) -> bool:
    """Return whether there is a block that Slack brought to one workspace after the other."""
    kinds = {one.get("type") for one in blocks or () if isinstance(one, Mapping)}
    return bool(kinds & {"data_table", "data_visualization"})
