"""One event a line, text or JSON, with secrets taken out after everything is rendered."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

from costcompass_core.domain.secret import Secret

Format = Literal["text", "json"]
LEVELS: Final = ("debug", "info", "warning", "error")
_SHAPES: Final = re.compile(
    r"sk-or-v1-[0-9a-zA-Z]+|\bsk-[A-Za-z0-9_-]{16,}|xox[a-z]-[0-9A-Za-z-]+|xapp-[0-9A-Za-z-]+"
    r"|(?i:bearer) [^\s'\"]+|[?&]ticket=[^&\s'\"]+"
)
"""What keys and tokens look like, for those that nobody announced."""
_HIDDEN: Final = "[hidden]"
_known: set[str] = set()


def hide(secret: Secret) -> Secret:
    """Keep `secret` out of every line from now on, and hand it back."""
    if len(secret.expose()) >= 4:
        _known.add(secret.expose())
    return secret


def redacted(text: str) -> str:
    """Return `text` without known secrets and without anything that looks like one."""
    for secret in _known:
        text = text.replace(secret, _HIDDEN)
    return _SHAPES.sub(_HIDDEN, text)


class _TextFormatter(logging.Formatter):
    """`2026-11-23T09:00:02Z INFO daemon: …`; further lines of an event are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event; a newline inside it can't pass for a new event."""
        line = (
            f"{_moment(record)} {record.levelname:<7} {_short(record.name)}: {_body(self, record)}"
        )
        return "\n    ".join(redacted(line).splitlines())


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event as one line of JSON."""
        event = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "logger": _short(record.name),
            "message": redacted(_body(self, record)),
        }
        return json.dumps(event, ensure_ascii=False)


def _body(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    body = record.getMessage()
    if record.exc_info:
        body = f"{body}\n{formatter.formatException(record.exc_info)}"
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in body)


def _moment(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S}Z"


def _short(name: str) -> str:
    return name.removeprefix("bot.").removeprefix("costcompass_core.")


def set_up(level: str, form: Format, stream: TextIO | None = None) -> None:
    """Send every logger's events to `stream` (standard error) in the given form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == "json" else _TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    if level != "debug":
        # Libraries tell their own story (every request, every job, every tick of a busy account).
        for library in ("httpx", "httpcore", "slack_bolt", "slack_sdk"):
            logging.getLogger(library).setLevel(logging.WARNING)
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
