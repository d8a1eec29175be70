"""Together: daily usage by product and model, final through yesterday, read with an API key.

Path, fields and paging are those of Together's Python SDK 3.1.1 (organization usage costs). A month
is asked for at a time; costs, quantities and prices are decimal text in the page's currency.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from costcompass_core.domain.days import ONE_DAY, Month, each_day, newest_completed
from costcompass_core.domain.errors import Unavailable
from costcompass_core.domain.money import parse_amount
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, Usage
from costcompass_core.providers.base import Client, KeyType, Provider, Refusals
from costcompass_core.providers.buckets import currency_of
from costcompass_core.providers.fields import Days, clean
from costcompass_core.providers.keyforms import refuse_foreign
from costcompass_core.providers.line import Line, Source, objects
from costcompass_core.providers.rows import amount_or_none, gathered
from costcompass_core.providers.strict_json import raw_text

WINDOW_DAYS: Final = 62
_PAGE: Final = 100
_MOST_PAGES: Final = 200
_LONGEST_CURSOR: Final = 4096
_PATH: Final = "/billing/usage"
_SOURCE: Final = Source("Together", _PATH)
_HOST: Final = "Together API"
_MAKE_ONE: Final = (
    "make an API key of the organization at https://api.together.ai/settings/api-keys"
)
_NOT_ENABLED: Final = (
    "Together tells billing usage only to organizations that it was enabled for: ask its support"
)
_PAST: Final = Month(2026, 1)
"""Some month that is over, to ask about when only the key matters."""


def check_form(key: Secret) -> bool:
    """Return true for whatever is no other vendor's key: no form is documented."""
    refuse_foreign(key, "together", "Together", _MAKE_ONE)
    return True


def identify(client: Client) -> KeyType:
    """Ask for a line of a past month, which only keys of the organization may."""
    _get(client, {"month": _PAST.text(), "granularity": "day", "limit": "1"})
    return KeyType.ORDINARY


def read_activity(client: Client, days: Collection[date] | None, today: date) -> Activity:
    """Read the usage of completed UTC `days`, or with `None` of the newest `WINDOW_DAYS`.

    A month comes whole: its days that were not asked for are left aside, and those that are not told
    yet are empty.
    """
    newest = newest_completed(today)
    wanted = set(each_day(newest - (WINDOW_DAYS - 1) * ONE_DAY, newest) if days is None else days)
    rows: list[Usage] = []
    for month in sorted({Month.of(day) for day in wanted}, key=lambda one: one.first):
        for day, line, currency in _lines(client, month):
            if Month.of(day) != month:
                raise _SOURCE.unreadable(f"has usage of {day}, which was not asked for")
            if day in wanted:
                rows.append(_row(day, line, currency))
    return Activity(gathered(rows, sorted(wanted)))


def _lines(client: Client, month: Month) -> Iterator[tuple[date, Line, str]]:
    """Yield every line of a month with its day and currency, page after page."""
    params = {"month": month.text(), "granularity": "day", "limit": str(_PAGE)}
    days, seen = Days(), set[str]()
    for _ in range(_MOST_PAGES):
        page = _SOURCE.line(1, _get(client, params))
        currency = page.read("currency", currency_of)
        told = set[date]()
        for number, entry in enumerate(page.read("data", objects), 1):
            bucket = _SOURCE.line(number, entry)
            day = bucket.read("date", lambda raw: days[raw if isinstance(raw, str) else ""])
            if day in told:
                raise _SOURCE.unreadable(f"has {day} twice")
            told.add(day)
            source = Source(_SOURCE.title, f"{_PATH} for {day}")
            for place, item in enumerate(bucket.read("line_items", objects), 1):
                yield day, source.line(place, item), currency
        cursor = page.read("next_cursor", _cursor)
        if cursor is None:
            return
        if cursor in seen:
            raise _SOURCE.unreadable("goes round in circles: a next_cursor came twice")
        seen.add(cursor)
        params = {**params, "after": cursor}
    raise _SOURCE.unreadable(f"does not end after {_MOST_PAGES} pages")


def _get(client: Client, params: Mapping[str, str]) -> Any:
    try:
        return client.get(_PATH, params).body
    except Unavailable as error:
        if not re.search(r"answered with an error \(404\b", error.what):
            raise
        raise type(error)(error.what, _NOT_ENABLED) from None


def _cursor(raw: object) -> str | None:
    """Return what goes back as it came, `None` at the end."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, str) and len(raw) <= _LONGEST_CURSOR and raw.isascii() and raw.isprintable():
        return raw
    raise ValueError("is nothing that could be sent back")


def _row(day: date, line: Line, currency: str) -> Usage:
    product = line.text("product_name")
    if not product:
        raise line.source.unreadable(f"has no product_name in line {line.number}")
    model = line.read("attributes", partial(_part, name="model")) or product
    kinds = [
        line.read("pricing_dimensions", partial(_part, name=name))
        for name in ("token_type", "tier")
    ]
    cost = line.read("cost", parse_amount)
    return Usage(
        day,
        model,
        model,
        "|".join([product, *(kind for kind in kinds if kind not in {"", "standard"})]),
        _HOST,
        *(None,) * 5,
        cost=cost,
        currency=currency,
        raw=raw_text(line.values["cost"]),
        once=cost < 0,
        quantity=line.read("quantity", amount_or_none),
    )


def _part(raw: Any, name: str) -> str:
    """Return the text in a part of an optional object, empty where there is none."""
    if raw is None:
        return ""
    if not isinstance(raw, dict):
        raise ValueError("is no object")  # noqa: TRY004 - as every oddity here
    part = raw.get(name)
    return clean(part) if isinstance(part, str) else ""


PROVIDER: Final = Provider(
    name="together",
    title="Together",
    base_url="https://api.together.ai/v1",
    check_form=check_form,
    identify=identify,
    refusals=Refusals(r"organization|permission|forbidden", _MAKE_ONE),
    key_words=f"an API key: {_MAKE_ONE}",
    read_activity=read_activity,
    window_days=WINDOW_DAYS,
    final_after=timedelta(hours=24),
)
