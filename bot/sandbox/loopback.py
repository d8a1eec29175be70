"""A small HTTP/1.1 server on 127.0.0.1 whose answers may misbehave and whose closing is instant."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Final, NamedTuple

from bot.sandbox.wire import Answer

_POLL_SECONDS: Final = 0.02
"""How often the accepting thread looks whether it should stop."""


class Incoming(NamedTuple):
    """One request as it came in; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


class Wire:
    """The server's end of one connection, for answers that play by the rules or break them."""

    def __init__(self, connection: socket.socket, stop: Event, now: datetime) -> None:
        self._connection = connection
        self._stop = stop
        self._now = now

    def send(self, data: bytes) -> None:
        """Send exactly `data`."""
        self._connection.sendall(data)

    def wait(self, seconds: float | None = None) -> None:
        """Pause, or without `seconds` for good; raise `ConnectionAbortedError` once we close."""
        if self._stop.wait(seconds):
            raise ConnectionAbortedError("the stand-in is closing")

    def reset(self) -> None:
        """Break the connection with an RST."""
        linger_none = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
        socket.close(self._connection.detach())

    def head(self, answer: Answer, **more: str) -> bytes:
        """Return the status line and headers; `more` adds some (`content_length="3"`)."""
        date = format_datetime(self._now, usegmt=True)
        extra = {name.replace("_", "-").title(): value for name, value in more.items()}
        headers = {"Date": date, **answer.headers, **extra}
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def framed(self, answer: Answer) -> bytes:
        """Return the whole answer as bytes, with its length."""
        return self.head(answer, content_length=str(len(answer.body))) + answer.body


Serve = Callable[[Incoming, Wire], bool]
"""Answers one request on the wire; returns whether the connection may be used again."""


class Loopback:
    """A running server; `failures` holds what `serve` raised besides broken connections."""

    def __init__(self, serve: Serve, now: Callable[[], datetime]) -> None:
        self._server = _Server(serve, now)
        self._thread = Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="stand-in", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that the system picked."""
        return int(self._server.server_address[1])

    @property
    def failures(self) -> tuple[Exception, ...]:
        """Faults of the stand-in itself."""
        return tuple(self._server.failures)

    def close(self) -> None:
        """Stop at once, cutting every open connection, and wait for every thread."""
        self._server.stop.set()
        self._server.shutdown()
        self._thread.join()
        for connection in tuple(self._server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that closing need not wait for any of them."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, serve: Serve, now: Callable[[], datetime]) -> None:
        self.serve = serve
        self.now = now
        self.stop = Event()
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
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        incoming = Incoming(self.command, self.path, headers)
        wire = Wire(self.connection, self.server.stop, self.server.now())
        self.close_connection = True
        try:
            self.close_connection = not self.server.serve(incoming, wire)
        except OSError:
            return
        except Exception as failure:  # noqa: BLE001 - kept for close(), which tells the test
            self.server.failures.append(failure)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server looks them up by these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Write nothing to the terminal."""
