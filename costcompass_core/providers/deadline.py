"""A deadline for a whole HTTP exchange; the HTTP library limits only each single read or write."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from typing import Any


class Deadline:
    """Cuts the connection of one client when an exchange is not over after `seconds`.

    Give `trace` to every request as httpx's `trace` extension: it shows each new socket, of which
    we keep a duplicate, because TLS takes the original apart. Shutting the duplicate down ends any
    read on the connection, whoever drips whatever into it. Looking a name up is not covered.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self.passed = False
        """Whether the last exchange was cut; what it returned may then be a part of the answer."""

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the socket of a connection just made."""
        if event != "connection.connect_tcp.complete":
            return
        made: socket.socket = info["return_value"].get_extra_info("socket")
        self.hang_up()
        with self._lock:
            self._socket = made.dup()
            late = self.passed
        if late:
            self._cut()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time run for one exchange; a failed one takes its connection with it."""
        self.passed = False
        timer = Timer(self._seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except BaseException:
            self.hang_up()
            raise
        finally:
            timer.cancel()
            timer.join()  # a timer that has begun to cut must not reach into the next exchange

    def hang_up(self) -> None:
        """End the connection for good, so that the next exchange makes a new one."""
        with self._lock:
            kept, self._socket = self._socket, None
        if kept is not None:
            _shut(kept)
            kept.close()  # or the other side would never see the connection end

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._socket is not None:
                _shut(self._socket)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        connection.shutdown(socket.SHUT_RDWR)
