"""The outbox's way into Slack: pages become messages, one call each, errors in our words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from slack_sdk.web import WebClient

from bot.config_alerts import Alerts
from bot.slack import alert_messages, digest_messages
from bot.slack.blocks import Block, Message
from bot.slack.looks import Looks
from bot.slack.web import MessageRefused, explained, web_client
from bot.slack.welcome_message import welcome_message
from costcompass_core.domain.errors import Undelivered
from costcompass_core.domain.incidents import Home
from costcompass_core.domain.letters import TellNotice, TellSummary, TellTest
from costcompass_core.domain.secret import Secret
from costcompass_core.usecases.pages import (
    DigestPage,
    IncidentPage,
    MonthlyPage,
    Page,
    ReplyPage,
    UnrecordedPage,
    WelcomePage,
)

_EVENT: Final = "costcompass"
"""Type of a message's metadata, which carries the delivery's id and nothing secret."""


class SlackTeller:
    """Posts and edits in one workspace; `reveal` is asked for the bot token at every call.

    `credits_urls` says for each account where its balance is topped up.
    """

    def __init__(
        self,
        api_url: str,
        reveal: Callable[[str], Secret],
        now: Callable[[], datetime],
        zone: tzinfo,
        credits_urls: Mapping[str, str],
        *,
        settings: Alerts,
        looks: Looks | None = None,
    ) -> None:
        """Connect nothing yet; `looks` is shared with whoever else speaks to the workspace.

        `settings` are those that a welcome tells.
        """
        self._api_url = api_url
        self._reveal = reveal
        self._now = now
        self._zone = zone
        self._credits_urls = credits_urls
        self._settings = settings
        self._looks = looks or Looks()

    def post(
        self, to: str, page: Page, name: str, *, thread: str = "", broadcast: bool = False
    ) -> Home:
        """Post a page and return where it stands, as far as Slack said. Raises `Undelivered`."""
        more: dict[str, Any] = {
            "metadata": {"event_type": _EVENT, "event_payload": {"id": name}},
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread:
            more |= {"thread_ts": thread, "reply_broadcast": broadcast}
        answer = self._call("chat_postMessage", page, {"channel": to, **more})
        return Home(str(answer["channel"] or to), str(answer["ts"] or ""), thread)

    def edit(self, home: Home, page: Page) -> None:
        """Draw a page where it stands. Raises `MessageGone` where it does not any more."""
        self._call("chat_update", page, {"channel": home.channel, "ts": home.ts})

    def _call(self, method: str, page: Page, arguments: Mapping[str, Any]) -> Any:
        message = self._message(page)
        rich = message.is_rich and self._looks.rich is not False
        try:
            answer = self._once(method, message.text, message.shown(rich=rich), arguments)
        except MessageRefused:  # better plain than not at all
            return self._plainly(method, message, arguments, refused_rich=rich)
        if rich:
            self._looks.learn(rich=True)
        return answer

    def _plainly(
        self, method: str, message: Message, arguments: Mapping[str, Any], *, refused_rich: bool
    ) -> Any:
        """Say it without charts and tables where those were refused, else in its sentence alone."""
        if refused_rich:
            try:
                answer = self._once(method, message.text, message.plain, arguments)
            except MessageRefused:
                pass
            else:
                self._looks.learn(rich=False)
                return answer
        return self._once(method, message.text, (), arguments)

    def _once(
        self, method: str, text: str, blocks: Sequence[Block], arguments: Mapping[str, Any]
    ) -> Any:
        try:
            call = getattr(self._client(), method)
            return call(text=text, blocks=list(blocks), **arguments)
        except Exception as error:  # noqa: BLE001 - the SDK raises many kinds; `explained` knows them
            known, wait = explained(error)
            if isinstance(known, Undelivered):
                raise known from None
            raise Undelivered(
                known.what, known.mend, permanent=known.permanent, wait=wait
            ) from None

    def _client(self) -> WebClient:
        return web_client(self._reveal("slack/bot-token"), self._api_url)

    def _message(self, page: Page) -> Message:  # noqa: PLR0911 - one a page
        now, zone = self._now(), self._zone
        match page:
            case IncidentPage(incident, late):
                url = self._credits_urls.get(incident.key.account, "")
                return alert_messages.incident_message(incident, now, zone, url, late)
            case ReplyPage(incident, what, late):
                return alert_messages.reply_message(incident, what, now, zone, late)
            case TellSummary():
                return alert_messages.summary_message(page, now, zone)
            case TellNotice(notice=notice, late=late):
                return alert_messages.notice_message(notice, now, zone, late)
            case TellTest(who=who):
                return alert_messages.test_message(who, now, zone)
            case UnrecordedPage(key, finding, reason):
                return alert_messages.unrecorded_message(key, finding, reason, now, zone)
            case WelcomePage(found):
                return welcome_message(found, self._settings, now, zone)
            case DigestPage(report, late):
                return digest_messages.digest_message(report, now, zone, late and late.since)
            case MonthlyPage(report, late):
                return digest_messages.monthly_message(report, now, zone, late and late.since)
