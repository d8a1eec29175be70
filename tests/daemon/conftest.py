"""A log of our own, in place of pytest's."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from bot import logs, redaction


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[logs.Format], io.StringIO]]:
    """Sets the log up in a given form, knowing no secret, and returns what is written to it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    for module, hook in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(module, hook, getattr(module, hook))

    def start(form: logs.Format) -> io.StringIO:
        monkeypatch.setattr(redaction, "_known", ())
        stream = io.StringIO()
        logs.set_up("info", form, stream)
        return stream

    yield start
    logging.captureWarnings(False)
    root.handlers[:], root.level = before[0], before[1]
