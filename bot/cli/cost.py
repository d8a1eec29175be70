"""`cost …`: costs that no provider reports, declared by hand, once or recurring."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from bot.cli.base import Context, json_option, now, print_json
from bot.control import BrokeOff, NotRunning, ask
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.errors import AlreadyRunning


@click.group("cost")
def cost_command() -> None:
    """Declare costs that no provider reports."""


@cost_command.command("add")
@click.argument("name")
@click.argument("amount")
@click.option("--currency", metavar="CODE", help="Three letters, like EUR; default: USD.")
@click.option("--on", metavar="DAY", help="UTC day of a cost that comes once; default: today.")
@click.option("--per", type=click.Choice(["month", "year"]), help="It recurs; default: once.")
@click.option("--from", "start", metavar="DAY", help="With --per: first UTC day; default: today.")
@click.option("--until", metavar="DAY", help="With --per: last UTC day; default: no end.")
@click.option("--provider", metavar="WHO", help="Who is paid, where NAME does not say so.")
@click.pass_obj
def _add(context: Context, /, start: str | None, **words: str | None) -> None:
    """Declare that NAME costs AMOUNT; days are written YYYY-MM-DD.

    A cost that comes once is a row of `spend` on its day and no part of the burn rate; one that
    recurs is told beside `spend` and `forecast` like a [[subscription]] of the configuration.
    """
    from bot.declaring import ADD, cost_line, cost_of  # noqa: PLC0415 - a moment

    request = {"do": ADD, "from": start, **words}
    today = utc_day(now())
    cost_of(request, today)  # what makes no sense is refused before anything is made or asked
    added = _carried_out(context, request)
    click.echo(f"added {cost_line(added)}")
    if added["per"] == "once" and added["from"] >= str(today):
        # Periods end with the newest completed day: without a word, the cost would seem lost.
        note = f"it counts in `spend` once {added['from']} is over (UTC)"
        click.echo(f"costcompass: note: {note}", err=True)


@cost_command.command("list")
@json_option
@click.pass_obj
def _list(context: Context, as_json: bool) -> None:
    """List the declared costs with their numbers."""
    from bot.declaring import cost_line, cost_shape  # noqa: PLC0415 - a moment
    from costcompass_core.storage.declared import declared  # noqa: PLC0415
    from costcompass_core.storage.store import open_reader  # noqa: PLC0415

    store = open_reader(context.config.state_dir, context.config.backup.folder)
    costs = []
    if store is not None:
        with closing(store), store.reading() as tx:
            costs = [cost_shape(one, one.number) for one in declared(tx)]
    if as_json:
        print_json({"costs": costs})
        return
    for one in costs:
        click.echo(cost_line(one))
    if not costs:
        click.echo("no cost is declared; add one with `costcompass cost add NAME AMOUNT`")


@cost_command.command("remove")
@click.argument("number", type=int)
@click.pass_obj
def _remove(context: Context, number: int) -> None:
    """Take out the declared cost of that NUMBER, as if it had never been added."""
    from bot.declaring import REMOVE, cost_line  # noqa: PLC0415 - a moment

    removed = _carried_out(context, {"do": REMOVE, "number": number})
    click.echo(f"removed {cost_line(removed)}")


def _carried_out(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Write by ourselves, or have it written by the daemon that holds the ledger."""
    from bot.declaring import carry_out  # noqa: PLC0415 - a moment
    from bot.refreshing import open_ledger  # noqa: PLC0415
    from costcompass_core.storage.lock import holding  # noqa: PLC0415

    state_dir = context.config.state_dir
    try:
        with holding(state_dir), closing(open_ledger(context.config)) as store:
            return carry_out(store, request, now())
    except AlreadyRunning as held:
        try:
            answer: dict[str, Any] = ask(state_dir, request)
        except BrokeOff:
            raise
        except NotRunning:
            raise held from None
        return answer
