"""`/spend` to Block Kit: the total and its change, how it came about, the ranking, what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from bot import stack_words, summary, words
from bot.slack.blocks import (
    Block,
    Message,
    Piece,
    actions,
    bullets,
    button,
    context,
    header,
    section,
)
from bot.slack.charts import over_time, shares
from bot.slack.controls import spend_controls
from bot.slack.figures import figure_blocks
from bot.slack.pieces import Cell, Table, table_of
from bot.slack.voice import SLACK
from bot.slack.words import bare, escape, fenced
from costcompass_core.domain.reports import SpendReport, SpendRow, tokens_of
from costcompass_core.domain.usage import USD

_MOST_FOREIGN: Final = 50
"""Rows of a table of another currency."""
_HEADS: Final = ("Cost", "Share", "Tokens", "Per 1M tokens")


def spend_message(report: SpendReport, now: datetime) -> Message:
    """Return the answer to `/spend`."""
    headline = escape(summary.spend_headline(report, fenced))
    return Message(headline, tuple(_pieces(report, headline, now)))


def _pieces(report: SpendReport, headline: str, now: datetime) -> Iterator[Piece]:
    if title := summary.title(report, bare):
        yield header(title)
        yield section(_lead(report))
    else:
        yield section(f"*{headline}*")
    if troubles := summary.troubles(report.health, now):
        yield warning(troubles)
    yield from provider_blocks(report)
    if chart := _chart(report):
        yield chart
    if report.rows:
        yield spend_table(report)
    yield from _other_currencies(report)
    if notes := summary.spend_remarks(report, now):
        yield bullets(escape(note) for note in notes)
    if report.meant is not None:
        yield from _instead(report)
    yield context(
        source(summary.spend_source(report, now), report.refreshed_at, summary.gap(report))
    )
    yield from spend_controls(report.query, [one.name for one in report.rows])


def warning(troubles: Iterable[str]) -> Block:
    """Return what is wrong with the figures, for above them."""
    return section("\n".join(f"⚠ {escape(one)}" for one in troubles))


def _lead(report: SpendReport) -> str:
    told = escape(summary.lead(report, fenced))
    if not told:
        told = "Nothing was spent." if not report.total else escape(summary.nothing_before(report))
    change = report.change
    return f"{words.trend(change)[0]} {told}" if change is not None else told


def _chart(report: SpendReport) -> Piece | None:
    if report.timeline is not None:
        return over_time(report.timeline)
    if report.query.by == "day":
        return None
    return shares(f"Share of {words.day(report.query.period.start)} (UTC)", report.rows)


def spend_table(report: SpendReport) -> Table:
    """Return the ranking."""
    by = report.query.by
    rows = ranked_rows(report)
    sold = any(row.provider for row in rows)
    trends = report.before is not None and by != "day"
    if by == "day":
        rows = tuple(sorted(rows, key=lambda one: one.name, reverse=True))
    caption = f"Spend by {by}, {report.query.period.label}"
    heads = (
        by.capitalize(),
        *_HEADS,
        *(("Trend",) if trends else ()),
        *(("Provider",) if sold else ()),
    )
    return table_of(
        caption, heads, rows, lambda one: _row(report, one, trends=trends), lambda one: one.cost
    )


def _row(report: SpendReport, row: SpendRow, *, trends: bool) -> tuple[Cell, ...]:
    tokens = tokens_of(row.counts)
    rate = row.per_million
    titles = report.stack.titles if report.stack else {}
    seller = (Cell(bare(titles.get(row.provider, row.provider))),) if row.provider else ()
    cells = (
        Cell(bare(stack_words.called(report, row.name))),
        Cell(words.usd(row.cost), row.cost.amount),
        Cell(words.percent(row.share), row.share * 100),
        Cell(words.count(tokens), None if tokens is None else Decimal(tokens)),
        Cell("–") if rate is None else Cell(words.usd(rate), rate.amount),
    )
    if not trends:
        return (*cells, *seller)
    change = report.change_of(row)
    trend = Cell(summary.row_trend(report, row), None if change is None else change * 100)
    return (*cells, trend, *seller)


def ranked_rows(report: SpendReport) -> tuple[SpendRow, ...]:
    """Return the rows as people read them: the providers by cost, and inside them their models."""
    if report.stack is None or not report.stack.sellers:
        return report.rows
    return tuple(row for one in report.stack.sellers for row in one.rows)


def provider_blocks(report: SpendReport) -> Iterator[Block]:
    """Yield a figure for each provider, where there are several."""
    yield from figure_blocks(stack_words.providers(report))


def _other_currencies(report: SpendReport) -> Iterator[Table]:
    """Yield the ranking of each currency that the other table has not."""
    for one in report.stack.currencies if report.stack else ():
        if one.currency == USD or not one.rows:
            continue
        rows = []
        for row in one.rows[:_MOST_FOREIGN]:
            name, title = stack_words.currency_row(report, row)
            cost = Cell(words.money(row.cost, one.currency), row.cost)
            rows.append((Cell(bare(name)), cost, Cell(bare(title))))
        caption = f"Spend in {one.currency}, {report.query.period.label}"
        yield Table(caption, (report.query.by.capitalize(), "Cost", "Provider"), tuple(rows))


def _instead(report: SpendReport) -> Iterator[Piece]:
    """Offer what was perhaps meant."""
    meant = words.clean(report.meant or "")
    asked = f"/spend {report.query.said} {meant}"
    if len(asked) < 1000:
        yield from actions(f"instead {asked}", button(f"Look at {meant}", "ask_instead", asked))


def source(told: str, read: datetime | None, gap: str = "") -> str:
    """Return what the figures are, with the moment they were read in each reader's own zone."""
    when = f" ({SLACK.moment(read, UTC)})" if read is not None else ""
    return f"{escape(told)}{when}{escape(f' · {gap}') if gap else ''}"
