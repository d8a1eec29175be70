"""`/spend why` to Block Kit: the sentence first, then the models and the biggest mover's hosts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot import summary, why_words, words
from bot.slack.blocks import Message, Piece, bullets, context, header, section
from bot.slack.controls import why_controls
from bot.slack.pieces import Cell, Table, table_of
from bot.slack.spend_message import source
from bot.slack.words import bare, escape, fenced
from costcompass_core.domain.attribution import Shift
from costcompass_core.domain.money import Usd
from costcompass_core.domain.why import WhyReport


def why_message(report: WhyReport, now: datetime) -> Message:
    """Return the answer to `/spend why`."""
    headline = escape(why_words.headline(report, fenced))
    return Message(headline, tuple(_pieces(report, headline, now)))


def _pieces(report: WhyReport, headline: str, now: datetime) -> Iterator[Piece]:
    if title := why_words.title(report):
        yield header(title)
    periods = f"\n{escape(why_words.periods_line(report))}" if report.comparable else ""
    yield section(f"*{headline}*{periods}")
    costly = [one for one in report.found.shifts if one.before.cost or one.after.cost]
    if costly:
        yield _table("Why spend changed, by model", "Model", costly, split=report.comparable)
    if report.hosts is not None:
        yield section(f"*{escape(why_words.hosts_line(report.hosts, fenced))}*")
        hosts = report.hosts.found.shifts
        yield _table(f"{bare(report.hosts.model)} by host", "Host", hosts, split=True)
    if notes := why_words.notes(report, now, fenced):
        yield bullets(escape(note) for note in notes)
    if costly and report.comparable:
        yield context(escape(why_words.LEGEND))
    told = summary.source_line(report.health, report.data_through, report.refreshed_at, now)
    yield context(source(told, report.refreshed_at))
    yield from why_controls(report.query, [one.name for one in costly])


def _table(caption: str, head: str, shifts: Sequence[Shift], *, split: bool) -> Table:
    told = split and any(one.tag for one in shifts)
    effects = ("Volume", "Mix", "Price") if split else ()
    heads = (head, "Change", "Before", "After", *effects, *(("Note",) if told else ()))
    return table_of(
        caption, heads, shifts, lambda one: _row(one, split, told=told), lambda one: one.change
    )


def _row(one: Shift, split: bool, *, told: bool) -> tuple[Cell, ...]:
    cells = (
        Cell(bare(one.name)),
        Cell(why_words.plus(one.change), one.change.amount),
        Cell(words.usd(one.before.cost), one.before.cost.amount),
        Cell(words.usd(one.after.cost), one.after.cost.amount),
    )
    if not split:
        return cells
    effects = one.effects
    parts = (effects.volume, effects.mix, effects.price) if effects else (None, None, None)
    note = (Cell(one.tag or "–"),) if told else ()
    return (*cells, *map(_effect, parts), *note)


def _effect(amount: Usd | None) -> Cell:
    """Return an effect; nothing at all is a dash, so that the eye finds those that are any."""
    if not amount:
        return Cell("–")
    return Cell(why_words.plus(amount), amount.amount)
