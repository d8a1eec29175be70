"""What the HTTP edge makes of answers that are complete, good or bad."""

import logging
import traceback
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from scripted_server import KEY, says

from costcompass_core.domain.errors import (
    Declined,
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    WrongKeyType,
)

DATE = "Date: Mon, 23 Nov 2026 09:00:02 GMT\r\n"


def error(code: int, message: str) -> dict:
    return {"error": {"code": code, "message": message}}


def test_a_good_answer_keeps_every_digit_and_the_servers_clock(serve, connect):
    server = serve(says(b'{"data":[0.1234567890123456789,1e-7,3]}', headers=DATE))
    answer = connect(server.url).get("/credits", {"date": "2026-11-22", "x": "a b&c"})
    assert answer.body == {"data": [Decimal("0.1234567890123456789"), Decimal("1e-7"), 3]}
    assert answer.server_time == datetime(2026, 11, 23, 9, 0, 2, tzinfo=UTC)
    head = server.heads[0].lower()
    assert head.startswith("get /api/v1/credits?date=2026-11-22&x=a+b%26c http/1.1\r\n")
    assert f"\r\nauthorization: bearer {KEY}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert "\r\nuser-agent: costcompass/" in head


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Date: yesterday\r\n",
        "Date: Mon, 99 Foo 0000 00:00:00 GMT\r\n",
        "Content-Type: text/html\r\n",
    ],
)
def test_valid_json_is_taken_whatever_the_headers_claim(serve, connect, headers):
    answer = connect(serve(says({"data": 1}, headers=headers)).url).get("/key")
    assert (answer.body, answer.server_time) == ({"data": 1}, None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><head><title>Just a moment</title></head></html>", "not JSON (HTML)"),
        (b"", "not JSON (empty)"),
        (b'{"data": [', "cut short"),
        (b"OK", "not JSON (other text)"),
        (b'\xef\xbb\xbf{"data": 1}', "byte order mark"),
        ('{"data": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"data": "\xff"}', "not UTF-8"),
        (b'{"data": NaN}', "NaN"),
        (b'{"data": -Infinity}', "-Infinity"),
        (b'{"data": 1, "data": 2}', "same name twice"),
        (b'{"data": ' + b"9" * 5000 + b"}", "out of any range"),
        (b'{"data": 1e99999999999999999999}', "out of any range"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_an_answer_that_is_not_json_is_refused_at_once(serve, connect, waits, body, words):
    server = serve(says(body))
    with pytest.raises(UnreadableAnswer) as caught:
        connect(server.url).get("/activity")
    assert words in str(caught.value)
    assert f"127.0.0.1:{server.port}/api/v1/activity" in str(caught.value)
    assert (len(server.heads), waits.asked) == (1, [])


@pytest.mark.parametrize(
    ("play", "kind", "words"),
    [
        (says({}, 302, "Location: http://127.0.0.1:1/x\r\n"), Unavailable, "redirect (302)"),
        (says(b"\x1f\x8b", 200, "Content-Encoding: gzip\r\n"), UnreadableAnswer, "compressed"),
        (says({"data": 1} | error(402, "Pay up")), Unavailable, "(402: Pay up)"),
        (says({"error": "flat words"}), Unavailable, "(200: flat words)"),
        (says(error(401, "User not found.")), KeyRejected, "(401: User not found.)"),
        (says(error(400, "Date must be …"), 400), Declined, "(400: Date must be …)"),
        (says(error(404, "Resource not found"), 404), Unavailable, "404"),
        (says(error(401, "User not found."), 401), KeyRejected, "rejected the key (401: User"),
        (says(b"<html>", 401), KeyRejected, "rejected the key (401)"),
        (says(error(403, "Only management keys can do this"), 403), WrongKeyType, "type of key"),
        (says(error(403, "Only provisioning keys can do it"), 403), WrongKeyType, "type of key"),
        (says(error(403, "Banned"), 403), KeyRejected, "rejected the key (403: Banned)"),
        (says(b"<html>Are you human?</html>", 403), Unavailable, "answered with an error (403)"),
        (says({"error": {"message": "x" * 999}}, 400), Declined, "x" * 200 + "…)"),
        (says(error(400, "a\nb\x1b[31m\ud800"), 400), Declined, "a b[31m)"),
    ],
)
def test_a_refusal_is_named_and_never_repeated(serve, connect, play, kind, words):
    server = serve(play)
    with pytest.raises(kind) as caught:
        connect(server.url).get("/credits")
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert len(server.heads) == 1


@pytest.mark.parametrize("broken", [KEY + "\nX", "a\rb" + KEY, KEY + "\0", "é" + KEY, KEY + " "])
def test_a_key_no_header_can_hold_is_refused_without_showing_it(connect, caplog, broken):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(KeyRejected, match="characters that no key has") as caught:
        connect("http://127.0.0.1:1/", key=broken)
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "0123456789abcdef" not in shown


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_a_key_that_the_server_echoes_is_hidden(serve, connect, caplog, status):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    server = serve(says(error(status, f"Bad key {KEY}: Bearer {KEY}"), status))
    with pytest.raises(Unavailable if status in (200, 400, 500) else KeyRejected) as caught:
        connect(server.url).get("/credits")
    assert "Bad key …" in str(caught.value)
    assert caught.value.__context__ is None
    assert "0123456789abcdef" not in "".join(traceback.format_exception(caught.value)) + caplog.text


def test_proxies_and_netrc_of_the_environment_are_ignored(serve, connect, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert connect(serve(says({"data": 1})).url).get("/key").body == {"data": 1}
