"""How the pieces of an alert stand in Slack: names fenced, moments in each reader's own zone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Final

from bot import words
from bot.alert_words import PLAIN, Voice
from bot.slack.words import escape, fenced

_PRETTY: Final = "{date_short_pretty} {time}"
_MEMBER: Final = re.compile(r"[UW][A-Z0-9]{2,}")


def _moment(at: datetime, zone: tzinfo) -> str:
    return _date(at, _PRETTY, words.moment(at, zone))


def _span(first: datetime, last: datetime, zone: tzinfo) -> str:
    start, end = first.astimezone(zone), last.astimezone(zone)
    if start.date() != end.date():
        return f"{_moment(first, zone)} to {_moment(last, zone)}"
    begun = _date(first, _PRETTY, f"{words.day(start.date())} {start:%H:%M}")
    return f"{begun}–{_date(last, '{time}', f'{end:%H:%M} {end.tzname()}')}"


def _date(at: datetime, form: str, fallback: str) -> str:
    return f"<!date^{int(at.timestamp())}^{form}|{escape(fallback)}>"


def _who(member: str) -> str:
    """Return a member as a mention, which notifies nobody in an edited message."""
    return f"<@{member}>" if _MEMBER.fullmatch(member) else escape(words.clean(member))


SLACK: Final = Voice(escape, lambda name: escape(fenced(name)), _who, _moment, _span)
"""For blocks."""
ALOUD: Final = replace(
    SLACK,
    who=lambda member: escape(words.clean(member)),
    moment=lambda at, zone: escape(words.moment(at, zone)),
    span=lambda first, last, zone: escape(PLAIN.span(first, last, zone)),
)
"""For a message's own text, which notifications show and screen readers speak."""
