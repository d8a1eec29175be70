"""`/forecast` to Block Kit: the number and its sentence, how it comes about, balance, runway, budgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from bot import forecast_words, stack_plans, stack_words, summary, words
from bot.slack.blocks import Block, Message, Piece, bullets, context, header, section
from bot.slack.charts import over_time
from bot.slack.controls import forecast_controls
from bot.slack.figures import figure_blocks
from bot.slack.spend_message import source, warning
from bot.slack.words import calm, escape
from costcompass_core.domain.budgets import Standing
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.reports import known_at
from costcompass_core.domain.timeline import daily

_BUDGETS: Final = 10
"""Budgets in one section, so that none is cut off."""


def forecast_message(report: ForecastReport, now: datetime) -> Message:
    """Return the answer to `/forecast`."""
    headline = escape(forecast_words.forecast_headline(report))
    return Message(headline, tuple(_pieces(report, headline, now)))


def _pieces(report: ForecastReport, headline: str, now: datetime) -> Iterator[Piece]:
    if title := forecast_words.title(report):
        yield header(title)
    burn = forecast_words.burn_line(report)
    yield section(f"*{headline}*" + (f"\nThe rate is the {escape(burn)}." if burn else ""))
    if troubles := [*_used_up(report), *summary.troubles(report.health, now)]:
        yield warning(troubles)
    yield from figure_blocks(stack_plans.plan_figures(report))
    yield from figure_blocks(forecast_words.figures(report, now))
    if chart := over_time(daily(report.recent)):
        yield chart
    yield from budget_blocks(report.budgets)
    if notes := _notes(report):
        yield bullets(escape(note) for note in notes)
    told = summary.source_line(report.health, report.data_through, known_at(report.health), now)
    yield context(source(told, known_at(report.health)))
    yield from forecast_controls()


def _notes(report: ForecastReport) -> list[str]:
    spread = forecast_words.runway_range(report.runway)
    return [
        *([f"Runway: {spread}."] if spread else []),
        *forecast_words.no_runway(report),
        *forecast_words.no_range(report),
        *summary.foreign(report.foreign_subscriptions),
        *stack_words.converted(report.converted),
        *forecast_words.lagging(report),
    ]


def _used_up(report: ForecastReport) -> list[str]:
    return [
        f"The balance of {words.clean(one.account)} is used up ({words.usd(one.left)}):"
        " requests may be refused until it is topped up."
        for one in report.balances
        if one.left <= ZERO
    ]


def budget_blocks(budgets: Iterable[Standing]) -> Iterator[Block]:
    """Yield a bar for each budget; what lands over its amount says so in words."""
    lines = [_budget(one) for one in budgets]
    for start in range(0, len(lines), _BUDGETS):
        title = "*Budgets*\n" if start == 0 else ""
        yield section(title + "\n".join(lines[start : start + _BUDGETS]))


def _budget(one: Standing) -> str:
    mark = "⚠ " if one.lands_over or one.share >= 1 else ""
    told = escape(forecast_words.budget_line(one))
    return f"{words.gauge(one.share)}  {mark}*{escape(calm(one.budget.name))}*  {told}"
