"""A small HTTP server for a handful of fixed pages: no client can hold it up for long, or make it large.

The standard library's own waits for as long as a client sends a byte now and then, and for as many
of them as come.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from threading import BoundedSemaphore, Event, Thread
from time import monotonic
from typing import Final, NamedTuple

from costcompass_core.domain.errors import CostCompassError

AT_ONCE: Final = 8
"""Connections served at the same time; others wait in the kernel's queue."""
_PATIENCE: Final = 5.0
"""Seconds that a client has to send its whole request, and again to take the answer."""
_LONGEST_REQUEST: Final = 8192
"""Bytes of a request's line and headers."""
_log: Final = logging.getLogger(__name__)


class CannotListen(CostCompassError):
    """The address in `[http] listen` can't be used (exit 1: a port may be free again in a moment)."""


class Answer(NamedTuple):
    """What a page says."""

    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Pages = Mapping[str, Callable[[], Answer]]
"""By path; each is asked anew for every request, in the request's own thread."""


def plain(status: HTTPStatus, text: str) -> Answer:
    """Return one line of text."""
    return Answer(status, f"{text}\n".encode())


class Server:
    """Listens from the beginning until closed."""

    def __init__(
        self,
        listen: str,
        pages: Pages,
        now: Callable[[], datetime],
        *,
        patience: float = _PATIENCE,
    ) -> None:
        """Listen on `HOST:PORT`. Raises `CannotListen`."""
        self._pages = pages
        self._now = now
        self._patience = patience
        self._slots = BoundedSemaphore(AT_ONCE)
        self._closed = Event()
        self._listener = _listening(listen)
        self._warn_of_strangers(listen)
        Thread(target=self._accept, name="http", daemon=True).start()

    def close(self) -> None:
        """Stop listening; what is being answered is still answered."""
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _warn_of_strangers(self, listen: str) -> None:
        host = self._listener.getsockname()[0]
        _log.info("health and metrics are at http://%s", listen)
        if not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            _log.warning(
                "[http] listen: whoever reaches %s can read spend, balances and model names: there"
                " is no password; listen on 127.0.0.1, or put a proxy in front that asks for one",
                listen,
            )

    def _accept(self) -> None:
        while not self._closed.is_set():
            self._slots.acquire()
            try:
                connection, _ = self._listener.accept()
                Thread(target=self._serve, args=(connection,), daemon=True).start()
            except (OSError, RuntimeError):  # closed; or out of descriptors or threads for now
                self._slots.release()
                self._closed.wait(0.2)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                head = _read_head(connection, monotonic() + self._patience)
                connection.settimeout(self._patience)
                if head is not None:
                    self._reply(connection, head)
        finally:
            self._slots.release()

    def _reply(self, connection: socket.socket, head: bytes | HTTPStatus) -> None:
        method, answer = "GET", None
        if isinstance(head, bytes):
            method, path = _parsed(head)
            answer = self._answer(method, path)
        else:
            answer = plain(head, head.phrase)
        connection.sendall(self._message(answer, body=method != "HEAD"))
        connection.shutdown(socket.SHUT_WR)  # what a client still sends must not cost it the answer

    def _answer(self, method: str, path: str) -> Answer:
        if not method:
            return plain(HTTPStatus.BAD_REQUEST, "this is no HTTP request")
        page = self._pages.get(path)
        if page is None:
            return plain(HTTPStatus.NOT_FOUND, f"there are {', '.join(self._pages)}")
        if method not in {"GET", "HEAD"}:
            return plain(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD")
        try:
            return page()
        except Exception:  # noqa: BLE001 - one bad answer must not end anything else
            _log.exception("%s failed", path)
            return plain(HTTPStatus.INTERNAL_SERVER_ERROR, "it failed: see the daemon's log")

    def _message(self, answer: Answer, *, body: bool) -> bytes:
        status = answer.status
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Date: {format_datetime(self._now(), usegmt=True)}",
            "Server: costcompass",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "Connection: close",
        ]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            lines.append("Allow: GET, HEAD")
        head = "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"
        return head + answer.body if body else head


def _listening(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        # `localhost` is both ::1 and 127.0.0.1, and whoever scrapes it means the latter.
        family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(64)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise _explained(listen, error) from None
    return listener


def _explained(listen: str, error: OSError) -> CannotListen:
    where = f"[http] listen = {listen!r}"
    if error.errno == errno.EADDRINUSE:
        mend = "end the program that listens there, or choose another port"
        return CannotListen(f"{where}: the port is in use", mend)
    if error.errno == errno.EACCES:
        return CannotListen(f"{where}: this port needs more rights", "choose one from 1024 up")
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        mend = "use 127.0.0.1, or an address that this machine has"
        return CannotListen(f"{where}: this machine has no such address", mend)
    return CannotListen(f"{where}: {error.strerror}", "use an address such as 127.0.0.1:9464")


def _read_head(connection: socket.socket, until: float) -> bytes | HTTPStatus | None:
    """Return the request's line and headers, what is wrong with them, or `None` for no request."""
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        left = until - monotonic()
        if left <= 0:
            return HTTPStatus.REQUEST_TIMEOUT
        if len(head) >= _LONGEST_REQUEST:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        connection.settimeout(left)
        try:
            more = connection.recv(_LONGEST_REQUEST - len(head))
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT
        if not more:
            return HTTPStatus.BAD_REQUEST if head else None
        head += more
    return head


def _parsed(head: bytes) -> tuple[str, str]:
    """Return method and path without the query; two empty texts for what is no request."""
    words = head.splitlines()[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[0].isalpha() or not words[2].startswith("HTTP/1."):
        return "", ""
    return words[0], words[1].partition("?")[0]
