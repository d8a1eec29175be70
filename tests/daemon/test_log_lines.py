"""What reaches the log: one event a line in two forms, no secret, nothing forged."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from bot import logs
from costcompass_core.domain.secret import Secret

KNOWN = "hunter22-a-passphrase"
UNKNOWN = (
    f"sk-or-v1-{'ab12' * 16}",
    "sk-ant-api03-abcdefghijklmnopqrst",
    "xoxb-123456789012-abcdefABCDEF",
    "xoxe.xoxp-1-abcdefABCDEF",
    "xapp-1-A0123-456-abcdef",
    "Bearer made-up",
    "wss://wss-primary.slack.com/link/?ticket=1a2b3c&app_id=x",
)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[logs.Format], io.StringIO]]:
    """Sets the log up in a given form and returns what is written to it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setattr(logs, "_known", set())

    def start(form: logs.Format) -> io.StringIO:
        stream = io.StringIO()
        logs.set_up("info", form, stream)
        return stream

    yield start
    root.handlers[:], root.level = before[0], before[1]


def failing(*secrets: str) -> None:
    """Log an error whose message, arguments and traceback hold the secrets."""
    try:
        {}[f"Illegal header value {secrets}"]
    except KeyError:
        logging.getLogger("bot.daemon").exception("trouble with %s\n2026 INFO forged", secrets)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_survives_in_message_arguments_or_traceback(written, form):
    stream = written(form)
    logs.hide(Secret(KNOWN))
    failing(KNOWN, *UNKNOWN)
    told = stream.getvalue()
    assert "Illegal header value" in told
    for secret in (KNOWN, *UNKNOWN):
        assert secret not in told
    assert re.search(r"ab12|hunter22|abcdef|1a2b3c|made-up", told) is None


def test_json_is_one_object_a_line(written):
    stream = written("json")
    failing("\x1b[31m\u2028\r\n{}")
    [line] = stream.getvalue().splitlines()
    event = json.loads(line)
    assert event.keys() == {"at", "level", "logger", "message"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["at"])
    assert (event["level"], event["logger"]) == ("error", "daemon")
    assert "\x1b" not in event["message"]


def test_in_text_no_further_line_can_pass_for_an_event(written):
    stream = written("text")
    failing("\x1b[31m\u2028\x852026-11-23T09:00:00Z INFO forged\r2026")
    first, *rest = stream.getvalue().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ERROR   daemon: trouble with ", first)
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert "\x1b" not in stream.getvalue()


def test_a_short_word_is_never_hidden_everywhere(written):
    stream = written("text")
    logs.hide(Secret("a"))
    logging.getLogger("bot").info("a whole sentence")
    assert "a whole sentence" in stream.getvalue()


def test_libraries_speak_only_when_something_is_wrong(written):
    stream = written("text")
    for name in ("httpx", "httpcore", "slack_sdk", "slack_bolt", "apscheduler.scheduler"):
        logging.getLogger(name).info("a request with all its headers")
    assert stream.getvalue() == ""
