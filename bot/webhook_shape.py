"""What the webhook gets and `status --json` lists: alerts as JSON, money with every digit."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from bot import alert_words
from costcompass_core.domain.facts import Fact, Facts
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.letters import Letter
from costcompass_core.domain.money import Usd, plain
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.rules.views import Finding, Key

VERSION: Final = 1
"""Raised when a key changes its meaning or goes; new keys may come at any time."""


def letter_shape(letter: Letter, incident: Incident | None) -> dict[str, Any]:
    """Return the JSON of one letter; an incident is as it was right after the change."""
    if incident is not None:
        return {"version": VERSION, "event": letter.what, "at": _moment(letter.at)} | (
            incident_shape(incident)
        )
    shape = {"version": VERSION, "event": letter.kind, "at": _moment(letter.at)}
    if letter.notice is not None:
        return shape | _notice_shape(letter.notice)
    if letter.day is not None:
        return shape | {"day": letter.day.isoformat()}
    return shape | {"text": "TEST: nothing is wrong, this only shows that alerts arrive."}


def unrecorded_shape(key: Key, finding: Finding, now: datetime) -> dict[str, Any]:
    """Return an alert that the database did not take: it is no incident yet and has no number."""
    level, facts = finding.level, finding.facts
    found = Incident(0, key, now, level, finding.of, level, facts, finding.as_of, now)
    told = {"version": VERSION, "event": "unrecorded", "at": _moment(now), "recorded": False}
    return told | incident_shape(found)


def incident_shape(incident: Incident, zone: tzinfo = UTC) -> dict[str, Any]:
    """Return an incident; `level` of `levels` are crossed, moments are RFC 3339 in UTC.

    Only the sentence, which is for people, has its moments in `zone`.
    """
    return {
        "incident": incident.ident,
        "seq": incident.seq,
        "rule": incident.key.rule,
        "account": incident.key.account,
        "subject": incident.key.subject,
        "level": incident.level,
        "levels": incident.of,
        "critical": incident.critical,
        "opened_at": _moment(incident.opened_at),
        "resolved_at": _moment(incident.resolved_at),
        "acknowledged_at": _moment(incident.acknowledged_at),
        "snoozed_until": _moment(incident.snoozed_until),
        "by": incident.by,
        "as_of": _moment(incident.as_of),
        "text": alert_words.headline(incident, zone),
        "facts": _facts(incident.facts),
    }


def _notice_shape(notice: Notice) -> dict[str, Any]:
    return {
        "rule": notice.rule,
        "account": notice.account,
        "name": notice.name,
        "as_of": _moment(notice.at),
        "text": alert_words.notice_headline(notice, UTC),
        "facts": _facts(notice.facts),
    }


def _facts(facts: Facts) -> dict[str, Any]:
    """Return facts; the name of an amount ends in `_usd`, as everywhere in our JSON."""
    return {
        f"{name.removesuffix('_usd')}_usd" if isinstance(fact, Usd) else name: _fact(fact)
        for name, fact in facts.items()
    }


def _fact(fact: Fact | Usd | Decimal) -> Any:
    if isinstance(fact, tuple):
        return [_fact(one) for one in fact]
    if isinstance(fact, Usd):
        return fact.text()
    if isinstance(fact, Decimal):
        return plain(fact)
    if isinstance(fact, datetime):
        return _moment(fact)
    return fact.isoformat() if isinstance(fact, date) else fact


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
