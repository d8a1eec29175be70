"""Webhooks and heartbeats: one attempt each, and only the host of an address is ever told.

Path and query of such an address often are its secret, so no error and no log line holds them.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from costcompass_core.domain.errors import ConfigError, Undelivered
from costcompass_core.providers.address import parts_of, private
from costcompass_core.providers.http import Limits, Line, possible
from costcompass_core.providers.quoting import quoting
from costcompass_core.providers.reply import Failure, Reply, retry_after

_DEADLINE: Final = 10.0
"""Seconds for one attempt."""
_SECRET_CHARACTERS: Final = 4
"""Parts of a path or query from this length on are hidden, should a receiver echo them."""


def post(url: str, body: bytes, *, deadline: float = _DEADLINE) -> None:
    """POST JSON once; done with any 2xx. Raises `Undelivered`, `permanent` where it was refused."""
    _send("POST", url, body, deadline)


def ping(url: str, *, deadline: float = _DEADLINE) -> None:
    """GET once, so that a watchdog sees us alive. Raises as `post` does."""
    _send("GET", url, b"", deadline)


def check_hook_url(text: str) -> str:
    """Return `text` if alerts may be sent there; raises `ConfigError`.

    That is HTTPS, or plain HTTP to this very machine; unlike a `base_url` it may have a query.
    """
    parts = parts_of(text)
    if parts is None:
        raise ConfigError("this is not an address", "write it like https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("the address holds a name or password", "leave them out")
    if parts.fragment:
        raise ConfigError("the address holds a #", "leave out what follows it")
    if not private(parts):
        raise ConfigError(
            f"the address would send alerts to {parts.hostname} unencrypted", "use https://"
        )
    url = parts._replace(netloc=parts.netloc.lower()).geturl()
    if "xn--" in parts.netloc.lower() and not possible(url):  # the only such host that gets here
        raise ConfigError(f"the host {parts.hostname} can't exist", "check the address")
    return url


def _send(method: str, url: str, body: bytes, deadline: float) -> None:
    """Send one request. What goes wrong is `Undelivered`, an unsafe address a `ConfigError`."""
    url = check_hook_url(url)
    _, host, path, query, _ = urlsplit(url)
    if not possible(url):
        what = f"{host} is no host that can exist"
        raise Undelivered(what, "check the address", permanent=True)
    words = re.split(r"[/?&=]", f"{path}?{query}")
    quote = quoting(word for word in words if len(word) >= _SECRET_CHARACTERS)
    line = Line(Limits(deadline=deadline, body_bytes=0), quote, "the address")
    kind = {"Content-Type": "application/json"} if body else {}
    try:
        outcome = line.exchange(method, url, kind, host, body)
    finally:
        line.close()
    if isinstance(outcome, Failure):
        raise Undelivered(outcome.error.what, outcome.error.mend)
    _judge(outcome, host)


def _judge(reply: Reply, host: str) -> None:
    """Raise `Undelivered` unless the receiver took it."""
    status = reply.status
    if 200 <= status < 300:
        return
    if status in {408, 429} or status >= 500:
        wait = retry_after(reply.headers) or 0.0
        mend = f"it asks to try again in {wait:.0f} s" if wait else ""
        raise Undelivered(f"{host} answered with an error ({status})", mend, wait=wait)
    if 300 <= status < 400:
        what = f"{host} answered with a redirect ({status}), which is never followed"
        raise Undelivered(what, "configure the address it leads to", permanent=True)
    what = f"{host} refuses what is sent there ({status})"
    raise Undelivered(what, "check the address", permanent=True)
