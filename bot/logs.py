"""One event a line, text or JSON, with secrets taken out after everything is rendered.

In text the further lines of an event, such as a traceback's, are indented by four spaces, which no
event begins with. Nothing that is logged can break a line, forge another, or move the cursor.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal, TextIO

from bot.redaction import hide, hide_address, redacted

__all__ = ["LEVELS", "Format", "hide", "hide_address", "redacted", "set_up", "tidy"]

Format = Literal["text", "json"]
LEVELS: Final = ("debug", "info", "warning", "error")
_MESSAGE: Final = (12_000, 2_000)
"""Characters that are kept of a long message: of its beginning and of its end."""
_TRACE: Final = (4_000, 16_000)
"""The same for a traceback, whose end says more."""
_INDENT: Final = "\n    "
_log: Final = logging.getLogger(__name__)


class _Formatter(logging.Formatter):
    """What both forms have in common; neither ever raises, whatever a record holds."""

    def message(self, record: logging.LogRecord) -> str:
        """Return what was logged, also where it does not fit its own format."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a slip in one line must not cost the line
            told = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
            text = f"{told} (cannot be filled in)"
        return tidy(text, *_MESSAGE)

    def traceback(self, record: logging.LogRecord) -> str:
        """Return the exception with all that led to it, and the stack where one was asked for."""
        try:
            told = [self.formatException(record.exc_info)] if record.exc_info else []
            told += [self.formatStack(record.stack_info)] if record.stack_info else []
        except Exception:  # noqa: BLE001 - as above
            told = ["(a traceback that cannot be shown)"]
        return tidy("\n".join(told), *_TRACE)


class _TextFormatter(_Formatter):
    """`2026-11-23T09:00:02Z INFO    daemon: …`; further lines of an event are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event; a newline inside it can't pass for a new event."""
        told = filter(None, (self.message(record), self.traceback(record)))
        body = _INDENT.join("\n".join(told).split("\n"))
        return f"{_moment(record)} {record.levelname:<7} {_short(record.name)}: {body}"


class _JsonFormatter(_Formatter):
    """One JSON object a line; `exception` is there where something was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event as one line of JSON."""
        event = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "logger": _short(record.name),
            "message": self.message(record),
        }
        if trace := self.traceback(record):
            event["exception"] = trace
        return json.dumps(event, ensure_ascii=False)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes events; one that cannot be written is dropped, not told with all that is in it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing: the stream is gone or full, and the library would print the arguments raw."""


def tidy(text: str, head: int = _MESSAGE[0], tail: int = _MESSAGE[1]) -> str:
    """Return `text` without secrets, cut to its `head` and `tail`, with nothing that moves a cursor.

    Newlines and tabs stay. Secrets go before the cut, which would leave the half of one, and again
    after the marks inside it have gone.
    """
    kept = whole = redacted(text).rstrip("\n")
    if len(kept) > head + tail:
        left_out = len(kept) - head - tail
        kept = f"{kept[:head]}… ({left_out:,} characters left out) …{kept[-tail:]}"
    if not kept.isprintable():
        kept = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in kept)
    return whole if kept is whole else redacted(kept)


def _moment(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S}Z"


def _short(name: str) -> str:
    short = name.removeprefix("bot.").removeprefix("costcompass_core.")
    return "".join(c if c.isprintable() else "\ufffd" for c in short)


def set_up(level: str, form: Format, stream: TextIO | None = None) -> None:
    """Send every logger's events to `stream` (standard error) in the given form.

    Warnings of Python and whatever nobody caught, in any thread, become events as well.
    """
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == "json" else _TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    if level != "debug":
        # Libraries tell their own story (every request, every job, every tick of a busy account).
        for library in ("httpx", "httpcore", "slack_bolt", "slack_sdk"):
            logging.getLogger(library).setLevel(logging.WARNING)
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.error("nobody caught %s", kind.__name__, exc_info=(kind, error, trace))


def _uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    if caught.exc_type is SystemExit:
        return
    name = caught.thread.name if caught.thread else "?"
    error = caught.exc_value or caught.exc_type()
    trace = (caught.exc_type, error, caught.exc_traceback)
    _log.error("the thread %s ended by %s", name, caught.exc_type.__name__, exc_info=trace)


def _unraisable(caught: sys.UnraisableHookArgs) -> None:
    error = caught.exc_value or caught.exc_type()
    trace = (caught.exc_type, error, caught.exc_traceback)
    what = caught.err_msg or "nobody could be told of an exception"
    # The object itself is not shown: its repr is a stranger's code, and may hold anything.
    _log.error("%s (%s)", what, caught.exc_type.__name__, exc_info=trace)
