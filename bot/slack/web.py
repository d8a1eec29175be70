"""Slack's Web API: a client that never retries behind our back, and its errors in our words."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient
from slack_sdk.web.slack_response import SlackResponse

from bot.slack import tokens
from costcompass_core.domain.errors import (
    CostCompassError,
    KeyRejected,
    MessageGone,
    Unavailable,
    Undelivered,
    WrongKeyType,
)
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.reply import http_date, retry_after

CALL_TIMEOUT: Final = 10
"""Seconds without a byte from Slack after which a call counts as failed."""

_RATE_LIMIT_WAIT: Final = 30.0
"""Seconds to wait after a 429 that does not say how long, or nothing that makes sense."""

_REINSTALL: Final = "reinstall the app from `costcompass manifest` and store the new token"

_PERMANENT: Final[Mapping[str, str]] = {
    "access_denied": _REINSTALL,
    "account_inactive": "the app was removed or its owner deactivated; " + _REINSTALL,
    "invalid_auth": "copy the token again and store it with `costcompass vault add`",
    "missing_scope": _REINSTALL,
    "no_permission": _REINSTALL,
    "not_allowed_token_type": "slack/bot-token begins with xoxb-, slack/app-token with xapp-",
    "not_authed": "store the token with `costcompass vault add`",
    "org_login_required": "the workspace moved to an organization; install the app there again",
    "token_expired": "turn token rotation off for the app and store the new token",
    "token_revoked": _REINSTALL,
    "team_access_not_granted": _REINSTALL,
    "user_removed_from_team": _REINSTALL,
}
"""Slack's words for what no retry can cure, and the mend."""

_FORBIDDEN: Final = "let the bot post there, or choose another [slack] channel"

_CHANNEL: Final[Mapping[str, str]] = {
    "channel_not_found": "check [slack] channel, and invite the bot if the channel is private",
    "ekm_access_denied": "ask the workspace's administrators, who suspended posting there",
    "is_inactive": "choose a channel that is in use as [slack] channel",
    "is_archived": "choose a channel that is in use as [slack] channel",
    "messages_tab_disabled": "turn on the app's Messages Tab, or name a channel instead",
    "not_in_channel": "invite the bot: /invite @CostCompass in that channel",
    "restricted_action": _FORBIDDEN,
    "restricted_action_read_only_channel": _FORBIDDEN,
    "restricted_action_thread_only_channel": "choose a channel that takes more than replies",
    "user_not_found": "check the member ID in [[route]]",
}
"""Slack's words for a place that does not take our messages, and the mend."""

_CONTENT: Final = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text"}
)
"""Slack's words for a message that it will never take as it is."""

_GONE: Final = frozenset(
    {
        "cannot_reply_to_message",
        "cant_update_message",
        "edit_window_closed",
        "invalid_thread_ts",
        "message_not_found",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
    }
)
"""Slack's words for a message that can't be edited or replied to, or not any more."""

_SECRET: Final = re.compile(r"xox[a-z.]+-[\w-]+|xapp-[\w-]+|ticket=[^&\s\"']+|(?<=://)[^/@\s]+@")


_LOST: Final = re.compile(
    r"on_error invoked .*error: (Connection\w*|BrokenPipe|Timeout|SSL\w*|OS)Error,"
    r"|Failed to (check the state of sock|disconnect|start or stop the current session)"
)
"""How the SDK calls a lost connection an error, of which our own log says once why it was lost."""


class MessageRefused(Undelivered):
    """Slack took offence at a message itself, so that trying again cannot help (exit 69)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose bot token it is; `scopes` is `None` where Slack did not say.

    `server_time` is Slack's own clock (UTC), where it sent one.
    """

    team_id: str
    team: str
    bot_user: str
    scopes: frozenset[str] | None
    server_time: datetime | None = None


def web_client(token: Secret, api_url: str) -> WebClient:
    """Return a client for the Web API at `api_url`; a loopback one is reached without a proxy.

    No retry handlers: the SDK's default one posts twice when an answer is lost.
    """
    kind = _Direct if is_loopback(api_url) else WebClient
    client = kind(
        token.expose(),
        base_url=api_url,
        timeout=CALL_TIMEOUT,
        retry_handlers=[],
        logger=speechless_logger(),
    )
    if kind is _Direct:
        client.proxy = None
    return client


def identify(client: WebClient) -> Identity:
    """Ask Slack whose token it is; an error of the SDK goes through `explained`."""
    tokens.require_kind(tokens.BOT, Secret(str(client.token)))
    answer = client.auth_test()
    scopes = _headers(answer).get("x-oauth-scopes")
    return Identity(
        team_id=str(answer["team_id"]),
        team=str(answer.get("team", "")),
        bot_user=str(answer["user_id"]),
        scopes=None if scopes is None else frozenset(re.split(r"[,\s]+", scopes)),
        server_time=http_date(_headers(answer).get("date")),
    )


def link_url(client: WebClient, app_token: Secret) -> str:
    """Ask Slack for the address of one Socket Mode connection, which is itself a secret."""
    tokens.require_kind(tokens.APP, app_token)
    return str(client.apps_connections_open(app_token=app_token.expose())["url"])


def explained(error: Exception) -> tuple[CostCompassError, float]:
    """Return an error of the SDK in our words, and the seconds that Slack wants us to wait.

    The words are made from Slack's error code or the kind of fault, never from an answer's body.
    """
    if isinstance(error, CostCompassError):
        return error, 0.0
    if isinstance(error, SlackApiError):
        return _refused(error.response)
    if isinstance(error, OSError | HTTPException | SlackClientError):
        reason = getattr(error, "reason", None) or error
        return Unavailable(f"Slack cannot be reached ({_scrubbed(str(reason))})"), 0.0
    return Unavailable(f"Slack gave an answer that makes no sense ({type(error).__name__})"), 0.0


def library_logger() -> logging.Logger:
    """Return the logger that every part of the SDK and of Bolt gets.

    From WARNING on only: below, the SDK writes whole requests, answers, tickets and proxies. And
    nothing of lost connections, which are no errors and which we tell ourselves.
    """
    for name in ("slack_sdk", "slack_bolt"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logger = logging.getLogger("slack_sdk")
    logger.addFilter(_scrub_record)
    logger.addFilter(_is_news)
    return logger


def speechless_logger() -> logging.Logger:
    """Return a logger for calls: what fails is raised too, and its caller says it once an outage."""
    logger = logging.getLogger("slack_sdk.calls")
    logger.setLevel(logging.CRITICAL)
    return logger


def _refused(answer: SlackResponse) -> tuple[CostCompassError, float]:
    status, method = answer.status_code, answer.api_url.rpartition("/")[2]
    code = str(answer.data.get("error", "")) if isinstance(answer.data, dict) else ""
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return Unavailable(f"Slack asks for patience ({method}: ratelimited)"), _patience(answer)
    if code in _PERMANENT:
        token = tokens.APP if method == "apps.connections.open" else tokens.BOT
        kind = WrongKeyType if code == "not_allowed_token_type" else KeyRejected
        why, mend = _missing(answer, token) if code == "missing_scope" else (code, _PERMANENT[code])
        return kind(f"Slack refuses {token} ({method}: {why})", mend), 0.0
    if code in _CHANNEL:
        what = f"Slack does not let us post there ({method}: {code})"
        return Undelivered(what, _CHANNEL[code], permanent=True), 0.0
    if code in _GONE:
        return MessageGone(f"the message takes no change or reply ({method}: {code})"), 0.0
    if code in _CONTENT:
        what = f"Slack does not take this message ({method}: {code})"
        mend = "please report it as a fault of CostCompass"
        return MessageRefused(what, mend, permanent=True), 0.0
    word = code if re.fullmatch(r"[a-z_]{1,60}", code) else f"status {status}"
    return Unavailable(f"Slack has a problem ({method}: {word})"), 0.0


def _missing(answer: SlackResponse, token: str) -> tuple[str, str]:
    """Return which scope a token lacks, as Slack names it, and how it gets it."""
    needed = str(answer.data.get("needed", "")) if isinstance(answer.data, dict) else ""
    scope = f" {needed}" if re.fullmatch(r"[a-z_.:,]{1,80}", needed) else ""
    if token == tokens.APP:
        mend = (
            "make an app-level token with connections:write (Basic Information):"
            f" costcompass vault add {token}"
        )
        return f"missing_scope{scope}", mend
    return f"missing_scope{scope}", _REINSTALL


def _patience(answer: SlackResponse) -> float:
    asked = retry_after(_headers(answer))
    return _RATE_LIMIT_WAIT if asked is None else asked


def _headers(answer: SlackResponse) -> dict[str, str]:
    """Return the headers, with their names in lower case."""
    return {name.lower(): str(value) for name, value in answer.headers.items()}


def is_loopback(url: str) -> bool:
    """Return whether an address is on this machine, which no proxy can reach."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _scrubbed(text: str) -> str:
    return _SECRET.sub("…", text)


def _scrub_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = _scrubbed(record.getMessage()), None
    return True


def _is_news(record: logging.LogRecord) -> bool:
    return not _LOST.match(record.getMessage())


@cache
def direct_opener() -> OpenerDirector:
    """Return what asks no environment for a proxy; made once, for since Python 3.12 it loads the CAs."""
    return build_opener(ProxyHandler({}))


class _Direct(WebClient):
    """Reaches a loopback address directly; urllib would ask the environment for a proxy."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:  # noqa: ARG002 - the SDK's signature
        with direct_opener().open(req, timeout=self.timeout) as answer:
            body = answer.read().decode()
            return {"status": answer.status, "headers": answer.headers, "body": body}
