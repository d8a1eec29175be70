"""A small HTTP/1.1 server on 127.0.0.1 for stand-ins: answers may misbehave, closing is instant."""

from __future__ import annotations

import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from bot.sandbox.wire import Answer

_POLL_SECONDS: Final = 0.02
"""How often the accepting thread looks whether it should stop."""


class Incoming(NamedTuple):
    """One request as it came in; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The fields of the query, empty ones too."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Wire:
    """The server's end of one connection, for answers that play by the rules or break them.

    Whoever takes the connection over for another protocol reads from `reader`, which is buffered.
    """

    connection: socket.socket
    reader: BufferedIOBase
    closing: Event
    now: datetime

    def send(self, data: bytes) -> None:
        """Send exactly `data`."""
        self.connection.sendall(data)

    def wait(self, seconds: float | None = None) -> None:
        """Pause, or without `seconds` for good; raise `ConnectionAbortedError` once we close."""
        if self.closing.wait(seconds):
            raise ConnectionAbortedError("the stand-in is closing")

    def reset(self) -> None:
        """Break the connection with an RST."""
        linger_none = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
        socket.close(self.connection.detach())

    def head(self, answer: Answer, **more: str) -> bytes:
        """Return the status line and headers; `more` adds some (`content_length="3"`)."""
        date = format_datetime(self.now, usegmt=True)
        extra = {name.replace("_", "-").title(): value for name, value in more.items()}
        headers = {"Date": date, **answer.headers, **extra}
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def framed(self, answer: Answer, **more: str) -> bytes:
        """Return the whole answer as bytes, with its length."""
        return self.head(answer, content_length=str(len(answer.body)), **more) + answer.body


class Loopback(ABC):
    """A stand-in that answers on a port of its own until it is closed. Use it as a context manager.

    Closing raises `RuntimeError` if the stand-in itself failed.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._server = _Server(self._serve, now)
        self._thread = Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="stand-in", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port, which the system picked."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop at once, cutting every open connection, and wait for every thread.

        Raises `RuntimeError` for what must not have happened; a second time does nothing.
        """
        if self._server.closing.is_set():
            return
        self._server.closing.set()
        self._server.shutdown()
        self._thread.join()
        for connection in tuple(self._server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._complain()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; an error that is already under way is not replaced by ours."""
        try:
            self.close()
        except RuntimeError:
            if error is None:
                raise

    @abstractmethod
    def _serve(self, incoming: Incoming, wire: Wire) -> bool:
        """Answer one request on the wire; return whether the connection may be used again."""

    def _complain(self) -> None:
        """Raise `RuntimeError` for what must not have happened."""
        if self._server.failures:
            raise RuntimeError("the stand-in itself failed") from self._server.failures[0]


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that closing need not wait for any of them."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(
        self, serve: Callable[[Incoming, Wire], bool], now: Callable[[], datetime]
    ) -> None:
        self.serve = serve
        self.now = now
        self.closing = Event()
        self.connections: set[socket.socket] = set()
        self.failures: list[Exception] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Note the connection before its thread starts."""
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        """Forget the connection."""
        self.connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    """Hands each request to `serve`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        incoming = Incoming(self.command, self.path, headers, body)
        wire = Wire(self.connection, self.rfile, self.server.closing, self.server.now())
        self.close_connection = True
        try:
            self.close_connection = not self.server.serve(incoming, wire)
        except OSError:
            return
        except Exception as failure:  # noqa: BLE001 - kept for close(), which raises it
            self.server.failures.append(failure)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server looks them up by these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Write nothing to the terminal."""
