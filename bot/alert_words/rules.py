"""What each alert rule is called and how its facts read, one function a rule."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from bot import words
from bot.alert_words.balance import balance_low, purse_short, runway_short
from bot.alert_words.told import MARGIN_BELOW, Told, Words, levels
from bot.alert_words.unusual import fallback_routing, routing_drift, spend_level, spend_spike
from bot.alert_words.voice import Case, capital
from costcompass_core.domain.days import Month


def _percents(case: Case, where: str) -> list[str]:
    return levels(case, where, [f"{one}%" for one in case.levels], MARGIN_BELOW)


def _byok_volume(case: Case) -> Told:
    past = (case.number("percent") or Decimal(0)) >= 100
    subject = f"BYOK volume of {case.on}"
    so_far = (
        f"{case.money('spent')} of {case.money('amount')} in {Month.of(case.as_of.date()).label}"
    )
    fee = "It counts list prices under your own upstream keys; beyond that amount a fee is due."
    return Told(
        subject,
        "past its free allowance" if past else "near its free allowance",
        f"{so_far} ({case.percent('percent')})",
        f"{subject} is at {so_far}",
        (*_percents(case, "Past the level"), *([fee] if case.level else [])),
    )


def _data_stale(case: Case) -> Told:
    day = case.facts.get("part") == "day"
    subject = f"{'balance' if case.facts.get('part') == 'balance' else 'spend'} of {case.on}"
    if day:
        figure = f"{case.day('day')} is not reported yet, only days through {case.day('known')} are"
    elif case.moment("good_at") is None:
        figure = "it has not been read yet"
    else:
        figure = f"last read {case.when('good_at')}"
    error = case.error()
    told = [f"Last error: {error}."] if error else []
    return Told(
        subject,
        "incomplete" if day else "out of date",
        figure,
        f"{subject} is {'reported' if day else 'up to date'} again",
        (*told, "Until it is read again, alerts that need it stay as they are.")
        if case.level
        else (),
    )


def _key_rejected(case: Case) -> Told:
    wrong_type = case.facts.get("reason") == "wrong_key_type"
    error = case.error()
    return Told(
        f"the key of {case.on}",
        "of the wrong type" if wrong_type else "rejected",
        "neither balance nor spend can be read",
        f"the key of {case.on} works again",
        (f"{capital(error)}.",) if error and case.level else (),
    )


def _budget_spent(case: Case) -> Told:
    percent = case.number("percent") or Decimal(0)
    so_far = f"{_spent(case)} of {case.money('amount')}{_period(case)}"
    state = "past an alert level"
    if case.level:
        state = "used up" if percent >= 100 else f"at {case.percent('percent')}"
    return Told(
        f"budget {case.name}",
        state,
        f"{so_far} ({case.percent('percent')})" if percent >= 100 else so_far,
        f"budget {case.name} is at {case.percent('percent')}: {so_far}",
        tuple(_percents(case, "Past your level")),
    )


def _budget_forecast(case: Case) -> Told:
    lands = f"about {case.money('landing')} of {case.money('amount')} by {case.day('to')}"
    rate = f"at the expected {case.money('per_day')} a day"
    return Told(
        f"budget {case.name}",
        "heading over its amount",
        f"{lands}, {rate}",
        f"budget {case.name} is on course again: {lands}",
        (f"Spent so far: {_spent(case)}{_period(case)}.",),
    )


def _spent(case: Case) -> str:
    """Return what a budget's period came to so far, as far as it is known."""
    return f"{'at least ' if case.facts.get('partly') else ''}{case.money('spent')}"


def _period(case: Case) -> str:
    start = case.date("from")
    if start is None:
        return ""
    return f" in {start.year if case.facts.get('per') == 'year' else Month.of(start).label}"


def _vault_locked(case: Case) -> Told:
    return Told(
        "the vault",
        "locked",
        f"nothing has been refreshed since {case.when('since')}",
        "the vault is unlocked, refreshing goes on",
        ("Unlock it: `costcompass unlock`. Questions are answered from stored data.",)
        if case.level
        else (),
    )


def _database_unwritable(case: Case) -> Told:
    return Told(
        "the database",
        "refusing writes",
        f"nothing has been stored since {case.when('since')}",
        "the database takes writes again",
        ("Balance alerts still come, straight from each reading.",),
    )


def _unknown(case: Case) -> Told:
    """Tell an incident of a rule that this version does not know; a newer one may have left it."""
    subject = words.clean(case.rule.replace("_", " "))
    subject = case.voice.text(subject) + (f" of {case.on}" if case.account else "")
    return Told(subject, "wrong", "see `costcompass status --json`", f"{subject} is over")


_BALANCE: Final = "its balance"
_USAGE: Final = "the reported usage"
_BOTH: Final = "the reported usage, today by the balance"
_DAEMON: Final = "this daemon"

RULES: Final[Mapping[str, Words]] = {
    "balance_low": Words("Low balance", _BALANCE, balance_low),
    "runway_short": Words("Short runway", _BALANCE, runway_short),
    "purse_short": Words("Short runway", _BALANCE, purse_short),
    "spend_spike": Words("Unusual day", _BOTH, spend_spike),
    "spend_level": Words("Higher spend", _USAGE, spend_level),
    "routing_drift": Words("Dearer model mix", _USAGE, routing_drift),
    "fallback_routing": Words("Dearer host", _USAGE, fallback_routing),
    "byok_volume": Words("BYOK volume", _USAGE, _byok_volume),
    "data_stale": Words("Stale data", _DAEMON, _data_stale),
    "key_rejected": Words("Rejected key", _DAEMON, _key_rejected),
    "budget_spent": Words("Budget spent", _BOTH, _budget_spent),
    "budget_forecast": Words("Budget forecast", _BOTH, _budget_forecast),
    "vault_locked": Words("Locked vault", _DAEMON, _vault_locked),
    "database_unwritable": Words("Unwritable database", _DAEMON, _database_unwritable),
}
"""Every rule that incidents come from, in the order in which documents list them."""


def words_of(rule: str) -> Words:
    """Return how a rule is told, in general terms where this version does not know it."""
    title = capital(words.clean(rule.replace("_", " ")))
    return RULES.get(rule) or Words(title, _DAEMON, _unknown)
