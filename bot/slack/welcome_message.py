"""The one message of a first start: what was found, what will be posted when, how to change it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from bot import words
from bot.config_alerts import Alerts
from bot.slack.blocks import Message, Piece, actions, bullets, button, context, header, section
from bot.slack.voice import SLACK
from bot.slack.words import escape, fenced
from costcompass_core.domain.money import Usd, plain
from costcompass_core.domain.welcome import WelcomeReport

_ACCOUNTS = 20


def welcome_message(
    report: WelcomeReport, settings: Alerts, now: datetime, zone: tzinfo
) -> Message:
    """Return the welcome."""
    headline = escape(_headline(report))
    return Message(headline, tuple(_pieces(report, settings, headline, now, zone)))


def _headline(report: WelcomeReport) -> str:
    watched = f"CostCompass is here and watches {words.plural(len(report.health), 'account')}"
    if not report.days:
        return f"{watched}; nothing has been read yet."
    spent = f"{words.usd(report.total)} on {words.plural(report.models, 'model')}"
    return f"{watched}: {spent} in {words.plural(report.days, 'day')} so far."


def _pieces(
    report: WelcomeReport, settings: Alerts, headline: str, now: datetime, zone: tzinfo
) -> Iterator[Piece]:
    yield header("Hello from CostCompass")
    yield section(f"*{headline}*")
    if found := list(_found(report)):
        yield section("*What was found*")
        yield bullets(found)
    yield section("*What will be posted here*")
    yield bullets(map(escape, _posted(settings, zone, now)))
    yield section("*How to change it*")
    yield bullets(_changed())
    test = button("Send a test alert", "alert_test", "test")
    ask = [
        button("Spend this month", "own_1", "/spend mtd", aloud="Spend this month, only for you"),
        button("Forecast", "own_2", "/forecast", aloud="Forecast, only for you"),
    ]
    yield from actions("welcome", *ask, test)
    yield context("This message comes once. Answers are only for who asks, until they share them.")


def _found(report: WelcomeReport) -> Iterator[str]:
    left = {one.account: one for one in report.balances}
    for one in report.health[:_ACCOUNTS]:
        name = f"{escape(fenced(one.account))} ({escape(one.provider)})"
        if one.error:
            yield f"{name} could not be read: {escape(one.error)}"
            continue
        told = []
        if (balance := left.get(one.account)) is not None:
            read = SLACK.moment(balance.at, UTC)
            told.append(f"balance {escape(words.usd(balance.left))}, read {read}")
        if one.data_through is not None:
            told.append(f"spend known through {words.day(one.data_through)} (UTC)")
        yield f"{name}: {', '.join(told) or 'not read yet'}"
    if report.first is not None:
        yield f"History begins on {words.day(report.first, year=True)} (UTC)"


def _posted(settings: Alerts, zone: tzinfo, now: datetime) -> Iterator[str]:
    """Yield what will be posted, in words without markup."""
    local = now.astimezone(zone).tzname()
    if settings.digest.time is None or not settings.digest.weekdays:
        yield "No digest: it is turned off"
    else:
        every = len(settings.digest.weekdays) == len(words.DAY_NAMES)
        days = "every day" if every else f"on {_listed(settings.digest.weekdays)}"
        yield f"A digest {days} at {settings.digest.time:%H:%M} {local}, and a report of each month"
    if levels := _amounts(settings.limits.balance_below):
        yield f"An alert when a balance falls below {levels}"
    if days_left := [plain(one) for one in settings.limits.runway_below]:
        yield f"An alert when a balance lasts less than {' or '.join(days_left)} days"
    yield "Alerts on unusual spend, budgets, dearer routing, and data that stops coming"
    if (quiet := settings.desk.quiet) is not None:
        span = f"{quiet.start:%H:%M} to {quiet.end:%H:%M} {local}"
        yield f"Nothing but what can't wait from {span}"


def _listed(weekdays: Iterable[int]) -> str:
    return ", ".join(words.DAY_NAMES[one] for one in sorted(weekdays))


def _amounts(levels: Iterable[Usd]) -> str:
    return " or ".join(f"${one.text()}" for one in sorted(levels, key=_size, reverse=True))


def _size(one: Usd) -> Decimal:
    return one.amount


def _changed() -> tuple[str, ...]:
    return (
        "Open the app's *Home* tab and press *Settings*: digest time, levels, quiet hours, snoozes",
        "Everything else is in `config.toml`; `costcompass config show` says what holds and why",
        "Ask `/spend help` and `/forecast help` what else there is",
    )
