"""What `forecast if` and `spend advice` say: reported figures first, estimates marked as such."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from bot import words
from bot.digest_words.pieces import plan_figure, signed
from bot.digest_words.prices import per_million
from bot.words import Figure
from costcompass_core.domain.advice import LEAST_DAYS, AdviceReport
from costcompass_core.domain.advice.view import Advice
from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.prices import MONTH_DAYS
from costcompass_core.domain.whatif import IfReport

Name = Callable[[str], str]
_OLD_DAYS: Final = 2
"""Days from which on the price list's age is a warning."""


def if_headline(report: IfReport, name: Name = words.clean) -> str:
    """Return the difference in one sentence, or why there is none."""
    share = "" if report.percent == 100 else f"{report.percent}% of "
    move = f"{share}{name(report.model)} on {name(report.other.ident)}"
    change = report.difference
    if not report.now:
        paid = " of your balance: it is paid under your own keys" if report.byok else ""
        return f"Nothing to save: {name(report.model)} costs nothing{paid or ' now'}."
    if report.unknown == "price":
        return f"Can't say what {move} would cost: its price varies or is not listed."
    if report.unknown == "tokens":
        return f"Can't say what {move} would cost: not all tokens or cached tokens were reported."
    if change is None:
        return f"Can't say what {move} would cost: part of it is paid under your own keys."
    month = report.plan.month.label
    if not change:
        return f"{move} would cost the same in {month} (estimate)."
    verb = "save" if change < ZERO else "cost"
    more = "" if change < ZERO else " more"
    size = words.usd(max(change, -change))
    return f"{move} would {verb} about {size}{more} in {month} (estimate)."


def if_figures(report: IfReport) -> Iterator[Figure]:
    """Yield the reported figures, then the estimates."""
    if (plan := plan_figure(report.plan, ())) is not None:
        yield Figure(plan.label, plan.figure, f"as reported: {plan.rests_on}")
    seen = f"{report.percent}% of its traffic of {words.span(report.start, report.end)}"
    yield Figure("of that now", words.usd(report.now), f"reported: {seen}")
    if report.on_other is None or report.difference is None or report.total is None:
        return
    yield Figure("on the other", words.usd(report.on_other), f"estimate: {_prices(report.other)}")
    yield Figure("difference", signed(report.difference), "estimate, a month")
    yield Figure("total then", words.usd(report.total), "estimate")


def _prices(one: Listed) -> str:
    kinds = (("prompt", "in"), ("input_cache_read", "cached"), ("completion", "out"))
    told = [f"{per_million(one.prices[kind])} {what}" for kind, what in kinds if kind in one.prices]
    return f"list price {', '.join(told)} per M tokens"


def if_notes(report: IfReport, now: datetime, name: Name = words.clean) -> list[str]:
    """Return how far the estimate goes."""
    found = []
    if report.skew is not None and report.at_list is not None:
        side = "above" if report.skew > Decimal(0) else "below"
        found.append(
            f"At its own list price {name(report.model)} would cost {words.usd(report.at_list)},"
            f" {words.percent(abs(report.skew))} {side} what was reported (caching, discounts,"
            " other hosts): list prices go only so far here."
        )
    moves = report.difference is not None
    if (real := report.effective) is not None and moves:
        found.append(
            f"Your own {name(report.other.ident)} traffic cost {words.usd(real.per_million)} per M"
            " tokens in the last 30 days (reported)."
        )
    if moves:
        found.append(
            "The same tokens are assumed; another model may count, cache and write differently."
        )
        if report.other.free:
            found.append("It is listed as free; free models have limits on requests.")
        elif not report.cached:
            found.append("It lists no cheaper cached reads, so cached tokens cost the full price.")
        if report.other.conditional:
            found.append("It costs otherwise for long prompts or at some hours; that is left out.")
    if report.byok:
        found.append(
            f"{words.usd(report.byok)} of it is paid under your own keys and not counted here."
        )
    if report.other.expires is not None:
        found.append(f"It may be removed on {words.day(report.other.expires, year=True)}.")
    if (now - report.read_at).days >= _OLD_DAYS:
        found.append(
            f"The price list is of {words.day(report.read_at.date(), year=True)}:"
            " run `costcompass refresh`."
        )
    return found


def advice_headline(report: AdviceReport) -> str:
    """Return how much could be saved, or why nothing is said, in one sentence."""
    if report.too_early:
        known = words.plural(report.days, "known day")
        return f"No advice yet: {known} of history, {LEAST_DAYS} are needed."
    spent = f"{words.usd(report.total)} spent in 30 days"
    if report.days < MONTH_DAYS:
        spent = f"{words.usd(report.total)} in 30 days like your {report.days} known ones"
    if not report.found:
        return f"Nothing worth changing: {spent}."
    ways = words.plural(len(report.found), "suggestion")
    best = words.usd(report.found[0].saving)
    return f"{ways}, the first about {best} a month, of {spent}."


def advice_line(one: Advice, name: Name = words.clean) -> str:
    """Return a suggestion: the dollars, what to do, the numbers behind it, what is assumed."""
    saving = f"About {words.usd(one.saving)} of {words.usd(one.cost)} a month"
    return f"{saving}: {_ADVICE[one.kind](one, name)}"


def _cheaper_model(one: Advice, name: Name) -> str:
    counts = one.counts
    return (
        f"try {name(one.other)} for the short calls of {name(one.model)}. They average"
        f" {counts['prompt_tokens']:,} tokens in and {counts['completion_tokens']:,} out over"
        f" {words.plural(counts['requests'], 'request')}. Assumed: the same tokens at its list"
        " price, and answers that are good enough."
    )


def _caching(one: Advice, name: Name) -> str:
    shares = one.shares
    return (
        f"cache more of the prompts of {name(one.model)}. {words.percent(shares['cached'])} of its"
        f" prompt tokens are read from cache, {words.percent(shares['best'])} with"
        f" {name(one.other)}; a prompt averages {one.counts['prompt_tokens']:,} tokens. Assumed:"
        " half of that gap is closed, at list prices; cache writes are not counted."
    )


def _output(one: Advice, name: Name) -> str:
    thinking = one.shares.get("reasoning", Decimal(0))
    how, why = "set a lower max_tokens for", ""
    if thinking >= _MUCH_THINKING:
        how, why = "lower the reasoning effort of", f", {words.percent(thinking)} of it reasoning"
    return (
        f"{how} {name(one.model)}. Output is {words.percent(one.shares['output'])} of its cost at"
        f" list prices, {one.counts['completion_tokens']:,} tokens a request{why}. Assumed: a fifth"
        " less output."
    )


def _host(one: Advice, name: Name) -> str:
    return (
        f"run {name(one.model)} on {name(one.other)}, by provider order or `:floor`."
        f" {words.count(one.counts['tokens'])} tokens ran on"
        f" {words.plural(one.counts['hosts'], 'host')} that cost"
        f" {_dearer(one.shares['dearer'])} per token. Assumed: the same price for them"
        " there; part of the gap may be caching or longer answers."
    )


def _dearer(share: Decimal) -> str:
    """Return `20.0% more`, and from twice as much on `2.5 times as much`."""
    if share < 1:
        return f"{words.percent(share)} more"
    return f"{(1 + share).quantize(Decimal('0.1')):,} times as much"


_MUCH_THINKING: Final = Decimal("0.5")
"""Share of the output from which on reasoning is what to lower."""
_ADVICE: Final[dict[str, Callable[[Advice, Name], str]]] = {
    "cheaper model": _cheaper_model,
    "caching": _caching,
    "output": _output,
    "host": _host,
}


def advice_footer(report: AdviceReport) -> str:
    """Return what the suggestions rest on."""
    known = words.plural(report.days, "known day")
    rests_on = f"Estimates from your own {known} up to {words.day(report.newest)} (UTC)"
    if report.has_prices:
        return f"{rests_on} and list prices. Savings on the same tokens do not add up."
    return f"{rests_on}. No price list has been read yet: run `costcompass refresh`."
