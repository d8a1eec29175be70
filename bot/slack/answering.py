"""Answers to what people type and press: the same words, the same answer, however it was asked."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from slack_bolt import Ack, App

from bot.slack.blocks import Message, button, context, section
from bot.slack.commands.base import Command, Desk, Questions
from bot.slack.controls import REFRESH, SHARE, shared_controls
from bot.slack.looks import Looks
from bot.slack.respond import Respondent
from bot.slack.voice import SLACK
from bot.slack.words import escape, fenced
from costcompass_core.domain.errors import CostCompassError, UsageError

_LONGEST_WORDS: Final = 500
"""Characters that a command may be typed with."""
_LONGEST_ACK: Final = 50_000
"""Bytes of an answer that travels with its acknowledgement; a longer one follows by itself."""
_LINE: Final = re.compile(r"(/[a-z]+) ?(.*)", re.DOTALL)
BROKEN: Final = "Something went wrong, see the daemon's log."
_log: Final = logging.getLogger("bot.slack.app")


class Answering:
    """Answers commands and the controls below answers, each of which holds a command."""

    def __init__(
        self,
        commands: Sequence[Command],
        questions: Questions,
        looks: Looks,
        now: Callable[[], datetime],
        *,
        desk: Desk | None = None,
        share_in: Collection[str] = (),
    ) -> None:
        """`share_in` are the channels in which an answer may be shown to everybody."""
        self._commands = {one.name: one for one in commands}
        self._questions = questions
        self._looks = looks
        self._now = now
        self._desk = desk
        self._share_in = frozenset(share_in)

    def listen(self, app: App) -> None:
        """Let `app` hear of every command and of every control below an answer."""
        for name in self._commands:
            app.command(name)(self._typed)
        app.action(re.compile(r"(ask|own)_[a-z0-9_]+"))(self._pressed)
        app.action(SHARE)(self._share)
        app.action(REFRESH)(self._refresh)

    def answer(self, line: str, channel: str = "") -> Message:
        """Return the answer to a command with its words; a mistake's answer says what to mend."""
        found = _LINE.fullmatch(line)
        command = self._commands.get(found[1]) if found else None
        if found is None or command is None:
            return Message("This control is from another version: type the command instead.")
        words = found[2].strip()
        if len(words) > _LONGEST_WORDS:
            usage = escape(f"{command.name} {command.usage_hint}".strip())
            return Message(f"That is more than {command.name} can read. Usage: `{usage}`")
        try:
            message = command.answer(self._questions, words, self._now())
        except CostCompassError as error:
            return _mistake(command.name, words, error)
        allowed = channel in self._share_in
        hidden = [*([] if allowed else [SHARE]), *([] if self._desk else [REFRESH])]
        return message.without(*hidden) if hidden else message

    def _typed(self, ack: Ack, body: dict[str, Any]) -> None:
        """Answer a typed command inside its acknowledgement, unless Slack has yet to show how."""
        name = str(body.get("command", ""))
        try:
            line = f"{name} {_unescaped(str(body.get('text') or ''))}"
            message = self.answer(line, str(body.get("channel_id", "")))
            rich = self._looks.rich
            blocks = message.shown(rich=rich is not False)
            unsure = rich is None or len(json.dumps(blocks)) > _LONGEST_ACK
            if message.is_rich and unsure:
                ack()
                Respondent(str(body.get("response_url", "")), self._looks).say(message)
            else:
                ack(text=message.text, blocks=blocks, response_type="ephemeral")
        except Exception:  # noqa: BLE001 - an unanswered command shows people a timeout
            _log.exception("%s failed", name)
            ack(text=BROKEN, response_type="ephemeral")

    def _pressed(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Ask what a control stands for: in place where only its reader sees it."""
        ack()

        def act(person: Respondent, channel: str) -> None:
            person.say(self.answer(_value(action), channel), replace=_is_ephemeral(body))

        self._do(body, act)

    def _share(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Show an answer to everybody, where that is allowed."""
        ack()

        def act(person: Respondent, channel: str) -> None:
            if channel not in self._share_in:
                mend = "its owner can add its ID to `share_in` in the `[slack]` section"
                person.say(Message(f"Answers must not be shared in this channel: {mend}."))
                return
            line = _value(action)
            message = self.answer(line, channel).without_controls()
            by = context(f"Shared by {SLACK.who(who(body))} · {escape(fenced(line))}")
            person.say(message.plus(by, *shared_controls(line)), everyone=True)

        self._do(body, act)

    def _refresh(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Read everything anew, saying so in place, then answer again."""
        ack()

        def act(person: Respondent, channel: str) -> None:
            line, replace = _value(action), _is_ephemeral(body)
            if self._desk is None:
                return
            try:
                begun = self._desk.begin_refresh()
            except CostCompassError as error:
                told = context(f"⏱ {escape(str(error))}")
                person.say(self.answer(line, channel).plus(told), replace=replace)
                return
            waiting = self.answer(line, channel).without_controls()
            person.say(waiting.plus(context("⏳ Reading the provider now…")), replace=replace)
            outcome = "\n".join(escape(one) for one in begun())
            person.say(self.answer(line, channel).plus(context(outcome)), replace=replace)

        self._do(body, act)

    def _do(self, body: Mapping[str, Any], act: Callable[[Respondent, str], None]) -> None:
        """Act on a press; whatever goes wrong must not end the listener."""
        person = Respondent(str(body.get("response_url", "")), self._looks)
        try:
            act(person, str(body.get("channel", {}).get("id", "")))
        except Exception:  # noqa: BLE001 - see above
            _log.exception("a press failed")
            person.say(Message(BROKEN))


def _mistake(name: str, words: str, error: CostCompassError) -> Message:
    """Return what is wrong with the words and, where that is clear, a button with better ones."""
    told = escape(str(error))
    meant = error.meant if isinstance(error, UsageError) else None
    if meant is None:
        return Message(told)
    better = f"{name} {_replaced(words, *meant)}"
    element = button(f"Use {better}", "ask_meant", better)
    return Message(told, (section(told), {"type": "actions", "elements": [element]}))


def _replaced(words: str, typed: str, meant: str) -> str:
    """Return the words with the one that was mistyped, in any case of letters, put right."""
    return " ".join(meant if word.lower() == typed else word for word in words.split())


def _value(action: Mapping[str, Any]) -> str:
    """Return the command that a control holds, a button or the chosen option of a menu."""
    chosen = action.get("selected_option") or {}
    return str(action.get("value") or chosen.get("value") or "")


def _is_ephemeral(body: Mapping[str, Any]) -> bool:
    return bool(body.get("container", {}).get("is_ephemeral"))


def who(body: Mapping[str, Any]) -> str:
    """Return the member who did something."""
    return str(body.get("user", {}).get("id", ""))


def _unescaped(text: str) -> str:
    """Undo the escaping of a command's text, which touches these three characters only."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
