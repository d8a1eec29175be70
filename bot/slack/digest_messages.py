"""The digest and the monthly report as Block Kit: pure, the state and the number first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Final

from bot import alert_words, words
from bot.digest_words import daily, monthly
from bot.digest_words.pieces import signed
from bot.digest_words.prices import news_line
from bot.slack.blocks import Block, Message, Piece, bullets, context, header, section
from bot.slack.charts import over_time
from bot.slack.controls import own_controls
from bot.slack.figures import figure_blocks
from bot.slack.pieces import Cell, Chart, Table, table_of
from bot.slack.voice import SLACK
from bot.slack.words import bare, escape, fenced
from costcompass_core.domain.digest import DigestReport, MonthlyReport
from costcompass_core.domain.movers import Mover
from costcompass_core.domain.reports import SpendRow
from costcompass_core.domain.timeline import daily as timeline

_INCIDENTS: Final = 10
"""Open alerts that a digest lists; the rest is a number."""
_ROWS: Final = 8
"""Changes of prices that a digest lists; the rest is a number."""


def digest_message(
    report: DigestReport, now: datetime, zone: tzinfo, delayed: datetime | None = None
) -> Message:
    """Return a digest; `delayed` is since when it waited."""
    headline = escape(daily.headline(report))
    as_of, source = SLACK.moment(report.at, zone), escape(daily.source(report, now))
    footer = f"{escape(daily.name(report))}, as of {as_of}. {source}"
    pieces = [
        header(daily.title(report)),
        section(headline),
        *([bullets(_incidents(report, zone))] if report.incidents else []),
        *figure_blocks(daily.figures(report)),
        *_chart(over_time(timeline(report.outlook.recent))),
        *_movers(daily.movers_title(report), report.movers, "Usually"),
        *_prices(report),
        *([bullets(map(escape, notes))] if (notes := daily.notes(report)) else []),
        *_small_print(footer, now, zone, delayed),
        *own_controls("digest", ("/spend mtd", "/spend why 7d", "/forecast")),
    ]
    return Message(headline, tuple(pieces))


def monthly_message(
    report: MonthlyReport, now: datetime, zone: tzinfo, delayed: datetime | None = None
) -> Message:
    """Return the report of a month; `delayed` is since when it waited."""
    headline = escape(monthly.headline(report, fenced))
    footer = escape(monthly.footer(report, now))
    month = report.month.text()
    pieces = [
        header(monthly.title(report)),
        section(headline),
        *figure_blocks(monthly.figures(report)),
        *_chart(over_time(timeline(report.days))),
        *_ranking(f"Spend by model, {report.month.label}", "Model", report.rows),
        *_ranking(f"Spend by account, {report.month.label}", "Account", report.accounts),
        *_movers(monthly.movers_title(report), report.movers, "Before"),
        *([bullets(map(escape, notes))] if (notes := monthly.notes(report)) else []),
        *_small_print(footer, now, zone, delayed),
        *own_controls("monthly", (f"/spend {month}", f"/spend why {month}", "/forecast")),
    ]
    return Message(headline, tuple(pieces))


def _chart(chart: Chart | None) -> Iterator[Piece]:
    if chart is not None:
        yield chart


def _prices(report: DigestReport) -> Iterator[Piece]:
    if report.prices:
        told = [escape(news_line(one, report.day, fenced)) for one in report.prices[:_ROWS]]
        if (more := len(report.prices) - _ROWS) > 0:
            told.append(f"and {words.plural(more, 'other model')}: `costcompass digest`")
        yield section(f"*{daily.PRICES_TITLE}*")
        yield bullets(told)


def _incidents(report: DigestReport, zone: tzinfo) -> list[str]:
    told = [alert_words.line(one, zone, SLACK) for one in report.incidents[:_INCIDENTS]]
    if more := len(report.incidents) - len(told):
        told.append(f"and {words.plural(more, 'other')}")
    return told


def _movers(title: str, movers: Sequence[Mover], before: str) -> Iterator[Piece]:
    if not movers:
        return
    yield section(f"*{escape(title)}*")
    rows = tuple(
        (
            Cell(bare(one.name)),
            Cell(signed(one.change), one.change.amount),
            Cell(words.usd(one.cost), one.cost.amount),
            Cell("new") if one.new else Cell(words.usd(one.usual), one.usual.amount),
        )
        for one in movers
    )
    yield Table(title, ("Model", "Change", "Cost", before), rows)


def _ranking(caption: str, head: str, rows: Sequence[SpendRow]) -> Iterator[Piece]:
    if rows:
        yield table_of(caption, (head, "Cost", "Share"), rows, _ranked, lambda one: one.cost)


def _ranked(row: SpendRow) -> tuple[Cell, ...]:
    return (
        Cell(bare(row.name)),
        Cell(words.usd(row.cost), row.cost.amount),
        Cell(words.percent(row.share), row.share * 100),
    )


def _small_print(footer: str, now: datetime, zone: tzinfo, delayed: datetime | None) -> list[Block]:
    if delayed is None:
        return [context(footer)]
    due = f"Delayed: due {SLACK.moment(delayed, zone)}, {words.ago(delayed, now)}."
    return [context(due), context(footer)]
