"""`/spend why` to Block Kit: the sentence first, then the models and the biggest mover's hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from bot import summary, why_words, words
from bot.slack.blocks import Block, Message, bullets, context, section
from bot.slack.words import escape, fenced
from costcompass_core.domain.attribution import Effects, Shift
from costcompass_core.domain.money import Usd
from costcompass_core.domain.why import WhyReport

_ROWS: Final = 12
"""Models in one message; the rest is one line with its sums."""
_HOSTS: Final = 5
"""Hosts likewise."""
_IN_BLOCK: Final = 6
"""Rows in one section, so that long names do not push any out of it."""


def why_message(report: WhyReport, now: datetime) -> Message:
    """Return the answer to `/spend why`."""
    headline = escape(why_words.headline(report, fenced))
    periods = f"\n{escape(why_words.periods_line(report))}" if report.comparable else ""
    blocks = [section(f"*{headline}*{periods}")]
    costly = [one for one in report.found.shifts if one.before.cost or one.after.cost]
    blocks += _rows(_lines(costly, _ROWS, split=report.comparable))
    if report.hosts is not None:
        line = f"*{escape(why_words.hosts_line(report.hosts, fenced))}*"
        blocks += _rows([line, *_lines(report.hosts.found.shifts, _HOSTS, split=True)])
    if notes := why_words.notes(report, now, fenced):
        blocks.append(bullets(escape(note) for note in notes))
    source = summary.source_line(report.health, report.data_through, report.refreshed_at, now)
    if costly and report.comparable:
        blocks.append(context(escape(why_words.LEGEND)))
    return Message(headline, (*blocks, context(escape(source))))


def _rows(lines: Sequence[str]) -> Iterator[Block]:
    for start in range(0, len(lines), _IN_BLOCK):
        yield section("\n".join(lines[start : start + _IN_BLOCK]))


def _lines(shifts: Sequence[Shift], most: int, *, split: bool) -> list[str]:
    """Return a line for each of the first `most`, and one for the rest that still adds up."""
    lines = [_line(place, one, split) for place, one in enumerate(shifts[:most], 1)]
    if rest := shifts[most:]:
        told = [
            _change(Usd.total(one.before.cost for one in rest), Usd.total(one.after.cost for one in rest)),
            *(_effects(_sum(rest)) if split else ()),
        ]  # fmt: skip
        left = _plus_sum(rest)
        lines.append(
            f"and {words.plural(len(rest), 'other')} with {escape(left)} together"
            f"  {escape(' · '.join(told))}"
        )
    return lines


def _plus_sum(shifts: Iterable[Shift]) -> str:
    """Return what several changed together, signed."""
    return why_words.plus(Usd.total(one.change for one in shifts))


def _sum(shifts: Iterable[Shift]) -> Effects:
    told = [one.effects for one in shifts if one.effects is not None]
    return Effects(
        Usd.total(one.volume for one in told),
        Usd.total(one.mix for one in told),
        Usd.total(one.price for one in told),
    )


def _line(place: int, one: Shift, split: bool) -> str:
    told = [_change(one.before.cost, one.after.cost)]
    if split and one.effects is not None:
        told += _effects(one.effects)
    if split and one.tag is not None:
        told.append(one.tag)
    lead = f"*{escape(why_words.plus(one.change))}*  " if split else ""
    return f"{place}. {lead}{escape(fenced(one.name))}  {escape(' · '.join(told))}"


def _change(before: Usd, after: Usd) -> str:
    return f"{words.usd(before)} → {words.usd(after)}"


def _effects(effects: Effects) -> list[str]:
    """Return the effects that are any."""
    named = (("volume", effects.volume), ("mix", effects.mix), ("price", effects.price))
    return [f"{name} {why_words.plus(usd)}" for name, usd in named if usd]
