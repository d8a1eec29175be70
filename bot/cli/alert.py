"""`alert test`: see whether alerts arrive, before it matters."""

from __future__ import annotations

import click

from bot.cli.base import Context, json_option, print_json
from bot.control import ask


@click.group("alert")
def alert_command() -> None:
    """Try out alerts."""


@alert_command.command("test")
@json_option
@click.pass_obj
def _test(context: Context, as_json: bool) -> None:
    """Send a marked test the whole way, to every place alerts go to: daemon, outbox, Slack, webhook."""
    outcome = ask(context.config.state_dir, {"do": "alert test"}, patience=30.0)
    if as_json:
        print_json(outcome)
        return
    places = {"slack": f"Slack ({', '.join(outcome['to'])})", "webhook": "the webhook"}
    click.echo(f"The test alert arrived: {' and '.join(places[one] for one in outcome['ways'])}.")
