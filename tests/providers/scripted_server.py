"""A server on 127.0.0.1 that plays a script, one callable for each request, well-behaved or not."""

import json
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

KEY = "sk-or-v1-" + "0123456789abcdef" * 4

Play = Callable[[socket.socket, Event], bool | None]
"""Answers one request on the connection; true keeps it open for another."""


class Server:
    """Plays `plays` in order, the last one again and again; `heads` are the requests as sent."""

    def __init__(self, *plays: Play, tls: ssl.SSLContext | None = None) -> None:
        self._plays = list(plays)
        self._tls = tls
        self._stop = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [Thread(target=self._accept)]
        self.heads: list[str] = []
        self.connections = 0
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/api/v1"
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stop.is_set():
                connection.close()
                return
            self.connections += 1
            self._open.append(connection)
            self._threads.append(Thread(target=self._talk, args=(connection,)))
            self._threads[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError), self._secured(connection) as talk:
            while head := self._head(talk):
                self.heads.append(head)
                play = self._plays.pop(0) if len(self._plays) > 1 else self._plays[0]
                if not play(talk, self._stop):
                    return

    def _secured(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def _head(self, connection: socket.socket) -> str:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = connection.recv(1)
            if not more:
                return ""
            head += more
            if head == b"\x16":
                return "a TLS handshake"
        return head.decode()

    def close(self) -> None:
        self._stop.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()


def framed(status: int, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def says(body: object, status: int = 200, headers: str = "") -> Play:
    """A complete, well-framed answer; `bytes` are sent as they are, the rest as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda connection, _: connection.sendall(framed(status, data, headers)) is None


class Waits:
    """Stands in for `Event.wait`: notes what it was asked for and returns at once."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.stopping = False

    def __call__(self, seconds: float) -> bool:
        self.asked.append(seconds)
        return self.stopping
