"""What a daemon costs while nobody asks it anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter, sleep
from typing import Final

from benchmarks.installation import installation
from benchmarks.table import Figure

_SECONDS: Final = 10.0
_LIBRARIES: Final = (
    "apscheduler.schedulers.background, click, cryptography.hazmat.primitives.kdf.argon2, httpx, "
    "slack_bolt, slack_sdk.socket_mode.builtin, sqlite_utils"
)
_WAIT: Final = "print(flush=True); input()"


def idle() -> list[Figure]:
    """Measure a daemon that has read its account and is in Slack, for some seconds."""
    with installation() as place, place.settled_daemon() as number:
        sleep(2)  # what came with starting is over
        begin, before = perf_counter(), _cpu_seconds(number)
        sleep(_SECONDS)
        busy = (_cpu_seconds(number) - before) / (perf_counter() - begin)
        size = _resident_mb(number)
    return [
        Figure("memory, idle ÷ its libraries alone", 1, "MB", size, _libraries_mb()),
        Figure(f"CPU of one core, idle for {_SECONDS:.0f} s", 1, "%", 100 * busy),
    ]


def _libraries_mb() -> float:
    """Return the size of a process that only imported what the daemon is built on."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", f"import {_LIBRARIES}; {_WAIT}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        if process.stdout is not None:
            process.stdout.readline()
        size = _resident_mb(process.pid)
        process.communicate(b"\n")
    return size


def _resident_mb(number: int) -> float:
    status = Path(f"/proc/{number}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _cpu_seconds(number: int) -> float:
    """Return what all threads used; /proc/PID/stat only counts in hundredths of a second."""
    threads = Path(f"/proc/{number}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
