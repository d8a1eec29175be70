"""What is done in a Home: opened, refreshed, and its settings changed."""

from __future__ import annotations

import logging
from typing import Any, Final

from slack_bolt import Ack, App
from slack_sdk.web import WebClient

from bot.slack.answering import who
from bot.slack.commands.base import Desk
from bot.slack.home_view import REFRESH, SETTINGS
from bot.slack.homes import Homes
from bot.slack.settings_view import CALLBACK, Filled, settings_view
from bot.slack.web import explained
from costcompass_core.domain.errors import CostCompassError

_log: Final = logging.getLogger(__name__)


def add_home(app: App, homes: Homes, desk: Desk, client: WebClient) -> None:
    """Let `app` hear of everything that people do in their Home; `client` has the bot token."""

    def opened(event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            homes.opened(str(event.get("user", "")))

    def refresh(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        member = who(body)
        try:
            begun = desk.begin_refresh()
            homes.note(member, "⏳ Reading every account now…")
            homes.note(member, " · ".join(["Read just now", *begun()]))
        except CostCompassError as error:
            homes.note(member, f"⏱ {error}")

    def settings(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        view = settings_view(desk.settings(), desk.changed(), desk.asleep(), desk.zone_name)
        try:
            client.views_open(trigger_id=str(body.get("trigger_id", "")), view=view)
        except Exception as error:  # noqa: BLE001 - the SDK raises many kinds
            _log.warning("the settings could not be shown: %s", explained(error)[0])

    def saved(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        member, asleep, before = who(body), desk.asleep(), desk.settings()
        filled = Filled(view.get("state", {}), before)
        try:
            desk.change(filled.values, member, reset=filled.reset)
            for ident in filled.woken(asleep):
                desk.wake(ident, member)
        except CostCompassError as error:
            found = desk.mistakes(error) or {next(iter(before)): str(error)}
            ack(response_action="errors", errors=found)
            return
        ack()
        homes.changed()

    app.event("app_home_opened")(opened)
    app.action(REFRESH)(refresh)
    app.action(SETTINGS)(settings)
    app.view(CALLBACK)(saved)
