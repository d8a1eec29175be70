"""Everything that can go wrong between a provider and us, on demand.

A fault is a function that plays on the wire in place of the true answer, which it is given. After
one the connection is closed. Those that take their time end at once when the stand-in closes.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock

from bot.sandbox.loopback import Wire
from bot.sandbox.wire import JSON_TYPE, Answer, json_text, refusal

Fault = Callable[[Wire, Answer], None]

_MEBI = 1 << 20


@dataclass(slots=True)
class _Plan:
    path: str
    params: Mapping[str, str]
    fault: Fault
    left: int | None


class Faults:
    """Which requests go wrong, and how; the plan made first is played first."""

    def __init__(self) -> None:
        self._plans: list[_Plan] = []
        self._lock = Lock()

    def add(
        self,
        path: str,
        *faults: Fault,
        times: int | None = 1,
        where: Mapping[str, str] | None = None,
    ) -> None:
        """Play each of `faults` `times` times (`None`: until `clear`) to requests below `path`.

        "/key" does not mean "/keys", "/" means all. `where` asks for these query parameters too.
        """
        with self._lock:
            self._plans += [_Plan(path.rstrip("/"), where or {}, fault, times) for fault in faults]

    def clear(self) -> None:
        """Forget every plan."""
        with self._lock:
            self._plans.clear()

    def take(self, path: str, params: Mapping[str, str]) -> Fault | None:
        """Return the fault to play to this request, counting it."""
        with self._lock:
            for plan in self._plans:
                if f"{path}/".startswith(f"{plan.path}/") and plan.params.items() <= params.items():
                    if plan.left is not None:
                        plan.left -= 1
                        if not plan.left:
                            self._plans.remove(plan)
                    return plan.fault
        return None


# -- answers that are whole, but not the one hoped for ------------------------------------------


def status(code: int, message: str = "", headers: Mapping[str, str] | None = None) -> Fault:
    """Refuse with `code`; without `message`, in OpenRouter's usual words for it."""
    return _instead(refusal(code, message, headers))


def rate_limited(retry_after: str | None = None) -> Fault:
    """429, with whatever `Retry-After` it should carry, sense or nonsense."""
    return status(429, headers=None if retry_after is None else {"Retry-After": retry_after})


def html(code: int = 502) -> Fault:
    """A page of the proxy in front, such as Cloudflare's 502, or a login page with 200."""
    page = b"<html><head><title>cloudflare</title></head><body>Bad gateway</body></html>"
    return raw(page, code, {"Content-Type": "text/html; charset=UTF-8"})


def error_in_ok(code: int = 502, message: str = "Provider returned error") -> Fault:
    """200 whose body is an error."""
    return raw(json_text({"error": {"message": message, "code": code}}).encode())


def raw(body: bytes, code: int = 200, headers: Mapping[str, str] | None = None) -> Fault:
    """Exactly these bytes: NaN, 1e400, duplicate keys, deep nesting, or no JSON at all."""
    return _instead(Answer(code, body, headers or {"Content-Type": JSON_TYPE}))


def redirect(location: str, code: int = 302) -> Fault:
    """Send the client elsewhere, key and all if it follows."""
    return raw(b"", code, {"Location": location})


def edited(change: Callable[[str], str]) -> Fault:
    """The true answer with its JSON text changed."""
    return _rewritten(lambda answer: replace(answer, body=change(answer.body.decode()).encode()))


def recoded(encoding: str) -> Fault:
    """The true answer in another encoding: "utf-16", or "utf-8-sig" for a byte order mark."""
    return _rewritten(lambda answer: replace(answer, body=answer.body.decode().encode(encoding)))


def labelled(content_type: str) -> Fault:
    """The true answer under another content type."""
    return _rewritten(lambda answer: replace(answer, headers={"Content-Type": content_type}))


def compressed() -> Fault:
    """The true answer gzipped, whatever encoding was asked for."""
    return _rewritten(
        lambda answer: replace(
            answer,
            body=gzip.compress(answer.body),
            headers={**answer.headers, "Content-Encoding": "gzip"},
        )
    )


def _instead(other: Answer) -> Fault:
    return _rewritten(lambda _: other)


def _rewritten(change: Callable[[Answer], Answer]) -> Fault:
    return lambda wire, answer: wire.send(wire.framed(change(answer)))


# -- answers too big ----------------------------------------------------------------------------


def huge_header(size: int = 300_000) -> Fault:
    """The true answer with a header of `size` bytes."""
    filler = "a" * size
    return _rewritten(lambda a: replace(a, headers={**a.headers, "X-Filler": filler}))


def huge_body(size: int = 256 * _MEBI) -> Fault:
    """Well-formed JSON of `size` bytes of white space, streamed until the client hangs up."""

    def play(wire: Wire, answer: Answer) -> None:
        wire.send(wire.head(replace(answer, status=200), connection="close"))
        for _ in range(0, size, 1 << 16):
            wire.send(b" " * (1 << 16))
        wire.send(b'{"data":[]}')

    return play


def gzip_bomb(size: int = 64 * _MEBI) -> Fault:
    """A small gzipped body that unpacks to `size` bytes, whatever encoding was asked for."""

    def play(wire: Wire, answer: Answer) -> None:
        packer = zlib.compressobj(wbits=31)
        packed = b"".join(packer.compress(b" " * _MEBI) for _ in range(0, size, _MEBI))
        body = packed + packer.compress(b'{"data":[]}') + packer.flush()
        headers = {**answer.headers, "Content-Encoding": "gzip"}
        wire.send(wire.framed(Answer(200, body, headers)))

    return play


# -- connections that break or stall ------------------------------------------------------------


def truncated(wire: Wire, answer: Answer) -> None:
    """Promise the whole body by its length, send half of it."""
    framed = wire.framed(answer)
    wire.send(framed[: len(framed) - (len(answer.body) + 1) // 2])


def truncated_unframed(wire: Wire, answer: Answer) -> None:
    """Promise no length and end in the middle."""
    wire.send(wire.head(answer, connection="close") + answer.body[: len(answer.body) // 2])


def hang_up(_wire: Wire, _answer: Answer) -> None:
    """Close without a word."""


def reset(wire: Wire, _answer: Answer) -> None:
    """Break the connection with an RST."""
    wire.reset()


def silence(wire: Wire, _answer: Answer) -> None:
    """Say nothing for as long as the client stays."""
    wire.wait()


def late(seconds: float) -> Fault:
    """Give the true answer after `seconds`."""

    def play(wire: Wire, answer: Answer) -> None:
        wire.wait(seconds)
        wire.send(wire.framed(answer))

    return play


def drip_headers(pause: float = 0.1) -> Fault:
    """Give the true answer a byte at a time, from the first."""
    return lambda wire, answer: _drip(wire, wire.framed(answer), pause)


def drip_body(pause: float = 0.1) -> Fault:
    """Give the headers at once and then the body a byte at a time."""

    def play(wire: Wire, answer: Answer) -> None:
        wire.send(wire.head(answer, content_length=str(len(answer.body))))
        _drip(wire, answer.body, pause)

    return play


def _drip(wire: Wire, data: bytes, pause: float) -> None:
    for position in range(len(data)):
        wire.send(data[position : position + 1])
        wire.wait(pause)
