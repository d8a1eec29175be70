"""What systemd is told of the daemon's life, where systemd started it (`Type=notify`).

The protocol is one datagram of `NAME=value` lines to the socket named in $NOTIFY_SOCKET; see
sd_notify(3). Without that variable nothing is told to anybody.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"


def notify(*lines: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send `lines`; a manager that does not listen is none of the daemon's troubles."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # a name in Linux's abstract space
        address = f"\0{address[1:]}"
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
        way.settimeout(1)  # a manager that reads nothing must not hold us up
        way.sendto("\n".join(lines).encode(), address)


def reloading() -> tuple[str, str]:
    """Return the lines that begin a reload; `READY=1` ends it."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


def watchdog_seconds(environ: Mapping[str, str] = os.environ) -> float | None:
    """Return how often to say `ALIVE`, half of the time systemd waits; `None` where it does not."""
    span = environ.get("WATCHDOG_USEC", "")
    meant = environ.get("WATCHDOG_PID", str(os.getpid()))
    if not span.isdecimal() or int(span) == 0 or meant != str(os.getpid()):
        return None
    return int(span) / 2_000_000
