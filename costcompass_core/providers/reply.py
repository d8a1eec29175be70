"""What a complete HTTP reply means: an answer, or one of our errors. Pure, and free of any secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from costcompass_core.domain.errors import (
    CostCompassError,
    Declined,
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    WrongKeyType,
)
from costcompass_core.providers import strict_json
from costcompass_core.providers.base import Answer, Refusals

LONGEST_WAIT: Final = 3600.0
"""Seconds that anybody is left alone for at most, whatever `Retry-After` says."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer, not yet understood; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed; `after` is how many seconds the server asked us to stay away."""

    error: CostCompassError
    again: bool = False
    after: float | None = None


def judge(
    reply: Reply,
    where: str,
    quote: Callable[[str], str],
    refusals: Refusals | None = None,
    decode: Callable[[bytes], Any] = strict_json.decode,
) -> Answer | Failure:
    """Return what a complete reply from `where` means; `quote` makes a stranger's words fit to print.

    `decode` understands a good answer; a bad one is always read as JSON.
    """
    if 300 <= reply.status < 400:
        what = f"{where} answered with a redirect ({reply.status}), which is never followed"
        return Failure(Unavailable(what, "check base_url"))
    encoding = reply.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        return Failure(UnreadableAnswer(f"{where} answered compressed, though told not to"))
    try:
        good = reply.status == 200
        body, unreadable = (decode if good else strict_json.decode)(reply.body), ""
    except ValueError as reason:
        body, unreadable = None, str(reason)
    error = body.get("error") if isinstance(body, dict) else None
    if reply.status == 200 and unreadable:
        return Failure(UnreadableAnswer(f"{where} answered something {unreadable}"))
    if reply.status == 200 and error is None:
        return Answer(body, http_date(reply.headers.get("date")))
    return _refusal(reply, where, error, quote, refusals or Refusals("", ""))


def _refusal(
    reply: Reply, where: str, error: Any, quote: Callable[[str], str], refusals: Refusals
) -> Failure:
    """Return the failure for a bad status, or for an `error` in an answer that claims success."""
    said = error.get("message") if isinstance(error, dict) else error
    said = quote(said) if isinstance(said, str) else ""
    status = reply.status
    if status == 200 and isinstance(error, dict) and type(error.get("code")) is int:
        status = error["code"]
    tail = f" ({status}: {said})" if said else f" ({status})"
    wrong_type = refusals.wrong_type
    about = f"{said} {_code(error)}"
    if status in {401, 403} and wrong_type and re.search(wrong_type, about, re.IGNORECASE):
        what = f"{where} refused this type of key{tail}"
        return Failure(WrongKeyType(what, refusals.mend))
    if status == 401 or (status == 403 and error is not None):
        what = f"{where} rejected the key{tail}"
        mend = "make sure that it still exists, then store it again: costcompass vault add"
        return Failure(KeyRejected(what, mend))
    after = retry_after(reply.headers)
    mend = f"it asks to try again in {after:.0f} s" if after else ""
    again = status == 429 or 500 <= status < 600
    kind = Declined if status == 400 else Unavailable
    return Failure(kind(f"{where} answered with an error{tail}", mend), again, after)


def _code(error: Any) -> str:
    """Return the word by which programs are to know an error, where there is one."""
    if not isinstance(error, dict):
        return ""
    details = error.get("details")
    inner = details.get("error_code") if isinstance(details, dict) else None
    return " ".join(one for one in (error.get("code"), inner) if isinstance(one, str))


def http_date(text: str | None) -> datetime | None:
    """Return an HTTP date as UTC, `None` if there is none or it makes no sense."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to stay away, an hour at most, `None` where that makes no sense.

    A date counts from the server's clock, never from ours; header names are in lower case.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,20}", text):
        return min(float(text), LONGEST_WAIT)
    until, now = http_date(text), http_date(headers.get("date"))
    if until is None or now is None:
        return None
    return min(max(0.0, (until - now).total_seconds()), LONGEST_WAIT)
