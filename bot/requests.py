"""What the daemon is asked over its control socket, and what it answers."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any, Final

from bot.config import Config
from bot.declaring import REQUESTS, carry_out
from bot.engine import Engine
from bot.keyring import Keyring
from bot.terminal.shapes import moment_shape
from costcompass_core import __version__
from costcompass_core.domain.errors import Unavailable, UsageError
from costcompass_core.domain.secret import Secret
from costcompass_core.storage.store import Store

_TEST_PATIENCE: Final = 20.0
"""Seconds that a test alert may take to arrive."""
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration that holds, since when, and why a newer one does not."""

    config: Config
    at: datetime
    error: str = ""


class Requests:
    """Answers requests; which engine does the work changes with each reload."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        now: Callable[[], datetime],
        *,
        started: datetime,
        stopping: Event,
        engine: Callable[[], Engine],
        loaded: Callable[[], Loaded],
    ) -> None:
        """`engine` and `loaded` are asked anew for each request."""
        self._store = store
        self._keyring = keyring
        self._now = now
        self._started = started
        self._stopping = stopping
        self._engine = engine
        self._loaded = loaded

    def answer(self, request: Mapping[str, Any], progress: Callable[[str], None]) -> Any:
        """Return the answer as JSON values. Raises `CostCompassError` for what is refused."""
        wanted = request.get("do")
        if wanted == "status":
            return self._status()
        if wanted == "unlock":
            return self._unlock(Secret(str(request.get("passphrase", ""))))
        if wanted == "refresh":
            return self._engine().reader.asked(request, progress)
        if wanted == "alert test":
            return self._test_alert()
        if wanted in REQUESTS:
            told = carry_out(self._store, request, self._now())
            self._engine().slack.changed()
            return told
        raise UsageError(f"the daemon knows no request {wanted!r}")

    def _test_alert(self) -> dict[str, Any]:
        alerting = self._engine().alerting
        outcome = alerting.outcome(alerting.test(), self._stopping, _TEST_PATIENCE)
        if not outcome["told"]:
            raise Unavailable(outcome["error"] or "the test alert has not been taken yet")
        return outcome

    def _unlock(self, passphrase: Secret) -> dict[str, Any]:
        self._keyring.unlock(passphrase)
        self._engine().unlocked()
        _log.info("the vault is unlocked")
        return self._status()

    def _status(self) -> dict[str, Any]:
        loaded = self._loaded()
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started_at": moment_shape(self._started),
            "config": {
                "path": loaded.config.path and str(loaded.config.path.absolute()),
                "sha256": loaded.config.digest,
                "loaded_at": moment_shape(loaded.at),
                "error": loaded.error or None,
            },
            "vault": "locked" if self._keyring.is_locked else "unlocked",
            **self._engine().status(),
        }
