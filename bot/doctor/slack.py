"""The part of `costcompass doctor` that asks Slack."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.config import Slack
from bot.doctor.finding import ClockReading, Finding, Told, bad
from bot.logs import hide
from bot.slack.looks import draws
from bot.slack.manifest import SCOPES
from bot.slack.tokens import APP, BOT, swapped
from bot.slack.web import explained, identify, link_url, web_client
from bot.words import clean
from costcompass_core.domain.errors import CostCompassError, Undelivered, WrongKeyType
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.reach import host_and_port, require_reachable
from costcompass_core.vault.file import Vault

_LATER: Final = timedelta(days=100)
"""How far ahead the test message is planned; Slack allows 120 days."""


def examine_slack(
    config: Slack, places: Sequence[str], vault: Vault | None, now: Callable[[], datetime]
) -> Iterator[Told]:
    """Check tokens, scopes, Socket Mode, all `places` that messages go to, and the list of users.

    A bad app-level token hides nothing about the channel; a bad bot token is used for nothing more.
    """
    if vault is None:
        return
    if not set(vault.names()) & {BOT, APP}:
        mend = f"see `costcompass manifest`, then vault add {BOT} and {APP}"
        yield Finding("slack", "warn", "not set up", mend)
        return
    yield from _tokens(config, places, vault, now)
    if not config.allowed_users:
        mend = "add member IDs to [slack] allowed_users"
        yield Finding("slack users", "warn", "nobody may use the bot", mend)


def _tokens(
    config: Slack, places: Sequence[str], vault: Vault, now: Callable[[], datetime]
) -> Iterator[Told]:
    bot, app = _revealed(vault, BOT), _revealed(vault, APP)
    if isinstance(bot, Secret) and isinstance(app, Secret) and swapped(bot, app):
        what = f"{BOT} and {APP} are swapped"
        mend = f"store each under the other name: costcompass vault add {BOT}, and {APP}"
        yield bad("slack", WrongKeyType(what, mend))
        return
    client = web_client(bot if isinstance(bot, Secret) else Secret("none"), f"{config.api_url}/")
    try:
        _require_way(client, config.api_url)
    except CostCompassError as error:
        yield bad("slack", error)
        return
    yield from _bot_and_places(client, bot, places, now)
    if isinstance(app, Secret):
        yield from _guarded("slack app", partial(_app, client, app))
    else:
        yield bad("slack app", app)


def _bot_and_places(
    client: WebClient,
    bot: Secret | CostCompassError,
    places: Sequence[str],
    now: Callable[[], datetime],
) -> Iterator[Told]:
    """Check the bot token, and with a good one what it can do."""
    if isinstance(bot, CostCompassError):
        yield bad("slack bot", bot)
        return
    said = list(_guarded("slack bot", partial(_bot, client, now)))
    yield from said
    if not any(isinstance(one, Finding) and one.state == "bad" for one in said):
        for place in places or [""]:
            yield from _guarded("slack channel", partial(_channel, client, place, now()))
        yield from _blocks(client)


def _revealed(vault: Vault, name: str) -> Secret | CostCompassError:
    try:
        return hide(vault.reveal(name))
    except CostCompassError as error:
        return error


def _guarded(check: str, work: Callable[[], Iterable[Told]]) -> Iterator[Told]:
    """Yield what one check finds, and what the SDK raises in our words."""
    try:
        yield from work()
    except Exception as error:  # noqa: BLE001 - the SDK raises many kinds; `explained` knows them
        yield bad(check, explained(error)[0])


def _require_way(client: WebClient, url: str) -> None:
    """Raise `Unavailable` unless Slack, or the proxy on the way to it, can be reached."""
    if proxy := client.proxy:
        host, port = host_and_port(proxy if "://" in proxy else f"http://{proxy}")
        url = f"tcp://{host}:{port}"
    require_reachable(url, ssl.create_default_context)


def _bot(client: WebClient, now: Callable[[], datetime]) -> Iterator[Told]:
    identity = identify(client)
    if identity.server_time is not None:
        yield ClockReading("Slack", identity.server_time, now())
    missing = set(SCOPES) - identity.scopes if identity.scopes is not None else set()
    if missing:
        found = f"the bot token lacks {', '.join(sorted(missing))}"
        mend = "update the app from `costcompass manifest` and reinstall it"
        yield Finding("slack bot", "bad", found, mend, 77)
        return
    found = f"{identity.bot_user} in {clean(identity.team)}, all scopes"
    yield Finding("slack bot", "ok", found)


def _app(client: WebClient, token: Secret) -> Iterator[Told]:
    """Have Socket Mode opened, and go as far as the host that the connection will lead to."""
    url = link_url(client, token)
    if not client.proxy:
        require_reachable(url, ssl.create_default_context)
    yield Finding("slack app", "ok", "the app-level token opens Socket Mode")


def _blocks(client: WebClient) -> Iterator[Finding]:
    """Say whether the workspace has Slack's newest blocks, where Slack tells."""
    if (rich := draws(client)) is not None:
        told = "drawn" if rich else "spelled out, for this workspace has no such blocks yet"
        yield Finding("slack blocks", "ok", f"charts and tables are {told}")


def _channel(client: WebClient, channel: str, now: datetime) -> Iterator[Finding]:
    """Plan a message for a day far away and withdraw it: nobody sees it, no scope is added."""
    if not channel:
        yield Finding("slack channel", "warn", "none is set", "set [slack] channel")
        return
    try:
        planned = client.chat_scheduleMessage(
            channel=channel, post_at=int((now + _LATER).timestamp()), text="costcompass doctor"
        )
    except SlackApiError as error:
        known, _ = explained(error)
        if not isinstance(known, Undelivered):
            raise
        code = str(error.response.get("error", ""))
        yield Finding("slack channel", "bad", f"{channel}: {code}", known.mend, 1)
        return
    client.chat_deleteScheduledMessage(
        channel=channel, scheduled_message_id=str(planned["scheduled_message_id"])
    )
    yield Finding("slack channel", "ok", f"{channel} can be posted to")
