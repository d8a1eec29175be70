"""`spend` and `forecast` as a terminal shows them: the sentence first, a ranked table with bars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Final, NamedTuple

from bot import forecast_words, stack_plans, stack_words, summary, words
from bot.terminal.figures import figure_line, shown
from bot.terminal.paint import WIDTH, Paint, fit, wrapped
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.reports import SpendReport, SpendRow, tokens_of
from costcompass_core.domain.stack import Seller
from costcompass_core.domain.timeline import Timeline, daily
from costcompass_core.domain.usage import USD

_COST, _SHARE, _TOKENS, _RATE, _TREND, _BAR = 10, 7, 8, 9, 9, 6
"""Columns of a table; the name takes what they leave of `WIDTH`."""
_FOREIGN_NAME: Final = 40
_LABEL: Final = 15
_LONGEST_LABEL: Final = 26
_MARGIN = 2


def spend_text(report: SpendReport, now: datetime, paint: Paint) -> str:
    """Return the answer to `spend` in at most 80 columns."""
    parts = [paint(wrapped(summary.spend_headline(report), ""), "bold"), ""]
    if picture := timeline_line(report.timeline, paint):
        parts += [picture, ""]
    if report.rows:
        parts += [*_table(report, paint), ""]
    parts += _currencies(report, paint)
    parts += [wrapped(note) for note in summary.spend_notes(report, now)]
    told = " · ".join(
        one for one in (summary.spend_source(report, now), summary.gap(report)) if one
    )
    parts.append(paint(wrapped(told), "dim"))
    return "\n".join(parts) + "\n"


def timeline_line(timeline: Timeline | None, paint: Paint) -> str:
    """Return spend over time as a line of bars with its range, empty where there is none."""
    if timeline is None or len(timeline.slots) < 2 or not any(timeline.known):
        return ""
    known = timeline.known
    picture = words.sparkline([one.amount for one in known])
    first, last = timeline.slots[0].span, timeline.slots[-1].span
    unit = "" if timeline.unit == "months" else f" a {timeline.unit}"
    span = f"{words.spell(*first)} to {words.spell(*last)}"
    told = f"{span}: {words.usd(min(known))} to {words.usd(max(known))}{unit}"
    if unread := len(timeline.slots) - len(known):
        told += f", {unread} not read"
    return f"  {paint(picture, 'cyan')}  {told}"


def _table(report: SpendReport, paint: Paint) -> list[str]:
    rows = report.rows
    if report.query.by == "day":  # ranked in JSON; a calendar reads better in its own order
        rows = tuple(sorted(rows, key=lambda one: one.name))
    trends = report.before is not None and report.query.by != "day"
    widest = max(len(words.usd(one)) for one in (report.total, *(row.cost for row in rows)))
    cost = max(_COST, widest + 1)
    taken = cost + _SHARE + _TOKENS + _RATE + (_TREND if trends else 0) + _BAR + 2
    name = WIDTH - _MARGIN - taken  # millions take their room from the names
    head = (
        f"  {fit(report.query.by, name)}{'cost':>{cost}}{'share':>{_SHARE}}{'tokens':>{_TOKENS}}"
        f"{'per 1M':>{_RATE}}{'trend' if trends else '':>{_TREND if trends else 0}}"
    )
    room = _Room(name, cost, max(one.share for one in rows), trends)
    sellers = report.stack.sellers if report.stack and report.stack.several else ()
    lines = [line for one in sellers for line in _seller(report, one, room, paint)]
    return [
        paint(head, "dim"),
        *(lines or (_line(report, one, room, paint) for one in rows)),
        paint(f"  {fit('total', name)}{words.usd(report.total):>{cost}}", "bold"),
    ]


def _seller(report: SpendReport, one: Seller, room: _Room, paint: Paint) -> Iterator[str]:
    """Yield a provider's line and, below it, those of its models."""
    figure = next((f for f in stack_words.providers(report) if f.label == one.title), None)
    rests_on = figure.rests_on.partition(", ")[2] if figure else ""
    left = WIDTH - _MARGIN - room.name - room.cost - _SHARE - 2
    first, *more = wrapped(rests_on, "", left).split("\n")
    title = fit(words.clean(one.title, 200), room.name)
    cost = f"{words.usd(one.cost):>{room.cost}}"
    yield paint(f"  {title}{cost}{_share(one.share):>{_SHARE}}", "bold") + paint(
        f"  {first}".rstrip(), "dim"
    )
    for line in more:
        yield paint(" " * (WIDTH - left) + line, "dim")
    for row in one.rows:
        yield _line(report, row, room, paint, indent=2)


def _currencies(report: SpendReport, paint: Paint) -> list[str]:
    """Return the ranking of each currency that the table above has not."""
    lines: list[str] = []
    for one in report.stack.currencies if report.stack else ():
        if one.currency == USD or not one.rows:
            continue
        lines.append(paint(f"  {report.query.by}, in {one.currency}", "dim"))
        for row in one.rows:
            name, title = stack_words.currency_row(report, row)
            cost = words.money(row.cost, one.currency)
            lines.append(figure_line(name, cost, title, paint, room=_FOREIGN_NAME))
        total = words.money(one.total, one.currency)
        lines += [figure_line("total", total, "", paint, room=_FOREIGN_NAME), ""]
    return lines


class _Room(NamedTuple):
    """Columns of the name and the cost, the largest share, and whether trends are told."""

    name: int
    cost: int
    top: Decimal
    trends: bool


def _line(report: SpendReport, row: SpendRow, room: _Room, paint: Paint, *, indent: int = 0) -> str:
    rate = "–" if row.per_million is None else words.usd(row.per_million)
    trend = f"{summary.row_trend(report, row):>{_TREND}}" if room.trends else ""
    return (
        f"  {' ' * indent}{fit(words.clean(stack_words.called(report, row.name), 200), room.name - indent)}"
        f"{paint(f'{words.usd(row.cost):>{room.cost}}', 'bold')}"
        f"{_share(row.share):>{_SHARE}}{words.count(tokens_of(row.counts)):>{_TOKENS}}"
        f"{_short(rate):>{_RATE}}{trend}"
        f"  {paint(words.bar(row.share / room.top if room.top else Decimal(0), _BAR), 'cyan')}"
    ).rstrip()


def _short(rate: str) -> str:
    """Return a rate that fits its column; what a million tokens cost can be any number."""
    return rate if len(rate) < _RATE else ">$9,999"


def _share(share: Decimal) -> str:
    """Return a share that fits its column; beside negative rows it can be any number."""
    text = words.percent(share)
    return text if len(text) < _SHARE else ">999%" if share > 0 else "<-999%"


def forecast_text(report: ForecastReport, now: datetime, zone: tzinfo, paint: Paint) -> str:
    """Return the answer to `forecast` in at most 80 columns."""
    parts = [paint(wrapped(forecast_words.forecast_headline(report), ""), "bold"), ""]
    every = [
        *stack_plans.plan_figures(report),
        *forecast_words.makeup(report),
        *forecast_words.figures(report, now),
    ]
    longest = max((len(one.label) for one in every), default=0)
    room = max(_LABEL, min(longest + 1, _LONGEST_LABEL))
    parts += [shown(one, zone, paint, room=room) for one in every]
    if picture := timeline_line(daily(report.recent), paint):
        parts += ["", picture]
    parts += _budgets(report, paint)
    spread = forecast_words.runway_range(report.runway)
    notes = [
        *([f"Runway: {spread}."] if spread else []),
        *forecast_words.no_runway(report),
        *forecast_words.no_range(report),
        *summary.foreign(report.foreign_subscriptions),
        *stack_words.converted(report.converted),
        *forecast_words.lagging(report),
        *summary.troubles(report.health, now),
    ]
    parts += ["", *(wrapped(note) for note in notes)] if notes else []
    return "\n".join(parts) + "\n"


def _budgets(report: ForecastReport, paint: Paint) -> list[str]:
    lines = [
        figure_line(one.budget.name, words.gauge(one.share), forecast_words.budget_line(one), paint)
        for one in report.budgets
    ]
    return ["", paint("  Budgets", "dim"), *lines] if lines else []
