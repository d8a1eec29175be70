"""The HTTP edge, and the only module that knows httpx: what others answer is read with suspicion.

Whatever a server does, a call ends in bounded time and memory, with decoded JSON or one of our
errors, and no error or log line holds the key. Environment variables (proxies, certificate
bundles) and redirects are ignored, because either could carry the key to another host.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import urlencode, urlsplit

from costcompass_core import __version__
from costcompass_core.domain.errors import (
    ConfigError,
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
)
from costcompass_core.providers import strict_json
from costcompass_core.providers.address import parts_of, private
from costcompass_core.providers.base import Answer, Params, Refusals
from costcompass_core.providers.deadline import Deadline
from costcompass_core.providers.pace import Pace
from costcompass_core.providers.quoting import quoting
from costcompass_core.providers.reply import Failure, Reply, judge

if TYPE_CHECKING:
    import ssl

    import httpx

# At DEBUG these two write response headers, cookies among them, and at INFO whole addresses.
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.WARNING)

_SECRET_CHARACTERS: Final = 8
"""Words of a header value from this length on are hidden; shorter ones are schemes (`Bearer`)."""
_FIRST_PAUSE_SECONDS: Final = 1.0
_FORM: Final = "application/x-www-form-urlencoded"
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a few compressed kilobytes can hide a gigabyte
    "User-Agent": f"costcompass/{__version__}",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience and memory one call gets."""

    deadline: float = 30.0
    """Seconds for one attempt, from connecting to the last byte."""
    body_bytes: int = 32 * 1024 * 1024
    """With 0 an answer is complete with its headers."""
    attempts: int = 3
    longest_wait: float = 60.0
    """Seconds between two attempts; a server that asks for more ends the call."""


class Line:
    """The way to one host: an exchange ends in bounded time and memory and follows no redirect.

    `quote` makes a stranger's words fit to print; `setting` names what the address was read from.
    """

    def __init__(self, limits: Limits, quote: Callable[[str], str], setting: str) -> None:
        import httpx  # noqa: PLC0415 - a tenth of a second that most commands need not spend

        self._limits = limits
        self._quote = quote
        self._setting = setting
        self._deadline = Deadline(limits.deadline)
        self._transport = httpx.HTTPTransport(
            verify=certificates(), trust_env=False, limits=httpx.Limits(max_connections=1)
        )

    def close(self) -> None:
        """Give the connection back."""
        self._transport.close()
        self._deadline.hang_up()

    def hang_up(self) -> None:
        """Make the next exchange use a fresh connection."""
        self._deadline.hang_up()

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], where: str, content: bytes = b""
    ) -> Reply | Failure:
        """Send one request and read all of its answer, or say what went wrong on the way."""
        import httpx  # noqa: PLC0415 - as in __init__

        deadline = self._limits.deadline
        request = httpx.Request(
            method,
            url,
            headers={**_HEADERS, **headers},
            content=content,
            extensions={
                # Each address of a host gets the time to connect, so it is only a part of all.
                "timeout": httpx.Timeout(deadline, connect=deadline / 3).as_dict(),
                "trace": self._deadline.trace,
            },
        )
        reply, why, slow = None, "", False
        try:
            with self._deadline.running():
                reply = self._read(request, where)
        except httpx.LocalProtocolError:
            why = "the request cannot be sent"  # its own text can hold the key
        except (httpx.HTTPError, OSError) as error:
            why, slow = self._quote(str(error)), isinstance(error, httpx.TimeoutException)
        # Out of the handler, so that our errors do not drag the library's along as their context.
        if slow or self._deadline.passed:
            self._deadline.hang_up()
            return Failure(Unavailable(f"{where} gave no full answer within {deadline:g} s"))
        if reply is not None:
            return reply
        untrusted = "CERTIFICATE_VERIFY_FAILED" in why
        clock = f"check {self._setting} and this machine's clock"
        return Failure(
            Unavailable(
                f"{where} cannot be reached or broke off ({why})",
                clock if untrusted else "check the network",
            ),
            again=not untrusted,
        )

    def _read(self, request: httpx.Request, where: str) -> Reply:
        response = self._transport.handle_request(request)
        try:
            body = bytearray()
            for chunk in response.iter_raw() if self._limits.body_bytes else ():
                body += chunk
                if len(body) > self._limits.body_bytes:
                    raise UnreadableAnswer(
                        f"{where} answered with more than {self._limits.body_bytes} bytes"
                    )
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, bytes(body))


class Http:
    """A `base.Client` below one base URL with one account's headers; for one thread at a time.

    `wait(seconds)` pauses between attempts and returns true when the program is stopping (an
    `Event.wait`); `jitter` returns a number from 0 to 1. `pace` holds back what is posted, and
    `refusals` are how this provider says no. Close it, or use it in a `with`.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        wait: Callable[[float], bool],
        limits: Limits = Limits(),
        jitter: Callable[[], float] = random.random,
        pace: Pace | None = None,
        options: Mapping[str, str] | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        """Raise `ConfigError` for an unsafe address, `KeyRejected` for a key no header can hold."""
        self._base_url = check_base_url(base_url)
        self._host = urlsplit(self._base_url).netloc
        if not possible(self._base_url):
            raise ConfigError(f"base_url names no host that can exist: {self._host}")
        if not all(_sendable(value) for value in headers.values()):
            raise KeyRejected(
                f"the key for {self._host} holds characters that no key has",
                "store it again: costcompass vault add",
            )
        self._headers = dict(headers)
        words = " ".join(headers.values()).split()
        self._quote = quoting(word for word in words if len(word) >= _SECRET_CHARACTERS)
        self._wait = wait
        self._limits = limits
        self._jitter = jitter
        self._pace = pace
        self._refusals = refusals
        self.options: Mapping[str, str] = options or {}
        """What the account's configuration says beside its name."""
        self.server_time: datetime | None = None
        """The server's own clock (UTC) as of its newest good answer, where it sent one."""
        self._line = Line(limits, self._quote, "base_url")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()

    def get(self, path: str, params: Params | None = None) -> Answer:
        """GET `path` and decode it, asking again where that can help; see `base.Client.get`."""
        return self._ask(_Question("GET", path, _query(params)))

    def get_lines(self, path: str, params: Params | None = None) -> Answer:
        """GET `path`, likewise, and decode each of its lines; see `base.Client.get_lines`."""
        return self._ask(_Question("GET", path, _query(params), decode=strict_json.decode_lines))

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """POST `body` as JSON, likewise, at the pace that is allowed; see `base.Client.post`."""
        return self._ask(_Question("POST", path, content=json.dumps(body).encode()))

    def post_form(self, path: str, fields: Mapping[str, str]) -> Answer:
        """POST `fields` as a form, likewise; see `base.Client.post_form`."""
        return self._ask(_Question("POST", path, content=urlencode(fields).encode(), kind=_FORM))

    def _ask(self, question: _Question) -> Answer:
        where = self._host + urlsplit(self._base_url).path + question.path
        attempt = 1
        while isinstance(outcome := self._attempt(question, where), Failure):
            pause = self._pause(attempt, outcome.after)
            patient = attempt < self._limits.attempts and pause <= self._limits.longest_wait
            if not (outcome.again and patient):
                raise outcome.error
            self._line.hang_up()  # servers tend to leave after a fault; ask on a fresh line
            if self._wait(pause):
                raise Unavailable(f"{where}: stopping, so not asked again")
            attempt += 1
        self.server_time = outcome.server_time or self.server_time
        return outcome

    def _pause(self, attempt: int, after: float | None) -> float:
        """Return the seconds to wait: doubling, jittered, and never less than the server asked."""
        backoff = _FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1) * (0.5 + self._jitter() / 2)
        return max(min(backoff, self._limits.longest_wait), after or 0.0)

    def _attempt(self, question: _Question, where: str) -> Answer | Failure:
        headers, content = self._headers, question.content
        url = self._base_url + question.path + question.query
        if content:
            headers = {**headers, "Content-Type": question.kind}
            pause = self._pace.reserve() if self._pace else 0.0
            if pause and self._wait(pause):
                raise Unavailable(f"{where}: stopping, so not asked")
        reply = self._line.exchange(question.method, url, headers, where, content)
        if isinstance(reply, Failure):
            return reply
        return judge(reply, where, self._quote, self._refusals, question.decode)


class _Question(NamedTuple):
    """One request below the base URL; `decode` understands a good answer to it."""

    method: str
    path: str
    query: str = ""
    content: bytes = b""
    kind: str = "application/json"
    decode: Callable[[bytes], Any] = strict_json.decode


def _query(params: Params | None) -> str:
    return f"?{urlencode(params, doseq=True)}" if params else ""


def possible(url: str) -> bool:
    """Whether a checked address names a host that can exist (unlike 999.1.1.1)."""
    import httpx  # noqa: PLC0415 - as in Line.__init__

    try:
        return bool(httpx.URL(url).host)
    except (httpx.InvalidURL, UnicodeError):
        return False


def check_base_url(text: str) -> str:
    """Return `text` without its last slash if a key may be sent there; raises `ConfigError`.

    That is HTTPS, or plain HTTP to this very machine, with nothing but host, port and path.
    """
    parts = parts_of(text)
    if parts is None:
        raise ConfigError("base_url is not an address", "write it like https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("base_url holds a name or password", "keys belong in the vault")
    if parts.query or parts.fragment:
        raise ConfigError("base_url holds a ? or #", "write it like https://host/path")
    if not private(parts):
        raise ConfigError(
            f"base_url would send the key to {parts.hostname} unencrypted", "use https://"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _sendable(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()


@cache
def certificates() -> ssl.SSLContext:
    """Return the one TLS context, of everybody we trust; making it takes longer than most requests."""
    import httpx  # noqa: PLC0415 - as in Line.__init__

    return httpx.create_ssl_context(trust_env=False)
