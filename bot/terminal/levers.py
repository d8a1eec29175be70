"""`forecast if` and `spend advice` on a terminal and as JSON."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from bot.lever_words import (
    advice_footer,
    advice_headline,
    advice_line,
    if_figures,
    if_headline,
    if_notes,
)
from bot.terminal.figures import figure_line
from bot.terminal.paint import Paint, wrapped
from bot.terminal.shapes import moment_shape
from costcompass_core.domain.advice import AdviceReport
from costcompass_core.domain.money import Usd
from costcompass_core.domain.whatif import IfReport


def if_text(report: IfReport, now: datetime, _zone: tzinfo, paint: Paint) -> str:
    """Return the answer in at most 80 columns."""
    parts = [paint(wrapped(if_headline(report), ""), "bold"), ""]
    parts += [figure_line(*one[:3], paint) for one in if_figures(report)]
    notes = if_notes(report, now)
    parts += ["", *(wrapped(note) for note in notes)] if notes else []
    return "\n".join(parts) + "\n"


def if_shape(report: IfReport) -> dict[str, Any]:
    """Return the `forecast if --json` object: money as text, estimates apart."""
    real = report.effective
    return {
        "month": report.plan.month.text(),
        "model": report.model,
        "other": report.other.ident,
        "percent": report.percent,
        "from": str(report.start),
        "to": str(report.end),
        "headline_usd": _usd(report.plan.total),
        "now_usd": report.now.text(),
        "byok_usd": report.byok.text(),
        "if": {
            "estimate": True,
            "usd": _usd(report.on_other),
            "change_usd": _usd(report.difference),
            "total_usd": _usd(report.total),
            "unknown": report.unknown,
        },
        "own_list_price": {
            "estimate": True,
            "usd": _usd(report.at_list),
            "skew": None if report.skew is None else str(report.skew),
        },
        "other_used": real and {"usd_per_million": real.per_million.text(), "tokens": real.tokens},
        "prices_read_at": moment_shape(report.read_at),
    }


def _usd(amount: Usd | None) -> str | None:
    return None if amount is None else amount.text()


def advice_text(report: AdviceReport, _now: datetime, _zone: tzinfo, paint: Paint) -> str:
    """Return the suggestions in at most 80 columns."""
    parts = [paint(wrapped(advice_headline(report), ""), "bold"), ""]
    for place, one in enumerate(report.found, 1):
        text = wrapped(advice_line(one), "     ")
        parts += [f"  {place}. {text[5:]}", ""]
    parts.append(paint(wrapped(advice_footer(report)), "dim"))
    return "\n".join(parts) + "\n"


def advice_shape(report: AdviceReport) -> dict[str, Any]:
    """Return the `spend advice --json` object: money as text, savings marked as estimates."""
    return {
        "days": report.days,
        "through": str(report.newest),
        "total_usd_30_days": report.total.text(),
        "too_early": report.too_early,
        "prices_known": report.has_prices,
        "suggestions": [
            {
                "kind": one.kind,
                "model": one.model,
                "other": one.other or None,
                "saving_usd_30_days": one.saving.text(),
                "cost_usd_30_days": one.cost.text(),
                "estimate": True,
                **one.counts,
                **{f"{name}_share": str(value) for name, value in one.shares.items()},
            }
            for one in report.found
        ],
    }
