"""What no single key of a configuration shows: names used twice or unknown, days out of order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.config_keys import OPTIONS
from bot.config_tables import Mistake
from costcompass_core.domain.accounts import account_name
from costcompass_core.providers.registry import PROVIDERS

_FILES: Final = frozenset(one.name for one in PROVIDERS.values() if one.read_file is not None)


def check_across(raw: dict[str, Any], mistakes: list[Mistake]) -> None:
    """Check what no single key shows: names used twice or unknown, what ends before it began."""
    accounts = [
        account_name(one["provider"], one["name"])
        for one in raw["account"]
        if one["name"] and one["provider"]
    ]
    _twice(mistakes, "account", accounts)
    _twice(mistakes, "budget", [one["name"] for one in raw["budget"] if one["name"]])
    _twice(mistakes, "rate", [one["currency"] for one in raw["rate"] if one["currency"]])
    _check_names(raw, accounts, mistakes)
    for number, one in enumerate(raw["account"]):
        if one["provider"]:
            _check_options(one, f"account[{number}]", mistakes)
    mistakes.extend(
        Mistake(
            f"route[{i}]",
            f"of kind {one['kind']!r} takes nothing: such reports have neither a rule nor an account",
            "leave out `rule` and `account`",
        )
        for i, one in enumerate(raw["route"])
        if one["kind"] in {"digest", "monthly"} and (one["rule"] or one["account"])
    )
    for number, one in enumerate(raw["subscription"]):
        _check_days(one, f"subscription[{number}]", mistakes)
    home = raw["currency"]["home"]
    mistakes.extend(
        Mistake(f"rate[{i}].currency", f"is the home currency, {home}", "leave this rate out")
        for i, one in enumerate(raw["rate"])
        if one["currency"] == home
    )


def _twice(mistakes: list[Mistake], table: str, names: Sequence[str]) -> None:
    """Refuse a name that two tables of a kind have."""
    mistakes.extend(
        Mistake(table, f"has two of the name {name!r}", "rename one of them")
        for name in sorted({name for name in names if names.count(name) > 1})
    )


def _check_names(raw: dict[str, Any], accounts: Sequence[str], mistakes: list[Mistake]) -> None:
    """Check that whoever is matched or routed is there, and put the whole name in its place.

    A bare name is the account of that very name, or else the one that has it behind its provider's.
    """
    folders = any(one["provider"] in _FILES for one in raw["account"])
    places = [(f"budget[{i}].match", one["match"]) for i, one in enumerate(raw["budget"])]
    places += [(f"route[{i}]", one) for i, one in enumerate(raw["route"])]
    for path, place in places:
        name = None if place is None else place["account"]
        if name is None or name in accounts:
            continue
        meant = [one for one in accounts if one.partition("/")[2] == name]
        if len(meant) == 1:
            place["account"] = meant[0]
        elif meant:
            mend = f"write one of {', '.join(meant)}"
            mistakes.append(Mistake(f"{path}.account", "names several accounts", mend))
        elif not (folders and "/" in name):  # an account that is found in files
            known = f"accounts are {', '.join(accounts) or 'none'}"
            mistakes.append(Mistake(f"{path}.account", "names no account", known))


def _check_options(one: Mapping[str, Any], path: str, mistakes: list[Mistake]) -> None:
    """Check what a provider needs to know beside a key: all that it needs, and nothing else."""
    provider = PROVIDERS[one["provider"]]
    own = {option.name: option for option in provider.options}
    for name in OPTIONS:
        if one[name] and name not in own:
            known = ", ".join(own) or "nothing beside its key"
            mistakes.append(
                Mistake(f"{path}.{name}", f"is nothing for {provider.title}", f"it takes {known}")
            )
    for name, option in own.items():
        if not one[name] and option.required:
            mend = f"{provider.title} needs {option.what}, like {option.example}"
            mistakes.append(Mistake(f"{path}.{name}", "is missing", mend))
        elif one[name] and not re.fullmatch(option.pattern, one[name]):
            mistakes.append(
                Mistake(
                    f"{path}.{name}", f"is not {option.what}", f"write it like {option.example}"
                )
            )


def _check_days(one: Mapping[str, Any], path: str, mistakes: list[Mistake]) -> None:
    """Check that a subscription's days come in their order."""
    if one.get("from") and one.get("until") and one["until"] < one["from"]:
        mistakes.append(Mistake(f"{path}.until", "is before `from`", "swap them"))
    days = [each["from"] for each in one["change"] if each["from"]]
    if days != sorted(set(days)):
        mistakes.append(Mistake(f"{path}.change", "is out of order", "the earliest change first"))
