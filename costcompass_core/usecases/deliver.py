"""Deliver: tell what the outbox holds, then mark it as told.

Posting comes before marking: whoever dies in between tells once more, never less. What the database
refuses to note is remembered here until it takes it, and holds nothing else back.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from costcompass_core.domain.errors import StorageError, Undelivered
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.letters import (
    Desk,
    Letter,
    TellIncident,
    Telling,
    TellSummary,
    retry_at,
)
from costcompass_core.domain.outbox import is_put_off, plan
from costcompass_core.storage import outbox
from costcompass_core.storage.incidents import incident_at, incidents_by_id
from costcompass_core.storage.store import Store
from costcompass_core.usecases.tell import Mark, Reports, Teller, done, stands, tell

_log: Final = logging.getLogger(__name__)


@dataclass
class Delivery:
    """The sender of one way out. One thread at a time."""

    store: Store
    now: Callable[[], datetime]
    stopping: Callable[[], bool] = lambda: False
    """Asked before every message: once it returns true, no other is begun."""
    _unmarked: list[Mark] = field(default_factory=list)
    _newer: dict[int, Letter | None] = field(default_factory=dict)
    """Letters by id of which the database has not noted that they failed, or (`None`) were told."""
    _not_before: datetime | None = None
    """Until when (UTC) the other side wants to be left alone altogether."""
    _nowhere_said: bool = False

    def to_slack(self, desk: Desk, teller: Teller, reports: Reports) -> bool:
        """Tell what is due in Slack; return whether there may be more to tell at once.

        Raises `StorageError` where nothing can be read.
        """
        self._make_good()
        now = self.now()
        if is_put_off(self._not_before, now):
            return False
        with self.store.reading() as tx:
            letters = self._waiting(tx, "slack")
            idents = {one.incident for one in letters if one.incident is not None}
            incidents = incidents_by_id(tx, idents)
        told = False
        for telling in plan(self._known(letters, incidents), incidents, desk, now):
            if self.stopping():
                return False
            if self._unmarked and not isinstance(telling, TellIncident | TellSummary):
                continue  # what can't be marked may come twice, which only an alert is worth
            if not telling.to and not stands(telling):
                self._close(telling)
                continue
            act = partial(tell, telling, teller, reports, self.now(), self.stopping)
            failure = self._try(telling.letters, act)
            if failure is not None and failure.wait:
                return False
            told = told or failure is None
        return told

    def to_webhook(
        self, send: Callable[[Any], None], shape: Callable[[Letter, Incident | None], Any]
    ) -> None:
        """Send what is due to the webhook, oldest first, `shape` making the JSON of each letter.

        Raises `StorageError` where nothing can be read.
        """
        self._make_good()
        with self.store.reading() as tx:
            waiting = [
                (one, incident_at(tx, one.incident, one.seq) if one.incident else None)
                for one in self._waiting(tx, "webhook")
            ]

        def act(letter: Letter, incident: Incident | None) -> Mark:
            if not letter.can_be_told(incident=incident is not None):
                raise _untellable()
            send(shape(letter, incident))
            return done((letter,), self.now())

        for letter, incident in waiting:
            if self.stopping():
                return
            if is_put_off(letter.try_at, self.now()):
                if letter.parked:
                    continue
                return  # the next one is to arrive after this one
            failure = self._try((letter,), partial(act, letter, incident))
            if failure is not None and not failure.permanent:
                return

    def _waiting(self, tx: sqlite3.Connection, via: outbox.Via) -> list[Letter]:
        """Return the letters that wait, as we know them and not as the database does."""
        letters = (self._newer.get(one.ident, one) for one in outbox.waiting(tx, via))
        return [one for one in letters if one is not None]

    def _known(self, letters: Iterable[Letter], incidents: Mapping[int, Incident]) -> list[Letter]:
        """Return the letters that this version can tell; others are parked, so that people know."""
        known = []
        for one in letters:
            if one.can_be_told(incident=one.incident in incidents):
                known.append(one)
            elif not is_put_off(one.try_at, self.now()):
                self._put_off((one,), _untellable())
        return known

    def _close(self, telling: Telling) -> None:
        """Let go of what has no place to go to; open incidents are told once there is one."""
        if not self._nowhere_said:
            name = telling.letters[0].name
            _log.warning("%s goes nowhere: set [slack] channel, or a [[route]] that takes it", name)
        self._nowhere_said = True
        self._told(telling.letters, done(telling.letters, self.now()))

    def _try(
        self, letters: tuple[Letter, ...], act: Callable[[], Mark | None]
    ) -> Undelivered | None:
        """Tell, note how that went, and return what went wrong."""
        try:
            mark = act()
        except Undelivered as error:
            failure = error
        except StorageError as error:  # a report could not be made
            failure = Undelivered(error.what, error.mend)
        except Exception:  # noqa: BLE001 - no letter may hold back the others
            if not all(one.parked for one in letters):  # once is enough, it is tried every hour
                _log.exception("%s can't be told", letters[0].name)
            failure = _untellable()
        else:
            if mark is not None:
                self._told(letters, mark)
            return None
        self._put_off(letters, failure)
        return failure

    def _told(self, letters: Iterable[Letter], mark: Mark) -> None:
        self._note(mark, dict.fromkeys(one.ident for one in letters))

    def _put_off(self, letters: tuple[Letter, ...], error: Undelivered) -> None:
        """Note a failure, and when to try again."""
        now, parked = self.now(), error.permanent
        tries = max(one.tries for one in letters) + 1
        again = retry_at(now, tries, error.wait, parked=parked)
        if tries == 1 or parked:
            _log.warning("%s was not told: %s", letters[0].name, error)
        self._not_before = again if error.wait else None
        self._note(
            lambda tx: outbox.failed(tx, letters, again, str(error), parked=parked),
            {
                one.ident: replace(one, tries=one.tries + 1, try_at=again, parked=parked)
                for one in letters
            },
        )

    def _note(self, mark: Mark, newer: Mapping[int, Letter | None]) -> None:
        self._unmarked.append(mark)
        self._newer |= newer
        if error := self._make_good():
            _log.error("what became of a message can't be noted: %s", error)

    def _make_good(self) -> StorageError | None:
        """Note what the database refused to before; return its error where it still does."""
        try:
            while self._unmarked:
                with self.store.writing() as tx:
                    self._unmarked[0](tx)
                self._unmarked.pop(0)
        except StorageError as error:
            return error
        self._newer.clear()
        return None


def _untellable() -> Undelivered:
    return Undelivered("this version can't tell it", "update costcompass", permanent=True)
