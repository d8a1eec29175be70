"""Alerts in sentences, the state and the number first: for Slack, terminals and the webhook.

A new rule is one function and its entry in `rules.RULES` or `notices.NOTICES`.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from bot import words
from bot.alert_words.notices import NOTICES, event_of
from bot.alert_words.rules import words_of
from bot.alert_words.told import Told
from bot.alert_words.voice import PLAIN, Case, Voice, capital
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.notices import Notice

__all__ = [
    "PLAIN",
    "Voice",
    "as_of_line",
    "delayed_line",
    "details",
    "headline",
    "line",
    "notice_details",
    "notice_headline",
    "state_line",
    "title",
]


def title(rule: str) -> str:
    """Return what a rule is called: "Low balance"."""
    known = NOTICES.get(rule)
    return known.title if known else words_of(rule).title


def _told(incident: Incident, zone: tzinfo, voice: Voice) -> tuple[Case, Told]:
    case = Case.of_incident(incident, zone, voice)
    return case, words_of(case.rule).tell(case)


def headline(incident: Incident, zone: tzinfo, voice: Voice = PLAIN) -> str:
    """Return how an incident stands as one sentence with its number."""
    case, told = _told(incident, zone, voice)
    if incident.resolved_at is None:
        return capital(f"{told.subject} is {told.state}: {told.figure}.")
    if "unwatched" in incident.facts:
        return f"No longer watched: {told.subject}, which was {told.state}."
    if "ended" in incident.facts:
        return f"Its period is over: {told.subject} stood at {told.figure}."
    if "elsewhere" in incident.facts:
        return f"Over, traffic has moved elsewhere since: {told.subject} stood at {told.figure}."
    if case.usd("topped_up") is not None:
        return f"Resolved, topped up by {case.money('topped_up')}: {told.again}."
    return f"Resolved: {told.again}."


def details(incident: Incident, zone: tzinfo, voice: Voice = PLAIN) -> list[str]:
    """Return sentences on what is wrong: every level that is crossed, the prospects, the mend."""
    if "unwatched" in incident.facts:
        return ["The configuration no longer asks for it."]
    return list(_told(incident, zone, voice)[1].details)


def state_line(incident: Incident, now: datetime, zone: tzinfo, voice: Voice = PLAIN) -> str:
    """Return who took care of an incident, or how long it was open; empty where nobody did."""
    if incident.resolved_at is not None:
        span = voice.span(incident.opened_at, incident.resolved_at, zone)
        worst = ", critical at worst" if 1 < incident.of <= incident.worst else ""
        return f"Was open {span}{worst}."
    who = voice.who(incident.by) if incident.by else "somebody"
    if incident.asleep(now) and incident.snoozed_until is not None:
        until = voice.moment(incident.snoozed_until, zone)
        end = f"a top-up, {until} at the latest" if incident.snooze == "top_up" else until
        return f"Snoozed by {who} until {end}. A worse level is told all the same."
    if incident.acknowledged_at is not None:
        when = voice.moment(incident.acknowledged_at, zone)
        return f"Acknowledged by {who}, {when}: no reminders unless it gets worse."
    return ""


def as_of_line(incident: Incident, zone: tzinfo, voice: Voice = PLAIN) -> str:
    """Return from when the figures are, by what, and since when the incident is open."""
    seen = f"As of {voice.moment(incident.as_of, zone)}, by {words_of(incident.key.rule).source}"
    if incident.resolved_at is not None:
        return seen
    return f"{seen} · open since {voice.moment(incident.opened_at, zone)}"


def line(incident: Incident, zone: tzinfo, voice: Voice = PLAIN) -> str:
    """Return an incident in one line of a list, open or over."""
    case, told = _told(incident, zone, voice)
    if incident.resolved_at is None:
        marks = [f"as of {voice.moment(incident.as_of, zone)}"]
        marks.append(f"since {voice.moment(incident.opened_at, zone)}")
        if incident.acknowledged_at is not None:
            marks.append("acknowledged")
        if incident.snoozed_until is not None:
            marks.append(f"snoozed until {voice.moment(incident.snoozed_until, zone)}")
        return capital(" · ".join([f"{told.subject} is {told.state}: {told.figure}", *marks]))
    end = "resolved"
    if "unwatched" in incident.facts:
        end = "no longer watched"
    elif "ended" in incident.facts:
        end = "its period is over"
    elif case.usd("topped_up") is not None:
        end = f"resolved by a top-up of {case.money('topped_up')}"
    span = voice.span(incident.opened_at, incident.resolved_at, zone)
    return capital(f"{told.subject} was {told.state} {span}, {end}")


def notice_headline(notice: Notice, zone: tzinfo, voice: Voice = PLAIN) -> str:
    """Return what happened as one sentence with its number."""
    return event_of(Case.of_notice(notice, zone, voice)).headline


def notice_details(notice: Notice, zone: tzinfo, voice: Voice = PLAIN) -> list[str]:
    """Return what has to be known about it."""
    return list(event_of(Case.of_notice(notice, zone, voice)).details)


def delayed_line(
    since: datetime, now: datetime, zone: tzinfo, voice: Voice = PLAIN, *, held: bool = False
) -> str:
    """Return since when something waited to be told; `held` by quiet hours, else by a failure."""
    noticed = f"noticed {voice.moment(since, zone)}, {words.ago(since, now)}"
    if held:
        return f"Held back during quiet hours: {noticed}."
    return f"Delayed: {noticed}; it could not be delivered until now."
