"""Buttons: acknowledged at once, then done; the message is drawn again by the outbox.

Their names stand in `incident_actions`; what a press of `incident_WORD` does, in `usecases.press`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, Final

from slack_bolt import Ack, App, Respond

from bot.slack.commands.base import Alerts
from bot.slack.words import escape
from costcompass_core.domain.errors import CostCompassError

TEST: Final = "alert_test"
"""The `action_id` of the button that sends a test alert."""
CREDITS: Final = re.compile(r"open_credits(-\d+)?")
"""The `action_id` of a button that only opens a page."""
_INCIDENT: Final = re.compile(r"incident_([a-z0-9_]+)(-\d+)?")
_log: Final = logging.getLogger(__name__)


def add_buttons(app: App, alerts: Alerts, changed: Callable[[], None] = lambda: None) -> None:
    """Let `app` hear of every button in our messages; `changed` is told when something was done."""

    def incident(ack: Ack, body: dict[str, Any], action: dict[str, Any], respond: Respond) -> None:
        ack()
        found = _INCIDENT.fullmatch(str(action.get("action_id", "")))
        value = str(action.get("value", ""))
        if found is None or not re.fullmatch(r"\d{1,18}", value, re.ASCII):
            _log.warning("a button that is none of ours was pressed")
            return
        _do(lambda: alerts.press(int(value), found[1], _who(body)), respond)
        changed()

    def test(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        ack()
        _do(lambda: alerts.test(_who(body)), respond)

    app.action(_INCIDENT)(incident)
    app.action(TEST)(test)
    app.action(CREDITS)(lambda ack: ack())


def _who(body: dict[str, Any]) -> str:
    return str(body.get("user", {}).get("id", ""))


def _do(act: Any, respond: Respond) -> None:
    """Act; whoever pressed is told what went wrong, and only they."""
    try:
        act()
    except CostCompassError as error:
        if respond.response_url is None:  # pressed in a Home, which shows how things are anyway
            _log.warning("a press did nothing: %s", error)
            return
        respond(text=escape(str(error)), response_type="ephemeral", replace_original=False)
    except Exception:  # noqa: BLE001 - a press must not end the listener
        _log.exception("a press failed")
