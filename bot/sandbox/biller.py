"""What the stand-ins of billing APIs share: one key, a log of requests, faults, days of cost."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from threading import Lock
from typing import ClassVar, Literal
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from bot.sandbox.faults import Faults
from bot.sandbox.loopback import Incoming, Loopback, Wire
from bot.sandbox.wire import Answer

KeyKind = Literal["right", "wrong type", "unknown", "none"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it was received; `path` is below the base URL, the key itself is not kept."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    key: KeyKind

    def values(self, name: str) -> list[str]:
        """Return every value of a field of the query."""
        return [value for field, value in self.params if field == name]

    def value(self, name: str, default: str = "") -> str:
        """Return the first value of a field of the query."""
        return next(iter(self.values(name)), default)


class Biller(Loopback):
    """A running stand-in of one provider's billing API. Use it as a context manager.

    `RIGHT` is the key that may read costs, `WRONG` one of the same provider that may not. Closing
    raises `RuntimeError` if a key ever came in a URL or the stand-in itself failed.
    """

    PREFIX: ClassVar[str] = ""
    """The path below which the API lives."""
    RIGHT: ClassVar[str]
    WRONG: ClassVar[str | None] = None

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.faults = Faults()
        self.now = now
        self.spent: dict[date, Decimal] = {}
        """What each UTC day cost (USD): the whole of what this account did."""
        self._log: list[Asked] = []
        self._leaks = 0
        self._lock = Lock()
        super().__init__(now)

    def spend(self, day: date, usd: str) -> None:
        """Let a UTC day have cost `usd` in all."""
        self.spent[day] = Decimal(usd)

    @property
    def base_url(self) -> str:
        """What goes into `base_url` of an account's configuration."""
        return f"http://{self.address}{self.PREFIX}"

    @property
    def requests(self) -> tuple[Asked, ...]:
        """Every request so far, in order of arrival."""
        with self._lock:
            return tuple(self._log)

    @abstractmethod
    def answer(self, asked: Asked) -> Answer:
        """Answer a request that came with the right key."""

    @abstractmethod
    def refuse(self, kind: KeyKind) -> Answer:
        """Answer a request with any other key, in the provider's words."""

    def secret(self, headers: Mapping[str, str]) -> str:
        """Return the key that a request carries; header names are in lower case."""
        return headers.get("authorization", "").removeprefix("Bearer ")

    def _serve(self, incoming: Incoming, wire: Wire) -> bool:
        asked = self._note(incoming)
        answer = self.answer(asked) if asked.key == "right" else self.refuse(asked.key)
        fault = self.faults.take(asked.path, dict(asked.params))
        if fault is None:
            wire.send(wire.framed(answer))
            return True
        fault(wire, answer)
        return False

    def _note(self, incoming: Incoming) -> Asked:
        secret = self.secret(incoming.headers)
        kind: KeyKind = "unknown" if secret else "none"
        if secret == self.RIGHT:
            kind = "right"
        elif secret and secret == self.WRONG:
            kind = "wrong type"
        keys = [key for key in (self.RIGHT, self.WRONG) if key]
        leaked = any(key in unquote_plus(incoming.target) for key in keys)
        query = urlsplit(incoming.target).query
        hidden = {"authorization", "x-api-key"}
        asked = Asked(
            incoming.method,
            "(a key was in this URL)" if leaked else incoming.path.removeprefix(self.PREFIX),
            () if leaked else tuple(parse_qsl(query, keep_blank_values=True)),
            {name: value for name, value in incoming.headers.items() if name not in hidden},
            incoming.body,
            kind,
        )
        with self._lock:
            self._leaks += leaked
            self._log.append(asked)
        return asked

    def _complain(self) -> None:
        if self._leaks:
            raise RuntimeError(f"a key was in the URL of {self._leaks} request(s)")
        super()._complain()
