"""The part of `costcompass doctor` about `[http] listen`: is the port free, or the daemon's own."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Final

from bot.config import Config
from bot.control import NotRunning, ask
from bot.doctor.finding import Finding

_PATIENCE: Final = 3.0
"""Seconds until what listens there should have answered."""


def examine_listen(config: Config) -> Iterator[Finding]:
    """Look at the port, where one is configured."""
    listen = config.http_listen
    if not listen:
        return
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        ask(config.state_dir, {"do": "status"}, patience=_PATIENCE)
    except NotRunning:
        yield _free(listen, host, int(port))
    else:
        yield _answering(listen, host, int(port))


def _free(listen: str, host: str, port: int) -> Finding:
    """Bind the port as the daemon will, and let it go."""
    try:
        [place, *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(*place[:3]) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place[4])
            listener.listen(1)
    except OSError as error:
        return _unusable(listen, port, error)
    return Finding("http", "ok", f"{listen} is free")


def _unusable(listen: str, port: int, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        found = f"{listen} is in use by another program"
        mend = f"`ss -ltnp 'sport = :{port}'` names it; stop it, or set another [http] listen"
        return Finding("http", "bad", found, mend, 1)
    if error.errno in {errno.EACCES, errno.EPERM}:
        mend = "set [http] listen to a port above 1023"
        return Finding("http", "bad", f"this user may not listen on {listen}", mend, 1)
    found = f"nobody can listen on {listen} ({error.strerror})"
    mend = "set [http] listen to an address of this machine, like 127.0.0.1:9464"
    return Finding("http", "bad", found, mend, 1)


def _answering(listen: str, host: str, port: int) -> Finding:
    """Ask whoever listens there for /healthz, which the daemon answers and hardly anybody else."""
    connection = HTTPConnection(_reached_at(host), port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except ConnectionRefusedError:
        mend = "the daemon began before this was set, or could not bind it: see its log, restart it"
        return Finding("http", "bad", f"nobody listens on {listen}", mend, 1)
    except (OSError, HTTPException):
        status = 0
    finally:
        connection.close()
    if status in {200, 503}:
        return Finding("http", "ok", f"{listen} is answered by the daemon")
    found = f"{listen} is answered by another program"
    mend = f"`ss -ltnp 'sport = :{port}'` names it; stop it, or set another [http] listen"
    return Finding("http", "bad", found, mend, 1)


def _reached_at(host: str) -> str:
    """Return where to ask what listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asked, not bound
