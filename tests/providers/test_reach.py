"""The way to a host: on which step it ends, told apart, with what to open."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scripted_server import says

from costcompass_core.domain.errors import Unavailable
from costcompass_core.providers.reach import require_reachable

GOOD = says({"data": "good"})


def blocked(url: str, trusted: ssl.SSLContext | None = None, step: float = 4.0) -> str:
    with pytest.raises(Unavailable) as caught:
        require_reachable(url, lambda: trusted or ssl.create_default_context(), step)
    assert caught.value.mend
    return str(caught.value)


@pytest.fixture
def server():
    """Takes connections on 127.0.0.1 and does with each what a test says."""
    with ExitStack() as stack:

        def start(meet) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            ended = Event()
            stack.callback(ended.set)

            def serve() -> None:
                with suppress(OSError):  # whoever came may be gone
                    for _ in range(2):
                        connection, _ = listener.accept()
                        with connection:
                            meet(connection, ended)

            Thread(target=serve, daemon=True).start()
            return listener.getsockname()[1]

        yield start


def test_a_host_that_is_there_gets_no_request(serve, tmp_path):
    plain, pem = serve(GOOD), certificate(tmp_path)
    require_reachable(plain.url, ssl.create_default_context)
    secured = serve(GOOD, tls=presented(pem))
    require_reachable(secured.url, lambda: ssl.create_default_context(cafile=pem))
    assert (plain.heads, secured.heads) == ([], [])
    assert (plain.connections, secured.connections) == (1, 1)


def test_a_name_that_nobody_knows():
    told = blocked("https://nowhere.invalid/api/v1?key=secret", step=60)  # a lost packet costs 5 s
    assert told.startswith("the name nowhere.invalid cannot be resolved (")
    assert "/etc/resolv.conf" in told
    assert "secret" not in told


def test_a_dns_server_that_never_answers(monkeypatch):
    ended = Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(30))
    told = blocked("https://example.com", step=0.05)
    ended.set()
    assert told.startswith("the name example.com is not resolved within 0.05 s: no DNS server")
    assert "open port 53" in told


def test_a_port_that_is_closed():
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))  # without listening
        port = kept.getsockname()[1]
        told = blocked(f"https://127.0.0.1:{port}")
    assert told == (
        f"127.0.0.1:{port} refuses the connection: nothing listens there, or a firewall rejects it:"
        f" allow outgoing TCP to 127.0.0.1:{port}"
    )


def test_a_firewall_that_drops_what_we_send():
    with ExitStack() as stack:
        # Linux drops what comes in while the queue of a listener is full, as a firewall does.
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(2):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        told = blocked(f"https://127.0.0.1:{port}", step=0.3)
    assert told == (
        f"127.0.0.1:{port} does not answer within 0.3 s:"
        f" a firewall seems to drop it: allow outgoing TCP to 127.0.0.1:{port}"
    )


def test_a_host_that_is_silent_once_connected(server):
    port = server(lambda _, ended: ended.wait())
    told = blocked(f"https://127.0.0.1:{port}", step=0.2)
    assert told.startswith(f"127.0.0.1:{port} takes the connection and then is silent, without")


@pytest.mark.parametrize("words", [b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", b""])
def test_something_that_answers_without_tls(server, words):
    def meet(connection: socket.socket, _ended: Event) -> None:
        connection.recv(4096)
        connection.sendall(words)

    port = server(meet)
    told = blocked(f"https://127.0.0.1:{port}")
    assert told.startswith(f"127.0.0.1:{port} does not speak TLS (")
    assert f"something on the way answers in its place: let 127.0.0.1:{port} through" in told


def test_a_proxy_that_opens_tls_is_named(serve, tmp_path):
    secured = serve(GOOD, tls=presented(certificate(tmp_path, issuer="Inspection\n[bad CA]")))
    told = blocked(secured.url)
    assert told.startswith(f"the certificate of 127.0.0.1:{secured.port} is not trusted (")
    assert "issued by 'CN=Inspection\\n[bad CA]'): a proxy seems to open TLS on the way" in told
    assert f"let 127.0.0.1:{secured.port} through unopened" in told


def test_a_certificate_of_another_day_points_at_the_clock(serve, tmp_path):
    pem = certificate(tmp_path, until=timedelta(days=-1))
    told = blocked(serve(GOOD, tls=presented(pem)).url, ssl.create_default_context(cafile=pem))
    assert "certificate has expired" in told
    assert told.endswith(
        "set this machine's clock first; if it is right, tell whoever runs that host"
    )


def test_a_certificate_of_another_host(serve, tmp_path):
    pem = certificate(tmp_path, host="127.0.0.9")
    told = blocked(serve(GOOD, tls=presented(pem)).url, ssl.create_default_context(cafile=pem))
    assert "IP address mismatch" in told
    assert "something on the way answers in its place" in told


def presented(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def certificate(
    folder: Path,
    *,
    issuer: str = "ourselves",
    host: str = "127.0.0.1",
    until: timedelta = timedelta(days=1),
) -> Path:
    """A certificate of a server, signed by itself in the name of `issuer`, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(pem)
    )
    return path
