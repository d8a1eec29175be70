"""Keeps Homes up to date for as long as somebody looks at them, within Slack's rate limits.

Slack says when a Home is opened, never when it is closed, so one opened within a day counts as
looked at. What would look the same is not published again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from threading import Event, Lock, Thread
from typing import Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.slack.blocks import Message
from bot.slack.home_view import View, home, home_page, nothing_for
from bot.slack.looks import Looks
from bot.slack.web import explained
from costcompass_core.domain.errors import CostCompassError, StorageError
from costcompass_core.domain.home import HomeReport
from costcompass_core.storage.homes import note_opened, note_shown, viewers
from costcompass_core.storage.store import Store

_LOOKED_AT: Final = timedelta(days=1)
"""How long after it was opened a Home is kept up to date."""
_EVERY: Final = 300.0
"""Seconds after which Homes are looked through though nothing was said to have changed."""
_APART: Final = 3.0
"""Seconds between two rounds, so that a burst of changes becomes one."""
_PACE: Final = 1.0
"""Seconds between two calls of a round; views.publish allows 100 and more a minute."""
_DENIED: Final = (
    "Sorry, you are not on the list of people who may use CostCompass. Please ask its owner to add "
    "your member ID to allowed_users in the [slack] section."
)
_REFUSED: Final = frozenset({"invalid_arguments", "invalid_blocks"})
_log: Final = logging.getLogger(__name__)


class Homes:
    """Publishes Homes: at once to whoever opens theirs, and again when what is shown has changed."""

    def __init__(
        self,
        store: Store,
        report: Callable[[datetime], HomeReport],
        client: Callable[[], WebClient],
        now: Callable[[], datetime],
        *,
        zone: tzinfo,
        credits_urls: Mapping[str, str],
        allowed_users: Collection[str],
        looks: Looks,
    ) -> None:
        """Publish nothing yet; `client` reveals the bot token at every call."""
        self._store = store
        self._report = report
        self._client = client
        self._now = now
        self._zone = zone
        self._credits_urls = credits_urls
        self._allowed = frozenset(allowed_users)
        self._looks = looks
        self._changed = Event()
        self._stopping = Event()
        self._one = Lock()
        self._thread = Thread(target=self._run, name="slack-homes", daemon=True)

    def start(self) -> None:
        """Begin to keep Homes up to date."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Let a call that is under way end, within `timeout` seconds."""
        self._stopping.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def changed(self) -> None:
        """Note that something may look different now."""
        self._changed.set()

    def opened(self, member: str) -> None:
        """Show a member their Home, who is looking at it now; figures only to those who may see them."""
        if member not in self._allowed:
            self._publish(member, nothing_for(_DENIED))
            return
        now = self._now()
        try:
            with self._store.writing() as tx:
                note_opened(tx, member, now)
        except StorageError as error:
            _log.warning("an open Home is not noted: %s", error)
        self.note(member, "")

    def note(self, member: str, note: str) -> None:
        """Show a member their Home, with a line of what is going on where there is something."""
        if member not in self._allowed:
            return
        try:
            self._show(member, self._page(note))
        except StorageError as error:
            _log.warning("a Home could not be shown: %s", error)

    def _page(self, note: str = "") -> Message:
        now = self._now()
        return home_page(self._report(now), now, self._zone, self._credits_urls, note)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._changed.wait(_EVERY)
            if self._stopping.wait(_APART):
                return
            self._changed.clear()
            try:
                self._round()
            except CostCompassError as error:
                _log.warning("Homes are not up to date: %s", error)
            except Exception:  # noqa: BLE001 - the thread must outlive every surprise
                if not self._stopping.is_set():
                    _log.exception("Homes are not up to date")

    def _round(self) -> None:
        with self._store.reading() as tx:
            looking = [
                one for one in viewers(tx, self._now() - _LOOKED_AT) if one.member in self._allowed
            ]
        if not looking:
            return
        page = self._page()
        for one in looking:
            if one.shown == _fingerprint(page):
                continue
            wait = self._show(one.member, page)
            if self._stopping.wait(max(wait, _PACE)):
                return

    def _show(self, member: str, page: Message) -> float:
        """Publish a page to a member and return the seconds that Slack wants us to wait then."""
        rich = page.is_rich and self._looks.rich is not False
        error, wait = self._publish(member, home(page, rich=rich))
        if rich and error in _REFUSED:
            error, wait = self._publish(member, home(page, rich=False))
            if not error:
                self._looks.learn(rich=False)
        elif rich and not error:
            self._looks.learn(rich=True)
        if not error:
            with self._store.writing() as tx:
                note_shown(tx, member, _fingerprint(page), self._now())
        return wait

    def _publish(self, member: str, view: View) -> tuple[str, float]:
        """Publish a view; return Slack's word where that failed, and the seconds to wait."""
        with self._one:  # two at once could end in the wrong order
            try:
                self._client().views_publish(user_id=member, view=view)
            except Exception as error:  # noqa: BLE001 - the SDK raises many kinds; `explained` knows them
                known, wait = explained(error)
                code = ""
                if isinstance(error, SlackApiError) and isinstance(error.response.data, dict):
                    code = str(error.response.data.get("error", ""))
                if code not in _REFUSED:
                    _log.warning("a Home could not be shown: %s", known)
                return code or "failed", wait
        return "", 0.0


def _fingerprint(page: Message) -> str:
    return sha256(json.dumps(page.blocks, sort_keys=True).encode()).hexdigest()[:16]
