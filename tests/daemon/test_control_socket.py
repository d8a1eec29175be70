"""The control socket: who is heard, what is answered, and what bad or impatient clients do to it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from install import ROOT

from bot.control import SOCKET_NAME, ControlServer, NotRunning, RemoteError, ask
from costcompass_core.domain.errors import WrongPassphrase

Progress = Callable[[str], None]
PATIENCE = 60.0
"""Seconds for what takes none, on a machine that is slow or busy."""


def answer(request: Mapping[str, Any], progress: Progress) -> Any:
    if request["do"] == "refuse":
        raise WrongPassphrase("the passphrase is wrong", "try again")
    if request["do"] == "work":
        progress("step 1")
        progress("step 2")
    return {"did": request["do"]}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    server = ControlServer(tmp_path, answer)
    yield tmp_path
    server.close()


def raw(state_dir: Path, data: bytes) -> bytes:
    """Send bytes and read to the end."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(state_dir / SOCKET_NAME))
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_answers_progress_and_refusals(served: Path):
    steps: list[str] = []
    assert ask(served, {"do": "work"}, steps.append) == {"did": "work"}
    assert steps == ["step 1", "step 2"]
    with pytest.raises(RemoteError, match="the passphrase is wrong: try again") as caught:
        ask(served, {"do": "refuse"})
    assert caught.value.exit_code == 77


def test_only_the_owner_can_open_it_and_it_goes_with_the_server(tmp_path: Path):
    server = ControlServer(tmp_path, answer)
    assert stat.S_IMODE((tmp_path / SOCKET_NAME).stat().st_mode) == 0o600
    server.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotRunning, match="costcompass run"):
        ask(tmp_path, {"do": "work"})


def test_what_a_killed_daemon_left_is_replaced(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET_NAME))
    with pytest.raises(NotRunning):
        ask(tmp_path, {"do": "work"})
    server = ControlServer(tmp_path, answer)
    assert ask(tmp_path, {"do": "work"}) == {"did": "work"}
    server.close()


def test_a_path_longer_than_the_kernel_takes(tmp_path: Path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    server = ControlServer(deep, answer)
    assert stat.S_IMODE((deep / SOCKET_NAME).stat().st_mode) == 0o600
    assert ask(deep, {"do": "work"}) == {"did": "work"}
    server.close()
    with pytest.raises(NotRunning):
        ask(deep / "nowhere", {"do": "work"})


@pytest.mark.parametrize("data", [b"", b"\n", b"no json\n", b"[]\n", b"{}\n", b"x" * 200_000])
def test_nonsense_is_answered_and_ends_nothing(served: Path, data: bytes):
    try:
        told = raw(served, data)
    except ConnectionError:  # it stops reading a line that never ends
        told = b'"exit": 1'
    assert b'"exit": 1' in told
    assert ask(served, {"do": "work"}) == {"did": "work"}


def test_whoever_asked_may_leave_and_the_work_goes_on(tmp_path: Path):
    begun, gone, done = Event(), Event(), Event()

    def work(_: Mapping[str, Any], progress: Progress) -> str:
        begun.set()
        gone.wait(PATIENCE)
        for _ in range(100):
            progress("still at it")
        done.set()
        return "done"

    server = ControlServer(tmp_path, work)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / SOCKET_NAME))
        client.sendall(b'{"do": "work"}\n')
        assert begun.wait(PATIENCE)
    gone.set()
    assert done.wait(PATIENCE)
    server.close()


def test_a_daemon_that_says_nothing_is_not_waited_for_forever(tmp_path: Path):
    never = Event()
    server = ControlServer(tmp_path, lambda *_: never.wait(PATIENCE))
    with pytest.raises(NotRunning):
        ask(tmp_path, {"do": "status"}, patience=0.1)
    never.set()
    server.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_turned_away_even_past_the_permissions(tmp_path: Path):
    """The server runs as nobody; root is heard, a second ordinary user is not."""
    code = (
        "import os, sys; from pathlib import Path; from bot.control import *\n"
        "place, (ready, go), (ended, end) = Path(sys.argv[1]), os.pipe(), os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.setuid(65534); os.close(end)\n"
        "    server = ControlServer(place, lambda *_: 'heard')\n"
        "    (place / SOCKET_NAME).chmod(0o666)\n"
        "    os.write(go, b'x'); os.read(ended, 1); server.close(); os._exit(0)\n"
        "os.read(ready, 1)\n"
        "print(ask(place, {}))\n"
        "os.setuid(12345)\n"
        "try: print(ask(place, {}))\n"
        "except NotRunning: print('turned away')\n"
    )
    with tempfile.TemporaryDirectory() as place:  # pytest's own is closed to other users
        Path(place).chmod(0o777)
        done = subprocess.run(
            [sys.executable, "-c", code, place],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.splitlines() == ["heard", "turned away"], done.stderr
