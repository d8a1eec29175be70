"""What happens in the demo's channel by itself: the digest, and one incident from start to end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from threading import Event
from typing import Final, TypeVar

import click

from bot.demo.stage import Stage
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.show import conversation
from bot.sandbox.slack_workspace import Shown
from bot.terminal.paint import WIDTH
from costcompass_core.domain.errors import CostCompassError

Found = TypeVar("Found")

_PATIENCE: Final = 60.0
"""Seconds for one thing to arrive; each takes one or two, on a busy machine more."""
_LOW, _CRITICAL, _TOP_UP = Decimal(20), Decimal(6), 50
"""USD left when the incident opens, when it gets worse, and what then is bought."""


class Channel:
    """Watches the stand-in's channel while the account's balance runs down and is topped up."""

    def __init__(self, stage: Stage, account: StandInAccount, now: Callable[[], datetime]) -> None:
        """Nothing has been shown yet."""
        self._stage = stage
        self._account = account
        self._now = now

    def play(self) -> None:
        """Show the welcome, the digest, then one incident: open, worse, snoozed, topped up.

        Raises `CostCompassError` where something does not come.
        """
        click.echo(self._stage.paint(f"\n── Slack, #spend {'─' * (WIDTH - 17)}", "dim"))
        self._show(self._message("welcome"))
        self._show(self._message("digest:"))
        self._spend_down_to(_LOW)
        incident = self._message("incident:")
        self._show(incident)
        self._spend_down_to(_CRITICAL)
        self._show(*self._thread(incident, 1))
        self._tell("you press [ Snooze 4 h ]")
        self._stage.slack.user.press(incident, "Snooze 4 h")
        self._show(self._edited(incident, "Snoozed"))
        self._tell(f"somebody buys ${_TOP_UP} of credits")
        self._account.top_up(_TOP_UP)
        self._show(*self._thread(incident, 2))

    def _spend_down_to(self, left: Decimal) -> None:
        """Let a job spend what is above `left`, at once: only the balance can show it today."""
        spent = self._account.balance(self._now()) - left
        self._tell(f"a job spends ${spent:.2f} on the current day")
        self._account.spend(spent, self._now().date())

    def _tell(self, what: str) -> None:
        click.echo(f"\n  ··· {self._stage.paint(what, 'bold')}")

    def _show(self, *messages: Shown) -> None:
        click.echo()
        click.echo(conversation(messages, self._stage.paint, "  "))

    def _message(self, delivery: str) -> Shown:
        """Wait for the message with this kind of delivery id."""

        def found() -> Shown | None:
            for one in self._stage.slack.messages:
                ident = str(one.metadata.get("event_payload", {}).get("id", ""))
                if ident.startswith(delivery) and not one.thread_ts:
                    return one
            return None

        return awaited(found, delivery)

    def _thread(self, root: Shown, replies: int) -> list[Shown]:
        """Wait until a message has so many replies; return it as it is then, with the newest."""

        def found() -> list[Shown] | None:
            answers = [one for one in self._stage.slack.messages if one.thread_ts == root.ts]
            return [self._current(root), answers[-1]] if len(answers) >= replies else None

        return awaited(found, "a reply")

    def _edited(self, root: Shown, word: str) -> Shown:
        """Wait until a message says `word`."""

        def found() -> Shown | None:
            current = self._current(root)
            return current if word in current.text else None

        return awaited(found, word)

    def _current(self, root: Shown) -> Shown:
        return next(one for one in self._stage.slack.messages if one.ts == root.ts)


def awaited(found: Callable[[], Found | None], what: str) -> Found:
    """Wait until there is what `found` looks for. Raises `CostCompassError` where it does not come."""
    tick = Event()
    for _ in range(int(_PATIENCE * 20)):
        if (value := found()) is not None:
            return value
        tick.wait(0.05)
    raise CostCompassError(f"the demo waited in vain for {what}")
