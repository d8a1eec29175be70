"""The app's Home to Block Kit: a dashboard of its own for everybody who may see figures.

Pure, and without anything that only the clock changes: what is the same is not published again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from bot import alert_words, forecast_words, summary, words
from bot.digest_words.pieces import plan_figure
from bot.slack.blocks import (
    Message,
    Piece,
    actions,
    bullets,
    button,
    context,
    divider,
    header,
    section,
)
from bot.slack.charts import over_time
from bot.slack.figures import figure_blocks
from bot.slack.forecast_message import budget_blocks
from bot.slack.incident_actions import actions as incident_actions
from bot.slack.incident_actions import sign
from bot.slack.spend_message import spend_table
from bot.slack.voice import SLACK
from bot.slack.words import bare, escape, fenced
from bot.words import Figure
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.home import HomeReport
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.reports import Health

REFRESH: Final = "home_refresh"
SETTINGS: Final = "home_settings"
_INCIDENTS: Final = 8
"""Open alerts with their buttons; the rest is counted."""
_ACCOUNTS: Final = 20

View = dict[str, Any]


def home_page(
    report: HomeReport,
    now: datetime,
    zone: tzinfo,
    credits_urls: Mapping[str, str],
    note: str = "",
) -> Message:
    """Return what a Home shows; `note` says what is going on, such as a refresh."""
    pieces = tuple(_pieces(report, now, zone, credits_urls, note))
    return Message(summary.spend_headline(report.spend), pieces)


def home(page: Message, *, rich: bool) -> View:
    """Return a page as the view that Slack publishes."""
    return {"type": "home", "blocks": list(page.shown(rich=rich))}


def nothing_for(reason: str) -> View:
    """Return the Home of somebody who may not see any figure."""
    return {"type": "home", "blocks": [section(escape(reason))]}


def _pieces(
    report: HomeReport,
    now: datetime,
    zone: tzinfo,
    credits_urls: Mapping[str, str],
    note: str,
) -> Iterator[Piece]:
    spend, outlook = report.spend, report.outlook
    yield header(summary.title(spend, bare) or "CostCompass")
    told = summary.lead(spend, fenced) or summary.spend_headline(spend, fenced)
    yield section(escape(told))
    if note:
        yield context(escape(note))
    if report.incidents:
        yield from _incidents(report.incidents, now, zone, credits_urls)
    yield from figure_blocks(_figures(report))
    if notes := [
        *summary.foreign(outlook.foreign_subscriptions),
        *forecast_words.no_runway(outlook),
    ]:
        yield bullets(map(escape, notes))
    yield from budget_blocks(outlook.budgets)
    if chart := over_time(spend.timeline):
        yield chart
    if spend.rows:
        yield section("*Where it went*")
        yield spend_table(spend)
    yield divider()
    yield section("*Accounts*\n" + "\n".join(_accounts(spend.health, now)))
    refresh = button("Refresh now", REFRESH, "home", aloud="Read every account now")
    yield from actions("home", refresh, button("Settings", SETTINGS, "home"))
    yield context(
        "Ask for more in any channel: `/spend help` and `/forecast help`. Only you see the answers."
    )


def _figures(report: HomeReport) -> Iterator[Figure]:
    outlook = report.outlook
    if (today := report.today) is not None and today.spent > ZERO:
        since = f"by the balance since {today.since:%H:%M} UTC"
        yield Figure("today so far", words.usd(today.spent), since)
    if (plan := plan_figure(outlook.next_month, outlook.foreign_subscriptions)) is not None:
        yield plan
    yield from forecast_words.standing_figures(outlook)


def _incidents(
    incidents: tuple[Incident, ...],
    now: datetime,
    zone: tzinfo,
    credits_urls: Mapping[str, str],
) -> Iterator[Piece]:
    yield section(f"*{words.plural(len(incidents), 'open alert')}*")
    for one in incidents[:_INCIDENTS]:
        line = alert_words.headline(one, zone, SLACK)
        state = alert_words.state_line(one, now, zone, SLACK)
        yield section(f"{sign(one, now)} {line}" + (f"\n{state}" if state else ""))
        url = credits_urls.get(one.key.account, "")
        yield from incident_actions(one, now, url, among_others=True)
    if (more := len(incidents) - _INCIDENTS) > 0:
        yield context(f"and {words.plural(more, 'other')}, see `costcompass status`")


def _accounts(health: tuple[Health, ...], now: datetime) -> Iterator[str]:
    if not health:
        yield "Nothing has been read yet."
    for one in health[:_ACCOUNTS]:
        yield _health(one, now)
    if (more := len(health) - _ACCOUNTS) > 0:
        yield f"and {words.plural(more, 'other')}, see `costcompass status`"


def _health(one: Health, now: datetime) -> str:
    """Return how an account is: the sign is said in words too."""
    name = escape(fenced(one.account))
    if one.error:
        return f"🔴 {name}  failing: {escape(one.error)}"
    if one.data_through is None or one.refreshed_at is None:
        return f"⚪ {name}  not read yet"
    read = f"read {SLACK.moment(one.refreshed_at, UTC)}"
    behind = (utc_day(now) - one.data_through).days > 1 and not one.slow
    days = "final" if one.slow else "days"
    told = f"{days} through {words.day(one.data_through)} (UTC), {read}"
    return f"{'🟠' if behind else '🟢'} {name}  {'behind: ' if behind else 'up to date: '}{told}"
