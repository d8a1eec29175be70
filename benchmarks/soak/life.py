"""The daemon's process: started, told the time, measured, ended or killed."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from datetime import datetime
from threading import Thread
from typing import IO, Any, Final

from benchmarks.soak.world import World

_PATIENCE: Final = 300.0
"""Seconds for one step: a provider may be silent for two minutes."""


class Died(RuntimeError):
    """The daemon ended by itself, or it does not tick any more."""


class Life:
    """One life of the daemon; its log goes on where that of the life before ended."""

    def __init__(self, world: World) -> None:
        """Start it and wait until every tick came round once."""
        ours, theirs = socket.socketpair()
        self.log = world.folder / "daemon.log"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "benchmarks.soak.rehearsal", str(theirs.fileno())],
                env=world.environ,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        self._writer = Thread(target=self._write, args=(self._process.stderr,), daemon=True)
        self._writer.start()
        ours.settimeout(_PATIENCE)
        self._channel = ours
        self._answers = ours.makefile("rb")
        self._tell(now=world.clock.now().isoformat())
        self._hear()

    def step(self, now: datetime, **orders: Any) -> dict[str, Any]:
        """Move the clock and return when all ticks have come round; raises `Died`."""
        self._tell(now=now.isoformat(), **orders)
        return self._hear()

    def kill(self, now: datetime) -> None:
        """Kill it amid the ticks of a step."""
        self._tell(now=now.isoformat())
        self._process.send_signal(signal.SIGKILL)
        self._close()

    def abandon(self) -> None:
        """Leave nothing behind where the soak itself has failed."""
        self._process.kill()
        self._close()

    def end(self) -> None:
        """Stop it as a service manager does; raises `Died` where that is not done in order."""
        self._process.send_signal(signal.SIGTERM)
        if code := self._close():
            raise Died(f"the daemon ended with exit code {code} after SIGTERM")

    def _close(self) -> int:
        code = self._process.wait(30)
        self._writer.join()
        self._answers.close()  # it keeps the channel open
        self._channel.close()
        return code

    def _write(self, stderr: IO[bytes]) -> None:
        """Keep the log. Not a file of the daemon's own: a full disk must not cut it off."""
        with self.log.open("ab") as log, stderr:
            for line in stderr:
                log.write(line)
                log.flush()

    def _tell(self, **orders: Any) -> None:
        self._channel.sendall(json.dumps(orders).encode() + b"\n")

    def _hear(self) -> dict[str, Any]:
        try:
            line = self._answers.readline()
        except TimeoutError:
            raise Died(f"the daemon did not tick for {_PATIENCE:.0f} s") from None
        if not line:
            raise Died(f"the daemon ended by itself: {self.log.read_text()[-2000:]}")
        told: dict[str, Any] = json.loads(line)
        return told
