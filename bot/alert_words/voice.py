"""How the pieces of an alert stand where it is read, and how its facts turn into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from bot import words
from costcompass_core.domain.facts import Facts
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.money import Usd, plain
from costcompass_core.domain.notices import Notice

_ERROR_WIDTH = 300
"""Characters of an error's text that are told."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What a place to read makes of the pieces of a sentence; the words between them are ours.

    `text` takes numbers and errors, `name` a stranger's name, `who` a member's id.
    """

    text: Callable[[str], str]
    name: Callable[[str], str]
    who: Callable[[str], str]
    moment: Callable[[datetime, tzinfo], str]
    span: Callable[[datetime, datetime, tzinfo], str]


def _quoted(name: str) -> str:
    return f'"{words.clean(name)}"'


def _span(first: datetime, last: datetime, zone: tzinfo) -> str:
    """Return `23 Nov 10:02–12:40 CET`, with both days where they differ."""
    start, end = first.astimezone(zone), last.astimezone(zone)
    if start.date() == end.date() and start.tzname() == end.tzname():
        return f"{words.day(start.date())} {start:%H:%M}–{end:%H:%M} {end.tzname()}"
    return f"{words.moment(first, zone)} to {words.moment(last, zone)}"


PLAIN = Voice(str, _quoted, words.clean, words.moment, _span)
"""For terminals, logs and programs."""


def listed(ones: Sequence[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    return " and ".join(one for one in (", ".join(ones[:-1]), *ones[-1:]) if one)


def capital(sentence: str) -> str:
    """Return the sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


@dataclass(frozen=True, slots=True)
class Case:
    """Facts to be told to somebody. What is not known reads as such, never as zero or not at all.

    `level` is how many levels count as crossed, 0 once it is over.
    """

    rule: str
    account: str
    subject: str
    facts: Facts
    as_of: datetime
    level: int
    critical: bool
    zone: tzinfo
    voice: Voice

    @classmethod
    def of_incident(cls, incident: Incident, zone: tzinfo, voice: Voice) -> Case:
        """Return an incident's case; one that is over counts as bad as it ever was."""
        over = incident.resolved_at is not None
        critical = incident.worst >= incident.of if over else incident.critical
        level = 0 if over else incident.level
        facts, as_of = incident.facts, incident.as_of
        return cls(*incident.key, facts, as_of, level, critical, zone, voice)

    @classmethod
    def of_notice(cls, notice: Notice, zone: tzinfo, voice: Voice) -> Case:
        """Return a notice's case."""
        facts, at = notice.facts, notice.at
        return cls(
            notice.rule, notice.account, "", facts, at, 0, critical=False, zone=zone, voice=voice
        )

    @property
    def on(self) -> str:
        """The account's name, safe to print."""
        return self.voice.text(words.clean(self.account))

    @property
    def name(self) -> str:
        """The name of what it is about besides an account."""
        return self.voice.name(self.subject)

    @property
    def levels(self) -> list[str]:
        """The crossed levels in the user's own numbers: `$25`, `7`."""
        crossed = self.facts.get("crossed")
        return [_level(one) for one in crossed] if isinstance(crossed, tuple) else []

    def usd(self, fact: str) -> Usd | None:
        """Return an amount."""
        value = self.facts.get(fact)
        return value if isinstance(value, Usd) else None

    def money(self, fact: str) -> str:
        """Return an amount in words."""
        value = self.usd(fact)
        return "an unknown amount" if value is None else self.voice.text(words.usd(value))

    def number(self, fact: str) -> Decimal | None:
        """Return a number of days or per cent."""
        value = self.facts.get(fact)
        return value if isinstance(value, Decimal) else None

    def percent(self, fact: str) -> str:
        """Return a percentage in words."""
        value = self.number(fact)
        return "an unknown share" if value is None else self.voice.text(words.percent(value / 100))

    def moment(self, fact: str) -> datetime | None:
        """Return a moment."""
        value = self.facts.get(fact)
        return value if isinstance(value, datetime) else None

    def when(self, fact: str) -> str:
        """Return a moment in words."""
        value = self.moment(fact)
        return "an unknown moment" if value is None else self.voice.moment(value, self.zone)

    def date(self, fact: str) -> date | None:
        """Return a UTC day."""
        value = self.facts.get(fact)
        return value if isinstance(value, date) and not isinstance(value, datetime) else None

    def day(self, fact: str) -> str:
        """Return a UTC day in words."""
        value = self.date(fact)
        return "an unknown day" if value is None else words.day(value)

    def error(self) -> str:
        """Return the error's text, empty where there is none."""
        value = self.facts.get("error")
        return (
            self.voice.text(words.clean(value, _ERROR_WIDTH))
            if value and isinstance(value, str)
            else ""
        )


def _level(one: Usd | Decimal) -> str:
    if isinstance(one, Usd):
        return words.usd(one).removesuffix(".00")
    return plain(one.normalize())
