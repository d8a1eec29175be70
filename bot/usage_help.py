"""What `help` says about the words of `spend` and `forecast`, in Slack and in a terminal."""

from __future__ import annotations

from typing import Final

SPEND_USAGE: Final = "[PERIOD] [by DIMENSION] [MODEL…]"
SPEND_HELP: Final = (
    "periods: mtd (default), today, yesterday, 7d, 30d, 90d, last month, ytd, all",
    "today: what is reported so far, where the key may see it, with the balance's figure beside",
    "dated periods: 2026-10, 2026-10-03, 2026-10-01..2026-10-15; all days are UTC days",
    "dimensions: by model (default), by provider, by host, by day, by account, by key",
    "any other word keeps the models whose name contains it, and * stands for anything",
    "why [PERIOD] [MODEL…]: why it changed against as many days before (7d unless told)",
    "`advice` alone: at most three ways to spend less, from your own 30 days",
    "examples: `7d by host claude`, `last month`, `30d by day`, `why`, `why 30d claude`",
)
FORECAST_USAGE: Final = "[accuracy | if MODEL to OTHER [PCT%]]"
FORECAST_HELP: Final = (
    "next month = mean of the 7 newest completed UTC days × days of next month + subscriptions",
    "beside it: where this month lands and how long the balance lasts, by recent days and weekdays",
    "ranges hold four times out of five, and are told from 14 days of history on",
    "`accuracy`: how far such forecasts have been off on your own past, in money",
    "`if MODEL to OTHER [50%]`: what moving that share of traffic would change, at list prices",
)
