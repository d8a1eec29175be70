"""`forecast if` on a terminal and as JSON."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from bot.lever_words import if_figures, if_headline, if_notes
from bot.terminal.figures import figure_line
from bot.terminal.paint import Paint, wrapped
from bot.terminal.shapes import moment_shape
from costcompass_core.domain.money import Usd
from costcompass_core.domain.whatif import IfReport


def if_text(report: IfReport, now: datetime, _zone: tzinfo, paint: Paint) -> str:
    """Return the answer in at most 80 columns."""
    parts = [paint(wrapped(if_headline(report), ""), "bold"), ""]
    parts += [figure_line(*one, paint) for one in if_figures(report)]
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
