"""What a slash command is: a name, the words that explain it, and a function that answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from bot.slack.blocks import Message
from costcompass_core.domain.accuracy import AccuracyReport
from costcompass_core.domain.advice import AdviceReport
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.home import HomeReport
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.reports import SpendReport
from costcompass_core.domain.settings import Setting
from costcompass_core.domain.whatif import IfReport
from costcompass_core.domain.why import WhyReport


class Questions(Protocol):
    """What a command may ask of the stored data; reading only, so that no command can change it."""

    def spend(self, words: str, now: datetime) -> SpendReport:
        """Answer the words after `/spend`."""

    def why(self, words: str, now: datetime) -> WhyReport:
        """Answer the words after `/spend why`."""

    def forecast(self, words: str, now: datetime) -> ForecastReport:
        """Answer the words after `/forecast`."""

    def accuracy(self, words: str, now: datetime) -> AccuracyReport:
        """Answer `/forecast accuracy`."""

    def forecast_if(self, words: str, now: datetime) -> IfReport:
        """Answer the words after `/forecast if`."""

    def advice(self, words: str, now: datetime) -> AdviceReport:
        """Answer `/spend advice`."""

    def home(self, now: datetime) -> HomeReport:
        """Return what stands in a Home."""

    @property
    def zone(self) -> tzinfo:
        """The zone in which moments are told."""


class Alerts(Protocol):
    """What a button may do; each raises `CostCompassError` where it can't be done."""

    def press(self, ident: int, what: str, who: str) -> None:
        """Do to an incident what the button says, as the member `who`."""

    def test(self, who: str) -> str:
        """Send a test alert the whole way, asked for by `who`."""


class Desk(Protocol):
    """What people may have the daemon do from Slack, beside what alerts' buttons do."""

    def begin_refresh(self) -> Callable[[], Sequence[str]]:
        """Return what reads every account now, and returns a line for each.

        Raises `UsageError` where that was done a moment ago, or is going on.
        """

    def settings(self) -> dict[str, str]:
        """Return what is in force, by key, as the configuration would have it."""

    def changed(self) -> dict[str, Setting]:
        """Return what was changed at run time, by key."""

    def change(self, values: Mapping[str, str], who: str, *, reset: bool = False) -> None:
        """Change settings; raises `CostCompassError` with nothing changed."""

    def mistakes(self, error: CostCompassError) -> dict[str, str]:
        """Return what is wrong with each setting, where that is what an error says."""

    def asleep(self) -> list[Incident]:
        """Return the snoozed incidents."""

    def wake(self, ident: int, who: str) -> None:
        """End an incident's snooze."""

    def knows(self, surface: str) -> bool | None:
        """Return whether a surface in Slack draws charts and tables, `None` where nobody knows."""

    def learn(self, surface: str, *, rich: bool) -> None:
        """Remember it."""

    @property
    def zone_name(self) -> str:
        """The name of the zone that local times are in."""


Answer = Callable[[Questions, str, datetime], Message]
"""Answers typed words; raises `CostCompassError` on a mistake."""


@dataclass(frozen=True)
class Command:
    """One slash command; `answer` gets the typed words."""

    name: str
    """With its slash: "/spend"."""
    usage_hint: str
    description: str
    answer: Answer
