"""Answering through a response_url: works 5 times in 30 minutes, without any scope.

Bolt's own `respond` retries behind our back and tells nobody that Slack refused a message.
"""

from __future__ import annotations

import logging
from typing import Any, Final
from urllib.request import Request

from slack_sdk.webhook import WebhookClient, WebhookResponse

from bot.slack.blocks import Message
from bot.slack.looks import REFUSED, Looks
from bot.slack.web import CALL_TIMEOUT, direct_opener, is_loopback, speechless_logger

_log: Final = logging.getLogger(__name__)


class Respondent:
    """Speaks to one person, or through them to their channel."""

    def __init__(self, url: str, looks: Looks) -> None:
        """Speak to `url`, which came with what the person did."""
        self._looks = looks
        kind = _Direct if is_loopback(url) else WebhookClient
        self._client = kind(
            url, timeout=CALL_TIMEOUT, retry_handlers=[], logger=speechless_logger()
        )

    def say(self, message: Message, *, replace: bool = False, everyone: bool = False) -> bool:
        """Show a message, in place of the one that was pressed where `replace`; return whether it is.

        A workspace that refuses charts and tables gets the same answer spelled out.
        """
        rich = message.is_rich and self._looks.rich is not False
        answer = self._send(message, rich, replace=replace, everyone=everyone)
        if rich and answer is not None:
            if answer.status_code != 200 and any(one in answer.body for one in REFUSED):
                rich = False
                answer = self._send(message, rich, replace=replace, everyone=everyone)
            if answer is not None and answer.status_code == 200:
                self._looks.learn(rich=rich)
        if answer is None:
            return False
        if answer.status_code != 200:
            _log.warning(
                "Slack did not take an answer (response_url: status %s)", answer.status_code
            )
        return answer.status_code == 200

    def _send(
        self, message: Message, rich: bool, *, replace: bool, everyone: bool
    ) -> WebhookResponse | None:
        body: dict[str, Any] = {
            "text": message.text,
            "blocks": list(message.shown(rich=rich)),
            "replace_original": replace,
            "response_type": "in_channel" if everyone else "ephemeral",
        }
        try:
            return self._client.send_dict(body)
        except Exception as error:  # noqa: BLE001 - urllib raises many kinds
            _log.warning("An answer could not be shown in Slack (%s)", type(error).__name__)
            return None


class _Direct(WebhookClient):
    """Reaches a loopback address directly; urllib would ask the environment for a proxy."""

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        with direct_opener().open(req, timeout=self.timeout) as answer:
            body = answer.read().decode()
            return WebhookResponse(
                url=url, status_code=answer.status, body=body, headers=answer.headers
            )
