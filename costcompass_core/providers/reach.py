"""The way to a host, step by step: its name, a connection, TLS; and on which step it ends.

Nothing is asked for and no key is at hand: after a step has failed one knows whom to talk to.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from costcompass_core.domain.errors import Unavailable

Result = TypeVar("Result")
Place = tuple[Any, ...]
"""One answer of `getaddrinfo`: family, type, protocol, name, address."""
STEP_SECONDS: Final = 4.0
"""Patience with each of the three steps."""
_NO_DNS: Final = (
    "no DNS server answers: check /etc/resolv.conf, and open port 53 to the server it names"
)
_MOST_ADDRESSES: Final = 4
_PORTS: Final = {"https": 443, "wss": 443, "http": 80, "ws": 80}
_SECURE: Final = frozenset({"https", "wss"})
_CLOCK_CODES: Final = frozenset({9, 10})
"""OpenSSL's words for "not yet valid" and "expired"."""
_NAME_CODES: Final = frozenset({62, 64})
"""OpenSSL's words for a certificate of another host, or of another address."""


def require_reachable(
    url: str, trusted: Callable[[], ssl.SSLContext], step: float = STEP_SECONDS
) -> None:
    """Go to the host of `url` and back within three `step`s (seconds), sending no request.

    `trusted` gives the certificates that the client itself will use. Raises `Unavailable`, which
    says where the way ends, with host and port, and what to open.
    """
    scheme, (host, port) = urlsplit(url).scheme, host_and_port(url)
    places = _resolved(host, port, step)
    with _connected(host, port, places, step) as connection:
        if scheme in _SECURE:
            _shake_hands(connection, host, port, trusted(), lambda: _issuer(host, places[0], step))


def host_and_port(url: str) -> tuple[str, int]:
    """Return where `url` leads to, without anything of it that may be secret."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)


def _resolved(host: str, port: int, patience: float) -> Sequence[Place]:
    """Look the name up; the system's own patience can be half a minute, and nothing cuts it short."""
    try:
        places = _bounded(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), patience)
    except TimeoutError:
        raise Unavailable(
            f"the name {host} is not resolved within {patience:g} s",
            "no DNS server answers: check /etc/resolv.conf, and open port 53 to the server it names",
        ) from None
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no such name can exist"
        busy = getattr(error, "errno", None) == socket.EAI_AGAIN
        mend = _NO_DNS if busy else "check its spelling, and this machine's DNS (/etc/resolv.conf)"
        raise Unavailable(f"the name {host} cannot be resolved ({why})", mend) from None
    return places[:_MOST_ADDRESSES]


def _bounded(work: Callable[[], Result], patience: float) -> Result:
    """Return what `work` returns, or raise `TimeoutError` and leave it behind in its thread."""
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            outcome.set_exception(error)

    Thread(target=run, name="lookup", daemon=True).start()
    return outcome.result(patience)


def _connected(host: str, port: int, places: Sequence[Place], patience: float) -> socket.socket:
    """Connect to the first address that lets us; raise for the most telling of all failures."""
    failures: list[OSError] = []
    for place in places:
        connection = socket.socket(*place[:3])
        connection.settimeout(patience / len(places))
        try:
            connection.connect(place[4])
        except OSError as error:
            connection.close()
            failures.append(error)
        else:
            connection.settimeout(patience)
            return connection
    raise _unconnected(f"{host}:{port}", failures, patience)


def _unconnected(where: str, failures: Sequence[OSError], patience: float) -> Unavailable:
    """Say why nobody took the connection: a firewall that drops, one that rejects, or no way."""
    if any(isinstance(one, TimeoutError) for one in failures):
        return Unavailable(
            f"{where} does not answer within {patience:g} s",
            f"a firewall seems to drop it: allow outgoing TCP to {where}",
        )
    if any(one.errno == errno.ECONNREFUSED for one in failures):
        return Unavailable(
            f"{where} refuses the connection",
            f"nothing listens there, or a firewall rejects it: allow outgoing TCP to {where}",
        )
    why = failures[-1].strerror if failures else "it has no address"
    mend = f"check this machine's network, then allow outgoing TCP to {where}"
    return Unavailable(f"there is no way to {where} ({why})", mend)


def _shake_hands(
    connection: socket.socket,
    host: str,
    port: int,
    context: ssl.SSLContext,
    issuer: Callable[[], str],
) -> None:
    """Agree on TLS, or raise for what kept us from it."""
    where = f"{host}:{port}"
    try:
        context.wrap_socket(connection, server_hostname=host).close()
    except TimeoutError:
        raise Unavailable(
            f"{where} takes the connection and then is silent, without any TLS",
            f"a firewall or proxy holds it: let {where} through untouched",
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(where, error, issuer()) from None
    except OSError as error:
        why = getattr(error, "reason", None) or error.strerror or "it hung up"
        raise Unavailable(
            f"{where} does not speak TLS ({str(why).lower().replace('_', ' ')})",
            f"something on the way answers in its place: let {where} through untouched",
        ) from None


def _untrusted(where: str, error: ssl.SSLCertVerificationError, issuer: str) -> Unavailable:
    """Say what is wrong with a certificate: its days, its name, or whoever vouches for it."""
    why = error.verify_message.rstrip(".")
    if error.verify_code in _CLOCK_CODES:
        mend = "set this machine's clock first; if it is right, tell whoever runs that host"
    elif error.verify_code in _NAME_CODES:
        mend = f"something on the way answers in its place: let {where} through untouched"
    else:
        mend = f"a proxy seems to open TLS on the way: let {where} through unopened"
    return Unavailable(f"the certificate of {where} is not trusted ({why}{issuer})", mend)


def _issuer(host: str, place: Place, patience: float) -> str:
    """Return who vouches for the certificate that was refused, to be added to a sentence."""
    from cryptography import x509  # noqa: PLC0415 - needed only where something is wrong

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # to look, not to talk
    with suppress(OSError, ValueError), socket.socket(*place[:3]) as connection:
        connection.settimeout(patience)
        connection.connect(place[4])
        with context.wrap_socket(connection, server_hostname=host) as opened:
            shown = opened.getpeercert(binary_form=True) or b""
        names = x509.load_der_x509_certificate(shown).issuer
        return f", issued by {names.rfc4514_string()[:80]!a}"
    return ""
