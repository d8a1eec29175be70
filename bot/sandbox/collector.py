"""A receiver of webhooks and heartbeats on 127.0.0.1: it keeps what comes and fails on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.sandbox.faults import Faults
from bot.sandbox.loopback import Incoming, Loopback, Wire
from bot.sandbox.wire import Answer

_TAKEN: Final = Answer(200, b"ok", {"Content-Type": "text/plain"})


@dataclass(frozen=True, slots=True)
class Received:
    """One request; header names are in lower case, `json` is `None` where the body is no JSON.

    `taken` says whether it got the good answer, or a fault was played instead.
    """

    at: datetime
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    json: Any
    taken: bool


class Collector(Loopback):
    """A running receiver; every address below `url` is good. Use it as a context manager.

    Every request is kept before `faults` are played, so a lost answer is `faults.hang_up`.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.faults = Faults()
        self._now = now
        self._received: list[Received] = []
        super().__init__(now)
        self.url = f"http://{self.address}/"

    @property
    def requests(self) -> tuple[Received, ...]:
        """Every request so far, in order of arrival."""
        return tuple(self._received)

    def _serve(self, incoming: Incoming, wire: Wire) -> bool:
        path, query = incoming.path, incoming.query
        fault = self.faults.take(path, query)
        said = (incoming.headers, incoming.body, _decoded(incoming.body))
        self._received.append(
            Received(self._now(), incoming.method, path, query, *said, taken=fault is None)
        )
        if fault is None:
            wire.send(wire.framed(_TAKEN))
            return True
        fault(wire, _TAKEN)
        return False


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
