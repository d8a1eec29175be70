"""The pages, from what the daemon knows; everything is read anew whenever somebody asks."""

from __future__ import annotations

import json
import logging
import platform
import sqlite3
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot.engine import Engine
from bot.health.checks import alive, readiness
from bot.health.facts import Check, Facts, Process
from bot.health.server import Answer, Server, plain
from bot.meters import Meters
from bot.schedule import Pulse
from costcompass_core import __version__
from costcompass_core.domain.errors import StorageError
from costcompass_core.domain.quiet import QuietHours
from costcompass_core.domain.rules.views import Limits

if TYPE_CHECKING:
    from bot.health.exposition import Exposition

Known = TypeVar("Known")

_VERSIONS: Final = {
    "version": __version__,
    "python": platform.python_version(),
    "sqlite": sqlite3.sqlite_version,
}
_log: Final = logging.getLogger(__name__)


class Health:
    """Answers for one running daemon, through its reloads; listens nowhere until told to."""

    def __init__(
        self,
        now: Callable[[], datetime],
        pulse: Pulse,
        meters: Meters,
        *,
        engine: Callable[[], Engine],
        locked: Callable[[], bool],
    ) -> None:
        """`engine` is asked anew for each page, and so is whether the vault is `locked`."""
        self._now = now
        self._pulse = pulse
        self._meters = meters
        self._locked = locked
        self._engine = engine
        self._exposition: Exposition
        self._listens_at = ""
        self._server: Server | None = None

    def listen(self, address: str) -> None:
        """Listen at `HOST:PORT` from now on, nowhere if it is empty; as before where that fails.

        Raises `CannotListen`.
        """
        if address == self._listens_at:
            return
        server = self._serve(address) if address else None
        self.close()
        self._listens_at, self._server = address, server

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        self._listens_at, self._server = "", None

    def _serve(self, address: str) -> Server:
        from bot.health.exposition import Exposition  # noqa: PLC0415 - 55 ms, seldom wanted

        self._exposition = Exposition(self._facts)
        pages = {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._metrics}
        return Server(address, pages, self._now)

    def _healthz(self) -> Answer:
        """Say whether the daemon lives: a process whose clock has stopped needs a restart."""
        check = alive(self._process())
        return plain(_status(ok=check.ok), check.reason)

    def _readyz(self) -> Answer:
        """Say whether everything works, and else what does not."""
        now, process = self._now(), self._process()
        questions = self._engine().questions
        known = self._known(lambda: questions.conditions(*self._asked(), now))
        checks = readiness(process, known, self._accounts(), now)
        ready = all(one.ok for one in checks)
        shape = {"ready": ready, "checks": [_shape(one) for one in checks]}
        body = json.dumps(shape, indent=1, ensure_ascii=False).encode() + b"\n"
        return Answer(_status(ok=ready), body, "application/json")

    def _metrics(self) -> Answer:
        """Show everything to Prometheus."""
        from bot.health.exposition import CONTENT_TYPE  # noqa: PLC0415 - loaded by then

        return Answer(HTTPStatus.OK, self._exposition.text(), CONTENT_TYPE)

    def _facts(self) -> Facts:
        """Gather what is shown, as of now."""
        now, process = self._now(), self._process()
        questions = self._engine().questions
        known = self._known(lambda: questions.measures(*self._asked(), now))
        conditions = None if known is None else known.conditions
        checks = readiness(process, conditions, self._accounts(), now)
        return Facts(now, _VERSIONS, self._accounts(), process, checks, known)

    def _process(self) -> Process:
        engine = self._engine()
        slack = engine.config.slack
        used = slack.channel or slack.allowed_users or engine.config.alerts.desk.routes
        return Process(
            self._pulse.silent(),
            not self._pulse.beats(),
            not self._locked(),
            engine.slack.is_connected() if used else None,
            engine.alerting.refused_since,
            self._meters.read(),
        )

    def _accounts(self) -> dict[str, str]:
        return {one.name: one.provider for one in self._engine().config.accounts}

    def _asked(self) -> tuple[list[str], Limits, QuietHours | None]:
        settings = self._engine().alerting.settings
        return list(self._accounts()), settings.limits, settings.desk.quiet

    def _known(self, ask: Callable[[], Known]) -> Known | None:
        """Return what the database says, `None` where it can't be read."""
        try:
            return ask()
        except StorageError as error:
            _log.warning("health can't be read: %s", error)
            return None


def _status(*, ok: bool) -> HTTPStatus:
    return HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE


def _shape(one: Check) -> dict[str, Any]:
    account = {"account": one.account} if one.account else {}
    return {"check": one.check, **account, "ok": one.ok, "reason": one.reason}
