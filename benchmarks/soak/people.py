"""People in Slack: what they type and press now and then, and whether they were answered."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Final

from benchmarks.soak.agenda import Agenda
from benchmarks.soak.world import START, World
from bot.sandbox.slack_people import USER, Reply

_A_DAY: Final = 8
_TYPED: Final = (
    ("/spend", ""),
    ("/spend", "7d by host"),
    ("/spend", "last month by provider"),
    ("/spend", "why 7d"),
    ("/spend", "advice"),
    ("/spend", "help"),
    ("/spend", "nonsense"),
    ("/forecast", ""),
    ("/forecast", "accuracy"),
)
_PRESSED: Final = ("Why it changed", "Forecast", "Share here", "Refresh now")
_ON_ALERTS: Final = ("Acknowledge", "Unacknowledge", "Snooze 4 h", "End snooze")


class People:
    """Plans everything at once, and keeps what became of it."""

    def __init__(self, world: World, agenda: Agenda, seed: int, days: int) -> None:
        self._world = world
        self._chance = Random(f"{seed}/people")
        self.outcomes: Counter[str] = Counter()
        """`answered`, `Slack away` while Slack or the connection to it was, or an error."""
        self.slowest = 0.0
        """Seconds until an answer, the longest."""
        acts = (self._type, self._type, self._press, self._press, self._alert, self._home)
        for number in range(days * _A_DAY):
            at = START + timedelta(days=(number + self._chance.random()) / _A_DAY)
            agenda.put(at, "person", self._chance.choice(acts))

    def _type(self) -> None:
        reply = self._world.slack.user.command(*self._chance.choice(_TYPED))
        self._note(reply, shown=bool(reply.text or reply.blocks))

    def _press(self) -> None:
        """Press a button below an answer."""
        reply = self._world.slack.user.command("/spend", "7d")
        self._note(reply, shown=bool(reply.text))
        if not reply.error:
            button = self._chance.choice(_PRESSED)
            answer = next(one for one in reversed(self._world.slack.messages) if one.via == "ack")
            self._note(self._world.slack.user.press(answer, button))

    def _alert(self) -> None:
        """Press a button of the newest alert that has it."""
        wanted = self._chance.choice(_ON_ALERTS)
        for shown in reversed(self._world.slack.messages):
            if f"'{wanted}'" in str(shown.blocks):
                self._note(self._world.slack.user.press(shown, wanted))
                return

    def _home(self) -> None:
        self._note(self._world.slack.user.open_home(user_id=USER))

    def _note(self, reply: Reply, *, shown: bool = True) -> None:
        self.slowest = max(self.slowest, reply.latency)
        if reply.error == "dispatch_failed":
            self.outcomes["Slack away"] += 1
        elif reply.error or not shown:
            self.outcomes[reply.error or "nothing shown"] += 1
        else:
            self.outcomes["answered"] += 1
