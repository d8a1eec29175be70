"""The digest and the monthly report as Block Kit: pure, the state and the number first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Final

from bot import alert_words, words
from bot.digest_words import daily, monthly
from bot.digest_words.pieces import Figure, delayed_line, mover_figure
from bot.digest_words.prices import news_line
from bot.slack.blocks import Block, Message, bullets, context, section
from bot.slack.voice import SLACK
from bot.slack.words import escape, fenced
from costcompass_core.domain.digest import DigestReport, MonthlyReport
from costcompass_core.domain.money import Usd
from costcompass_core.domain.movers import Mover
from costcompass_core.domain.reports import SpendRow

_INCIDENTS: Final = 10
"""Open alerts that a digest lists; the rest is a number."""
_ROWS: Final = 8
"""Models that a monthly report ranks; the rest is one line with its sum."""


def digest_message(
    report: DigestReport, now: datetime, zone: tzinfo, delayed: datetime | None = None
) -> Message:
    """Return a digest; `delayed` is since when it waited."""
    headline = escape(daily.headline(report))
    blocks = [section(f"*{headline}*")]
    if report.incidents:
        blocks.append(bullets(_incidents(report, zone)))
    blocks.append(_figures(daily.figures(report, zone)))
    if report.movers:
        blocks.append(_movers(daily.movers_title(report), report.movers, "usually"))
    if report.prices:
        told = [escape(news_line(one, report.day, fenced)) for one in report.prices[:_ROWS]]
        if (more := len(report.prices) - _ROWS) > 0:
            told.append(f"and {words.plural(more, 'other model')}: `costcompass digest`")
        blocks += [section(f"*{daily.PRICES_TITLE}*"), bullets(told)]
    if notes := daily.notes(report):
        blocks.append(bullets(map(escape, notes)))
    footer = daily.footer(report, now, zone)
    return Message(headline, (*blocks, *_small_print(footer, now, zone, delayed)))


def monthly_message(
    report: MonthlyReport, now: datetime, zone: tzinfo, delayed: datetime | None = None
) -> Message:
    """Return the report of a month; `delayed` is since when it waited."""
    headline = escape(monthly.headline(report, fenced))
    blocks = [
        section(f"*{headline}*"),
        _figures(monthly.figures(report)),
    ]
    if report.rows:
        blocks.append(_ranking("By model", report.rows))
    if report.accounts:
        blocks.append(_ranking("By account", report.accounts))
    if report.movers:
        blocks.append(_movers(monthly.movers_title(report), report.movers, "was"))
    if notes := monthly.notes(report):
        blocks.append(bullets(map(escape, notes)))
    footer = monthly.footer(report, now)
    return Message(headline, (*blocks, *_small_print(footer, now, zone, delayed)))


def _incidents(report: DigestReport, zone: tzinfo) -> list[str]:
    told = [alert_words.line(one, zone, SLACK) for one in report.incidents[:_INCIDENTS]]
    if more := len(report.incidents) - len(told):
        told.append(f"and {words.plural(more, 'other')}")
    return told


def _figures(figures: Iterable[Figure]) -> Block:
    return section("\n".join(map(_figure, figures)))


def _figure(one: Figure) -> str:
    figure = f"*{escape(one.figure)}*  " if one.figure else ""
    rests_on = f" · {escape(one.rests_on)}" if one.rests_on else ""
    return f"{figure}{escape(words.clean(one.label))}{rests_on}"


def _movers(title: str, movers: Sequence[Mover], before: str) -> Block:
    lines = [f"*{escape(title)}*"]
    for one in movers:
        change, rests_on = mover_figure(one, before)
        lines.append(f"• *{escape(change)}*  {escape(fenced(one.name))}  {escape(rests_on)}")
    return section("\n".join(lines))


def _ranking(title: str, rows: Sequence[SpendRow]) -> Block:
    lines = [f"*{title}*"]
    lines += [
        f"{place}. *{escape(words.usd(row.cost))}*  {escape(fenced(row.name))}"
        f"  {escape(words.percent(row.share))}"
        for place, row in enumerate(rows[:_ROWS], 1)
    ]
    if rest := rows[_ROWS:]:
        left = escape(words.usd(Usd.total(one.cost for one in rest)))
        lines.append(f"and {words.plural(len(rest), 'other')} with {left} together")
    return section("\n".join(lines))


def _small_print(footer: str, now: datetime, zone: tzinfo, delayed: datetime | None) -> list[Block]:
    if delayed is None:
        return [context(escape(footer))]
    return [context(escape(delayed_line(delayed, now, zone))), context(escape(footer))]
