"""Alerts to Block Kit: pure, plain dicts. The buttons follow the state.

A message's own text tells everything that its blocks do, for screen readers and in case that Slack
refuses the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from bot import alert_words, words
from bot.alert_words import Voice
from bot.slack.blocks import Block, Message, bullets, button, context, fitted, section
from bot.slack.incident_actions import actions, next_question, sign
from bot.slack.voice import ALOUD, SLACK
from bot.slack.words import escape
from costcompass_core.domain.incidents import Incident, What
from costcompass_core.domain.letters import Late, TellSummary
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.rules.views import Finding, Key

_NOTICE_SIGNS: Final = {"top_up": "🟢", "balance_drop": "🟠", "database_back": "🟢"}
_MOST_LINES: Final = 20
"""Lines of a summary; the rest is counted."""
_PER_SECTION: Final = 4
"""Of these lines, so that none is cut off."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What a message says. `note` stands out below the headline, `small` is not spoken."""

    headline: str
    lines: Sequence[str] = ()
    note: str = ""
    state: str = ""
    small: str = ""


def _message(
    sign: str,
    page: Callable[[Voice], _Page],
    below: Sequence[Block] = (),
    beside: Block | None = None,
) -> Message:
    """Return a message of a page in both voices: spoken as its text, shown as its blocks.

    `beside` stands at the headline's side.
    """
    spoken, shown = page(ALOUD), page(SLACK)
    said = [spoken.headline, spoken.note, *spoken.lines, spoken.state]
    blocks = [
        section(f"{sign} *{shown.headline}*", beside),
        *([section(shown.note)] if shown.note else []),
        *([bullets(shown.lines)] if shown.lines else []),
        *([section(shown.state)] if shown.state else []),
        *([context(shown.small)] if shown.small else []),
        *below,
    ]
    return Message(fitted(" ".join(one for one in said if one)), tuple(blocks))


def incident_message(
    incident: Incident,
    now: datetime,
    zone: tzinfo,
    credits_url: str,
    late: Late | None = None,
) -> Message:
    """Return an incident's message as it stands at `now`; `late` says since when it waited."""

    def page(voice: Voice) -> _Page:
        return _Page(
            alert_words.headline(incident, zone, voice),
            alert_words.details(incident, zone, voice),
            _waited(late, now, zone, voice),
            alert_words.state_line(incident, now, zone, voice),
            alert_words.as_of_line(incident, zone, voice),
        )

    return _message(
        sign(incident, now), page, actions(incident, now, credits_url), next_question(incident)
    )


def _waited(late: Late | None, now: datetime, zone: tzinfo, voice: Voice) -> str:
    if late is None:
        return ""
    return alert_words.delayed_line(late.since, now, zone, voice, held=late.held)


def reply_message(
    incident: Incident,
    what: What,
    now: datetime,
    zone: tzinfo,
    late: Late | None = None,
) -> Message:
    """Return the reply in an incident's thread that says what has just happened to it."""

    def page(voice: Voice) -> _Page:
        return _Page(
            alert_words.headline(incident, zone, voice),
            note=_waited(late, now, zone, voice),
            state=_happened(incident, what, now, zone, voice),
            small=alert_words.as_of_line(incident, zone, voice),
        )

    return _message(sign(incident, now), page)


def _happened(incident: Incident, what: What, now: datetime, zone: tzinfo, voice: Voice) -> str:
    """Return what to add about a loud change to how things stand."""
    if incident.resolved_at is not None:
        return alert_words.state_line(incident, now, zone, voice)
    opened = f"open since {voice.moment(incident.opened_at, zone)}"
    leads = {"worse": "It got worse.", "reminded": f"Reminder: this has been {opened}."}
    lead = leads.get(what, f"This has been {opened}.")
    return " ".join([lead, *alert_words.details(incident, zone, voice)[:1]])


def summary_message(telling: TellSummary, now: datetime, zone: tzinfo) -> Message:
    """Return what happened during quiet hours, or was over before it could be told."""
    spoken = _summary_lines(telling, zone, ALOUD)
    signs = [sign(one, now) for one in telling.incidents]
    signs += [_notice_sign(one) for one in telling.notices]
    shown = [
        f"{sign} {line}"
        for sign, line in zip(signs, _summary_lines(telling, zone, SLACK), strict=True)
    ]
    late = [] if telling.quiet else [_waited(telling.late, now, zone, ALOUD)]
    lead = [] if len(spoken) == 1 and not telling.quiet else [f"{_counted(telling)}."]
    blocks = [
        *(section(f"*{one}*") for one in lead),
        *_sections(_shortened(shown)),
        *(context(one) for one in late if one),
    ]
    text = "\n".join(
        [*lead, *(f"{one}." for one in _shortened(spoken)), *(one for one in late if one)]
    )
    return Message(fitted(text), tuple(blocks))


def _summary_lines(telling: TellSummary, zone: tzinfo, voice: Voice) -> list[str]:
    return [alert_words.line(one, zone, voice) for one in telling.incidents] + [
        alert_words.notice_headline(one, zone, voice).removesuffix(".") for one in telling.notices
    ]


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LINES
    rest = [f"and {words.plural(more, 'other')}, see `costcompass status`"] if more > 0 else []
    return lines[:_MOST_LINES] + rest


def _sections(lines: list[str]) -> list[Block]:
    starts = range(0, len(lines), _PER_SECTION)
    return [section("\n".join(lines[at : at + _PER_SECTION])) for at in starts]


def _counted(telling: TellSummary) -> str:
    """Return how many of what happened: "While it was quiet: 2 opened, 1 resolved"."""
    members = {one.ident for one in telling.incidents}
    if not telling.quiet:
        return f"Over before it could be told: {words.plural(len(members), 'alert')}"
    opened, worse, resolved = (
        {one.incident for one in telling.letters if one.what == what}
        for what in ("opened", "worse", "resolved")
    )
    counts = {
        "opened": len(opened),
        "got worse": len(worse - opened),
        "resolved": len(resolved),
        "still open": len(members - opened - worse - resolved),
    }
    parts = [f"{number} {word}" for word, number in counts.items() if number]
    if telling.notices:
        parts.append(words.plural(len(telling.notices), "notice"))
    return f"While it was quiet: {', '.join(parts)}"


def _notice_sign(notice: Notice) -> str:
    return _NOTICE_SIGNS.get(notice.rule, "🔵")


def notice_message(
    notice: Notice,
    now: datetime,
    zone: tzinfo,
    late: Late | None = None,
) -> Message:
    """Return a notice's message."""

    def page(voice: Voice) -> _Page:
        return _Page(
            alert_words.notice_headline(notice, zone, voice),
            alert_words.notice_details(notice, zone, voice),
            _waited(late, now, zone, voice),
            small=f"Seen {voice.moment(notice.at, zone)}",
        )

    return _message(_notice_sign(notice), page)


def unrecorded_message(
    key: Key, finding: Finding, reason: str, now: datetime, zone: tzinfo
) -> Message:
    """Return an alert that the database did not take, for `reason`: it has no buttons."""
    level, facts = finding.level, finding.facts
    found = Incident(0, key, now, level, finding.of, level, facts, finding.as_of, now)
    why = escape(words.clean(reason, 300))

    def page(voice: Voice) -> _Page:
        return _Page(
            alert_words.headline(found, zone, voice),
            alert_words.details(found, zone, voice),
            f"NOT RECORDED: the database refuses writes ({why}), so this can't be acknowledged"
            " and may be told again.",
            small=alert_words.as_of_line(found, zone, voice),
        )

    return _message(sign(found, now), page)


def test_message(who: str, now: datetime, zone: tzinfo) -> Message:
    """Return a message that says it is only a test; `who` asked for it, "" on the command line."""
    again = button("Send another test", "alert_test", "test")

    def page(voice: Voice) -> _Page:
        asked = f"by {voice.who(who)}" if who else "with `costcompass alert test`"
        return _Page(
            "TEST: alerts arrive here. Nothing is wrong.",
            (
                "It was stored, sent and marked as sent, as every alert is.",
                "Press the button below to see that buttons work as well.",
            ),
            small=f"Asked for {asked} · {voice.moment(now, zone)}",
        )

    return _message("🧪", page, [{"type": "actions", "elements": [again]}])
