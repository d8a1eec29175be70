"""The kinds of values a configuration can hold, and the words for what is wrong with one."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from datetime import time as TimeOfDay  # noqa: N812 - a type, next to `date` and `datetime`
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.config_tables import Kind
from costcompass_core.domain.errors import ConfigError
from costcompass_core.domain.money import Usd
from costcompass_core.providers.hook import check_hook_url
from costcompass_core.providers.http import check_base_url
from costcompass_core.providers.registry import PROVIDERS

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def text(pattern: str, expects: str) -> Kind:
    """Return the kind of texts that match `pattern` whole."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.DOTALL):
            raise ValueError(f"must be {expects}")
        return value

    return Kind(read, expects)


def one_of(*words: str) -> Kind:
    """Return the kind of these words."""

    def read(value: Any) -> str:
        if value in words and isinstance(value, str):
            return value
        hint = get_close_matches(str(value), words, n=1)
        also = f"; did you mean {hint[0]!r}?" if hint else ""
        raise ValueError(f"must be one of {', '.join(map(repr, words))}{also}")

    return Kind(read, f"one of {', '.join(map(repr, words))}")


def list_of(kind: Kind, expects: str) -> Kind:
    """Return the kind of lists of values of a `kind`."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a list of {expects}")  # noqa: TRY004 - as below
        return tuple(kind.read(one) for one in value)

    return Kind(read, f"a list of {expects}", text=False, item=kind)


def _positive(value: Any) -> Usd:
    """Read a positive, finite, exact amount; TOML would allow nan and inf."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - one kind of error for the reader
    amount = Usd.of(value)
    if amount.amount <= 0:
        raise ValueError("must be more than 0")
    return amount


def _not_negative(value: Any) -> Usd:
    """Read an amount as above, or 0, which turns off what it is the least of."""
    off = not isinstance(value, bool) and value == 0
    if not off and isinstance(value, int | Decimal) and str(value).startswith("-"):
        raise ValueError("must be 0, for off, or more")
    return Usd.of(0) if off else _positive(value)


def _timezone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, TypeError, ValueError, OSError):
        known = available_timezones() if isinstance(value, str) else ()
        near = get_close_matches(str(value)[:40], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "use a name like 'Europe/Berlin' or 'UTC'"
        raise ValueError(f"is not a time zone; {hint}") from None


def utc() -> ZoneInfo:
    """Return UTC. Raises `ConfigError` on a machine that knows no time zone at all."""
    try:
        return ZoneInfo("UTC")
    except ZoneInfoNotFoundError:
        raise ConfigError(
            "this machine has no time-zone data",
            "install it (Debian, Ubuntu: apt install tzdata; Alpine: apk add tzdata)",
        ) from None


def read_duration(value: Any) -> timedelta:
    """Read `1s` or more in s, m, h or d. Raises `ValueError`."""
    found = re.fullmatch(r"(\d{1,7})([smhd])", value) if isinstance(value, str) else None
    if found is None or not 1 <= int(found[1]) * _UNITS[found[2]] <= 3650 * 86_400:
        raise ValueError("must be a duration such as '30s', '5m', '1h' or '2d', of 1s or more")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _day(value: Any) -> date | None:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("must be a day such as 2026-01-01, without quotes")  # noqa: TRY004 - as above
    return value


def _clock(value: Any) -> TimeOfDay | None:
    if value == "":
        return None
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a time such as '09:00', or '' for off")
    return TimeOfDay(int(found[1]), int(found[2]))


def _base_url(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be an address such as 'https://openrouter.ai/api/v1'")  # noqa: TRY004 - as above
    try:
        return check_base_url(value)
    except ConfigError as error:
        raise ValueError(str(error).removeprefix("base_url ")) from None


def _hook_url(value: Any) -> str:
    if value == "":
        return ""
    if not isinstance(value, str):
        raise ValueError("must be an address such as 'https://host/path', or '' for off")  # noqa: TRY004 - as above
    try:
        return check_hook_url(value)
    except ConfigError as error:
        raise ValueError(f"is unusable: {error}") from None


def _quiet_hours(value: Any) -> str:
    pattern = r"(([01]\d|2[0-3]):[0-5]\d)-(([01]\d|2[0-3]):[0-5]\d)"
    found = re.fullmatch(pattern, value) if isinstance(value, str) else None
    if value != "" and (found is None or found[1] == found[3]):
        raise ValueError("must be a span such as '22:00-07:00', or '' for none")
    return str(value)


def _listen(value: Any) -> str:
    if value == "":
        return ""
    pattern = r"(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})"
    found = re.fullmatch(pattern, value, re.ASCII) if isinstance(value, str) else None
    if found is None or not 1 <= int(found[2]) <= 65_535:
        raise ValueError("must be HOST:PORT such as '127.0.0.1:9464', or '' for off")
    return found[0]


def _copies(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1000:
        raise ValueError("must be a whole number up to 1000, or 0 for off")
    return value


NAME: Final = text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name of letters, digits, '.', '_', '-'")
ACCOUNT: Final = text(
    r"[^\x00-\x1f\x7f]{1,200}", "an account's name, such as 'main' or 'anthropic/main'"
)
LABEL: Final = text(r"[^\x00-\x1f\x7f]{1,100}", "some text of one line")
FLOOR: Final = Kind(_not_negative, "an amount of money, or 0 for off", text=False)
AMOUNT: Final = Kind(_positive, "an amount of money", text=False)
DURATION: Final = Kind(read_duration, "a duration such as '5m'")
CHANNEL: Final = text(r"([CGD][A-Z0-9]{2,})?", "a channel ID such as 'C0123456789' (not its name)")
USER: Final = text(r"[UW][A-Z0-9]{2,}", "a member ID such as 'U0123456789' (not a name)")
PERCENT: Final = Kind(_positive, "a percentage", text=False)
HOURS: Final = Kind(_quiet_hours, "a span such as '22:00-07:00', or ''")
PLACE: Final = text(
    r"[CGDUW][A-Z0-9]{2,}",
    "a channel ID such as 'C0123456789' or a member ID such as 'U0123456789'",
)
HOOK: Final = Kind(_hook_url, "an address such as 'https://host/path', or ''")
DAY: Final = Kind(_day, "a day such as 2026-01-01", text=False)

OPTION: Final = text(r"[^\x00-\x1f\x7f]{0,500}", "some text of one line")
CURRENCY: Final = text(r"[A-Z]{3}", "a currency such as 'EUR'")
PATH: Final = text(r"[^\x00]*", "a path")
TIMEZONE: Final = Kind(_timezone, "a time zone such as 'Europe/Berlin'")
PROVIDER: Final = one_of(*sorted(PROVIDERS))
ADDRESS: Final = Kind(_base_url, "an address")
CLOCK: Final = Kind(_clock, "a time such as '09:00', or ''")
LISTEN: Final = Kind(_listen, "HOST:PORT such as '127.0.0.1:9464', or ''")
COPIES: Final = Kind(_copies, "a number of daily copies", text=False)
