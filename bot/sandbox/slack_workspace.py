"""What the pretended workspace knows: its channels, and every message as people would see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from threading import RLock
from typing import Any, Final

from bot.sandbox.slack_blocks import LONGEST_TEXT, problems

_KNOWN: Final = ("text", "blocks")


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

    `via` is "post", "ephemeral", "ack" (inside an acknowledgement) or "respond" (a response_url).
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
        self._serial = count(1)
        self._lock = RLock()

    def channel(self, ident: Any) -> str:
        """Return the id of a conversation the bot may post to; a user's id means the direct one."""
        if isinstance(ident, str) and ident.startswith("U"):
            return "D" + ident[1:]
        found = self.channels.get(str(ident)) or self._named(str(ident).removeprefix("#"))
        if found is None:
            raise Refused("channel_not_found")
        if found.archived:
            raise Refused("is_archived")
        if not found.member:
            raise Refused("not_in_channel")
        return found.ident

    def check(self, content: Mapping[str, Any], where: str) -> None:
        """Refuse text or blocks that Slack would refuse, and note every reason in `violations`."""
        text, blocks = content.get("text", ""), content.get("blocks")
        if not isinstance(text, str):
            self._refuse("invalid_arguments", where, ("/text: a string",))
        if not text.strip() and not blocks:
            self._refuse("no_text", where, ("neither text nor blocks",))
        if len(text) > LONGEST_TEXT:
            self._refuse("msg_too_long", where, (f"/text: at most {LONGEST_TEXT} characters",))
        if blocks:
            self._refuse("invalid_blocks", where, problems(blocks))

    def check_view(self, view: Any) -> None:
        """Refuse a Home view that Slack would refuse."""
        shape = isinstance(view, Mapping) and view.get("type") == "home"
        found = problems(view.get("blocks"), 100) if shape else ("/view: a home view",)
        self._refuse("invalid_arguments", "views.publish", found)

    def show(self, content: Mapping[str, Any], channel: str, **more: Any) -> Shown:
        """Put a checked message before people's eyes; `more` are fields of `Shown`."""
        with self._lock:
            text, blocks = str(content.get("text", "")), tuple(content.get("blocks") or ())
            shown = Shown(channel, self._stamp(), text, blocks, **more)
            self.messages.append(shown)
            return shown

    def edit(self, channel: str, ts: Any, content: Mapping[str, Any]) -> Shown:
        """Replace text and blocks of a posted message, where it stands."""
        with self._lock:
            at = self.messages.index(self.find(channel, ts))
            text, blocks = str(content.get("text", "")), tuple(content.get("blocks") or ())
            self.messages[at] = replace(self.messages[at], text=text, blocks=blocks, edited=True)
            return self.messages[at]

    def find(self, channel: str, ts: Any) -> Shown:
        """Return the message posted at `ts`."""
        for shown in tuple(self.messages):
            if (shown.channel, shown.ts, shown.only_for) == (channel, ts, ""):
                return shown
        raise Refused("message_not_found")

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
