"""Anthropic: daily costs by description, and tokens by model, read with an Admin key.

Paths, fields and limits are those of Anthropic's Usage and Cost API (cost_report and
usage_report/messages). Money is text in cents; anything else is refused, because a change of unit
would look like a bill a hundred times too big or too small. Input tokens exclude cached ones here,
and are stored as reported. What the Claude Code report estimates is never read: part of it is
covered by subscriptions. Priority Tier is in none of these figures.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from costcompass_core.domain.errors import Declined, KeyRejected, WrongKeyType
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, Usage
from costcompass_core.providers.base import Client, KeyType, Provider, Refusals
from costcompass_core.providers.buckets import Billing, Report, Row, currency_of
from costcompass_core.providers.fields import Days, count
from costcompass_core.providers.keyforms import refuse_foreign
from costcompass_core.providers.rows import NO_COST, Tokens, hundredths

WINDOW_DAYS: Final = 90
"""How many completed UTC days are asked for at first: three pages of each report."""

_HOST: Final = "Anthropic API"
_NAMELESS: Final = "(no description)"
_KEY: Final = re.compile(r"sk-ant-admin[0-9]{2}-[0-9A-Za-z_-]{20,}")
_MAKE_ONE: Final = (
    "make an Admin key at https://console.anthropic.com/settings/admin-keys; individual Console"
    " accounts cannot use the Admin API and have to create an Organization first"
)
_PAST: Final = date(2026, 1, 1)
"""Some day that is over, to ask about when only the key matters."""
_KINDS: Final[Mapping[str, str]] = {
    "uncached_input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cache_read_input_tokens": "cached_tokens",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_tokens",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_tokens",
}
"""Which count each type of token is."""


def check_form(key: Secret) -> bool:
    """Return whether `key` is an Admin key by its looks.

    An `sk-ant-api03-` key is not turned down: the ones of an organization may read costs, those of
    a workspace may not, and only Anthropic knows which is which. Raises `WrongKeyType` for another
    vendor's key and for one of Claude Enterprise.
    """
    refuse_foreign(key, "anthropic", "Anthropic", _MAKE_ONE)
    if key.expose().startswith("sk-ant-api01-"):
        what = "this is a key of Claude Enterprise, which cannot read what the Claude API costs"
        raise WrongKeyType(what, _MAKE_ONE)
    return _KEY.fullmatch(key.expose()) is not None


def authorize(key: Secret) -> Mapping[str, str]:
    """Return the headers that carry `key`, and the version of the API."""
    return {"x-api-key": key.expose(), "anthropic-version": "2023-06-01"}


def identify(client: Client) -> KeyType:
    """Ask for the costs of one day, which no other type of key may read.

    Any key but a right one may get the same few words ("invalid x-api-key"), so a rejection says
    what the right one is and who can have it.
    """
    try:
        with suppress(Declined):  # it minds the day, not the key; reading would say so
            client.get(_COSTS.path, _COSTS.params(_PAST, _PAST))
    except WrongKeyType:
        raise
    except KeyRejected as no:
        raise KeyRejected(no.what, f"make sure that it still exists, or {_MAKE_ONE}") from None
    return KeyType.MANAGEMENT


def read_activity(client: Client, days: Collection[date] | None, today: date) -> Activity:
    """Read cost and tokens of completed UTC `days`, or with `None` of the whole window."""
    return _BILLING.read(client, days, today)


def _midnight(raw: object) -> date:
    return Days()[raw if isinstance(raw, str) else None]


def _cents(raw: Any) -> Decimal:
    if isinstance(raw, str):
        return hundredths(raw)
    raise ValueError("is not cents in text")


def _cost(row: Row) -> Usage:
    cost = row.read("amount", _cents)
    model = row.text("model") or row.text("description") or _NAMELESS
    return Usage(
        day=row.day,
        model=model,
        permaslug=model,
        endpoint=_sku(row),
        host=_HOST,
        requests=None,
        prompt_tokens=None,
        completion_tokens=None,
        reasoning_tokens=None,
        cached_tokens=None,
        cost=cost,
        currency=row.read("currency", currency_of),
        raw=row.values["amount"],
        once=cost < 0,  # nobody gets a refund every day
    )


def _sku(row: Row) -> str:
    """Return what is billed, and under which tier and context where they are not the usual ones."""
    billed = row.text("token_type") or row.text("cost_type") or _NAMELESS
    more = (row.text("service_tier"), row.text("context_window"))
    return "|".join((billed, *(one for one in more if one not in {None, "standard", "0-200k"})))


def _tokens(row: Row) -> tuple[str, Tokens]:
    written = row.part("cache_creation")
    parts = [
        written.read(name, count)
        for name in ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    ]
    known = [one for one in parts if one is not None]
    return row.text("model") or "(no model)", Tokens(
        prompt_tokens=row.read("uncached_input_tokens", count),
        completion_tokens=row.read("output_tokens", count),
        cached_tokens=row.read("cache_read_input_tokens", count),
        cache_write_tokens=sum(known) if known else None,
    )


def _kind(row: Usage) -> str | None:
    return _KINDS.get(row.endpoint.partition("|")[0])


def _blank(day: date, model: str) -> Usage:
    return Usage(day, model, model, NO_COST, _HOST, None, None, None, None, None, Decimal(0))


def _report(path: str, group_by: str) -> Report:
    return Report(
        "Anthropic",
        path,
        group_by,
        longest=31,
        start="starting_at",
        end="ending_at",
        write=lambda day: f"{day.isoformat()}T00:00:00Z",
        read=_midnight,
    )


_COSTS: Final = _report("/organizations/cost_report", "description")
_BILLING: Final = Billing(
    costs=_COSTS,
    tokens=_report("/organizations/usage_report/messages", "model"),
    cost_of=_cost,
    tokens_of=_tokens,
    kind_of=_kind,
    blank=_blank,
    window_days=WINDOW_DAYS,
)

PROVIDER: Final = Provider(
    name="anthropic",
    title="Anthropic",
    base_url="https://api.anthropic.com/v1",
    check_form=check_form,
    authorize=authorize,
    identify=identify,
    refusals=Refusals(
        r"api_key_scope_missing|organization_level_scoped_api_key_required"
        r"|\badmin(istrative)? (api )?keys?\b|\borganization[- ](level|scoped)|\bscopes?\b",
        f"an Admin key can: {_MAKE_ONE}",
    ),
    key_words=f"an Admin key: {_MAKE_ONE}",
    read_activity=read_activity,
    window_days=WINDOW_DAYS,
    reread_days=4,
    final_after=timedelta(hours=48),
)
