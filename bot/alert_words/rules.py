"""What each alert rule is called and how its facts read, one function a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from bot import words
from bot.alert_words.voice import Case, capital, listed
from costcompass_core.domain.days import Month
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.rules.views import RECOVERED, RELIEVED

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """The pieces of an incident's sentences, to be read as follows.

    "`subject` is `state`: `figure`." while it is open, "Resolved: `again`." once it is over, and
    "`subject` was `state` from … to …" in lists. `details` are whole sentences.
    """

    subject: str
    state: str
    figure: str
    again: str
    details: tuple[str, ...] = ()


class Words(NamedTuple):
    """A rule's title, where its figures come from, and what tells it."""

    title: str
    source: str
    tell: Callable[[Case], Told]


def _balance_low(case: Case) -> Told:
    left = case.money("left")
    lasts = _lasts(case)
    if _used_up(case):
        state, figure = "used up", left
    else:
        state = "critical" if case.critical else "low"
        figure = f"{left}, {lasts} left{_in_short(case)}" if lasts else left
    subject = f"balance of {case.on}"
    levels = _levels(case, "At or below your level", case.levels, _MARGIN_ABOVE)
    return Told(subject, state, figure, f"{subject} is {left} again", (*levels, *_prospects(case)))


def _runway_short(case: Case) -> Told:
    lasts = _lasts(case)
    if _used_up(case):
        state, figure = "over", f"the balance is used up ({case.money('left')})"
    else:
        state = "critical" if case.critical else "short"
        rate = _hourly(case) if _is_running_away(case) else _at_rate(case)
        figure = f"{lasts or 'an unknown time'}{rate}"
    subject = f"runway of {case.on}"
    again = f"{subject} is {lasts or 'long enough'} again"
    left = () if _used_up(case) else (f"Balance: {case.money('left')}.",)
    levels = _levels(case, "At or below your level", case.levels, _MARGIN_ABOVE, " days")
    return Told(subject, state, figure, again, (*levels, *left, *_prospects(case)))


def _used_up(case: Case) -> bool:
    left = case.usd("left")
    return left is not None and left <= ZERO


def _lasts(case: Case) -> str:
    """Return how long the balance lasts, empty where that is not known."""
    days, empty = case.number("days"), case.moment("empty_at")
    if days is None:
        return ""
    if (soonest := case.moment("soonest_at")) and _is_running_away(case):
        days, empty = Decimal((soonest - case.as_of) // (_DAY / 10)).scaleb(-1), soonest
    if empty is None or days >= 1:
        return f"about {days:,} days"
    hours = (empty - case.as_of) // timedelta(hours=1)
    return f"about {words.plural(hours, 'hour')}" if hours else "less than an hour"


def _is_running_away(case: Case) -> bool:
    """Return whether today is unusual and the last hour even more so: then the hour is told first."""
    return case.facts.get("rate") == "today" and bool(_at_the_soonest(case))


def _in_short(case: Case) -> str:
    """Return the rate that a balance lasts at in a few words, empty for a usual one."""
    if _is_running_away(case):
        return " at the pace of the last hour"
    if _more_today(case):
        return " at the usual rate"
    return " at today's rate" if case.facts.get("rate") == "today" else ""


def _hourly(case: Case) -> str:
    return f" at the pace of the last hour ({case.money('last_hour')})"


def _at_rate(case: Case) -> str:
    """Return the rate that a runway is worked out with."""
    rate = case.facts.get("rate")
    if rate == "today":
        return f" at today's rate ({case.money('per_day')} so far today)"
    if rate == "yesterday":
        return f" at the newest days' rate of {case.money('per_day')} a day"
    return f" at the 7-day mean of {case.money('per_day')} a day" if rate else ""


def _prospects(case: Case) -> list[str]:
    """Return when the balance runs dry, and what today takes from it."""
    since = f"by the balance since {case.when('today_since')}"
    today = [f"Today so far: {case.money('today')}, {since}."] if case.usd("today") else []
    if _used_up(case):
        return [*today, "Requests may be refused until it is topped up."]
    if case.moment("empty_at") is None:
        known = case.number("days") is not None
        return [*today, *([] if known else ["How long it lasts is not known yet."])]
    dry = f"Runs dry about {case.when('empty_at')}"
    if case.facts.get("rate") == "today":
        sooner = _at_the_soonest(case)
        return [
            f"{dry} at today's rate{'' if sooner else ', sooner if it goes on'}.",
            *sooner,
            *today,
        ]
    rate = "" if case.rule == "runway_short" else _at_rate(case)  # told already
    return [f"{dry}{rate}.", *_at_the_soonest(case), *today]


def _at_the_soonest(case: Case) -> list[str]:
    """Return what the last hour says, where that is at most half as long as what the days say."""
    soonest, empty = case.moment("soonest_at"), case.moment("empty_at")
    if soonest is None or (empty and (soonest - case.as_of) * 2 > empty - case.as_of):
        return []
    return [f"At the soonest {case.when('soonest_at')}{_hourly(case)}."]


def _more_today(case: Case) -> bool:
    """Return whether today has already cost more than the whole day that the runway counts with."""
    today, per_day = case.usd("today"), case.usd("per_day")
    usual = case.facts.get("rate") != "today"
    return usual and today is not None and per_day is not None and today > per_day


_MARGIN_ABOVE: Final = f"{int((RECOVERED - 1) * 100)}% above"
_MARGIN_BELOW: Final = f"{int((1 - RELIEVED) * 100)}% below"


def _levels(
    case: Case, where: str, levels: Sequence[str], margin: str, unit: str = ""
) -> list[str]:
    """Return which levels are crossed, and why one that no longer is may still count."""
    if not case.level:
        return []
    lines = []
    if levels:
        more = "" if len(levels) == 1 else "s"
        lines.append(f"{where}{more} of {case.voice.text(listed(levels))}{unit}.")
    if len(levels) < case.level and not _used_up(case):
        lines.append(f"Recovering: a level once crossed counts until the figure is {margin} it.")
    return lines


def _percents(case: Case, where: str) -> list[str]:
    return _levels(case, where, [f"{one}%" for one in case.levels], _MARGIN_BELOW)


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
    rate = f"at the 7-day mean of {case.money('per_day')} a day"
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
    "balance_low": Words("Low balance", _BALANCE, _balance_low),
    "runway_short": Words("Short runway", _BALANCE, _runway_short),
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
