"""The stand-in's HTTP server: loopback only, and closing cuts every connection at once."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

_POLL_SECONDS: Final = 0.02
"""How often the accepting thread looks whether it should stop."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in; header names are in lower case."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    def is_json(self) -> bool:
        """Whether there is a body that calls itself JSON."""
        kind = self.headers.get("content-type", "")
        return bool(self.body) and kind.startswith("application/json")

    def form(self) -> dict[str, Any]:
        """Return the query's and the form's fields."""
        typed = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        fields = parse_qsl(self.body.decode(errors="replace"), True) if typed else []
        return {**self.query, **dict(fields)}


@dataclass(frozen=True, slots=True)
class Response:
    """What to answer: JSON, or text as it is."""

    status: int
    body: Mapping[str, Any] | str
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Response | None]
"""Answers one request; `None` hangs up without a word."""

Upgrade = Callable[[Request, socket.socket, BufferedIOBase], None]
"""Takes over a connection until it is over."""


class Server:
    """A running server; `refusing` hangs up on whoever connects; `fault` hears of our own bugs."""

    def __init__(self, answer: Answer, upgrade: Upgrade, fault: Callable[[str], None]) -> None:
        self._server = _Server(answer, upgrade, fault)
        self._thread = Thread(
            target=self._server.serve_forever,
            args=(_POLL_SECONDS,),
            name="slack stand-in",
            daemon=True,
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port, which the system picked."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def refuse(self, on: bool) -> None:
        """Hang up on whoever connects, or stop doing so."""
        self._server.refusing = on

    def close(self) -> None:
        """Stop at once, cutting every open connection, and wait for every thread."""
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

    def __init__(self, answer: Answer, upgrade: Upgrade, fault: Callable[[str], None]) -> None:
        self.answer = answer
        self.upgrade = upgrade
        self.fault = fault
        self.refusing = False
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Let nobody in during an outage, and remember the others."""
        if self.refusing:
            self.shutdown_request(request)
        else:
            self.connections.add(request)
            super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        """Forget the connection."""
        self.connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    """Reads one request per connection, as `Connection: close` of Slack's Python client wants."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self.close_connection = True
        request = self._request()
        try:
            if "upgrade" in request.headers:
                self.server.upgrade(request, self.connection, self.rfile)
            elif (response := self.server.answer(request)) is not None:
                self._send(response)
        except OSError:
            return
        except Exception as bug:  # noqa: BLE001 - a bug of the stand-in belongs before a tester's eyes
            self.server.fault(f"the stand-in itself failed: {bug!r}")

    def _request(self) -> Request:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Request(url.path, dict(parse_qsl(url.query, keep_blank_values=True)), headers, body)

    def _send(self, response: Response) -> None:
        is_text = isinstance(response.body, str)
        body = (
            response.body if isinstance(response.body, str) else json.dumps(response.body)
        ).encode()
        self.send_response(response.status)
        kind = "text/html" if is_text else "application/json; charset=utf-8"
        for name, value in {"Content-Type": kind, **response.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Write nothing to the terminal."""
