"""Google Cloud, Gemini among it: what the billing export in BigQuery says, by day, service and SKU.

Google has no API for costs, so its own export is asked with one query (the columns are those of
Google's schema reference). It holds doubles: each row's becomes its shortest text and that an exact
number before they are added up, so that a sum has no error of its own and is the same every time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from costcompass_core.domain.days import ONE_DAY, each_day, newest_completed
from costcompass_core.domain.errors import ConfigError
from costcompass_core.domain.money import EXACT, parse_amount
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, Usage
from costcompass_core.providers.base import Client, KeyType, Option, Provider, Refusals
from costcompass_core.providers.fields import Days, clean
from costcompass_core.providers.google_account import MAKE_ONE, account_of, sign_in
from costcompass_core.providers.google_bigquery import check, question, results, unreadable
from costcompass_core.providers.rows import gathered, ranges

WINDOW_DAYS: Final = 90

_TABLE: Final = (
    r"[a-z][a-z0-9-]{4,28}[a-z0-9]\.[A-Za-z0-9_]{1,1024}"
    r"\.gcp_billing_export_(resource_)?v1(_[0-9A-Z]{6}){3}"
)
_EXAMPLE: Final = "my-project.billing.gcp_billing_export_v1_012345_6789AB_CDEF01"
_QUERY: Final = """
SELECT
  CAST(DATE(usage_start_time) AS STRING) AS day,
  service.description AS service,
  sku.description AS sku,
  cost_type AS cost_type,
  currency AS currency,
  usage.pricing_unit AS unit,
  CAST(SUM(CAST(CAST(cost AS STRING) AS BIGNUMERIC)) AS STRING) AS cost,
  CAST(SUM(IFNULL((
    SELECT SUM(CAST(CAST(credit.amount AS STRING) AS BIGNUMERIC)) FROM UNNEST(credits) AS credit
  ), 0)) AS STRING) AS credits,
  CAST(SUM(CAST(CAST(usage.amount_in_pricing_units AS STRING) AS BIGNUMERIC)) AS STRING) AS quantity
FROM `TABLE`
WHERE DATE(usage_start_time) BETWEEN @first AND @last
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
"""
_COLUMNS: Final = (
    "day", "service", "sku", "cost_type", "currency", "unit", "cost", "credits", "quantity",
)  # fmt: skip
_REGULAR: Final = "regular"
"""What comes of using something; taxes, adjustments and rounding errors come once."""
_LONGEST_RANGE: Final = 366
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def check_form(key: Secret) -> bool:
    """Return true for the JSON of a service account; raises `WrongKeyType` for anything else."""
    account_of(key)
    return True


def authorize(_: Secret) -> Mapping[str, str]:
    """Return nothing: not the key travels but a token that it is exchanged for (`sign_in`)."""
    return {}


def identify(client: Client) -> KeyType:
    """Have the real query checked without running it, which takes the same rights and no money."""
    table = _table(client)
    any_day = date(2026, 1, 1)
    check(client, _path(table), question(_query(table), first=any_day, last=any_day))
    return KeyType.MANAGEMENT


def read_activity(client: Client, days: Collection[date] | None, today: date) -> Activity:
    """Read what completed UTC `days` cost, net of credits; `None` asks for the last 90."""
    table = _table(client)
    on_offer = each_day(today - WINDOW_DAYS * ONE_DAY, newest_completed(today))
    asked = sorted(on_offer if days is None else days)
    rows: list[Usage] = []
    for first, last in ranges(asked, _LONGEST_RANGE):
        answers = results(
            client, _path(table), question(_query(table), first=first, last=last), _COLUMNS
        )
        rows += parse_rows(answers, first, last)
    notes = []
    begun = min((row.day for row in rows), default=None)
    if days is None and begun is not None and begun > asked[0]:
        notes.append(f"nothing before {begun}: the export begins about when it was enabled")
    return Activity(gathered(rows, asked), tuple(notes))


def parse_rows(rows: Iterable[Mapping[str, Any]], first: date, last: date) -> Iterator[Usage]:
    """Yield the rows of UTC days `first` to `last`.

    Raises `UnreadableAnswer` naming row and column for whatever is odd, another day among it.
    """
    days = Days()
    for number, row in enumerate(rows, 1):
        field = ""
        try:
            day = days[row[field := "day"]]
            service = _name(row[field := "service"])
            sku = _name(row[field := "sku"])
            kind = _name(row[field := "cost_type"], _REGULAR)
            currency = _currency(row[field := "currency"])
            unit = _name(row[field := "unit"], "")
            cost = _amount(row[field := "cost"])
            credit = _amount(row[field := "credits"])
            quantity = None if row[field := "quantity"] is None else _amount(row["quantity"])
        except (TypeError, ValueError) as why:
            raise unreadable(f"is odd in row {number}: {field} {why}") from None
        if not first <= day <= last:
            raise unreadable(f"is odd in row {number}: day {day} was not asked for")
        yield Usage(
            day,
            service,
            service,
            sku if kind == _REGULAR else f"{sku} ({kind})",
            service,
            *(None,) * 5,
            EXACT.add(cost, credit),
            currency=currency,
            raw=f"{row['cost']}+{row['credits']}",
            once=kind != _REGULAR,
            quantity=quantity if unit else None,
            unit=unit if quantity is not None else "",
        )


def _name(raw: object, unnamed: str = "(no name)") -> str:
    if raw is None:
        return unnamed
    if not isinstance(raw, str):
        raise TypeError("is no text")
    return clean(raw)


def _currency(raw: object) -> str:
    if not isinstance(raw, str) or not _CURRENCY.fullmatch(raw):
        raise ValueError("is not a currency like USD")
    return raw


def _amount(raw: object) -> Decimal:
    """Return an amount, which has to be text: as a number it may have lost digits on the way."""
    if not isinstance(raw, str):
        raise TypeError("is no text")
    return parse_amount(raw)


def _table(client: Client) -> str:
    """Return the only value that becomes part of the query, which no other text can be."""
    table = client.options.get("table", "")
    if not re.fullmatch(_TABLE, table):
        what = "table is not the full name of a billing export in BigQuery"
        raise ConfigError(what, f"write it like {_EXAMPLE}")
    return table


def _query(table: str) -> str:
    return _QUERY.replace("TABLE", table)


def _path(table: str) -> str:
    return f"/projects/{table.partition('.')[0]}/queries"


PROVIDER: Final = Provider(
    name="google",
    title="Google Cloud",
    base_url="https://bigquery.googleapis.com/bigquery/v2",
    check_form=check_form,
    authorize=authorize,
    identify=identify,
    refusals=Refusals(
        r"access denied|does not have (bigquery\.|permission)|permission bigquery\.",
        "give the service account the roles BigQuery Data Viewer on the export's dataset and"
        " BigQuery Job User on its project",
    ),
    key_words=f"the JSON key of a service account: {MAKE_ONE}",
    read_activity=read_activity,
    window_days=WINDOW_DAYS,
    reread_days=5,
    final_after=timedelta(hours=36),
    sign_in=sign_in,
    options=(Option("table", "the full name of its billing export in BigQuery", _EXAMPLE, _TABLE),),
)
