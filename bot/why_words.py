"""Why spend changed, in sentences: the change first, then its reasons by size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from bot import stack_words, words
from bot.summary import Quote, on_models, troubles
from costcompass_core.domain.attribution import Attribution, Shift
from costcompass_core.domain.days import ONE_DAY, Period
from costcompass_core.domain.money import CENT, ZERO, Usd
from costcompass_core.domain.reasons import Reason, biggest_move, reasons, spent
from costcompass_core.domain.why import HostSplit, WhyReport

LEGEND: Final = (
    "Volume: more or fewer tokens in all. Mix: tokens that moved between models, at the old"
    " prices. Price: what the same tokens cost more or less; it holds price, caching and in/out mix,"
    " and moves between hosts."
)
"""What the three columns mean."""
_LISTED: Final = 5
"""Models that a note names, at most."""
_MOVED: Final = Fraction(5, 100)
"""The share of a model's tokens that has to move for it to be told as a move between hosts."""


def plus(amount: Usd) -> str:
    """Return a change with its sign: `+$5.00`, `-$10.00`."""
    return f"+{words.usd(amount)}" if amount.amount > 0 else words.usd(amount)


def headline(report: WhyReport, quote: Quote = words.clean) -> str:
    """Return the change and its reasons as one sentence."""
    found, on = report.found, on_models(report.query, quote)
    if not report.comparable:
        return _not_comparable(report, on)
    if not (found.before or found.after):
        return f"Unchanged: nothing was spent in either period{on}."
    told = _reasons(found, quote)
    ends = f": {told}." if told else "."
    if abs(found.change.amount) < CENT.amount:
        return f"Unchanged at {words.usd(found.after)}{on}{ends}"
    size = words.usd(Usd(abs(found.change.amount)))
    return f"{'Up' if found.change > ZERO else 'Down'} {size}{on}{ends}"


def title(report: WhyReport) -> str:
    """Return the change in a few words, empty where the periods can't be compared."""
    if not report.comparable:
        return ""
    span = words.span(report.before.start, report.before.end or report.before.start)
    label = report.query.period.label
    return f"{plus(report.found.change)} · {label[:1].upper()}{label[1:]} against {span}"


def _not_comparable(report: WhyReport, on: str) -> str:
    sides = (report.query.period, report.found.after), (report.before, report.found.before)
    after, before = (_known(report, period, cost) for period, cost in sides)
    unread = len(report.missing_days)
    never = f"{words.plural(unread, 'day')} {'was' if unread == 1 else 'were'} never read"
    return f"Not comparable, for {never}: {after}, {before}{on}."


def _known(report: WhyReport, period: Period, cost: Usd) -> str:
    span, unread = _span(period), len(report.unknown(period))
    if unread and unread == sum(1 for _ in period.days()):
        return f"what {span} cost is not known"
    return f"{'at least ' if unread else ''}{words.usd(cost)} in {span}"


def _span(period: Period) -> str:
    return words.span(period.start, period.end or period.start)


def _reasons(found: Attribution, quote: Quote) -> str:
    changed = found.change.amount if abs(found.change.amount) >= CENT.amount else Decimal(0)
    return ", ".join(_reason(one, changed, found, quote) for one in reasons(found))


def _reason(one: Reason, changed: Decimal, found: Attribution, quote: Quote) -> str:
    """Return `$10.00 less because …`; more or less is left out where the whole went that way."""
    size = words.usd(Usd(abs(one.usd.amount)))
    if one.usd.amount * changed <= 0:
        size += " more" if one.usd > ZERO else " less"
    return f"{size} {_because(one, found, quote)}"


def _because(one: Reason, found: Attribution, quote: Quote) -> str:
    names = _names(one.models, quote)
    if one.kind == "volume":
        return f"from {'more' if one.usd > ZERO else 'less'} volume{_growth(found)}"
    if one.kind == "non-token":
        return f"from cost without tokens ({names})"
    if one.kind == "price":
        verb = "got dearer" if one.usd > ZERO else "got cheaper"
        return f"because {names} {verb} per token"
    if names and not spent(found)[0].tokens:
        return f"from {names}"
    if not names:
        return "because traffic moved between models"
    return f"because traffic {'left' if one.away else 'moved to'} {names}"


def _names(shifts: Iterable[Shift], quote: Quote) -> str:
    return _and([
        quote(one.name) + (f" ({one.tag})" if one.tag in {"new", "gone"} else "") for one in shifts
    ])  # fmt: skip


def _and(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def _growth(found: Attribution) -> str:
    before, after = spent(found)
    if not before.tokens:
        return ""
    grown = Fraction(after.tokens - before.tokens, before.tokens)
    if grown >= 2:
        return f" ({_times(grown + 1)} the tokens)"
    return f" ({_percent(abs(grown))} {'more' if grown > 0 else 'fewer'} tokens)"


def _times(ratio: Fraction) -> str:
    return f"{Decimal(round(ratio * 10)) / 10:,f}×"


def _percent(share: Fraction) -> str:
    return words.percent(Decimal(round(share * 10**5)).scaleb(-5))


def periods_line(report: WhyReport) -> str:
    """Return both periods with what they cost, and the average price of a million tokens.

    The periods are comparable.
    """
    found = report.found
    before, after = (one.per_million for one in spent(found))
    line = (
        f"{_labelled(report.query.period)} {words.usd(found.after)},"
        f" {_labelled(report.before)} {words.usd(found.before)}"
    )
    if before is not None and after is not None and (found.before or found.after):
        line += f"; a million tokens cost {words.usd(after)}, before {words.usd(before)}"
    return f"{line[:1].upper()}{line[1:]}."


def _labelled(period: Period) -> str:
    dated = period.label.endswith(")") or period.label[:1].isdigit()
    return period.label if dated else f"{period.label} ({_span(period)})"


def notes(report: WhyReport, now: datetime, quote: Quote = words.clean) -> list[str]:
    """Return what has to be known beside the figures: gaps, new, free and other models."""
    told = [] if report.meant is None else [f"Did you mean {quote(report.meant)}?"]
    if report.not_yet is not None:
        told.append(_not_yet(report, report.not_yet))
    told += _tags(report, quote) if report.comparable else _gaps(report)
    shifts = report.found.shifts
    if free := [one.name for one in shifts if _is_free(one)]:
        told.append(
            f"Free, but their tokens count as volume, which mix takes back: {_list(free, quote)}."
        )
    if own := [one for one in shifts if one.before.byok or one.after.byok]:
        before = words.usd(Usd.total(one.before.byok for one in own))
        after = words.usd(Usd.total(one.after.byok for one in own))
        told.append(
            f"Paid elsewhere under your own keys, in no figure here: {after}, before {before}"
            f" ({_list([one.name for one in own], quote)})."
        )
    told += stack_words.left_out(report.left_out)
    return [*told, *troubles(report.health, now)]


def _not_yet(report: WhyReport, newest: date) -> str:
    """Return why the newest days are not among those compared."""
    end = report.query.period.end
    if end is not None and newest - end > ONE_DAY:
        return f"Days after {words.day(end)} are not final everywhere: these are the days before."
    return f"{words.day(newest)} is not known yet: these are the days before it."


def _gaps(report: WhyReport) -> list[str]:
    """Return which days are not known, and what can be compared instead where only new ones are."""
    told = [
        f"Never read, so in no figure here: {words.days(report.missing_days)}.",
        "Volume, mix and price are told once every day of both periods is known.",
    ]
    through, period = report.data_through, report.query.period
    if through is not None and report.missing_days[0] > through and report.before.start <= through:
        start = through - (sum(1 for _ in period.days()) - 1) * ONE_DAY
        told.append(f"`why {start}..{through}` compares as many days that are known.")
    return told


def _tags(report: WhyReport, quote: Quote) -> list[str]:
    shifts, told = [one for one in report.found.shifts if one.change], []
    for tag, start in (
        ("new", "New against the days before"),
        ("gone", "No longer used"),
        ("non-token", "Cost that came without tokens has no effects; the total's mix holds it"),
    ):
        if names := [one.name for one in shifts if one.tag == tag]:
            told.append(f"{start}: {_list(names, quote)}.")
    return told


def _is_free(one: Shift) -> bool:
    sides = (one.before, one.after)
    return any(side.tokens for side in sides) and not any(side.cost or side.byok for side in sides)


def _list(names: Sequence[str], quote: Quote) -> str:
    rest = len(names) - _LISTED
    shown = [quote(name) for name in names[:_LISTED]]
    return ", ".join(shown) + (f" and {words.plural(rest, 'other')}" if rest > 0 else "")


def hosts_line(split: HostSplit, quote: Quote = words.clean) -> str:
    """Return what the biggest mover's hosts did: where its tokens went, or what else changed."""
    model, move = quote(split.model), biggest_move(split.found.shifts)
    if move is not None and move.share >= _MOVED:
        went = f"{model}: {_percent(move.share)} of its tokens moved to {quote(move.name)}"
        return f"{went}{_compared(move.times)}."
    told = _reasons(split.found, quote).replace("between models", "between hosts")
    return f"{model} by host: {told}." if told else f"{model} by host: nothing moved."


def _compared(times: Fraction | None) -> str:
    if times is None:
        return ""
    if abs(times - 1) < _MOVED:
        return ", which costs about the same per token"
    if times >= 2:
        return f", which costs {Decimal(round(times * 10)) / 10:,f} times as much per token"
    return f", which costs {_percent(abs(times - 1))} {'more' if times > 1 else 'less'} per token"
