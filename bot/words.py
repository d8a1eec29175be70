"""How money, counts, days and moments read, the same in every message and on every terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, NamedTuple

from costcompass_core.domain.money import EXACT, Usd

_CENT: Final = Decimal("0.01")
_CENTS: Final = Context(prec=EXACT.prec)  # this one may round: it only ever prints
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
DAY_NAMES: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_BIDI: Final = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0xFEFF}
_UNITS: Final = (
    (10**18, "E"), (10**15, "P"), (10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"),
)  # fmt: skip
_SPARKS: Final = "▁▂▃▄▅▆▇█"


class Figure(NamedTuple):
    """One line of figures: its label, the figure, what that rests on, and when it was read."""

    label: str
    figure: str
    rests_on: str = ""
    at: datetime | None = None
    """A moment (UTC) that stands before `rests_on`, in whatever zone its reader lives."""


def usd(amount: Usd) -> str:
    """Return `$1,234.56`; under a cent `<$0.01`, for that is not nothing."""
    value = amount.amount
    sign = "-" if value < 0 else ""
    size = abs(value)
    if 0 < size < _CENT:
        return f"{sign}<$0.01"
    return f"{sign}${size.quantize(_CENT, ROUND_HALF_EVEN, _CENTS):,}"


def money(amount: Decimal, currency: str) -> str:
    """Return an amount of any currency (major units) for people: `CNY 110.00`, dollars as `usd`."""
    text = usd(Usd(amount))
    return (
        text
        if currency == "USD"
        else text.replace("<$", f"<{currency} ").replace("$", f"{currency} ")
    )


def percent(share: Decimal) -> str:
    """Return `50.3%`; a share too small for one decimal is `<0.1%`."""
    value = share * 100
    if 0 < value < Decimal("0.1"):
        return "<0.1%"
    return f"{value.quantize(Decimal('0.1'), ROUND_HALF_EVEN, _CENTS)}%"


def trend(change: Decimal | None) -> str:
    """Return a change at a glance: `▲ 12.3%`, `▼ 8.0%`, `▲ 11×`; `–` where it is not known."""
    if change is None:
        return "–"
    if change >= 9:
        return f"▲ {count(int((1 + change).to_integral_value()))}×"
    mark = "▲" if change > 0 else "▼" if change < 0 else "="
    return f"{mark} {percent(abs(change))}"


def compared(change: Decimal, to: str) -> str:
    """Return a change in words: `12.3% more than …`, `11 times …`."""
    if change >= 9:
        return f"{count(int((1 + change).to_integral_value()))} times what it was {to}"
    if not change:
        return f"the same as {to}"
    return f"{percent(abs(change))} {'more' if change > 0 else 'less'} than {to}"


def count(number: int | None) -> str:
    """Return a count at a glance (`1.2M`), `–` where it was not reported."""
    if number is None:
        return "–"
    for size, unit in _UNITS:
        if abs(number) * 100_000 >= size * 99_995:  # what would print as 1000.0 of the unit below
            return f"{Decimal(number) / size:.1f}{unit}"
    return str(number)


def plural(number: int, thing: str) -> str:
    """Return `1 day`, `3 days`."""
    return f"{number} {thing}" if number == 1 else f"{number:,} {thing}s"


def day(one: date, *, year: bool = False) -> str:
    """Return `22 Nov`, or `22 Nov 2026`."""
    text = f"{one.day} {_MONTHS[one.month - 1]}"
    return f"{text} {one.year}" if year else text


def moment(one: datetime, zone: tzinfo) -> str:
    """Return `23 Nov 10:00 CET` in the configured zone."""
    local = one.astimezone(zone)
    return f"{day(local.date())} {local:%H:%M} {local.tzname()}"


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago, in the largest unit that says something."""
    passed = max(now - then, timedelta(0))
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if (number := int(passed.total_seconds()) // size) > 0:
            return f"{plural(number, unit)} ago"
    return "just now"


def span(first: date, last: date) -> str:
    """Return `22 Nov`, `16–22 Nov` or `28 Oct–3 Nov`."""
    if first == last:
        return day(first)
    same_month = (first.year, first.month) == (last.year, last.month)
    return f"{first.day if same_month else day(first)}–{day(last)}"


def spell(first: date, last: date) -> str:
    """Return UTC days in the fewest words: `3 Nov`, `3–9 Nov`, `Nov 2026`, `Jul–Dec 2026`, `2026`."""
    whole = first.day == 1 and (last + timedelta(days=1)).day == 1
    if not whole or (first.year != last.year and first.month != 1):
        return span(first, last)
    if first.year != last.year:
        return f"{first.year}–{last.year}"
    if (first.month, last.month) == (1, 12):
        return str(first.year)
    start, end = _MONTHS[first.month - 1], _MONTHS[last.month - 1]
    return f"{start} {last.year}" if start == end else f"{start}–{end} {last.year}"


def days(ones: Sequence[date]) -> str:
    """Return days as runs: `3 Nov, 5–9 Nov`; long lists end with how many more there are."""
    runs: list[list[date]] = []
    for one in ones:
        if runs and one - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(one)
        else:
            runs.append([one])
    texts = [span(run[0], run[-1]) for run in runs[:4]]
    rest = sum(len(run) for run in runs[4:])
    return ", ".join(texts) + (f" and {plural(rest, 'other day')}" if rest else "")


def clean(name: str, width: int = 80) -> str:
    """Return a stranger's text without control, escape and direction marks, cut to `width`."""
    kept = "".join(c for c in name if c.isprintable() and ord(c) not in _BIDI)
    text = " ".join(kept.split()) or "(no name)"
    return text if len(text) <= width else f"{text[: width - 1]}…"


def bar(part: Decimal, width: int) -> str:
    """Return a bar of eighths for a share of 0 to 1; anything above zero shows."""
    eighths = int(max(Decimal(0), min(part, Decimal(1))) * width * 8)
    if part > 0:
        eighths = max(eighths, 1)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8].strip())


def gauge(share: Decimal, width: int = 10) -> str:
    """Return a share of 0 to 1 as `▓▓▓░░`; what is used up is full, and anything at all shows."""
    full = int(max(Decimal(0), min(share, Decimal(1))) * width)
    full = max(full, 1) if share > 0 else full
    return "▓" * full + "░" * (width - full)


def sparkline(values: Sequence[Decimal]) -> str:
    """Return one block per value, scaled to the largest; zero is the lowest line."""
    top = max(values, default=Decimal(0))
    if top <= 0:
        return _SPARKS[0] * len(values)
    return "".join(_SPARKS[min(7, int(max(one, Decimal(0)) / top * 8))] for one in values)
