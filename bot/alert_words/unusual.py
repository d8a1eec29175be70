"""How alerts about unusual spend read: a day, a level, and traffic that moved to dearer places."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from bot import words
from bot.alert_words.told import Told
from bot.alert_words.voice import Case, capital
from costcompass_core.domain.rules.unusual import is_new_normal

_BECAUSE: Final[Mapping[str, str]] = {
    "volume": "more traffic",
    "mix": "traffic moved to it",
    "price": "a higher cost per token (its price, less caching or longer answers)",
    "new": "not used in the days before",
    "non-token": "cost without tokens, such as requests or images",
}


def _cause(case: Case) -> list[str]:
    """Return which model it mostly was, where that is known."""
    kind = case.facts.get("cause")
    usd = case.usd("cause_usd")
    if usd is None or usd.amount <= 0:
        return []
    why = _BECAUSE.get(str(kind), "")
    told = f"Mostly {_name(case, 'cause_model')}: +{case.money('cause_usd')}"
    return [f"{told}, {why}." if why else f"{told}."]


def _leader(case: Case) -> str:
    """Return which model leads today, as far as that is reported."""
    if case.usd("leader_usd") is None:
        return "Which models it went to is not reported yet."
    return (
        f"Of what is reported by model so far, most is {_name(case, 'leader')}:"
        f" {case.money('leader_usd')}."
    )


def _name(case: Case, fact: str) -> str:
    value = case.facts.get(fact)
    return case.voice.name(value) if value and isinstance(value, str) else "something unnamed"


def _least(case: Case, share: str) -> str:
    """Return how much it has to be over: a share, but never less than the floor that is set."""
    if case.usd("least") is None:
        return f"at least {share}"
    return f"at least {case.money('least')}: {share}, but never under {case.money('floor')}"


def _days(case: Case) -> str:
    days = case.facts.get("days")
    return case.voice.text(str(days)) if isinstance(days, int) else "28"


def spend_spike(case: Case) -> Told:
    """Tell a day that stands out."""
    today = "today" in case.facts
    partly = today or "partly" in case.facts
    figure = f"{case.money('over')} over the usual {case.money('usual')} a day"
    spent = f"{'at least ' if partly else ''}{case.money('spent')}{' so far' if today else ''}"
    rule = (
        f"The rule: a day far from the median of the {_days(case)} before, and over their mean by"
        f" {_least(case, 'a fifth of what they cost together')}."
    )
    most = " Critical: it is over by all that they cost." if case.critical else ""
    causes = _cause(case)
    if today:
        causes = [f"By the balance. {_leader(case)}"]
    elif partly:
        causes = ["By the balance: not all of it is reported by model yet.", *causes]
    return Told(
        f"spend of {case.on} on {case.day('day')}",
        "critical" if case.critical else "unusual",
        f"{spent}, {figure}",
        f"spend of {case.on} is usual again, after {case.money('spent')} on {case.day('day')}"
        f" instead of {case.money('usual')}",
        (*causes, f"{rule}{most}") if case.level else (),
    )


def spend_level(case: Case) -> Told:
    """Tell a level that spend rose to."""
    usual, latest = case.usd("usual"), case.usd("latest")
    again = (
        f"daily spend of {case.on} is back to {case.money('latest')}, after {case.money('per_day')}"
    )
    if usual is not None and latest is not None and is_new_normal(usual, latest):
        again = (
            f"{case.money('latest')} a day is the new normal of {case.on}, up from"
            f" {case.money('usual')}"
        )
    rule = (
        f"The rule: 7 days that cost at least twice as much a day as the {_days(case)} before, and"
        f" are over by {_least(case, 'a fifth of what those cost together')}."
    )
    return Told(
        f"daily spend of {case.on}",
        "far higher",
        f"{case.money('per_day')} a day in 7 days, up from {case.money('usual')}:"
        f" {case.money('over')} over, since {case.day('first')}",
        again,
        (*_cause(case), rule) if case.level else (),
    )


def routing_drift(case: Case) -> Told:
    """Tell traffic that moved to dearer models."""
    dearer = case.number("dearer")
    more = "" if dearer is None else f"A mean token costs {_percent(case, dearer)} more by it"
    if more and case.usd("spent") is not None:
        more += (
            f": {case.money('spent')} in 7 days at the old prices instead of {case.money('usual')}"
        )
    rule = (
        f"The rule: 7 days against the {_days(case)} before, at the old prices. What moved makes a"
        " mean token at least a fifth dearer, and costs"
        f" {_least(case, 'a twentieth of what those days cost')}."
    )
    return Told(
        f"model mix of {case.on}",
        "dearer",
        f"{case.money('over')} over in 7 days, since {case.day('first')}, by traffic that moved"
        f" from {_name(case, 'left')} to {_name(case, 'to')}",
        f"the model mix of {case.on} no longer gets dearer, after {case.money('over')} over",
        (*([f"{more}."] if more else []), rule) if case.level else (),
    )


def fallback_routing(case: Case) -> Told:
    """Tell a model that is served by a dearer host."""
    model = _name(case, "model")
    rule = (
        f"The rule: 7 days against the {_days(case)} before, at each host's own old price. What"
        f" moved costs {_least(case, 'a fifth of what the model cost in the 7 days')}."
    )
    return Told(
        f"routing of {model} on {case.on}",
        "dearer",
        f"{case.money('over')} over in 7 days, since {case.day('first')}, at {_name(case, 'to')}"
        f" instead of {_name(case, 'left')}",
        f"traffic of {model} on {case.on} no longer moves to dearer hosts",
        (
            f"Per million tokens {case.money('price')}, usually {case.money('usual_price')}.",
            rule,
        )
        if case.level
        else (),
    )


def _percent(case: Case, value: Decimal) -> str:
    return case.voice.text(words.percent(value / 100))


def new_model(case: Case) -> tuple[str, str, str]:
    """Return what a model that was never used before has cost, how much of all that is, the rule."""
    requests = case.facts.get("requests")
    count = (
        f" for {case.voice.text(words.count(requests))} requests"
        if isinstance(requests, int)
        else ""
    )
    share = case.number("share")
    part = (
        "" if share is None else f"That is {_percent(case, share)} of what {case.on} spent since."
    )
    headline = (
        f"New model on {case.on}: {_name(case, 'model')} cost {case.money('amount')}{count} since"
        f" {case.day('first')}."
    )
    rule = ""
    if case.usd("floor") is not None:
        rule = (
            f"The rule: a model's first 7 days, once they have cost at least {case.money('floor')}."
        )
    return headline, capital(part), rule
