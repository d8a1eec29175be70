"""The control socket: how `status`, `unlock` and `refresh` reach the running daemon.

A Unix socket of mode 0600 in the state directory; the kernel says who connects (SO_PEERCRED) and
only the daemon's own user and root are heard. One JSON object a line: a request, then any number of
`{"progress": …}`, then `{"ok": …}` or `{"error": …, "exit": …}`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from costcompass_core.domain.errors import CostCompassError

SOCKET_NAME: Final = "control.sock"
_LIMIT: Final = 1 << 16
_log: Final = logging.getLogger(__name__)

Handler = Callable[[Mapping[str, Any], Callable[[str], None]], Any]
"""`(request, progress)` to the answer, plain JSON values; raises `CostCompassError`."""


class RemoteError(CostCompassError):
    """What the daemon answered instead; carries the daemon's exit code."""

    def __init__(self, what: str, exit_code: int) -> None:
        """Repeat the daemon's own words."""
        super().__init__(what)
        self.exit_code = exit_code


class NotRunning(CostCompassError):
    """No daemon listens on this state directory."""


class BrokeOff(NotRunning):
    """The daemon took a request and was gone before it answered."""


class ControlServer:
    """Answers on the socket until closed, each connection in a thread of its own."""

    def __init__(self, state_dir: Path, handler: Handler) -> None:
        """Bind and listen; the caller holds the state directory's lock."""
        self._path = state_dir / SOCKET_NAME
        self._handler = handler
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _reachable(self._path) as address:
            mask = os.umask(0o177)
            try:
                self._listener.bind(address)
            finally:
                os.umask(mask)
        self._listener.listen(8)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Stop listening and take the socket away."""
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(60)
            if _peer_uid(connection) not in {os.geteuid(), 0}:
                _log.warning("a stranger tried the control socket and was turned away")
                return
            with connection.makefile("rb") as lines:
                line = lines.readline(_LIMIT)
            connection.settimeout(None)

            turn = threading.Lock()  # accounts are read side by side, and lines must stay whole

            def progress(text: str) -> None:
                with (
                    turn,
                    contextlib.suppress(OSError),
                ):  # whoever asked may be gone; the work goes on
                    _send(connection, {"progress": text})

            _send(connection, self._answer(line, progress))

    def _answer(self, line: bytes, progress: Callable[[str], None]) -> dict[str, Any]:
        try:
            return {"ok": self._handler(json.loads(line), progress)}
        except CostCompassError as error:
            return {"error": str(error), "exit": error.exit_code}
        except Exception:  # noqa: BLE001 - one bad request must not end the daemon
            _log.exception("a control request failed")
            return {"error": "the daemon failed on this request: see its log", "exit": 1}


def ask(
    state_dir: Path,
    request: Mapping[str, Any],
    progress: Callable[[str], None] = lambda _: None,
    patience: float | None = 10.0,
) -> Any:
    """Send one request to the daemon and return its answer, within `patience` seconds of silence.

    Raises `NotRunning` when nobody listens, `BrokeOff` when the daemon goes before it answers, and
    `RemoteError` for what it refuses.
    """
    heard = False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        try:
            with _reachable(state_dir / SOCKET_NAME) as address:
                connection.connect(address)
            _send(connection, request)
            with connection.makefile("rb") as lines:
                for line in lines:
                    heard = True
                    answer = json.loads(line)
                    if "progress" not in answer:
                        return _result(answer)
                    progress(answer["progress"])
        except (OSError, json.JSONDecodeError):
            pass
    if heard:
        raise BrokeOff(
            f"the daemon of {state_dir} stopped before it was done", "start it, then ask again"
        )
    raise NotRunning(f"no daemon answers for {state_dir}", "start it with `costcompass run`")


def _result(answer: Mapping[str, Any]) -> Any:
    if "error" in answer:
        raise RemoteError(answer["error"], int(answer["exit"]))
    return answer["ok"]


def _send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _peer_uid(connection: socket.socket) -> int:
    if not hasattr(socket, "SO_PEERCRED"):  # elsewhere the socket's mode has to be enough
        return os.geteuid()
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", data)[1])


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """Give an address for `path` that fits the 107 bytes the kernel allows, however deep it lies."""
    if len(os.fsencode(path)) <= 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
