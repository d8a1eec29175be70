"""A headless Chromium, spoken to over a pair of pipes: its DevTools protocol, and nothing to install."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]


class ChromiumFailed(Exception):
    """It is not there, or does not do what it was asked; the text is for people."""


class Chromium:
    """A browser with one empty page open."""

    def __init__(self, to: int, back: int) -> None:
        self._to = os.fdopen(to, "wb", buffering=0)
        self._back = os.fdopen(back, "rb", buffering=0)
        self._unread = b""
        self._ids = count(1)
        self._session: str | None = None

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """Start it; it ends with the block."""
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            raise ChromiumFailed("There is no Chromium here; on Debian: apt install chromium")
        (orders, to), (back, answers) = os.pipe(), os.pipe()
        # Its quarrels with a machine without a desktop are nobody's business.
        quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            process = os.posix_spawn(
                program,
                [program, *FLAGS, f"--user-data-dir={profile}"],
                os.environ,
                file_actions=[*quiet, *_placed(orders, 3), *_placed(answers, 4)],
            )
            os.close(orders)
            os.close(answers)
            browser = cls(to, back)
            try:
                browser.open_page()
                yield browser
                browser.tell("Browser.close")
            finally:
                browser.hang_up()
                os.waitpid(process, 0)

    def open_page(self) -> None:
        """Open the page that everything after this is about."""
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        attached = self.tell("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def hang_up(self) -> None:
        """Close the pipes, at which it ends if it has not yet."""
        self._to.close()
        self._back.close()

    def tell(self, method: str, **params: Any) -> dict[str, Any]:
        """Give one order and return its answer."""
        order: dict[str, Any] = {"id": next(self._ids), "method": method, "params": params}
        if self._session and not method.startswith(("Target.", "Browser.")):
            order["sessionId"] = self._session
        text = memoryview(json.dumps(order).encode() + b"\0")
        while text:
            text = text[self._to.write(text) or 0 :]
        while (answer := self._next()).get("id") != order["id"]:
            pass  # what happens in the page is told here too
        if "error" in answer:
            raise ChromiumFailed(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    def evaluate(self, expression: str) -> Any:
        """Return what an expression comes to in the page, once it has come to it."""
        answer = self.tell(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if problem := answer.get("exceptionDetails"):
            told = problem.get("exception", {}).get("description") or problem["text"]
            raise ChromiumFailed(told.splitlines()[0].removeprefix("Error: "))
        return answer["result"].get("value")

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            piece = self._back.read(1 << 20)
            if not piece:
                raise ChromiumFailed("Chromium ended before its answer")
            self._unread += piece
        text, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(text))


def _placed(fd: int, at: int) -> list[tuple[int, int, int]]:
    """Return what puts `fd` at `at` in the browser: one that stands there already needs a detour."""
    apart = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    return [(os.POSIX_SPAWN_DUP2, apart, at)]
