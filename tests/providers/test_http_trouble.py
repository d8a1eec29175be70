"""The HTTP edge when the other side breaks off, drips, floods, lies about itself, or is not there."""

import json
import logging
import socket
import ssl
import struct
import traceback
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from install import eventually
from scripted_server import KEY, framed, says

from costcompass_core.domain.errors import CostCompassError, Unavailable, UnreadableAnswer
from costcompass_core.providers import http
from costcompass_core.providers.pace import Pace

HOME = ip_address("127.0.0.1")
GOOD = says({"data": "good"})
DAYS_LATER = "Sat, 28 Nov 2026 09:00:00 GMT"


def reset(connection, _stop):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(_connection, _stop):
    pass


def half(connection, _stop):
    connection.sendall(framed(200, b'{"data": 1}')[:-4])


def headers_without_end(connection, _stop):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000)


def gibberish(connection, _stop):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


@pytest.mark.parametrize(
    ("play", "words"),
    [
        (reset, "broke off"),
        (hang_up, "broke off"),
        (half, "broke off"),
        (headers_without_end, "broke off"),
        (gibberish, "broke off"),
        (says(b"", 500), "(500)"),
        (says(b"<html>cloudflare</html>", 502), "(502)"),
        (says({"error": {"code": 503, "message": "Down"}}), "(503: Down)"),
        (says({"error": {"code": 429, "message": "Rate limit exceeded"}}, 429), "(429: Rate limit"),
    ],
)
def test_trouble_that_may_pass_is_tried_three_times(serve, connect, waits, play, words):
    server = serve(play)
    with pytest.raises(Unavailable) as caught:
        connect(server.url).get("/credits")
    assert type(caught.value) is Unavailable
    assert words in str(caught.value)
    assert caught.value.__context__ is None
    assert (len(server.heads), server.connections, waits.asked) == (3, 3, [1.0, 2.0])

    recovering = serve(play, GOOD)
    assert connect(recovering.url).get("/credits").body == {"data": "good"}


@pytest.mark.parametrize(
    ("retry_after", "pause"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("Mon, 23 Nov 2026 09:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 08:00:00 GMT", 1.0),
        ("soon", 1.0),
        ("-5", 1.0),
        ("1e9", 1.0),
        ("9" * 5000, 1.0),
    ],
)
def test_retry_after_is_honoured_where_it_makes_sense(serve, connect, waits, retry_after, pause):
    headers = f"Date: Mon, 23 Nov 2026 09:00:00 GMT\r\nRetry-After: {retry_after}\r\n"
    server = serve(says(b"", 429, headers), GOOD)
    assert connect(server.url).get("/credits").body == {"data": "good"}
    assert waits.asked == [pause]


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("61", 61), ("1000000000000", 3600), (DAYS_LATER, 3600)]
)
def test_a_server_that_asks_for_more_patience_ends_the_call(
    serve, connect, waits, retry_after, seconds
):
    headers = f"Date: Mon, 23 Nov 2026 09:00:00 GMT\r\nRetry-After: {retry_after}\r\n"
    server = serve(says(b"", 429, headers))
    with pytest.raises(Unavailable, match=f"try again in {seconds} s"):
        connect(server.url).get("/credits")
    assert (len(server.heads), waits.asked) == (1, [])


def test_a_moment_already_past_is_no_advice(serve, connect):
    headers = (
        "Date: Mon, 23 Nov 2026 09:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
    )
    with pytest.raises(Unavailable) as caught:
        connect(serve(says(b"", 429, headers)).url).get("/credits")
    assert "try again" not in str(caught.value)


def test_a_stop_is_heard_between_attempts(serve, connect, waits):
    waits.stopping = True
    server = serve(says(b"", 500))
    with pytest.raises(Unavailable, match="stopping"):
        connect(server.url).get("/credits")
    assert len(server.heads) == 1


def drip(start: bytes, drop: bytes = b" "):
    """Send `start`, then a little every now and then, for as long as anyone listens."""

    def play(connection, stop):
        connection.sendall(start)
        while drop and not stop.wait(0.02):
            connection.sendall(drop)
        stop.wait()

    return play


@contextmanager
def hurried(client, deadline=1.0):
    """Give a client's calls less time for a while: what comes before and after may take longer."""
    line = client._line
    usual, line._limits = line._limits, http.Limits(deadline=deadline)
    line._deadline._seconds = deadline
    yield
    line._limits, line._deadline._seconds = usual, usual.deadline


@pytest.mark.parametrize(
    "play",
    [
        drip(b"", b""),
        drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
        drip(b'HTTP/1.1 200 OK\r\n\r\n{"data": 1}'),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["silence", "headers", "continues", "body", "body without length", "chunks"],
)
def test_the_deadline_is_for_the_whole_exchange(serve, connect, waits, play):
    server = serve(play)
    with pytest.raises(Unavailable, match=r"no full answer within 1 s"):
        connect(server.url, deadline=1).get("/credits")
    assert eventually(lambda: server.heads)
    assert (len(server.heads), waits.asked) == (1, [])


def test_the_deadline_cuts_a_stuck_tls_handshake(serve, connect):
    url = serve(drip(b"", b"")).url.replace("http:", "https:")
    with pytest.raises(Unavailable, match=r"no full answer within 0.3 s"):
        connect(url, deadline=0.3).get("/credits")


def test_the_deadline_holds_on_a_kept_connection_and_the_next_call_makes_a_new_one(serve, connect):
    server = serve(GOOD, drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"), GOOD)
    client = connect(server.url)
    client.get("/key")
    with hurried(client), pytest.raises(Unavailable, match="no full answer within 1 s"):
        client.get("/credits")
    assert client.get("/credits").body == {"data": "good"}
    assert (len(server.heads), server.connections) == (3, 2)


def test_a_flood_is_cut_at_the_limit_and_the_server_sees_us_leave(serve, connect, waits):
    left = []

    def flood(connection, _stop):
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b" " * 65536)
        left.append(True)

    server = serve(flood)
    with pytest.raises(UnreadableAnswer, match="more than 100000 bytes"):
        connect(server.url, body_bytes=100_000).get("/activity")
    assert waits.asked == []
    server._threads[-1].join()
    assert left == [True]


def test_nobody_listening(connect, waits):
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))  # without listening
        client = connect(f"http://127.0.0.1:{kept.getsockname()[1]}")
        with pytest.raises(Unavailable, match="Connection refused"):
            client.get("/credits")
    assert waits.asked == [1.0, 2.0]


def test_a_name_that_does_not_resolve(connect, monkeypatch):
    def unknown(*_args, **_more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unavailable, match="Name or service not known"):
        connect("https://nowhere.example").get("/credits")


def test_a_certificate_nobody_vouches_for_is_refused_once(serve, connect, waits, tmp_path):
    server = serve(GOOD, tls=tls(self_signed(tmp_path)))
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        connect(server.url).get("/credits")
    assert (server.connections, server.heads, waits.asked) == (1, [], [])


def test_over_tls_the_deadline_holds_too(serve, connect, tmp_path, monkeypatch):
    pem = self_signed(tmp_path)
    trusting = ssl.create_default_context(cafile=pem)
    monkeypatch.setattr(http, "certificates", lambda: trusting)
    server = serve(GOOD, drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"), tls=tls(pem))
    client = connect(server.url)
    assert client.get("/key").body == {"data": "good"}
    with hurried(client), pytest.raises(Unavailable, match="no full answer within 1 s"):
        client.get("/credits")


def tls(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(HOME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path


QUESTION = {"metrics": ["credits_usage"]}


@pytest.mark.parametrize(
    "play",
    [
        reset,
        says({"error": {"code": 401, "message": f"No such key {KEY}"}}, 401),
        says({"error": {"code": 400, "message": f"Bearer {KEY} asked too much"}}, 400),
        says(b"", 307, "Location: https://elsewhere.example/take\r\n"),
        says(f"<html>{KEY}</html>".encode(), 502),
        says(f"<html>{KEY}</html>".encode()),
    ],
)
def test_nothing_that_is_said_of_a_question_holds_its_key(serve, connect, caplog, play):
    caplog.set_level(logging.DEBUG)
    server = serve(play)
    with pytest.raises(CostCompassError) as caught:
        connect(server.url).post("/analytics/query", QUESTION)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert KEY not in told
    assert "/api/v1/analytics/query" in str(caught.value)
    assert all(KEY not in head.splitlines()[0] for head in server.heads)


def test_a_question_is_asked_again_whole_as_long_as_the_server_wants_to_be_left_alone(
    serve, connect, waits
):
    server = serve(says(b"", 429, "Retry-After: 7\r\n"), reset, GOOD)
    answer = connect(server.url).post("/analytics/query", QUESTION)
    assert answer.body == {"data": "good"}
    assert waits.asked == [7.0, 2.0]
    heads = [head.lower() for head in server.heads]
    assert len(heads) == 3
    size = f"\r\ncontent-length: {len(json.dumps(QUESTION))}\r\n"
    assert all("\r\ncontent-type: application/json\r\n" in head for head in heads)
    assert all(size in head for head in heads)
    lasting = serve(says(b"", 429, "Retry-After: 61\r\n"))
    with pytest.raises(Unavailable, match="try again in 61 s"):
        connect(lasting.url).post("/analytics/query", QUESTION)
    assert len(lasting.heads) == 1


def test_a_question_waits_for_its_place_and_a_stop_is_heard_there(serve, waits):
    server, clock = serve(GOOD), [100.0]
    pace = Pace(2, lambda: clock[0])
    with http.Http(server.url, {"Authorization": "Bearer x"}, wait=waits, pace=pace) as client:
        client.get("/credits")
        client.post("/analytics/query", QUESTION)
        client.post("/analytics/query", QUESTION)
        assert waits.asked == []
        clock[0] += 20
        waits.stopping = True
        with pytest.raises(Unavailable, match="stopping"):
            client.post("/analytics/query", QUESTION)
        assert waits.asked == [40.0]
