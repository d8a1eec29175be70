"""The words after `/spend`: `[PERIOD] [by DIMENSION] [FILTER…]`, in any order and any case."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Final, Literal, get_args

from costcompass_core.domain.days import Month, Period, clipped, newest_completed
from costcompass_core.domain.errors import UsageError

Dimension = Literal["model", "provider", "service", "host", "day", "account", "key"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
PERIODS: Final = (
    "mtd", "today", "yesterday", "7d", "30d", "90d", "last month", "ytd", "all",
    "2026-10", "2026-10-03", "2026-10-01..2026-10-15",
)  # fmt: skip
"""Every form of period, the dated ones by example; for help and completion."""

_MEANT: Final[dict[str, str]] = {
    **{word: word for word in ("mtd", "today", "yesterday", "ytd", "all", "why", "help", "by")},
    "merged": "merged",
    "last": "last month",
    "lastmonth": "last month",
    "month": "mtd",
    **{dimension: f"by {dimension}" for dimension in DIMENSIONS},
}
"""What to suggest for a word that is one of these or nearly so."""
_DAYS: Final = re.compile(r"(\d{1,4})d")
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOOKS_DATED: Final = re.compile(r"\d{4}[-/.]\d.*|\d+\s*(d|days?)")
MAX_WORDS: Final = 500
"""Characters of a command that are read; more is a paste, not a question."""


@dataclass(frozen=True, slots=True)
class SpendQuery:
    """A parsed question. A model is kept when its name matches every one of `filters`.

    `said` is the word that named the period, so that `words` can ask a similar question. `merged`
    puts the same model from different sellers on one row.
    """

    period: Period
    by: Dimension = "model"
    filters: tuple[str, ...] = ()
    said: str = "mtd"
    merged: bool = False

    @property
    def exactly(self) -> str | None:
        """The one model that is asked about, where it was named whole (`=NAME`)."""
        whole = [word[1:] for word in self.filters if len(word) > 1 and word.startswith("=")]
        return whole[0] if whole and len(self.filters) == 1 else None

    def words(self) -> str:
        """Return words that ask this question."""
        by = [] if self.by == "model" else [f"by {self.by}"]
        merged = ["merged"] if self.merged else []
        return " ".join([self.said, *by, *merged, *self.filters])

    def keeps(self, model: str) -> bool:
        """Return whether the model's name contains every filter (`*` stands for anything)."""
        return all(matches(word, model) for word in self.filters)


def matches(word: str, model: str) -> bool:
    """Return whether `model` contains `word`, in any case; `*` in it stands for anything.

    A word that begins with `=` is a whole name, for one name may begin like another.
    """
    name, end = model.lower(), 0
    if len(word) > 1 and word.startswith("="):
        return name == word[1:].lower()
    for part in word.lower().split("*"):  # no regular expression: many `*` make one run for hours
        start = name.find(part, end)
        if start < 0:
            return False
        end = start + len(part)
    return True


def wants_help(words: str) -> bool:
    """Return whether the words ask how the command is used."""
    return words.strip().lower() in {"help", "-h", "--help", "?"}


def ask_of(words: str, asks: Collection[str]) -> tuple[str | None, str]:
    """Return which of the special questions `asks` the words ask, and the words without its name.

    Each is a word of its own, such as `why`, in any place and any case; `None` when there is none.
    """
    left = words.split() if len(words) <= MAX_WORDS else []  # `parse_spend` refuses such a paste
    for place, word in enumerate(left):
        if word.lower() in asks:
            return word.lower(), " ".join(left[:place] + left[place + 1 :])
    return None, words


def parse_spend(
    words: str,
    *,
    today: date,
    first_day: date | None,
    models: Callable[[], Collection[str]],
    default: str = "mtd",
) -> SpendQuery:
    """Return the question that `words` ask; `default` is the period where they name none.

    `first_day` is where `all` begins (`None`: nothing stored yet); `models` gives the known model
    names, asked for only when a word might be a typo. Raises `UsageError` with the nearest match.
    """
    if len(words) > MAX_WORDS:
        raise UsageError("that is too long to be a question", _USAGE)
    left = words.lower().split()
    period: Period | None = None
    by: Dimension | None = None
    filters: list[str] = []
    said, merged = default, False
    while left:
        word = left.pop(0)
        if word == "by":
            _once("dimension", by, words)
            by = _dimension(left.pop(0) if left else "")
        elif word == "merged":
            merged = True
        elif word == "last" and left[:1] == ["month"]:
            left.pop(0)
            _once("period", period, words)
            period, said = _month(Month.of(today).previous, today), "last month"
        elif (found := _period(word, today, first_day)) is not None:
            _once("period", period, words)
            period, said = found, word
        else:
            filters.append(word)
    _refuse_typos(filters, models)
    period = period or _period(default, today, first_day) or _month(Month.of(today), today)
    return SpendQuery(period, by or "model", tuple(filters), said, merged)


_USAGE: Final = "use [PERIOD] [by DIMENSION] [MODEL…], for example `7d by host claude`, or `help`"


def _once(what: str, before: object, words: str) -> None:
    """Refuse a second period or dimension rather than quietly using one of the two."""
    if before is not None:
        raise UsageError(f"there is more than one {what} in `{words}`", _USAGE)


def _dimension(word: str) -> Dimension:
    for known in DIMENSIONS:
        if word in {known, f"{known}s"}:
            return known
    near = get_close_matches(word, DIMENSIONS, n=1, cutoff=0.5)
    hint = f"did you mean `by {near[0]}`?" if near else f"one of {', '.join(DIMENSIONS)}"
    meant = (word, near[0]) if near and word else None
    raise UsageError(
        f"`by {word}` is not a way to rank" if word else "`by` what?", hint, meant=meant
    )


def _month(month: Month, today: date) -> Period:
    return clipped(month.label, month.first, month.last, today, month)


def _period(word: str, today: date, first_day: date | None) -> Period | None:
    """Return the period that one word names, `None` when it names none."""
    newest = newest_completed(today)
    named = {
        "mtd": _month(Month.of(today), today),
        "today": Period(f"today ({today})", today, today, today=True),
        "yesterday": Period(f"yesterday ({newest})", newest, newest),
        "ytd": clipped(f"{today.year} so far", date(today.year, 1, 1), newest, today),
        "all": clipped("all time", first_day or today, newest, today),
    }
    if word in named:
        return named[word]
    if found := _DAYS.fullmatch(word):
        return _last_days(int(found[1]), newest)
    return _dated(word, today)


def _last_days(count: int, newest: date) -> Period:
    if not 1 <= count <= 3660:
        raise UsageError(f"`{count}d` is not a number of days", "use 1d to 3660d")
    label = "last day" if count == 1 else f"last {count} days"
    return Period(label, newest - timedelta(days=count - 1), newest)


def _dated(word: str, today: date) -> Period | None:
    """Return the period of `2026-10`, `2026-10-03` or `2026-10-01..2026-10-15`."""
    if found := _MONTH.fullmatch(word):
        year, number = int(found[1]), int(found[2])
        if not (1 <= number <= 12 and 2000 <= year <= 9998):
            raise UsageError(f"`{word}` is not a month", "write it like 2026-10")
        return _month(Month(year, number), today)
    if ".." in word:
        first, _, last = word.partition("..")
        start, end = _day(first), _day(last)
        if end < start:
            raise UsageError(f"`{word}` ends before it begins", f"try {last}..{first}")
        return clipped(f"{start} to {end}", start, end, today)
    if _DAY.fullmatch(word):
        day = _day(word)
        if day == today:
            return _period("today", today, None)
        return clipped(str(day), day, day, today)
    if _LOOKS_DATED.fullmatch(word):
        raise UsageError(f"`{word}` is not a period", f"use one of {', '.join(PERIODS)}")
    return None


def _day(text: str) -> date:
    try:  # fromisoformat alone would take 20261003 and 2026-W40-6 too
        day = date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise UsageError(f"`{text}` is not a day", "write it like 2026-10-03") from None
    if not 2000 <= day.year <= 9998:
        raise UsageError(f"`{text}` is not a day of this age", "write it like 2026-10-03")
    return day


def _refuse_typos(filters: Iterable[str], models: Callable[[], Collection[str]]) -> None:
    """Raise for a word that matches no model but nearly is a keyword; other words are filters."""
    known: Collection[str] | None = None
    for word in filters:
        known = models() if known is None else known
        if any(matches(word, model) for model in known):
            continue
        if near := get_close_matches(word, _MEANT, n=1, cutoff=0.65):
            instead = _MEANT[near[0]]
            raise UsageError(
                f"no model matches `{word}`", f"did you mean `{instead}`?", meant=(word, instead)
            )


def nearest_name(filters: Iterable[str], models: Collection[str]) -> str | None:
    """Return a piece of a model's name that was perhaps meant, for filters that match no model."""
    pieces = {piece for model in models for piece in re.split(r"[/:_-]", model.lower()) if piece}
    for word in filters:
        if not any(matches(word, model) for model in models):
            near = get_close_matches(word, [*sorted(pieces), *sorted(models)], n=1, cutoff=0.6)
            return near[0] if near else None
    return None
