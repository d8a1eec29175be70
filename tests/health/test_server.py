"""The small HTTP server against clients of every kind, on real sockets."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus

import pytest
from watched import free_port, get, now

from bot.health.server import AT_ONCE, Answer, CannotListen, Server, plain

LARGE = 50_000_000


def broken() -> Answer:
    raise RuntimeError("a secret detail")


def serving(patience: float) -> Iterator[int]:
    number = free_port()
    pages = {
        "/": lambda: plain(HTTPStatus.OK, "well"),
        "/large": lambda: Answer(HTTPStatus.OK, b"x" * LARGE),
        "/broken": broken,
    }
    server = Server(f"127.0.0.1:{number}", pages, now, patience=patience)
    yield number
    server.close()


@pytest.fixture
def port() -> Iterator[int]:
    """A server that waits for slow machines."""
    yield from serving(20)


@pytest.fixture
def hasty() -> Iterator[int]:
    """A server with little patience."""
    yield from serving(0.5)


def said(port: int, request: bytes) -> bytes:
    """Everything that the server answers to these bytes, up to its end."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_page_is_given_and_its_head_alone_where_that_is_wanted(port: int):
    page = get(port, "/?query=1")
    assert (page.status, page.body) == (200, "well\n")
    assert page.headers["Server"] == "costcompass"
    assert page.headers["Connection"] == "close"
    head = get(port, "/", "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, "", "5")
    assert said(port, b"HEAD / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\n")


def test_what_is_not_there_is_not_found_and_nothing_can_be_changed(port: int):
    for path in ("/healthz", "//", "/../etc/passwd", "/%2e%2e/", "*"):
        assert get(port, path).status == 404
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
        page = get(port, "/", method)
        assert (page.status, page.headers["Allow"]) == (405, "GET, HEAD")
    body = b"x" * 40_000
    answer = said(port, b"POST / HTTP/1.1\r\nContent-Length: 40000\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / FTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: " + b"h" * 20_000 + b"\r\n\r\n", 431),
        (b"G" * 20_000, 431),
    ],
)
def test_what_is_no_request_is_refused(port: int, request_: bytes, status: int):
    assert said(port, request_).startswith(b"HTTP/1.1 %d " % status)
    assert get(port, "/").status == 200


def test_half_a_request_is_not_waited_for(hasty: int):
    assert said(hasty, b"GET / HTTP/1.1\r\nHost:").startswith(b"HTTP/1.1 408 ")


def test_a_page_that_fails_tells_the_log_alone(port: int, caplog: pytest.LogCaptureFixture):
    page = get(port, "/broken")
    assert page.status == 500
    assert "secret" not in page.body
    assert "a secret detail" in caplog.text
    assert get(port, "/").status == 200


@pytest.mark.parametrize("request_", [b"", b"GET / HT", b"GET /large HTTP/1.1\r\n\r\n"])
def test_clients_that_hold_every_place_lose_it(hasty: int, request_: bytes):
    """Silent ones, slow ones, and those that never take their answer."""
    with ExitStack() as stack:
        for _ in range(2 * AT_ONCE):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", hasty), 20))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request_)
        assert get(hasty, "/").status == 200


def test_a_client_that_drips_is_cut_off(hasty: int):
    with socket.create_connection(("127.0.0.1", hasty), 0.05) as connection:
        answer = b""
        for _ in range(400):
            try:
                connection.sendall(b"G")
                answer += connection.recv(100)
            except TimeoutError:
                continue
            except OSError:  # closed while a byte was on its way: the answer came before that
                answer += connection.recv(100)
            if answer:
                break
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_port_in_use_is_said_in_one_line():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotListen, match=rf":{port}': the port is in use: end the program"):
            Server(f"127.0.0.1:{port}", {}, now)


def test_an_address_that_is_not_ours_is_said_in_one_line():
    with pytest.raises(CannotListen, match="this machine has no such address: use 127"):
        Server("192.0.2.1:9464", {}, now)


@pytest.mark.parametrize(
    ("host", "warns"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)]
)
def test_only_beyond_the_loopback_address_it_warns(
    host: str, warns: bool, caplog: pytest.LogCaptureFixture
):
    port = free_port()
    with caplog.at_level(logging.INFO):
        server = Server(f"{host}:{port}", {"/": lambda: plain(HTTPStatus.OK, "well")}, now)
    assert get(port, "/").status == 200
    server.close()
    assert ("there is no password" in caplog.text) is warns


def test_a_closed_server_lets_the_next_one_listen_at_once():
    port = free_port()
    for answer in ("first", "second"):
        pages = {"/": lambda answer=answer: plain(HTTPStatus.OK, answer)}
        server = Server(f"127.0.0.1:{port}", pages, now)
        # Read to its end, so that it is the server's side that the kernel keeps waiting.
        assert said(port, b"GET / HTTP/1.1\r\n\r\n").endswith(f"{answer}\n".encode())
        server.close()
