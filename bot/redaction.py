"""Takes secrets out of text: those that were announced, and whatever looks like one.

What was announced is found in every spelling that a log could give it (`repr`, JSON, a URL), the
rest by the form of its vendor, of a header, or of an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from threading import Lock
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

from costcompass_core.domain.secret import Secret

HIDDEN: Final = "***"
"""Shorter than any secret that is hidden, so that hiding comes to an end and brings none back."""
_SHORTEST: Final = 4
"""Characters from which on a secret is hidden: a shorter one would take words apart."""
_SHORTEST_PATH: Final = 12
"""The same for the path of an address, which can be a plain word or two."""
_LINE_OF_KEY: Final = 16
"""Characters from which on a line of a private key is hidden by itself."""

_BEFORE: Final = r"(?<![A-Za-z0-9])"
_VALUE: Final = r"(?:(?:bearer|basic)\s+)?[^\s\"',]+"
_HEADERS: Final = ("authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie")
_FIELDS: Final = (
    "private_key", "client_secret", "access_token", "refresh_token", "id_token", "api_key",
    "assertion", "passphrase",
)  # fmt: skip
_PARAMETERS: Final = (
    "key", "token", "ticket", "secret", "sig", "signature", "code", "password",
)  # fmt: skip
_LONG: Final = ("xai-", "pplx-", "gsk_", "hf_", "tgp_v1_", "vcp_", "vca_", "vck_", "vcr_", "vci_")


def _shape(pattern: str, *marks: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    return marks, re.compile(pattern)


def _any(words: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, words))


_SHAPES: Final = (
    _shape(
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]{0,40}PRIVATE KEY-----|[\s\S]*)",
        "private key-----",
    ),
    _shape(rf"{_BEFORE}sk-(?:or-v1-[A-Za-z0-9]+|[A-Za-z0-9_-]{{16,}})", "sk-"),
    _shape(rf"{_BEFORE}(?:{_any(_LONG)})[A-Za-z0-9_-]{{16,}}", *_LONG),
    _shape(rf"{_BEFORE}AIza[A-Za-z0-9_-]{{16,}}", "aiza"),
    _shape(rf"{_BEFORE}ya29\.[A-Za-z0-9._-]{{8,}}", "ya29."),
    _shape(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?", "eyj"),
    _shape(rf"{_BEFORE}xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]+", "xox"),
    _shape(rf"{_BEFORE}xapp-[A-Za-z0-9-]+", "xapp-"),
    _shape(r"(?<=hooks\.slack\.com/)[^\s'\"<>]+", "hooks.slack.com/"),
    _shape(r"(?<=://)[^/\s@'\"<>]+@", "://"),
    _shape(
        rf"(?i:(?<=[?&_])(?:{_any(_PARAMETERS)})=[^&\s'\"<>]+)", *(f"{one}=" for one in _PARAMETERS)
    ),
    # A header or a field with its value, as a request, a dict, a tuple or JSON has it.
    _shape(rf"(?i:\b(?:{_any(_HEADERS)})[\"']?\s*[:=]\s*(?:b?[\"'])?{_VALUE})", *_HEADERS),
    _shape(rf"(?i:\b(?:{_any(_HEADERS)})[\"']\s*,\s*b?[\"']{_VALUE})", *_HEADERS),
    _shape(rf"(?i:[\"'](?:{_any(_FIELDS)})\\?[\"']\s*:\s*\\?[\"'][^\"']+)", *_FIELDS),
    _shape(r"(?i:\bbearer [^\s'\"]+)", "bearer "),
)
"""What keys, tokens and the places that hold them look like, for those that nobody announced.

Before each stands, in lower case, what a text must hold for it to be worth the search. All of them
take a time in proportion to the text, for anybody may have us log a megabyte.
"""

_lock: Final = Lock()
_known: tuple[str, ...] = ()


def hide(secret: Secret) -> Secret:
    """Keep `secret` out of every line from now on, and hand it back."""
    global _known  # noqa: PLW0603 - one list a process, replaced whole so that readers need no lock
    new = {one for one in _spellings(secret.expose()) if len(one) >= _SHORTEST}
    if not new <= set(_known):
        with _lock:
            # The longest first: one secret may be a part of another.
            _known = tuple(sorted({*_known, *new}, key=lambda one: (-len(one), one)))
    return secret


def hide_address(url: str) -> None:
    """Keep what follows the host of `url` out of every line: of webhooks that is the secret."""
    _, _, path, query, _ = urlsplit(url)
    for part in (path.strip("/"), query):
        if len(part) >= _SHORTEST_PATH:
            hide(Secret(part))


def redacted(text: str) -> str:
    """Return `text` without known secrets and without anything that looks like one."""
    kept = _without_known(text)
    low = kept.lower()
    for marks, shape in _SHAPES:
        if any(one in low for one in marks):
            kept = shape.sub(HIDDEN, kept)
    return kept if kept is text else _without_known(kept)


def _without_known(text: str) -> str:
    """Replace all that is known, until there is none: each time the text gets shorter."""
    known = _known
    while found := [one for one in known if one in text]:
        for one in found:
            text = text.replace(one, HIDDEN)
    return text


def _spellings(text: str) -> Iterator[str]:
    """Yield a secret in each way in which it may be written; of a service account its key too."""
    for one in (text, *_private_key(text)):
        yield one
        yield from (repr(one)[1:-1], ascii(one)[1:-1])
        yield from (json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1])
        data = one.encode(errors="replace")
        yield from (quote(data, safe=""), quote_plus(data))


def _private_key(text: str) -> Iterator[str]:
    """Yield the private key in the JSON of a service account, whole and by its lines."""
    if not text.startswith("{"):
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    key = found.get("private_key") if isinstance(found, dict) else None
    if isinstance(key, str):
        yield key.strip()
        lines = (one.strip() for one in key.splitlines())
        yield from (one for one in lines if len(one) >= _LINE_OF_KEY and not one.startswith("-"))
