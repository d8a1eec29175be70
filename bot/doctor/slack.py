"""The part of `costcompass doctor` that asks Slack."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.config import Slack
from bot.doctor.finding import Finding, bad
from bot.logs import hide
from bot.slack.manifest import SCOPES
from bot.slack.web import explained, identify, link_url, web_client
from bot.words import clean
from costcompass_core.vault.file import Vault

_TOKENS: Final = ("slack/bot-token", "slack/app-token")
_LATER: Final = timedelta(days=100)
"""How far ahead the test message is planned; Slack allows 120 days."""
_CHANNEL_MENDS: Final = {
    "channel_not_found": "check [slack] channel, and invite the bot if the channel is private",
    "not_in_channel": "invite the bot: /invite @CostCompass in that channel",
    "is_archived": "choose a channel that is in use as [slack] channel",
}


def examine_slack(config: Slack, vault: Vault, now: datetime) -> Iterator[Finding]:
    """Check tokens, scopes, Socket Mode, the channel and the list of users."""
    if not set(vault.names()) & set(_TOKENS):
        mend = "see `costcompass manifest`, then vault add slack/bot-token and slack/app-token"
        yield Finding("slack", "warn", "not set up", mend)
        return
    try:
        client = web_client(hide(vault.reveal(_TOKENS[0])), f"{config.api_url}/")
        yield _bot(client)
        link_url(client, hide(vault.reveal(_TOKENS[1])))
        yield Finding("slack app", "ok", "the app-level token opens Socket Mode")
        yield _channel(client, config.channel, now)
    except Exception as error:  # noqa: BLE001 - the SDK raises many kinds; `explained` knows them
        yield bad("slack", explained(error)[0])
    if not config.allowed_users:
        mend = "add member IDs to [slack] allowed_users"
        yield Finding("slack users", "warn", "nobody may use the bot", mend)


def _bot(client: WebClient) -> Finding:
    identity = identify(client)
    missing = set(SCOPES) - identity.scopes if identity.scopes is not None else set()
    if missing:
        mend = "update the app from `costcompass manifest` and reinstall it"
        return Finding("slack bot", "bad", f"lacks {', '.join(sorted(missing))}", mend, 77)
    return Finding("slack bot", "ok", f"{identity.bot_user} in {clean(identity.team)}, all scopes")


def _channel(client: WebClient, channel: str, now: datetime) -> Finding:
    """Plan a message for a day far away and withdraw it: nobody sees it, no scope is added."""
    if not channel:
        return Finding("slack channel", "warn", "none is set", "set [slack] channel")
    try:
        planned = client.chat_scheduleMessage(
            channel=channel, post_at=int((now + _LATER).timestamp()), text="costcompass doctor"
        )
    except SlackApiError as error:
        code = str(error.response.get("error", ""))
        if code not in _CHANNEL_MENDS:
            raise
        return Finding("slack channel", "bad", f"{channel}: {code}", _CHANNEL_MENDS[code], 1)
    client.chat_deleteScheduledMessage(
        channel=channel, scheduled_message_id=str(planned["scheduled_message_id"])
    )
    return Finding("slack channel", "ok", f"{channel} can be posted to")
