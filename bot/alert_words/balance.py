"""How the alerts about a balance read: what is left, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bot import words
from bot.alert_words.told import MARGIN_ABOVE, Told, levels, used_up
from bot.alert_words.voice import Case

_DAY: Final = timedelta(days=1)


def balance_low(case: Case) -> Told:
    """Tell what is left, and for about how long."""
    left = case.money("left")
    lasts = _lasts(case)
    if used_up(case):
        state, figure = "used up", left
    else:
        state = "critical" if case.critical else "low"
        figure = f"{left}, {lasts} left{_in_short(case)}" if lasts else left
    subject = f"balance of {case.on}"
    crossed = levels(case, "At or below your level", case.levels, MARGIN_ABOVE)
    return Told(subject, state, figure, f"{subject} is {left} again", (*crossed, *_prospects(case)))


def runway_short(case: Case) -> Told:
    """Tell how long the balance lasts, and at which rate."""
    lasts = _lasts(case)
    if used_up(case):
        state, figure = "over", f"the balance is used up ({case.money('left')})"
    else:
        state = "critical" if case.critical else "short"
        rate = _hourly(case) if _is_running_away(case) else _at_rate(case)
        figure = f"{lasts or 'an unknown time'}{rate}"
    subject = f"runway of {case.on}"
    again = f"{subject} is {lasts or 'long enough'} again"
    left = () if used_up(case) else (f"Balance: {case.money('left')}.",)
    crossed = levels(case, "At or below your level", case.levels, MARGIN_ABOVE, " days")
    return Told(subject, state, figure, again, (*crossed, *left, *_prospects(case)))


def purse_short(case: Case) -> Told:
    """Tell how long money in another currency lasts."""
    days, amount = case.number("days"), case.number("left")
    currency = words.clean(case.subject)
    known = "an unknown amount" if amount is None else words.money(amount, currency)
    left = case.voice.text(known)
    lasts = "an unknown time" if days is None else f"about {days:,} days"
    gone = days is not None and days <= 0
    state = "over" if gone else "critical" if case.critical else "short"
    figure = f"the balance is used up ({left})" if gone else f"{lasts}, {left} left"
    subject = f"{case.voice.text(currency)} runway of {case.on}"
    crossed = levels(case, "At or below your level", case.levels, MARGIN_ABOVE, " days")
    empty = case.moment("empty_at")
    until = (f"Runs dry about {case.when('empty_at')} at the mean of its newest days.",)
    return Told(
        subject, state, figure, f"{subject} is {lasts} again", (*crossed, *(until if empty else ()))
    )


def _lasts(case: Case) -> str:
    """Return how long the balance lasts, empty where that is not known."""
    days, empty = case.number("days"), case.moment("empty_at")
    if days is None:
        return ""
    if _is_running_away(case) and (soonest := _much_sooner(case)):
        return _about(soonest - case.as_of)
    if empty is None or days >= 1:
        return f"about {days:,} days"
    return _about(empty - case.as_of)


def _about(span: timedelta) -> str:
    """Return a span of time, a little less rather than more."""
    if span >= _DAY:
        return f"about {Decimal(span // (_DAY / 10)).scaleb(-1):,} days"
    hours = span // timedelta(hours=1)
    return f"about {words.plural(hours, 'hour')}" if hours else "less than an hour"


def _is_running_away(case: Case) -> bool:
    """Return whether today is unusual and the last hour even more so: then the hour is told first."""
    return case.facts.get("rate") == "today" and _much_sooner(case) is not None


def _much_sooner(case: Case) -> datetime | None:
    """Return when it runs dry by the last hour, where that takes at most half as long as by the days."""
    soonest, empty = case.moment("soonest_at"), case.moment("empty_at")
    if soonest and empty and (soonest - case.as_of) * 2 > empty - case.as_of:
        return None
    return soonest


def _in_short(case: Case) -> str:
    """Return the rate that a balance lasts at in a few words, empty for a usual one."""
    if _is_running_away(case):
        return " at the pace of the last hour"
    if sooner := _much_sooner(case):
        hourly = _about(sooner - case.as_of)
        return f" at the usual rate, {hourly} at the pace of the last hour"
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
    if rate == "expected":
        return f" at the expected {case.money('per_day')} a day"
    return f" at the 7-day mean of {case.money('per_day')} a day" if rate else ""


def _prospects(case: Case) -> list[str]:
    """Return when the balance runs dry, and what today takes from it."""
    since = f"by the balance since {case.when('today_since')}"
    today = [f"Today so far: {case.money('today')}, {since}."] if case.usd("today") else []
    if used_up(case):
        return [*today, "Requests may be refused until it is topped up."]
    if case.moment("empty_at") is None:
        known = case.number("days") is not None
        return [*today, *([] if known else ["How long it lasts is not known yet."])]
    sooner = _much_sooner(case)
    hourly = [f"At the soonest {case.when('soonest_at')}{_hourly(case)}."] if sooner else []
    rate = "" if case.rule == "runway_short" else _at_rate(case)  # told already
    if case.facts.get("rate") == "today":
        rate = " at today's rate" if sooner else " at today's rate, sooner if it goes on"
    return [f"Runs dry about {case.when('empty_at')}{rate}.", *hourly, *today]


def _more_today(case: Case) -> bool:
    """Return whether today has already cost more than the whole day that the runway counts with."""
    today, per_day = case.usd("today"), case.usd("per_day")
    usual = case.facts.get("rate") != "today"
    return usual and today is not None and per_day is not None and today > per_day
