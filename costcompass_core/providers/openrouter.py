"""OpenRouter: prepaid credits and daily activity, read with a management key.

Paths, fields and error texts are those of OpenRouter's OpenAPI document and Python SDK 1.3.84;
where live answers were seen to differ (dates with a time, missing counts, identical rows), both
forms are taken. Whatever else is odd makes the whole answer unreadable: better no figure than a
wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final, TypeVar

from costcompass_core.domain.days import ONE_DAY, each_day
from costcompass_core.domain.errors import UnreadableAnswer, WrongKeyType
from costcompass_core.domain.money import Usd, parse_amount
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, ApiKey, Balance, Usage
from costcompass_core.providers.base import Client, KeyType, Provider, Refusals
from costcompass_core.providers.fields import Days, Names, clean, count
from costcompass_core.providers.keyforms import refuse_foreign
from costcompass_core.providers.openrouter_analytics import ANALYTICS
from costcompass_core.providers.openrouter_models import read_models
from costcompass_core.providers.strict_json import raw_text

WINDOW_DAYS: Final = 30
"""How many completed UTC days `/activity` reaches back."""

_KEY: Final = re.compile(r"sk-or-v1-[0-9a-f]{64}")
_MAKE_ONE: Final = (
    "make a Management key (formerly Provisioning key) at"
    " https://openrouter.ai/settings/management-keys"
)
_KEPT: Final = "earlier figures stay as they are; if this lasts, look for a newer CostCompass"
_IDENT: Final = re.compile(r"[0-9A-Za-z_-]{1,128}")
_PAGE_KEYS: Final = 100
_MOST_PAGES: Final = 50


def check_form(key: Secret) -> bool:
    """Return whether `key` has the form of an OpenRouter key (management or not: all look alike)."""
    refuse_foreign(key, "openrouter", "OpenRouter", _MAKE_ONE)
    return _KEY.fullmatch(key.expose()) is not None


def identify(client: Client) -> KeyType:
    """Ask what the key is: a wrong type may get plausible zeros elsewhere instead of a refusal."""
    data = _data(client.get("/key").body, "/key", dict)
    flags = [data.get("is_management_key"), data.get("is_provisioning_key")]
    if any(flag is True for flag in flags):
        return KeyType.MANAGEMENT
    if any(flag is False for flag in flags):
        return KeyType.INFERENCE
    raise _unreadable("/key", "does not say whether this is a management key")


def require_type(kind: KeyType) -> None:
    """Raise `WrongKeyType` unless `kind` may read credits and activity."""
    if kind is not KeyType.MANAGEMENT:
        raise WrongKeyType("this OpenRouter key can run models but not read spend", _MAKE_ONE)


def read_balance(client: Client) -> Balance:
    """Read the prepaid credits."""
    data = _data(client.get("/credits").body, "/credits", dict)
    purchased = _usd(data, "total_credits", "/credits")
    used = _usd(data, "total_usage", "/credits")
    return Balance(purchased - used, purchased, used)


def read_activity(client: Client, days: Collection[date] | None, today: date) -> Activity:
    """Read the rows of completed UTC `days`, or with `None` of all that is on offer."""
    return _read(client, {}, days, today)


def read_key_activity(
    client: Client, ident: str, days: Collection[date] | None, today: date
) -> Activity:
    """Read the same for the one key whose hash is `ident`."""
    return _read(client, {"api_key_hash": ident}, days, today)


def _read(
    client: Client, params: Mapping[str, str], days: Collection[date] | None, today: date
) -> Activity:
    if days is None:
        answer = client.get("/activity", params)
        return parse_activity(answer.body, None, today, answer.server_time)
    read: dict[date, tuple[Usage, ...]] = {}
    notes: list[str] = []
    for day in sorted(days):
        answer = client.get("/activity", {**params, "date": day.isoformat()})
        part = parse_activity(answer.body, {day}, today)
        read.update(part.days)
        notes.extend(part.notes)
    return Activity(read, tuple(notes))


def parse_activity(
    body: Any, asked: Collection[date] | None, today: date, server_time: datetime | None = None
) -> Activity:
    """Return the rows of the `asked` days (`None`: of every completed day on offer) in `body`.

    Raises `UnreadableAnswer` naming row and field. `server_time` matters around midnight only: it
    may be a new day there already, and a day that just left the answer is not one without spend.
    """
    rows, notes = _rows(_data(body, "/activity", list))
    days = _window(today, server_time) if asked is None else asked
    found: dict[date, list[Usage]] = {day: [] for day in days}
    strays: dict[date, int] = {}
    for row in rows:
        if row.day in found:
            found[row.day].append(row)
        else:
            strays[row.day] = strays.get(row.day, 0) + 1
    for day, rows_of_it in sorted(strays.items()):
        if day > today:
            raise _unreadable("/activity", f"has rows of {day}, which is yet to come")
        if asked is not None:
            raise _unreadable("/activity", f"has rows of {day}, which was not asked for")
        why = "is not over yet" if day == today else "is not among the days on offer"
        notes.append(f"set aside {rows_of_it} row(s) of {day}, which {why}")
    return Activity({day: tuple(kept) for day, kept in found.items()}, tuple(notes))


def _window(today: date, server_time: datetime | None) -> Iterable[date]:
    """Return the completed days on offer by our clock and, if midnight is between, by theirs."""
    theirs = server_time.date() if server_time else today
    if abs(theirs - today) > ONE_DAY:  # not midnight but a wrong clock, and no reason to guess
        theirs = today
    return each_day(max(theirs, today) - WINDOW_DAYS * ONE_DAY, min(theirs, today) - ONE_DAY)


def _rows(rows: list[Any]) -> tuple[Iterable[Usage], list[str]]:
    """Return the valid, distinct rows and remarks about them.

    A first read has tens of thousands of rows, so each is checked while it is built, in one go;
    `field` always names the field being read, for the error.
    """
    days, names = Days(), Names()
    seen: dict[tuple[object, ...], Usage] = {}
    repeated = negative = 0
    field = ""
    for number, row in enumerate(rows, 1):
        if type(row) is not dict:
            raise _unreadable("/activity", f"has a row {number} that is no object")
        try:
            usage = Usage(
                days[row[field := "date"]],
                names[row[field := "model"]],
                names[row[field := "model_permaslug"]],
                names[row[field := "endpoint_id"]],
                names[row[field := "provider_name"]],
                count(row[field := "requests"]),
                count(row[field := "prompt_tokens"]),
                count(row[field := "completion_tokens"]),
                count(row[field := "reasoning_tokens"]),
                count(row.get(field := "cached_tokens")),
                parse_amount(row[field := "usage"]),
                parse_amount(row[field := "byok_usage_inference"]),
                raw=raw_text(row["usage"]),
            )
        except KeyError:
            raise _unreadable("/activity", f"has no {field} in row {number}") from None
        except TypeError:
            raise _unreadable("/activity", f"is odd in row {number}: {field} is no text") from None
        except ValueError as why:
            raise _unreadable("/activity", f"is odd in row {number}: {field} {why}") from None
        known = seen.setdefault(usage[:4], usage)
        if known is not usage:
            if known != usage:
                raise _unreadable(
                    "/activity", f"contradicts itself about {usage.day} in row {number}"
                )
            repeated += 1
        elif usage.cost < 0 or usage.byok_cost < 0:
            negative += 1
    notes = [f"kept one of each of {repeated} identical row(s)"] if repeated else []
    notes += [f"{negative} row(s) have a negative cost, kept as reported"] if negative else []
    return seen.values(), notes


def list_keys(client: Client) -> tuple[ApiKey, ...]:
    """List the account's inference keys, disabled ones too (the default workspace's only)."""
    keys: dict[str, ApiKey] = {}
    for page in range(_MOST_PAGES):
        params = {"include_disabled": "true", "offset": str(page * _PAGE_KEYS)}
        items = _data(client.get("/keys", params).body, "/keys", list)
        fresh = [key for key in map(_key, items) if key.ident not in keys]
        keys.update((key.ident, key) for key in fresh)
        if len(items) < _PAGE_KEYS or not fresh:
            return tuple(keys.values())
    raise _unreadable("/keys", f"does not end after {_MOST_PAGES} pages")


def _key(item: object) -> ApiKey:
    if not isinstance(item, dict):
        raise _unreadable("/keys", "has an entry that is no object")
    ident = item.get("hash")
    if not isinstance(ident, str) or not _IDENT.fullmatch(ident):
        raise _unreadable("/keys", "has a key without a usable hash")
    names = [name for name in (item.get("name"), item.get("label")) if isinstance(name, str)]
    name = next((clean(name) for name in names if name.strip()), "(unnamed)")
    used = _usd(item, "usage", "/keys")
    if item.get("byok_usage") is not None:
        used += _usd(item, "byok_usage", "/keys")
    return ApiKey(ident, name, used)


_Kind = TypeVar("_Kind", dict[str, Any], list[Any])


def _data(body: Any, path: str, kind: type[_Kind]) -> _Kind:
    """Return what is under `data`, where every good answer has it."""
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, kind):
        raise _unreadable(path, "has no data of the documented shape")
    return data


def _usd(data: Mapping[str, Any], field: str, path: str) -> Usd:
    if field not in data:
        raise _unreadable(path, f"has no {field}")
    try:
        return Usd.of(data[field])
    except ValueError as why:
        raise _unreadable(path, f"is odd: {field} {why}") from None


def _unreadable(path: str, why: str) -> UnreadableAnswer:
    return UnreadableAnswer(f"the answer of OpenRouter's {path} {why}", _KEPT)


PROVIDER: Final = Provider(
    name="openrouter",
    title="OpenRouter",
    base_url="https://openrouter.ai/api/v1",
    credits_url="https://openrouter.ai/settings/credits",
    check_form=check_form,
    identify=identify,
    require_type=require_type,
    refusals=Refusals(
        r"\b(management|provisioning) keys?\b", "a management key (formerly provisioning key) can"
    ),
    key_words=f"a management key: {_MAKE_ONE}",
    read_balance=read_balance,
    read_activity=read_activity,
    list_keys=list_keys,
    read_key_activity=read_key_activity,
    window_days=WINDOW_DAYS,
    analytics=ANALYTICS,
    read_models=read_models,
)
