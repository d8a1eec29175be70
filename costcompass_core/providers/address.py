"""Addresses of other servers: their parts, and whether nobody on the way can read along."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit


def parts_of(text: str) -> SplitResult | None:
    """Return the parts of an address with a usable host and port, else `None`."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        usable = parts.port != 0 and (parts.hostname or "").encode("idna")
    except ValueError:
        return None
    return parts if usable and re.fullmatch(r"[!-~]+", text) and "\\" not in text else None


def private(parts: SplitResult) -> bool:
    """Whether what is sent there is read there alone: HTTPS, or plain HTTP to this machine."""
    return parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname))


def _loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
