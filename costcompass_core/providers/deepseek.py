"""DeepSeek: prepaid money in one or two currencies, read with the ordinary key.

Path and fields are those of DeepSeek's API reference (get-user-balance). There is no report of
costs or usage for keys, so spend is told by the difference of two readings (`domain.purses`). A
price list cannot stand in: prices change with the time of day.
"""

from __future__ import annotations

import re
from typing import Any, Final

from costcompass_core.domain.errors import UnreadableAnswer
from costcompass_core.domain.money import EXACT, parse_amount
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Purse
from costcompass_core.providers.base import Client, KeyType, Provider, Refusals
from costcompass_core.providers.keyforms import refuse_foreign

_PATH: Final = "/user/balance"
_KEY: Final = re.compile(r"sk-[0-9A-Za-z]{20,}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_MAKE_ONE: Final = "make one at https://platform.deepseek.com/api_keys"
_AMOUNTS: Final = ("total_balance", "granted_balance", "topped_up_balance")


def check_form(key: Secret) -> bool:
    """Return whether `key` looks like a DeepSeek key; its ordinary keys are the right ones."""
    refuse_foreign(key, "deepseek", "DeepSeek", _MAKE_ONE)
    return _KEY.fullmatch(key.expose()) is not None


def identify(client: Client) -> KeyType:
    """Ask for the balance, which any key may read."""
    read_purses(client)
    return KeyType.ORDINARY


def read_purses(client: Client) -> tuple[Purse, ...]:
    """Read what is left, by currency."""
    body = client.get(_PATH).body
    infos = body.get("balance_infos") if isinstance(body, dict) else None
    if not isinstance(infos, list):
        raise _unreadable("has no balance_infos")
    purses = {
        one.currency: one for number, info in enumerate(infos, 1) for one in [_purse(info, number)]
    }
    if len(purses) != len(infos):
        raise _unreadable("has one currency twice")
    if not purses:
        raise _unreadable("names no currency")
    return tuple(purses.values())


def _purse(info: Any, number: int) -> Purse:
    if not isinstance(info, dict):
        raise _unreadable(f"has an entry {number} that is no object")
    currency = info.get("currency")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise _unreadable(f"is odd in entry {number}: currency is not three capitals")
    amounts = []
    for field in _AMOUNTS:
        if field not in info:
            raise _unreadable(f"has no {field} in entry {number}")
        try:
            amounts.append(parse_amount(info[field]))
        except ValueError as why:
            raise _unreadable(f"is odd in entry {number}: {field} {why}") from None
    total, granted, topped_up = amounts
    if EXACT.add(granted, topped_up) != total:
        raise _unreadable(f"contradicts itself: the parts of {currency} do not add up")
    return Purse(currency, total, granted, topped_up)


def _unreadable(why: str) -> UnreadableAnswer:
    mend = "earlier figures stay as they are; if this lasts, look for a newer CostCompass"
    return UnreadableAnswer(f"the answer of DeepSeek's {_PATH} {why}", mend)


PROVIDER: Final = Provider(
    name="deepseek",
    title="DeepSeek",
    base_url="https://api.deepseek.com",
    credits_url="https://platform.deepseek.com/top_up",
    check_form=check_form,
    identify=identify,
    refusals=Refusals("", _MAKE_ONE),
    key_words=f"an ordinary API key: {_MAKE_ONE}",
    read_purses=read_purses,
)
