"""The buttons below an incident's message: they follow its state.

What a press of `incident_WORD` or `incident_WORD-IDENT` does, `usecases.press` says under WORD.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot import alert_words, words
from bot.slack.blocks import Block, button
from costcompass_core.domain.incidents import TOP_UP_MENDS, Incident


def actions(
    incident: Incident, now: datetime, credits_url: str, *, among_others: bool = False
) -> list[Block]:
    """Return the buttons that make sense now; none once it is over.

    `among_others` gives each an `action_id` of its own, for where several incidents stand together.
    """
    if incident.resolved_at is not None:
        return []
    mends = incident.key.rule in TOP_UP_MENDS
    buttons = []
    if mends and credits_url:
        top_up = _button(incident, "Top up", "open_credits")
        buttons.append(top_up | {"url": credits_url, "style": "primary"})
    if incident.acknowledged_at is None:
        buttons.append(_button(incident, "Acknowledge", "incident_acknowledge"))
    else:
        buttons.append(_button(incident, "Unacknowledge", "incident_unacknowledge"))
    if incident.asleep(now):
        buttons.append(_button(incident, "End snooze", "incident_wake"))
    else:
        buttons.append(_button(incident, "Snooze 4 h", "incident_snooze_4h"))
        buttons.append(_button(incident, "Snooze 24 h", "incident_snooze_24h"))
        if mends:
            buttons.append(_button(incident, "Snooze until top-up", "incident_snooze_top_up"))
    if among_others:
        buttons = [one | {"action_id": f"{one['action_id']}-{incident.ident}"} for one in buttons]
    # Slack wants a new block_id whenever a message is edited.
    name = f"incident-{incident.ident}-{incident.seq}"
    return [{"type": "actions", "block_id": name, "elements": buttons}]


_FORECAST: Final = ("Forecast", "/forecast")
_WHY: Final = ("Why?", "/spend why 7d")
_NEXT: Final = {
    "balance_low": _FORECAST,
    "runway_short": _FORECAST,
    "purse_short": _FORECAST,
    "budget_spent": _FORECAST,
    "budget_forecast": _FORECAST,
    "spend_spike": _WHY,
    "spend_level": _WHY,
    "routing_drift": _WHY,
    "fallback_routing": _WHY,
    "byok_volume": ("By model", "/spend mtd"),
}
"""The question that an alert brings up: what it says, and the command that answers it."""


def next_question(incident: Incident) -> Block | None:
    """Return the button that answers what people ask next, only for who presses it."""
    asked = _NEXT.get(incident.key.rule)
    if asked is None or incident.resolved_at is not None:
        return None
    text, command = asked
    return button(text, "own_next", command, aloud=f"{text} {command}, only for you")


def sign(incident: Incident, now: datetime) -> str:
    """Return the state as a picture; the words beside it say it too."""
    if incident.resolved_at is not None:
        return "⚪" if "unwatched" in incident.facts else "🟢"
    if incident.asleep(now):
        return "🔕"
    if incident.acknowledged_at is not None:
        return "👀"
    return "🔴" if incident.critical else "🟠"


def _button(incident: Incident, text: str, action: str) -> Block:
    key = incident.key
    about = " ".join([alert_words.title(key.rule), key.account, key.subject])
    label = words.clean(f"{text}: {about}", 75)
    return button(text, action, str(incident.ident)) | {"accessibility_label": label}
