"""OpenAI: daily costs by line item, and tokens by model, read with an Admin key.

Paths, fields and limits are those of OpenAI's OpenAPI document (usage-costs, usage-completions).
An amount was also seen live as text, which is taken likewise. Input tokens include cached ones
here, and are stored as reported.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from costcompass_core.domain.errors import Declined, WrongKeyType
from costcompass_core.domain.money import parse_amount
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, Usage
from costcompass_core.providers.base import Client, KeyType, Provider, Refusals
from costcompass_core.providers.buckets import Billing, Report, Row, currency_of
from costcompass_core.providers.fields import count
from costcompass_core.providers.keyforms import refuse_foreign
from costcompass_core.providers.rows import NO_COST, Tokens, amount_or_none
from costcompass_core.providers.strict_json import raw_text

WINDOW_DAYS: Final = 180
"""How many completed UTC days one question about costs may cover."""
NO_LINE_ITEM: Final = "(no line item)"
"""The model of a cost that OpenAI does not say more about."""

_HOST: Final = "OpenAI API"
_KEY: Final = re.compile(r"sk-admin-[0-9A-Za-z_-]{20,}")
_PROJECT_KEYS: Final = ("sk-proj-", "sk-svcacct-")
_MAKE_ONE: Final = (
    "make an Admin key, best one Restricted to Usage (read), at"
    " https://platform.openai.com/settings/organization/admin-keys"
)
_DAY_SECONDS: Final = 86_400
_EPOCH: Final = date(1970, 1, 1)
_PAST: Final = date(2026, 1, 1)
"""Some day that is over, to ask about when only the key matters."""


def check_form(key: Secret) -> bool:
    """Return whether `key` is an Admin key by its looks; a bare `sk-` can only be tried.

    Raises `WrongKeyType` for another vendor's key, and for one of a project, which cannot read costs.
    """
    refuse_foreign(key, "openai", "OpenAI", _MAKE_ONE)
    if key.expose().startswith(_PROJECT_KEYS):
        raise WrongKeyType("this OpenAI key is a project's: it cannot read costs", _MAKE_ONE)
    return _KEY.fullmatch(key.expose()) is not None


def identify(client: Client) -> KeyType:
    """Ask for the costs of one day, which no other type of key may read."""
    with suppress(Declined):  # it minds the day, not the key; reading would say so
        client.get(_COSTS.path, _COSTS.params(_PAST, _PAST))
    return KeyType.MANAGEMENT


def read_activity(client: Client, days: Collection[date] | None, today: date) -> Activity:
    """Read cost and tokens of completed UTC `days`, or with `None` of the whole window."""
    return _BILLING.read(client, days, today)


def _seconds(day: date) -> str:
    return str((day - _EPOCH).days * _DAY_SECONDS)


def _midnight(raw: object) -> date:
    if type(raw) is not int or not 0 <= raw < 10**11 or raw % _DAY_SECONDS:
        raise ValueError("is not a midnight (UTC) in seconds")
    return date.fromordinal(_EPOCH.toordinal() + raw // _DAY_SECONDS)


def _cost(row: Row) -> Usage:
    amount = row.part("amount")
    cost = amount.read("value", parse_amount)
    model, kind = _split(row.text("line_item"))
    return Usage(
        day=row.day,
        model=model,
        permaslug=model,
        endpoint=kind,
        host=_HOST,
        requests=None,
        prompt_tokens=None,
        completion_tokens=None,
        reasoning_tokens=None,
        cached_tokens=None,
        cost=cost,
        currency=amount.read("currency", currency_of),
        raw=raw_text(amount.values["value"]),
        once=cost < 0,  # nobody gets a refund every day
        quantity=row.read("quantity", amount_or_none),
        unit=row.text("quantity_unit") or "",
    )


def _split(line_item: str | None) -> tuple[str, str]:
    """Return model and kind of `MODEL, KIND`; what is not of that form stands for both."""
    if line_item is None:
        return NO_LINE_ITEM, NO_LINE_ITEM
    model, comma, kind = line_item.rpartition(", ")
    return (model, kind) if comma and model and kind else (line_item, line_item)


def _tokens(row: Row) -> tuple[str, Tokens]:
    return row.text("model") or "(no model)", Tokens(
        requests=row.read("num_model_requests", count),
        prompt_tokens=row.read("input_tokens", count),
        completion_tokens=row.read("output_tokens", count),
        cached_tokens=row.read("input_cached_tokens", count),
        cache_write_tokens=row.read("input_cache_write_tokens", count),
    )


def _kind(row: Usage) -> str | None:
    """Return which count a line item is about; its words are free, so only plain ones are taken."""
    words = row.endpoint.lower()
    if "cach" in words:
        return "cache_write_tokens" if "writ" in words else "cached_tokens"
    return (
        "completion_tokens" if "output" in words else "prompt_tokens" if "input" in words else None
    )


def _blank(day: date, model: str) -> Usage:
    return Usage(day, model, model, NO_COST, _HOST, None, None, None, None, None, Decimal(0))


def _report(path: str, group_by: str, longest: int) -> Report:
    return Report("OpenAI", path, group_by, longest, "start_time", "end_time", _seconds, _midnight)


_COSTS: Final = _report("/organization/costs", "line_item", WINDOW_DAYS)
_BILLING: Final = Billing(
    costs=_COSTS,
    tokens=_report("/organization/usage/completions", "model", 31),
    cost_of=_cost,
    tokens_of=_tokens,
    kind_of=_kind,
    blank=_blank,
    window_days=WINDOW_DAYS,
)

PROVIDER: Final = Provider(
    name="openai",
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    check_form=check_form,
    identify=identify,
    refusals=Refusals(r"\bmissing scopes?\b", f"an Admin key can: {_MAKE_ONE}"),
    key_words=f"an Admin key: {_MAKE_ONE}",
    read_activity=read_activity,
    window_days=WINDOW_DAYS,
    reread_days=4,
    final_after=timedelta(hours=48),
)
