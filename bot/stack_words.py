"""What several providers and currencies bring to an answer, in words: whose, how known, until when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from bot import words
from bot.words import Figure
from costcompass_core.domain.money import Usd
from costcompass_core.domain.reports import BETWEEN, Health, SpendReport, share_of
from costcompass_core.domain.stack import (
    Caveat,
    Converted,
    CurrencyTotal,
    ForeignRow,
    Known,
    Seller,
    Stack,
)
from costcompass_core.domain.usage import USD

_KNOWN: Final[dict[Known, str]] = {
    "reported": "",
    "derived": "derived",
    "declared": "declared",
    "mixed": "partly derived",
}
"""How a total is known, where it is not simply reported."""
_RATE_DIGITS: Final = 6


def totals(report: SpendReport) -> str:
    """Return the total, or that of every currency, the home currency first."""
    stack = report.stack
    if stack is None or not stack.currencies:
        return words.usd(report.total)
    return " and ".join(words.money(one.total, one.currency) for one in stack.currencies)


def providers(report: SpendReport) -> list[Figure]:
    """Return a figure for each provider: what it took, its share, how known and until when."""
    stack = report.stack
    if stack is None or not stack.several:
        return []
    return [_seller(one, stack, report) for one in stack.sellers]


def _seller(one: Seller, stack: Stack, report: SpendReport) -> Figure:
    told = [words.percent(one.share), *_trend(one, report), _KNOWN[one.known]]
    told += [
        f"final through {words.day(caveat.day)}" if caveat.day else "nothing final yet"
        for caveat in stack.caveats
        if caveat.kind == "lags" and caveat.provider == one.provider
    ]
    return Figure(one.title, words.usd(one.cost), ", ".join(filter(None, told)))


def _trend(one: Seller, report: SpendReport) -> Iterator[str]:
    """Yield how a provider compares with the period before, where both are final."""
    before = report.before
    if before is None or one.provider in before.late:
        return
    own = f"{one.provider}{BETWEEN}"
    was = Usd.total(cost for key, cost in before.costs.items() if key.startswith(own))
    if was.amount > 0 and one.cost.amount >= 0:
        yield words.trend(share_of(one.cost - was, was))


def currency_row(report: SpendReport, row: ForeignRow) -> tuple[str, str]:
    """Return what people call a row in another currency, and who sells it."""
    title = report.stack.titles.get(row.provider, row.provider) if report.stack else row.provider
    return (title if report.query.by == "provider" else row.name), title


def called(report: SpendReport, name: str) -> str:
    """Return what people call a row: providers by their title."""
    if report.stack is None or report.query.by != "provider":
        return name
    return report.stack.titles.get(name, name)


def notes(stack: Stack | None) -> list[str]:
    """Return a sentence for each doubt, each other currency, and the one converted total."""
    if stack is None:
        return []
    return [
        *caveats(stack.caveats),
        *_not_reported(stack),
        *(_currency(one, stack) for one in stack.currencies if one.currency != USD),
        *converted(stack.converted),
    ]


def caveats(found: Iterable[Caveat]) -> Iterator[str]:
    """Yield what has to be known of figures that are late, begin late, or may lack something."""
    ones = list(found)
    late: dict[date | None, list[str]] = {}
    for one in ones:
        if one.kind == "lags":
            late.setdefault(one.day, []).append(_name(one))
    for day in sorted(late, key=lambda one: one or date.min, reverse=True):
        yield _lags(day, sorted(late[day]))
    for one in ones:
        if one.kind != "lags":
            yield _CAVEATS[one.kind](one)


def _lags(day: date | None, names: Sequence[str]) -> str:
    who = f"{listed(names)} {'is' if len(names) == 1 else 'are'}"
    if day is None:
        return f"{who} without a final day yet: what is told may still grow."
    return f"{who} final through {words.day(day)}: later days may still grow."


def _begins(one: Caveat) -> str:
    return f"{_name(one)} is known from {_day(one)} on, and not included before."


def _at_least(one: Caveat) -> str:
    return (
        f"{_name(one)} took at least what is told: {_amount(one)} or more came in on"
        f" {_day(one)}, behind which spend can hide."
    )


def _lapsed(one: Caveat) -> str:
    return (
        f"{_name(one)}: {_amount(one)} that was granted was gone at once on {_day(one)};"
        " it has probably expired and is not counted."
    )


def _unattributed(one: Caveat) -> str:
    return (
        f"{_name(one)}: {_amount(one)} went over several days that nobody looked at;"
        f" it counts on {_day(one)}."
    )


_CAVEATS: Final[dict[str, Callable[[Caveat], str]]] = {
    "begins": _begins,
    "at_least": _at_least,
    "lapsed": _lapsed,
    "unattributed": _unattributed,
}


def _name(one: Caveat) -> str:
    """Return the provider's title, and its account where that says more."""
    account = words.clean(one.account.partition("/")[2] or one.account)
    return words.clean(one.title) if account == "main" else f"{words.clean(one.title)} {account}"


def _day(one: Caveat) -> str:
    return words.day(one.day) if one.day else "a day"


def _amount(one: Caveat) -> str:
    return words.money(one.amount or Decimal(0), one.currency)


def _not_reported(stack: Stack) -> Iterator[str]:
    """Yield what no provider reported: it was derived from a balance, or declared by hand."""
    for name, known in sorted(stack.known.items()):
        title = words.clean(stack.titles.get(name, name))
        if known in {"derived", "mixed"}:
            yield f"{title} reports no cost: its spend is the fall of its balance."
        elif known == "declared":
            cost = next((one.cost for one in stack.sellers if one.provider == name), None)
            much = f"{words.usd(cost)} of it was" if cost else "Some of it was"
            yield f"{much} declared by hand, reported by nobody."


def _currency(one: CurrencyTotal, stack: Stack) -> str:
    """Return what was paid in another currency, and to whom."""
    titles = {stack.titles.get(row.provider, row.provider) for row in one.rows}
    names = ", ".join(words.clean(title) for title in sorted(titles))
    return (
        f"In {one.currency}, in no dollar total: {words.money(one.total, one.currency)} ({names})."
    )


def converted(one: Converted | None) -> Iterator[str]:
    """Yield the one total of all currencies, with its rates and their days."""
    if one is None:
        return
    if one.total is None:
        missing = ", ".join(one.without)
        yield f"No total of all currencies: there is no rate for {missing}."
        return
    rates = "; ".join(
        f"1 {rate.currency} = {one.currency} {_rate(rate.value)}"
        f" ({rate.source}, {words.day(rate.day, year=True)})"
        for rate in one.rates
    )
    yield f"All together {words.money(one.total, one.currency)}, at {rates}."


def _rate(value: Fraction) -> str:
    return f"{Usd.of_ratio(value).amount:.{_RATE_DIGITS}f}".rstrip("0").rstrip(".")


def lagging(conditions: Sequence[Health]) -> list[str]:
    """Return a sentence for the providers that a digest's newest day does not include."""
    late: dict[date, set[str]] = {}
    for one in conditions:
        if one.data_through is not None:
            late.setdefault(one.data_through, set()).add(words.clean(one.title or one.account))
    return [
        f"Without {listed(sorted(names))}, final through {words.day(day)}."
        for day, names in sorted(late.items(), reverse=True)
    ]


def left_out(found: Sequence[Caveat]) -> list[str]:
    """Return which providers a comparison leaves out, because not all its days are final there."""
    if not found:
        return []
    names = sorted({_name(one) for one in found})
    verb = "is" if len(names) == 1 else "are"
    return [f"{listed(names)} {verb} left out: not every day compared is known and final there."]


def listed(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
