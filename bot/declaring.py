"""Costs that people declare: from words to the ledger, for the command and for the daemon it asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from bot.words import clean
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.declared import Declared, Per
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.money import Usd
from costcompass_core.domain.usage import USD
from costcompass_core.storage.declared import declare, withdraw
from costcompass_core.storage.store import Store

ADD: Final = "cost add"
REMOVE: Final = "cost remove"
REQUESTS: Final = frozenset({ADD, REMOVE})
"""What the daemon is asked to `do` while it holds the ledger."""

_LABEL: Final = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_AMOUNT: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS: Final = range(2000, 2100)
"""Days far outside would make `spend all` a report over centuries for one slip of a finger."""
_RECURRING: Final[Mapping[str, Per]] = {"month": "month", "year": "year"}


def carry_out(store: Store, request: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Do what one of `REQUESTS` asks and return the cost it is about, as `cost_shape` does.

    Raises `UsageError` for a request that makes no sense, `StorageError` where it can't be written.
    """
    if request.get("do") == REMOVE:
        return _remove(store, request.get("number"), at)
    cost = cost_of(request, utc_day(at))
    with store.writing() as tx:
        number = declare(tx, cost, at)
    return cost_shape(cost, number)


def _remove(store: Store, number: object, at: datetime) -> dict[str, Any]:
    with store.writing() as tx:
        found = withdraw(tx, number, at) if isinstance(number, int) else None
    if found is None:
        raise UsageError(f"there is no declared cost {number}", "see `costcompass cost list`")
    return cost_shape(found, found.number)


def cost_of(words: Mapping[str, Any], today: date) -> Declared:
    """Return the cost that the words of `cost add` declare. Raises `UsageError`.

    `words` has texts, `None` for what was not said: name, amount, currency, on, per, from, until,
    provider. Without `per` it is a cost of one day, which is `today` where `on` names none.
    """
    per, on, until = words.get("per"), words.get("on"), _day(words, "until")
    if per is not None and on is not None:
        raise UsageError("--on and --per exclude each other", "use --from with --per")
    if per is None and (words.get("from") is not None or until is not None):
        raise UsageError("--from and --until are for what recurs", "add --per month or --per year")
    if per is not None and per not in _RECURRING:
        raise UsageError(f"--per cannot be {_quoted(per)}", "use month or year")
    start = _day(words, "on" if per is None else "from") or today
    if until is not None and until < start:
        raise UsageError(f"--until {until} is before it begins, {start}", "write a later day")
    return Declared(
        _label("NAME", words.get("name")),
        _amount(words.get("amount")),
        _currency(words.get("currency")),
        "once" if per is None else _RECURRING[per],
        start,
        until,
        "" if words.get("provider") is None else _label("--provider", words["provider"]),
    )


def _label(what: str, text: object) -> str:
    label = str(text or "").strip()
    if not _LABEL.fullmatch(label):
        raise UsageError(
            f"{what} cannot be {_quoted(label)}", "use 1 to 100 characters of one line"
        )
    return label


def _amount(text: object) -> Usd:
    """Read a positive amount with every digit; `Usd` holds an exact amount of any currency."""
    mend = "write a plain number above 0, like 4.51"
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise UsageError(f"AMOUNT cannot be {_quoted(text)}", mend)
    try:
        amount = Usd.of(text)
    except ValueError as error:
        raise UsageError(f"AMOUNT {error}", mend) from None
    if not amount:
        raise UsageError("AMOUNT cannot be 0", mend)
    return amount


def _currency(text: object) -> str:
    code = USD if text is None else str(text).upper()
    if not _CURRENCY.fullmatch(code):
        raise UsageError(f"--currency cannot be {_quoted(text)}", "use three letters, like EUR")
    return code


def _day(words: Mapping[str, Any], key: str) -> date | None:
    """Read a UTC day as people and files write it, and in no other form that Python would take."""
    if words.get(key) is None:
        return None
    text = str(words[key])
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        years = f"from {_YEARS[0]} to {_YEARS[-1]}"
        raise UsageError(f"--{key} cannot be {_quoted(text)}", f"write a day {years}: YYYY-MM-DD")
    return found


def _quoted(text: object) -> str:
    return repr(str(text)[:40])


def cost_shape(cost: Declared, number: int) -> dict[str, Any]:
    """Return a declared cost as JSON values; money is text with every digit."""
    return {
        "number": number,
        "name": cost.name,
        "amount": cost.amount.text(),
        "currency": cost.currency,
        "per": cost.per,
        "from": str(cost.start),
        "until": None if cost.until is None else str(cost.until),
        "provider": cost.provider or None,
    }


def cost_line(shape: Mapping[str, Any]) -> str:
    """Return a declared cost in one line: `3: Hetzner server, EUR 4.51 every month from …`."""
    amount = f"{shape['currency']} {shape['amount']}"
    if shape["per"] == "once":
        when = f"on {shape['from']}"
    else:
        until = f" until {shape['until']}" if shape["until"] else ""
        when = f"every {shape['per']} from {shape['from']}{until}"
    paid = f", paid to {clean(shape['provider'])}" if shape["provider"] else ""
    return f"{shape['number']}: {clean(shape['name'])}, {amount} {when}{paid}"
