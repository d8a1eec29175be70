"""The loopback OpenRouter: real sockets, made-up accounts, and faults on demand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Literal
from urllib.parse import unquote_plus

from bot.sandbox.faults import Faults
from bot.sandbox.loopback import Incoming, Loopback, Wire
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.openrouter_answers import Asker, Question, reply
from bot.sandbox.openrouter_quirks import Quirks
from bot.sandbox.openrouter_shelf import Shelf
from bot.sandbox.wire import refusal

KeyKind = Literal["management", "inference", "unknown", "none"]

_PREFIX: Final = "/api/v1"
_QUERY: Final = "/analytics/query"
_MINUTE: Final = timedelta(minutes=1)
_KEY_FORM: Final = re.compile(r"sk-or-v1-[0-9a-f]{16,}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was received. `path` is below the base URL; the key itself is not kept."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    key_kind: KeyKind


class OpenRouter(Loopback):
    """A running stand-in for `accounts`, whose clock is `now`. Use it as a context manager.

    Closing raises `RuntimeError` if a key ever came in a URL or the stand-in itself failed.
    """

    def __init__(self, now: Callable[[], datetime], accounts: Iterable[StandInAccount]) -> None:
        self.accounts = tuple(accounts)
        self.quirks = Quirks()
        self.shelf = Shelf()
        self.faults = Faults()
        self._now = now
        self._log: list[Request] = []
        self._sent: dict[int, list[datetime]] = {}
        self._leaks = 0
        self._lock = Lock()
        super().__init__(now)

    @property
    def base_url(self) -> str:
        """What goes into `base_url` of an account's configuration."""
        return f"http://{self.address}{_PREFIX}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request so far, in order of arrival."""
        with self._lock:
            return tuple(self._log)

    def _serve(self, incoming: Incoming, wire: Wire) -> bool:
        inside = incoming.path.startswith(f"{_PREFIX}/")
        path, params = incoming.path.removeprefix(_PREFIX), incoming.query
        secret = _bearer(incoming.headers.get("authorization", ""))
        asker = self._find(secret)
        self._note(incoming, path, params, _kind(secret, asker))
        question = Question(
            path,
            params,
            bool(secret),
            asker,
            self._now(),
            self.quirks,
            self.shelf,
            incoming.method,
            incoming.body,
            self._queries(asker) if path == _QUERY else 0,
        )
        if incoming.method != ("POST" if path == _QUERY else "GET"):
            answer = refusal(405)
        else:
            answer = reply(question) if inside else refusal(404)
        fault = self.faults.take(path, params)
        if fault is None:
            wire.send(wire.framed(answer))
            return True
        fault(wire, answer)
        return False

    def _complain(self) -> None:
        if self._leaks:
            raise RuntimeError(f"a key was in the URL of {self._leaks} request(s)")
        super()._complain()

    def _find(self, secret: str) -> Asker | None:
        for account in self.accounts:
            for key in account.keys:
                if key.secret == secret and not (key.revoked or key.disabled):
                    return Asker(account, key)
        return None

    def _queries(self, asker: Asker | None) -> int:
        """Count one more analytics query and return how many came within a minute."""
        now = self._now()
        with self._lock:
            sent = self._sent.setdefault(id(asker.account) if asker else 0, [])
            sent[:] = [one for one in sent if now - one < _MINUTE] + [now]
            return len(sent)

    def _note(
        self, incoming: Incoming, path: str, params: Mapping[str, str], kind: KeyKind
    ) -> None:
        leaked = _KEY_FORM.search(unquote_plus(incoming.target)) is not None
        headers = {n: v for n, v in incoming.headers.items() if n != "authorization"}
        if leaked:
            path, params = "(a key was in this URL)", {}
        with self._lock:
            self._leaks += leaked
            self._log.append(Request(incoming.method, path, params, headers, kind))


def _bearer(authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _kind(secret: str, asker: Asker | None) -> KeyKind:
    if not secret:
        return "none"
    if asker is None:
        return "unknown"
    return "management" if asker.key.management else "inference"
