"""Vercel: billing charges in the FOCUS 1.3 form, one JSON object a line, read with an access token.

Path, fields and roles are those of Vercel's REST reference (list FOCUS billing charges) and SDK. The
cost is `BilledCost`, what the invoice says: a purchase counts on its day and says nothing of others.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, Final

from costcompass_core.domain.days import ONE_DAY, each_day, midnight, newest_completed
from costcompass_core.domain.money import parse_amount
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, Usage
from costcompass_core.providers.base import Client, KeyType, Option, Provider, Refusals
from costcompass_core.providers.buckets import currency_of
from costcompass_core.providers.fields import clean
from costcompass_core.providers.focus_columns import CHARGE_CATEGORIES
from costcompass_core.providers.keyforms import refuse_foreign
from costcompass_core.providers.line import Line, Source
from costcompass_core.providers.rows import amount_or_none, gathered, ranges
from costcompass_core.providers.strict_json import raw_text

WINDOW_DAYS: Final = 90
_LONGEST: Final = 365
"""Days that one question may cover."""
_PATH: Final = "/billing/charges"
_SOURCE: Final = Source("Vercel", _PATH)
_MAKE_ONE: Final = (
    "make an access token of an Owner, Billing or Enterprise Viewer at"
    " https://vercel.com/account/settings/tokens"
)
_FOREIGN_SCOPE: Final = r"not authorized: |permission|under scope|\brole\b"
"""How Vercel turns down a token that is good elsewhere; of an unknown one it says less."""
_PAST: Final = date(2026, 1, 1)
"""Some day that is over, to ask about when only the token matters."""


def check_form(key: Secret) -> bool:
    """Return true for whatever is no other vendor's key: tokens have no form of their own."""
    refuse_foreign(key, "vercel", "Vercel", _MAKE_ONE)
    return True


def identify(client: Client) -> KeyType:
    """Ask for one day's charges, which only tokens of the right roles may."""
    _charges(client, _PAST, _PAST)
    return KeyType.MANAGEMENT


def read_activity(client: Client, days: Collection[date] | None, today: date) -> Activity:
    """Read the charges of completed UTC `days`, or with `None` of the newest `WINDOW_DAYS`."""
    newest = newest_completed(today)
    wanted = set(each_day(newest - (WINDOW_DAYS - 1) * ONE_DAY, newest) if days is None else days)
    rows: list[Usage] = []
    for first, last in ranges(wanted, _LONGEST):
        for number, values in enumerate(_charges(client, first, last), 1):
            row = _row(_SOURCE.line(number, values))
            if not first <= row.day <= last:
                raise _SOURCE.unreadable(f"has charges of {row.day}, which was not asked for")
            rows.append(row)
    return Activity(gathered(rows, sorted(wanted)))


def _charges(client: Client, first: date, last: date) -> list[Any]:
    params = {"from": _moment(first), "to": _moment(last + ONE_DAY)}
    if team := client.options.get("team"):
        params["teamId"] = team
    body = client.get_lines(_PATH, params).body
    return body if isinstance(body, list) else []


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z"


def _row(line: Line) -> Usage:
    day, end = line.read("ChargePeriodStart", _midnight), line.read("ChargePeriodEnd", _instant)
    if end <= midnight(day):
        raise _SOURCE.unreadable(
            f"is odd in line {line.number}: ChargePeriodEnd is not after its start"
        )
    category = line.read("ChargeCategory", _category)
    service = line.text("ServiceName")
    if not service:
        raise _SOURCE.unreadable(f"has no ServiceName in line {line.number}")
    project = line.read("Tags", _project)
    unit = line.text("ConsumedUnit")
    return Usage(
        day,
        service,
        service,
        f"{category}, {project}" if project else category,
        service,
        *(None,) * 5,
        cost=line.read("BilledCost", parse_amount),
        currency=line.read("BillingCurrency", currency_of),
        raw=raw_text(line.values.get("BilledCost")),
        once=category != "Usage",
        quantity=line.read("ConsumedQuantity", amount_or_none),
        unit=unit,
    )


def _instant(raw: object) -> datetime:
    try:
        moment = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() != timedelta(0):
        raise ValueError("is no moment in UTC like 2026-11-22T00:00:00.000Z")
    return moment


def _midnight(raw: object) -> date:
    moment = _instant(raw)
    if moment != midnight(moment.date()):
        raise ValueError("is no midnight (UTC)")
    return moment.date()


def _category(raw: object) -> str:
    if isinstance(raw, str) and raw in CHARGE_CATEGORIES:
        return raw
    raise ValueError(f"is none of {', '.join(CHARGE_CATEGORIES)}")


def _project(raw: object) -> str:
    """Return the name of the project that a charge is tagged with, if any."""
    if raw is None:
        return ""
    if not isinstance(raw, dict):
        raise ValueError("is no object")  # noqa: TRY004 - as every oddity here
    name = raw.get("ProjectName")
    return clean(name) if isinstance(name, str) else ""


PROVIDER: Final = Provider(
    name="vercel",
    title="Vercel",
    base_url="https://api.vercel.com/v1",
    check_form=check_form,
    identify=identify,
    refusals=Refusals(_FOREIGN_SCOPE, _MAKE_ONE),
    key_words=f"an access token: {_MAKE_ONE}",
    read_activity=read_activity,
    window_days=WINDOW_DAYS,
    reread_days=4,
    final_after=timedelta(hours=24),
    options=(
        Option("team", "its team's id", "team_abc123", r"[A-Za-z0-9_-]{1,100}", required=False),
    ),
)
