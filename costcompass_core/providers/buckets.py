"""Reports that come in daily buckets, page by page: how OpenAI and Anthropic tell cost and tokens."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

from costcompass_core.domain.days import ONE_DAY, each_day
from costcompass_core.domain.errors import CostCompassError, KeyRejected, UnreadableAnswer
from costcompass_core.domain.usage import Activity, Usage
from costcompass_core.providers.base import Client
from costcompass_core.providers.fields import clean
from costcompass_core.providers.rows import Tokens, gathered, ranges, with_tokens

_KEPT: Final = "earlier figures stay as they are; if this lasts, look for a newer CostCompass"
_MOST_PAGES: Final = 400
"""More than the longest range has days, and a page has at least one."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a provider: where it is, and how it writes days.

    `start` and `end` name the bounds in the question and in each bucket, the second one excluded.
    """

    title: str
    path: str
    group_by: str
    longest: int
    """How many buckets (days) one page may have at most."""
    start: str
    end: str
    write: Callable[[date], str]
    read: Callable[[object], date]
    """Understands a bound; raises `ValueError` for anything but a midnight (UTC)."""

    def unreadable(self, why: str) -> UnreadableAnswer:
        """Return the error for an answer that is odd."""
        return UnreadableAnswer(f"the answer of {self.title}'s {self.path} {why}", _KEPT)

    def params(self, first: date, last: date) -> dict[str, str]:
        """Return the fields of the question about these days, both included."""
        return {
            self.start: self.write(first),
            self.end: self.write(last + ONE_DAY),
            "bucket_width": "1d",
            "group_by[]": self.group_by,
            "limit": str(min((last - first).days + 1, self.longest)),
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One result of a bucket; whatever is odd about it is told with its day, number and field."""

    report: Report
    day: date
    number: int
    values: Mapping[str, Any]
    above: str = ""

    def read(self, name: str, parse: Callable[[Any], _Value]) -> _Value:
        """Return a field as `parse` understands it, which raises `ValueError`; missing is `None`."""
        try:
            return parse(self.values.get(name))
        except ValueError as why:
            what = f"is odd in row {self.number} of {self.day}: {self.above}{name} {why}"
            raise self.report.unreadable(what) from None

    def text(self, name: str) -> str | None:
        """Return a name fit to store; `None` where there is none."""
        return self.read(name, _name)

    def part(self, name: str) -> Row:
        """Return the object in a field, an empty one where there is none."""
        inner = self.read(name, _object)
        return Row(self.report, self.day, self.number, inner, f"{self.above}{name}.")


def _name(raw: object) -> str | None:
    if raw is None or isinstance(raw, str):
        return clean(raw) if raw and raw.strip() else None
    raise ValueError("is no text")


def _object(raw: object) -> dict[str, Any]:
    if raw is None or isinstance(raw, dict):
        return raw or {}
    raise ValueError("is no object")


def currency_of(raw: object) -> str:
    """Return a currency in three capitals. Raises `ValueError`."""
    if isinstance(raw, str) and len(raw) == 3 and raw.isascii() and raw.isalpha():
        return raw.upper()
    raise ValueError("is no currency of three letters")


@dataclass(frozen=True, slots=True)
class Billing:
    """The two reports of one provider and how a row of each is understood.

    `blank` makes the row of a model whose tokens are reported and whose cost is not; `kind_of` names
    the count that a row of cost is billed for (see `rows.with_tokens`).
    """

    costs: Report
    tokens: Report
    cost_of: Callable[[Row], Usage]
    tokens_of: Callable[[Row], tuple[str, Tokens]]
    kind_of: Callable[[Usage], str | None]
    blank: Callable[[date, str], Usage]
    window_days: int

    def read(self, client: Client, days: Collection[date] | None, today: date) -> Activity:
        """Return cost and tokens of completed UTC `days`; see `Provider.read_activity`."""
        if days is None:
            days = tuple(each_day(today - self.window_days * ONE_DAY, today - ONE_DAY))
        asked = sorted({day for day in days if day < today})
        found = [
            self.cost_of(row)
            for first, last in ranges(asked, self.costs.longest)
            for row in rows_of(client, self.costs, first, last)
        ]
        negative = sum(row.cost < 0 for row in found)
        notes = [f"{negative} row(s) have a negative cost, kept as reported"] if negative else []
        tokens, trouble = self._tokens(client, asked)
        one_each = [row for rows in gathered(found, asked).values() for row in rows]
        told = with_tokens(one_each, tokens, self.kind_of, self.blank)
        return Activity(gathered(told, asked), (*notes, *trouble))

    def _tokens(
        self, client: Client, days: Collection[date]
    ) -> tuple[dict[tuple[date, str], Tokens], list[str]]:
        """Return the counts by day and model; costs are worth having without them.

        After the first trouble no more is asked for, since each try takes its time.
        """
        found: dict[tuple[date, str], Tokens] = {}
        for first, last in reversed(ranges(days, self.tokens.longest)):
            try:
                read = [
                    (row.day, *self.tokens_of(row))
                    for row in rows_of(client, self.tokens, first, last)
                ]
            except KeyRejected:
                raise
            except CostCompassError as trouble:
                return found, [f"tokens up to {last} are not known: {trouble.what}"]
            for day, model, counts in read:
                found[day, model] = _sum(found.get((day, model)), counts)
        return found, []


def _sum(one: Tokens | None, other: Tokens) -> Tokens:
    if one is None:
        return other
    pairs = zip(one, other, strict=True)
    return Tokens(*(None if a is None or b is None else a + b for a, b in pairs))


def rows_of(client: Client, report: Report, first: date, last: date) -> Iterator[Row]:
    """Yield every result about the days from `first` to `last`, of all pages.

    Raises `UnreadableAnswer` for pages that never end, and for a day that comes twice or was not
    asked for: both would count money that is not ours to count.
    """
    params = report.params(first, last)
    seen: set[date] = set()
    for body in _pages(client, report, params):
        buckets = body.get("data")
        if not isinstance(buckets, list):
            raise report.unreadable("has no data of the documented shape")
        for number, bucket in enumerate(buckets, 1):
            day, results = _opened(report, bucket, number)
            if results and not first <= day <= last:
                raise report.unreadable(f"has rows of {day}, which was not asked for")
            if day in seen:
                raise report.unreadable(f"has {day} twice")
            seen.add(day)
            for place, values in enumerate(results, 1):
                if not isinstance(values, dict):
                    raise report.unreadable(f"has a row {place} of {day} that is no object")
                yield Row(report, day, place, values)


def _pages(client: Client, report: Report, params: dict[str, str]) -> Iterator[dict[str, Any]]:
    asked: set[str] = set()
    more: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        body = client.get(report.path, {**params, **more}).body
        if not isinstance(body, dict):
            raise report.unreadable("is no object")
        yield body
        if body.get("has_more") is False:
            return
        page = _token(body.get("next_page"))
        if body.get("has_more") is not True or page is None:
            raise report.unreadable("does not say whether and where it goes on")
        if page in asked:
            raise report.unreadable("goes round in circles: a next_page came twice")
        asked.add(page)
        more = {"page": page}
    raise report.unreadable(f"does not end after {_MOST_PAGES} pages")


def _token(page: object) -> str | None:
    """Return a page token that can be sent back as it is."""
    if isinstance(page, str) and 0 < len(page) <= 4096 and page.isascii() and page.isprintable():
        return page
    return None


def _opened(report: Report, bucket: Any, number: int) -> tuple[date, list[Any]]:
    """Return the day that a bucket is, which must be a whole one (UTC), and what it holds."""
    if not isinstance(bucket, dict) or not isinstance(bucket.get("results"), list):
        raise report.unreadable(f"has a bucket {number} without results")
    bounds = []
    for name in (report.start, report.end):
        try:
            bounds.append(report.read(bucket.get(name)))
        except ValueError as why:
            raise report.unreadable(f"is odd in bucket {number}: {name} {why}") from None
    if bounds[1] - bounds[0] != ONE_DAY:
        raise report.unreadable(f"has a bucket {number} that is not one day")
    return bounds[0], bucket["results"]
