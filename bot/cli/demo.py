"""`demo`: see it work before connecting anything."""

from __future__ import annotations

import signal
import sys

import click

from bot.cli.base import now, paint


@click.command("demo")
@click.option("--script", is_flag=True, help="Play it once and end.")
def demo_command(script: bool) -> None:
    """Run the real daemon against loopback stand-ins and talk to it."""
    from bot.demo import play  # noqa: PLC0415 - the stand-ins are for this command alone

    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed window takes the daemon down as well
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    play(now, paint(), script=script)
