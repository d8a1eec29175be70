"""What `help` says about the words of `spend` and `forecast`, in Slack and in a terminal."""

from __future__ import annotations

from typing import Final, NamedTuple


class Example(NamedTuple):
    """Words to type after a command, and what they ask."""

    words: str
    about: str


SPEND_USAGE: Final = "[PERIOD] [by DIMENSION] [MODEL…]"
SPEND_HELP: Final = (
    "periods: mtd (default), today, yesterday, 7d, 30d, 90d, last month, ytd, all",
    "today: what is reported so far, where the key may see it, with the balance's figure beside",
    "dated periods: 2026-10, 2026-10-03, 2026-10-01..2026-10-15; all days are UTC days",
    "dimensions: by model (default), by provider, by service, by host, by day, by account, by key",
    "merged: the same model from several providers on one row",
    "any other word keeps the models whose name contains it; * is anything, =NAME exactly one",
    "why [PERIOD] [MODEL…]: why it changed against as many days before (7d unless told)",
    "`advice` alone: at most three ways to spend less, from your own 30 days",
    "examples: `7d by host claude`, `last month`, `30d by day`, `why`, `why 30d claude`",
)
SPEND_EXAMPLES: Final = (
    Example("", "This month so far, by model"),
    Example("7d by host claude", "Who served the models with `claude` in their name last week"),
    Example("30d by day", "What each of the last 30 days cost"),
    Example("why 7d", "Why the last 7 days cost more or less than the 7 before"),
    Example("advice", "At most three ways to spend less"),
)
FORECAST_USAGE: Final = "[accuracy | if MODEL to OTHER [PCT%]]"
FORECAST_HELP: Final = (
    "next month = mean of the 7 newest completed UTC days × days of next month + subscriptions",
    "beside it: where this month lands and how long the balance lasts, by recent days and weekdays",
    "ranges hold four times out of five, and are told from 14 days of history on",
    "`accuracy`: how far such forecasts have been off on your own past, in money",
    "`if MODEL to OTHER [50%]`: what moving that share of traffic would change, at list prices",
)
FORECAST_EXAMPLES: Final = (
    Example("", "Next month, this month's end, balance, runway and budgets"),
    Example("accuracy", "How far such forecasts have been off"),
)
