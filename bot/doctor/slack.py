"""The part of `costcompass doctor` that asks Slack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.config import Slack
from bot.doctor.finding import Finding, bad
from bot.logs import hide
from bot.slack.looks import draws
from bot.slack.manifest import SCOPES
from bot.slack.web import explained, identify, link_url, web_client
from bot.words import clean
from costcompass_core.domain.errors import Undelivered
from costcompass_core.vault.file import Vault

_TOKENS: Final = ("slack/bot-token", "slack/app-token")
_LATER: Final = timedelta(days=100)
"""How far ahead the test message is planned; Slack allows 120 days."""


def examine_slack(
    config: Slack, places: Sequence[str], vault: Vault, now: datetime
) -> Iterator[Finding]:
    """Check tokens, scopes, Socket Mode, all `places` that messages go to, and the list of users."""
    if not set(vault.names()) & set(_TOKENS):
        mend = "see `costcompass manifest`, then vault add slack/bot-token and slack/app-token"
        yield Finding("slack", "warn", "not set up", mend)
        return
    try:
        client = web_client(hide(vault.reveal(_TOKENS[0])), f"{config.api_url}/")
        yield _bot(client)
        link_url(client, hide(vault.reveal(_TOKENS[1])))
        yield Finding("slack app", "ok", "the app-level token opens Socket Mode")
        for place in places or [""]:
            yield _channel(client, place, now)
        yield from _blocks(client)
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


def _blocks(client: WebClient) -> Iterator[Finding]:
    """Say whether the workspace has Slack's newest blocks, where Slack tells."""
    if (rich := draws(client)) is not None:
        told = "drawn" if rich else "spelled out, for this workspace has no such blocks yet"
        yield Finding("slack blocks", "ok", f"charts and tables are {told}")


def _channel(client: WebClient, channel: str, now: datetime) -> Finding:
    """Plan a message for a day far away and withdraw it: nobody sees it, no scope is added."""
    if not channel:
        return Finding("slack channel", "warn", "none is set", "set [slack] channel")
    try:
        planned = client.chat_scheduleMessage(
            channel=channel, post_at=int((now + _LATER).timestamp()), text="costcompass doctor"
        )
    except SlackApiError as error:
        known, _ = explained(error)
        if not isinstance(known, Undelivered):
            raise
        code = str(error.response.get("error", ""))
        return Finding("slack channel", "bad", f"{channel}: {code}", known.mend, 1)
    client.chat_deleteScheduledMessage(
        channel=channel, scheduled_message_id=str(planned["scheduled_message_id"])
    )
    return Finding("slack channel", "ok", f"{channel} can be posted to")
