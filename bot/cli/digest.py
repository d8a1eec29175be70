"""`digest`: what the digest of a day says. It sends nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

import click

from bot.cli.base import Context, json_option, now, paint, print_json
from bot.config import Config
from bot.digest_words import daily
from bot.terminal.digest import digest_text
from bot.terminal.digest_shape import digest_shape
from bot.words import clean
from costcompass_core.domain.errors import UsageError
from costcompass_core.usecases.digest import Reporter

_USUAL_TIME: Final = time(9)
"""As of when a digest is shown where none is sent."""


@click.command("digest")
@click.option("--date", "asked", metavar="DAY", help="Local date like 2026-10-03; else today.")
@json_option
@click.pass_obj
def digest_command(context: Context, asked: str | None, as_json: bool) -> None:
    """Show what the digest of a day says; sends nothing. Today's is as of now."""
    config, moment = context.config, now()
    today = moment.astimezone(config.timezone).date()
    day = today if asked is None else _day(asked)
    store = context.reader()
    at = moment if day == today else _moment(context.effective(store), day, today)
    report = Reporter(store, config.subscriptions).digest(day, at)
    if as_json:
        print_json(digest_shape(report))
    elif report.is_empty:
        click.echo(daily.empty_line(report))
    else:
        click.echo(digest_text(report, moment, config.timezone, paint()), nl=False)


def _day(asked: str) -> date:
    try:
        return datetime.strptime(asked, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        raise UsageError(f"`{clean(asked)}` is not a day", "write it like 2026-10-03") from None


def _moment(config: Config, day: date, today: date) -> datetime:
    """Return the moment (UTC) of the day's digest. Raises `UsageError` for a day to come."""
    if day > today:
        raise UsageError(f"{day} is yet to come", f"use --date {today} or an earlier day")
    if day.year < 2000:
        raise UsageError(f"`{day}` is not a day of this age", "write it like 2026-10-03")
    told = config.alerts.digest.time or _USUAL_TIME
    return datetime.combine(day, told, config.timezone).astimezone(UTC)
