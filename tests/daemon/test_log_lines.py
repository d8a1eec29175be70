"""What reaches the log: one event a line in two forms, no secret, nothing forged."""

from __future__ import annotations

import gc
import io
import json
import logging
import re
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot import logs
from costcompass_core.domain.secret import Secret

KNOWN = 'hunter22 "a" pass\\phrase'
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FORMS: tuple[logs.Format, logs.Format] = ("text", "json")
HOSTILE = (
    "\r\n2026-11-23T09:00:00Z ERROR   daemon: forged",
    "\n2026-11-23T09:00:00Z ERROR   daemon: forged",
    "\r2026 forged\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029 forged",
    "\x1b[2J\x1b[31m red \x1b]0;title\x07",
    "\u202e backwards \u2066 \u200e \ufeff",
    "\ud800 alone \udfff",
    '"}\n{"at": "2026-11-23T09:00:00Z", "level": "error"}',
    "\x00\x08\x7f\x9b",
)
"""What strangers may send us: names of models, error texts, words typed in Slack."""
MOVES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")  # fmt: skip


def failing(*told: str) -> None:
    """Log an error whose message, arguments, extras, exception, cause and notes hold all of `told`."""
    try:
        try:
            {}[f"the cause {told}"]
        except KeyError as cause:
            trouble = ValueError("Illegal header value", *told)
            trouble.add_note(f"a note {told}")
            raise trouble from cause
    except ValueError:
        doubled = told[0].replace("%", "%%")
        logging.getLogger("bot.daemon").exception(
            f"trouble with %s and {doubled}",  # noqa: G004 - on purpose
            told,
            extra={"token": told[0]},
            stack_info=True,
        )


def in_text(stream: io.StringIO) -> str:
    """The log, if it is exactly one event of text: the rest of it is indented."""
    told = stream.getvalue()
    assert told.endswith("\n")
    assert told.splitlines() == told[:-1].split("\n"), "nothing else breaks a line"
    first, *rest = told.splitlines()
    assert STAMP.match(first)
    assert all(line.startswith("    ") for line in rest)
    assert not MOVES.search(told)
    return told


def in_json(stream: io.StringIO) -> dict[str, str]:
    """The event, if the log is exactly one."""
    told = stream.getvalue()
    [line] = told.splitlines()
    assert told == f"{line}\n"
    event: dict[str, str] = json.loads(line)
    assert event.keys() <= {"at", "level", "logger", "message", "exception"}
    assert STAMP.fullmatch(event["at"])
    assert not MOVES.search(line)
    return event


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nobody_forges_an_event_or_moves_the_cursor(written, hostile):
    stream = written("text")
    failing(hostile)
    told = in_text(stream)
    assert re.match(f"{STAMP.pattern} ERROR   daemon: trouble with ", told)
    assert "Illegal header value" in told
    stream = written("json")
    failing(hostile)
    event = in_json(stream)
    assert (event["level"], event["logger"]) == ("error", "daemon")
    assert "Illegal header value" in event["exception"]
    assert "Illegal header value" not in event["message"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.text(st.characters(exclude_categories=())), st.sampled_from(FORMS))
@example("%s %d %(x)s %", "text")
def test_any_words_are_one_event(written, words, form):
    stream = written(form)
    logging.getLogger(f"bot.{words[:9]}").warning("%s", words)
    logging.getLogger("bot").error(words, words)
    both = stream.getvalue()
    assert both.splitlines() == both[:-1].split("\n")
    begin = STAMP if form == "text" else re.compile(r'\{"at"')
    events = [line for line in both.splitlines() if begin.match(line)]
    assert len(events) == 2
    rest = [line for line in both.splitlines() if line not in events]
    assert all(line.startswith("    ") for line in rest)
    assert not rest or form == "text"


secrets = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=6, max_size=60)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(secret=secrets, before=st.text(), after=st.text(), form=st.sampled_from(FORMS))
@example(KNOWN, "a", "z", "text")
@example(KNOWN, "a", "z", "json")
@example("*** * ***", "a", "*", "text")
@example("daemon", "", "", "json")
@example("zwei\u2028Zeilen", "", "", "text")
@example("one\u202ereversed", "", "", "json")
@example("\n    six", "\n", "six", "text")
def test_a_known_secret_never_comes_out(written, secret, before, after, form):
    stream = written(form)
    logs.hide(Secret(secret))
    failing(f"{before}{secret}{after}", f"{secret}{secret[:-1]}", f"{'x' * 20_000}{secret}")
    if form == "text":
        shown = [line.partition(": ")[2] if i == 0 else line[4:] for i, line in enumerate(in_text(stream).splitlines())]  # fmt: skip
        told = "\n".join(shown)
    else:
        event = in_json(stream)
        told = "\n".join((event["message"], event["exception"]))
    for spelling in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
        assert spelling not in told


def test_a_secret_that_tidying_would_put_together_is_hidden_too(written):
    stream = written("text")
    logs.hide(Secret("half\ufffdhalf"))
    logging.getLogger("bot").info("half\x00half")
    assert stream.getvalue().endswith("bot: ***\n")


@pytest.mark.parametrize("secret", ["zwei\u2028Zeilen", "gnol\u202elong", "a\u200bzero-width"])
def test_a_secret_with_a_character_that_is_never_shown_is_hidden_whole(written, secret):
    stream = written("text")
    logs.hide(Secret(secret))
    logging.getLogger("bot").info("before %s after", secret)
    assert stream.getvalue().endswith("INFO    bot: before *** after\n")


def test_a_secret_is_hidden_in_every_spelling(written):
    stream = written("text")
    secret = "a/b+c d\"e'f\\gäh"
    logs.hide(Secret(secret))
    spelt = ("a%2Fb%2Bc%20d%22e%27f%5Cg%C3%A4h", "a%2Fb%2Bc+d%22e%27f%5Cg%C3%A4h")
    for one in (secret, repr(secret), ascii(secret), json.dumps(secret), *spelt):
        logging.getLogger("bot").info("told %s", one)
    assert not re.search(r"b.{0,3}c", stream.getvalue())


def test_one_secret_inside_another_takes_nothing_of_it_along(written):
    stream = written("text")
    for one in ("abcd", "abcdefgh", "xabcdefghy"):
        logs.hide(Secret(one))
    logging.getLogger("bot").info("xabcdefghy abcdefgh abcd")
    assert stream.getvalue().endswith("bot: *** *** ***\n")


def test_a_short_word_is_never_hidden_everywhere(written):
    stream = written("text")
    logs.hide(Secret("a"))
    logging.getLogger("bot").info("a whole sentence")
    assert "a whole sentence" in stream.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_a_megabyte_is_cut_and_says_so(written, form):
    stream = written(form)
    logging.getLogger("bot").info("begin %s end", "x" * (1 << 20))
    failing("y" * (1 << 20))
    told = stream.getvalue()
    assert len(told) < 60_000
    assert "(1,034,586 characters left out)" in told
    assert " end" in told, "the end of a message is kept"
    assert "a note (" in told or "Stack (most recent call last)" in told, "and that of a traceback"


@pytest.mark.parametrize(
    "slow",
    ["eyJ" * 400_000, "eyJ-" * 300_000, "://" * 400_000, "sk-" * 400_000, "-----BEGIN " * 90_000,
     "authorization:" * 80_000, "?key" * 300_000, "xoxb" * 300_000],
)  # fmt: skip
def test_no_text_keeps_the_log_busy(slow):
    program = f"from bot.logs import tidy; tidy({slow[:40]!r} * {len(slow) // 40})"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)


# -- what nobody meant to log -------------------------------------------------------------------


def test_a_line_that_does_not_fit_its_arguments_is_still_one_event(written, capfd):
    stream = written("text")
    logs.hide(Secret(KNOWN))
    logging.getLogger("bot").info("%d and %s", *[KNOWN])
    assert in_text(stream).endswith("INFO    bot: %d and %s (cannot be filled in)\n")
    assert capfd.readouterr().err == "", "the library's own complaint shows the arguments"


def test_a_stream_that_is_gone_takes_nobody_along(written, capfd):
    written("text").close()
    logging.getLogger("bot").error("lost: %s", KNOWN)
    assert capfd.readouterr().err == ""


def test_warnings_of_python_are_events(written):
    stream = written("text")
    logs.hide(Secret(KNOWN))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"old ways with {KNOWN}", DeprecationWarning, stacklevel=1)
    told = in_text(stream)
    assert "WARNING py.warnings: " in told
    assert "DeprecationWarning: old ways with ***" in told


def test_what_nobody_catches_is_an_event(written):
    gc.collect()  # what earlier tests left behind is not told here
    stream = written("json")
    logs.hide(Secret(KNOWN))

    def fail() -> None:
        raise ValueError(KNOWN)

    thread = threading.Thread(target=fail, name="tick\nof main")
    thread.start()
    thread.join()
    event = in_json(stream)
    assert event["message"] == "the thread tick\nof main ended by ValueError"
    assert event["exception"].endswith("ValueError: ***")
    stream.seek(0)
    stream.truncate()

    class Leaves:
        def __del__(self) -> None:
            raise LookupError(KNOWN)

    Leaves()
    gc.collect()
    event = in_json(stream)
    assert event["level"] == "error"
    assert event["exception"].endswith("LookupError: ***")


def test_what_ends_the_program_is_an_event(tmp_path: Path):
    program = tmp_path / "ends.py"
    program.write_text(
        "from bot import logs\nfrom costcompass_core.domain.secret import Secret\n"
        f"logs.set_up('info', 'text')\nlogs.hide(Secret({KNOWN!r}))\n"
        f"raise ValueError('a\\n2026-11-23T09:00:00Z ERROR   forged', {KNOWN!r})\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, program],
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    first, *rest = done.stderr.splitlines()
    assert re.fullmatch(f"{STAMP.pattern} ERROR   logs: nobody caught ValueError", first)
    assert all(line.startswith("    ") for line in rest)
    assert "hunter22" not in done.stderr.replace("logs.hide(Secret('hunter22", "")


def test_libraries_speak_only_when_something_is_wrong(written):
    stream = written("text")
    for name in ("httpx", "httpcore", "slack_sdk", "slack_bolt", "apscheduler.scheduler"):
        logging.getLogger(name).info("a request with all its headers")
    assert stream.getvalue() == ""
