"""`spend` and `forecast`: the same words and the same reports as in Slack."""

from __future__ import annotations

import click

from bot.cli.base import Context, json_option, now, paint, print_json
from bot.terminal.reports import forecast_text, spend_text
from bot.terminal.shapes import forecast_shape, spend_shape
from bot.usage_help import FORECAST_HELP, SPEND_HELP, SPEND_USAGE
from costcompass_core.domain.query import wants_help
from costcompass_core.usecases.report import Questions


def _questions(context: Context) -> Questions:
    config = context.config
    return Questions(context.reader(), config.subscriptions, config.timezone)


@click.command("spend", epilog="; ".join(SPEND_HELP))
@click.argument("words", nargs=-1)
@json_option
@click.pass_obj
def spend_command(context: Context, words: tuple[str, ...], as_json: bool) -> None:
    """Show what was spent, ranked: [PERIOD] [by DIMENSION] [MODEL…]."""
    question = " ".join(words)
    if wants_help(question):
        click.echo("\n".join((f"costcompass spend {SPEND_USAGE}", *SPEND_HELP)))
        return
    moment = now()
    report = _questions(context).spend(question, moment)
    if as_json:
        print_json(spend_shape(report))
    else:
        click.echo(spend_text(report, moment, paint()), nl=False)


@click.command("forecast", epilog="; ".join(FORECAST_HELP))
@click.argument("words", nargs=-1)
@json_option
@click.pass_obj
def forecast_command(context: Context, words: tuple[str, ...], as_json: bool) -> None:
    """Show what next month will cost and how long the balance lasts."""
    question = " ".join(words)
    if wants_help(question):
        click.echo("\n".join(("costcompass forecast", *FORECAST_HELP)))
        return
    moment = now()
    questions = _questions(context)
    report = questions.forecast(question, moment)
    if as_json:
        print_json(forecast_shape(report))
    else:
        click.echo(forecast_text(report, moment, questions.zone, paint()), nl=False)
