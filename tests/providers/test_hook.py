"""Webhooks and heartbeats: one attempt, an honest verdict, and an address that stays secret."""

import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from install import eventually
from scripted_server import says

from bot.sandbox import faults
from bot.sandbox.collector import Collector
from costcompass_core.domain.errors import ConfigError, Undelivered
from costcompass_core.providers import hook

SECRET = "hunter2secret"


@pytest.fixture
def collector(now):
    with Collector(now) as collector:
        yield collector


@pytest.fixture
def url(collector):
    return f"{collector.url}T0/{SECRET}?token={SECRET}&x=a%20b"


def test_a_webhook_gets_json_and_a_heartbeat_a_plain_get(collector, url):
    hook.post(url, b'{"usd": "12.40"}')
    hook.ping(url)
    posted, pinged = collector.requests
    assert (posted.method, posted.path, posted.json) == ("POST", f"/T0/{SECRET}", {"usd": "12.40"})
    assert posted.headers["content-type"] == "application/json"
    assert (pinged.method, pinged.query, pinged.body) == ("GET", {"token": SECRET, "x": "a b"}, b"")


@pytest.mark.parametrize(
    ("fault", "permanent", "wait", "words"),
    [
        (faults.rate_limited("7"), False, 7.0, "try again in 7 s"),
        (faults.rate_limited("soon"), False, 0.0, "(429)"),
        (faults.raw(b"", 408), False, 0.0, "(408)"),
        (faults.html(502), False, 0.0, "(502)"),
        (faults.hang_up, False, 0.0, "broke off"),
        (faults.reset, False, 0.0, "broke off"),
        (faults.silence, False, 0.0, "no full answer within 1 s"),
        (faults.status(404), True, 0.0, "(404)"),
        (faults.raw(SECRET.encode(), 410), True, 0.0, "(410)"),
        (faults.redirect(f"/elsewhere/{SECRET}"), True, 0.0, "redirect (302)"),
    ],
)
def test_what_goes_wrong_is_told_once_without_the_address(
    collector, url, *, fault, permanent, wait, words
):
    collector.faults.add("/", fault, times=None)
    patience = {"deadline": 1} if fault is faults.silence else {}  # nobody waits for the others
    with pytest.raises(Undelivered) as caught:
        hook.post(url, b"{}", **patience)
    error = caught.value
    assert (error.permanent, error.wait) == (permanent, wait)
    assert words in str(error)
    assert urlsplit(url).netloc in str(error)
    assert SECRET not in str(error)
    assert error.__context__ is None
    assert eventually(lambda: len(collector.requests) == 1)


def test_a_2xx_is_enough_whatever_becomes_of_its_body(collector, url):
    collector.faults.add("/", faults.raw(b"", 204), faults.huge_body(), faults.truncated)
    for _ in range(3):
        hook.post(url, b"{}")


def test_a_receiver_that_echoes_nonsense_gives_nothing_away(serve):
    def echo(connection, _stop):
        connection.sendall(f"HTTP/1.1 200 OK\r\n{SECRET} {SECRET}\r\n\r\n".encode())

    with pytest.raises(Undelivered) as caught:
        hook.ping(serve(echo).url.replace("api", SECRET))
    assert "broke off" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_nobody_listening_may_pass():
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))  # without listening
        url = f"http://127.0.0.1:{kept.getsockname()[1]}/{SECRET}"
        with pytest.raises(Undelivered, match="Connection refused") as caught:
            hook.ping(url)
    assert not caught.value.permanent


def test_a_host_that_cannot_exist_will_not_pass():
    with pytest.raises(Undelivered, match=r"999\.1\.1\.1") as caught:
        hook.ping(f"https://999.1.1.1/{SECRET}")
    assert caught.value.permanent


def test_an_unsafe_address_is_never_called(serve):
    server = serve(says({}))
    with pytest.raises(ConfigError):
        hook.post(f"{server.url}#{SECRET}", b"{}")
    assert server.connections == 0


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" https://Hooks.Example/A/b?Token=C%2F ", "https://hooks.example/A/b?Token=C%2F"),
        ("https://hc-ping.example/5f0a/", "https://hc-ping.example/5f0a/"),
        ("http://127.0.0.1:8080/x?y=1", "http://127.0.0.1:8080/x?y=1"),
        ("https://xn--strae-oqa.example/x", "https://xn--strae-oqa.example/x"),
    ],
)
def test_a_hook_may_have_a_query_and_keeps_every_character(text, url):
    assert hook.check_hook_url(text) == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://hooks.example/a", "hooks.example unencrypted"),
        (f"https://me:{SECRET}@hooks.example/", "name or password"),
        (f"https://hooks.example/#{SECRET}", "#"),
        (f"hooks.example/{SECRET}", "not an address"),
        (f"https://hooks.example/\n{SECRET}", "not an address"),
        (f"https://xn--/{SECRET}", "the host xn-- can't exist"),
        (f"https://XN--a/{SECRET}", "the host xn--a can't exist"),
    ],
)
def test_anything_else_is_refused_without_showing_a_secret(text, words):
    with pytest.raises(ConfigError) as caught:
        hook.check_hook_url(text)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


@given(st.text() | st.from_regex(r"https?://[ -~]{0,30}", fullmatch=True))
def test_no_text_does_worse_than_a_config_error(text):
    try:
        url = hook.check_hook_url(text)
    except ConfigError:
        return
    assert hook.check_hook_url(url) == url
