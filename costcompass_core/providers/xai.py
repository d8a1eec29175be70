"""xAI: daily spend of a team and its prepaid credits, read with a Management key.

Paths and fields are those of xAI's Management API and of a third party's fixtures. Usage is dollars
as numbers; the balance is cents as text, and below zero where there is credit. Usage is asked for
ungrouped, the only form that is confirmed, so that all of it stands under one name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from costcompass_core.domain.days import ONE_DAY, each_day, newest_completed
from costcompass_core.domain.errors import Unavailable, WrongKeyType
from costcompass_core.domain.money import Usd, parse_amount
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, Balance, Usage
from costcompass_core.providers.base import Client, KeyType, Option, Provider, Refusals
from costcompass_core.providers.keyforms import refuse_foreign
from costcompass_core.providers.line import Line, Source, objects
from costcompass_core.providers.rows import hundredths, ranges
from costcompass_core.providers.strict_json import raw_text

WINDOW_DAYS: Final = 90
_LONGEST: Final = 90
_HOST: Final = "xAI API"
_MAKE_ONE: Final = "make a Management key at https://console.x.ai under Settings, Management Keys"
_NOT_FOUND: Final = re.compile(r"answered with an error \(404\b")
_PAST: Final = date(2026, 1, 1)
"""Some day that is over, to ask about when only the key matters."""
_USAGE: Final = Source("xAI", "usage")
_BALANCE: Final = Source("xAI", "prepaid/balance")


def check_form(key: Secret) -> bool:
    """Return true for whatever is neither another vendor's key nor one for requests (`xai-`)."""
    refuse_foreign(key, "xai", "xAI", _MAKE_ONE)
    if key.expose().startswith("xai-") and not key.expose().startswith("xai-token-"):
        raise WrongKeyType("this xAI key can run models but not read spend", _MAKE_ONE)
    return True


def identify(client: Client) -> KeyType:
    """Ask for a day's spend, which only Management keys may."""
    _points(client, _PAST, _PAST)
    return KeyType.MANAGEMENT


def read_balance(client: Client) -> Balance | None:
    """Read the prepaid credit that is left (USD); `None` for a team that has none."""
    try:
        body = client.get(f"{_team(client)}/prepaid/balance").body
    except Unavailable as error:
        if _NOT_FOUND.search(error.what):
            return None  # the team is known, or `identify` had said so: it is billed afterwards
        raise
    total = _BALANCE.line(1, body).read("total", _object)
    return Balance(-Usd(_BALANCE.line(1, total).read("val", hundredths)))


def read_activity(client: Client, days: Collection[date] | None, today: date) -> Activity:
    """Read the spend of completed UTC `days`, or with `None` of the newest `WINDOW_DAYS`."""
    newest = newest_completed(today)
    wanted = set(each_day(newest - (WINDOW_DAYS - 1) * ONE_DAY, newest) if days is None else days)
    found: dict[date, tuple[Usage, ...]] = dict.fromkeys(sorted(wanted), ())
    for first, last in ranges(wanted, _LONGEST):
        for row in _points(client, first, last):
            if not first <= row.day <= last:
                raise _USAGE.unreadable(f"has spend of {row.day}, which was not asked for")
            if found[row.day]:
                raise _USAGE.unreadable(f"has {row.day} twice")
            if row.cost:
                found[row.day] = (row,)
    return Activity(found)


def _points(client: Client, first: date, last: date) -> list[Usage]:
    try:
        body = client.post(f"{_team(client)}/usage", _question(first, last)).body
    except Unavailable as error:
        raise _named(error) from None
    answer = _USAGE.line(1, body)
    if answer.values.get("limitReached") is not False:
        raise _USAGE.unreadable("is not the whole of it (limitReached)")
    points: list[Any] = []
    for number, series in enumerate(answer.read("timeSeries", objects), 1):
        points += _USAGE.line(number, series).read("dataPoints", objects)
    return [_row(_USAGE.line(number, point)) for number, point in enumerate(points, 1)]


def _question(first: date, last: date) -> dict[str, Any]:
    """Return the question about these days, both included, by day and in dollars."""
    return {
        "analyticsRequest": {
            "timeRange": {
                "startTime": f"{first} 00:00:00",
                "endTime": f"{last} 23:59:59",
                "timezone": "Etc/GMT",
            },
            "timeUnit": "TIME_UNIT_DAY",
            "values": [{"name": "usd", "aggregation": "AGGREGATION_SUM"}],
            "groupBy": [],
            "filters": [],
        }
    }


def _row(line: Line) -> Usage:
    day, amount = line.read("timestamp", _day), line.read("values", _only)
    return Usage(
        day,
        _HOST,
        _HOST,
        "usage",
        _HOST,
        *(None,) * 5,
        cost=line.read("values", lambda _: parse_amount(amount)),
        raw=raw_text(amount),
    )


def _day(raw: object) -> date:
    try:
        moment = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        moment = None
    midnight = moment is not None and moment.time() == datetime.min.time()
    if moment is None or not midnight or moment.utcoffset() != timedelta(0):
        raise ValueError("is no midnight (UTC) like 2026-11-22T00:00:00Z")
    return moment.date()


def _only(raw: object) -> Decimal | int | str:
    if isinstance(raw, list) and len(raw) == 1 and isinstance(raw[0], Decimal | int | str):
        return raw[0]
    raise ValueError("is not one number")


def _object(raw: object) -> dict[str, Any]:
    if isinstance(raw, dict):
        return raw
    raise ValueError("is no object")


def _team(client: Client) -> str:
    return f"/billing/teams/{client.options.get('team', '')}"


def _named(error: Unavailable) -> Unavailable:
    """Return the error, with the mend where the team is not known there."""
    if not _NOT_FOUND.search(error.what):
        return error
    return type(error)(
        error.what, "check `team` in the account's table: this team is not known there"
    )


PROVIDER: Final = Provider(
    name="xai",
    title="xAI",
    base_url="https://management-api.x.ai/v1",
    credits_url="https://console.x.ai",
    check_form=check_form,
    identify=identify,
    refusals=Refusals(r"management key|permission|forbidden", _MAKE_ONE),
    key_words=f"a Management key: {_MAKE_ONE}",
    read_balance=read_balance,
    read_activity=read_activity,
    window_days=WINDOW_DAYS,
    reread_days=4,
    final_after=timedelta(hours=24),
    options=(Option("team", "its team's id", "4f0f2a1c-team", r"[A-Za-z0-9_-]{1,100}"),),
)
