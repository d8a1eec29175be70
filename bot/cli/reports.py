"""`spend` and `forecast`: the same words and the same reports as in Slack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

import click

from bot.cli.base import Context, json_option, now, paint, print_json
from bot.exchange import exchange_of
from bot.terminal.accuracy import accuracy_shape, accuracy_text
from bot.terminal.levers import advice_shape, advice_text, if_shape, if_text
from bot.terminal.paint import Paint
from bot.terminal.reports import forecast_text, spend_text
from bot.terminal.shapes import forecast_shape, spend_shape
from bot.terminal.why import why_shape, why_text
from bot.usage_help import FORECAST_HELP, FORECAST_USAGE, SPEND_HELP, SPEND_USAGE
from costcompass_core.domain.query import ask_of, wants_help
from costcompass_core.usecases.report import Questions


class _Ask(NamedTuple):
    """A question: the words to its report, that report as JSON, and as text."""

    report: Callable[[Questions, str, datetime], Any]
    shape: Callable[[Any], dict[str, Any]]
    text: Callable[[Any, datetime, tzinfo, Paint], str]


_SPEND: Final = _Ask(
    Questions.spend, spend_shape, lambda report, now, _, paint: spend_text(report, now, paint)
)
_SPEND_ASKS: Final[Mapping[str, _Ask]] = {
    "why": _Ask(
        Questions.why, why_shape, lambda report, now, _, paint: why_text(report, now, paint)
    ),
    "advice": _Ask(Questions.advice, advice_shape, advice_text),
}
"""What else `spend` may be asked, by the word that asks it."""
_FORECAST: Final = _Ask(Questions.forecast, forecast_shape, forecast_text)
_FORECAST_ASKS: Final[Mapping[str, _Ask]] = {
    "accuracy": _Ask(Questions.accuracy, accuracy_shape, accuracy_text),
    "if": _Ask(Questions.forecast_if, if_shape, if_text),
}


def _tell(context: Context, ask: _Ask, words: str, *, as_json: bool) -> None:
    """Answer a question on standard output."""
    moment, questions = now(), _questions(context)
    report = ask.report(questions, words, moment)
    if as_json:
        print_json(ask.shape(report))
    else:
        click.echo(ask.text(report, moment, questions.zone, paint()), nl=False)


def _questions(context: Context) -> Questions:
    config = context.config
    return Questions(
        context.reader(),
        config.subscriptions,
        config.timezone,
        config.alerts.budgets,
        exchange_of(config.money),
    )


@click.command("spend", epilog="; ".join(SPEND_HELP))
@click.argument("words", nargs=-1)
@json_option
@click.pass_obj
def spend_command(context: Context, words: tuple[str, ...], as_json: bool) -> None:
    """Show what was spent, ranked: [PERIOD] [by DIMENSION] [MODEL…]; or why it changed: why."""
    question = " ".join(words)
    ask, rest = ask_of(question, _SPEND_ASKS)
    if wants_help(question) or wants_help(rest):
        click.echo("\n".join((f"costcompass spend {SPEND_USAGE}", *SPEND_HELP)))
        return
    _tell(context, _SPEND_ASKS[ask] if ask else _SPEND, rest, as_json=as_json)


class _Arrows(click.Command):
    """A command to whose words `->` belongs, though it begins like an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, ["to" if one in {"->", "-->"} else one for one in args])


@click.command("forecast", cls=_Arrows, epilog="; ".join(FORECAST_HELP))
@click.argument("words", nargs=-1)
@json_option
@click.pass_obj
def forecast_command(context: Context, words: tuple[str, ...], as_json: bool) -> None:
    """Show what next month will cost and how long the balance lasts."""
    question = " ".join(words)
    ask, rest = ask_of(question, _FORECAST_ASKS)
    if wants_help(question) or wants_help(rest):
        click.echo("\n".join((f"costcompass forecast {FORECAST_USAGE}", *FORECAST_HELP)))
        return
    _tell(context, _FORECAST_ASKS[ask] if ask else _FORECAST, rest, as_json=as_json)
