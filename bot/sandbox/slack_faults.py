"""What may go wrong between us and Slack, to be planned for the next calls of a method."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Fault:
    """One spoilt answer; `status` 0 hangs up instead, `accepted` does what was asked before.

    `status` `None` gives the true answer. Without an `error`, `body` is the answer, a page where it
    is empty. Everything comes after `pause` seconds, and if `cut` only half of what was promised.
    """

    status: int | None
    error: str = ""
    retry_after: int = 0
    accepted: bool = False
    pause: float = 0.0
    cut: bool = False
    body: str = ""


def lost_answer() -> Fault:
    """The call takes effect and its answer never arrives."""
    return Fault(0, accepted=True)


def hang_up() -> Fault:
    """The connection breaks before anything takes effect."""
    return Fault(0)


def rate_limited(retry_after: int = 1) -> Fault:
    """429 with the seconds to wait."""
    return Fault(429, "ratelimited", retry_after)


def server_error(status: int = 500, *, accepted: bool = False) -> Fault:
    """A 5xx page that is no JSON, before or after the call took effect."""
    return Fault(status, accepted=accepted)


def html(*, accepted: bool = False) -> Fault:
    """200 with a page instead of JSON, as from a proxy that wants somebody to log in."""
    return Fault(200, accepted=accepted)


def says(body: str, *, accepted: bool = False) -> Fault:
    """200 with this body, such as JSON that is nothing Slack ever documented."""
    return Fault(200, accepted=accepted, body=body)


def slow(seconds: float) -> Fault:
    """The call takes effect and its true answer comes after `seconds`."""
    return Fault(None, accepted=True, pause=seconds)


def truncated() -> Fault:
    """The call takes effect and half of its true answer arrives."""
    return Fault(None, accepted=True, cut=True)


def silent(seconds: float = 30.0, *, accepted: bool = False) -> Fault:
    """Nothing comes until the client gives up; after `seconds` the connection ends."""
    return Fault(0, accepted=accepted, pause=seconds)


def refusal(error: str) -> Fault:
    """Slack's own `ok: false` with this word, such as `account_inactive`."""
    return Fault(200, error)


class Faults:
    """The faults planned for each method; "link" is the WebSocket handshake."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = {}
        self._lasting: dict[str, Fault] = {}
        self._lock = Lock()

    def plan(self, method: str, fault: Fault, times: int | None = 1) -> None:
        """Spoil the next `times` calls, or with `None` every call until `clear`."""
        with self._lock:
            if times is None:
                self._lasting[method] = fault
            else:
                self._planned.setdefault(method, deque()).extend([fault] * times)

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._planned.clear()
            self._lasting.clear()

    def next(self, method: str) -> Fault | None:
        """Take the fault of this call, if one is planned."""
        with self._lock:
            planned = self._planned.get(method)
            return planned.popleft() if planned else self._lasting.get(method)
