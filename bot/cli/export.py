"""`export`: every stored row, amounts exactly as reported."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final, TextIO

import click

from bot.cli.base import Context, now
from bot.cli.spreadsheet import inert, is_number
from costcompass_core.domain.days import Month
from costcompass_core.domain.errors import StorageError, UsageError
from costcompass_core.domain.stored_row import LedgerRow
from costcompass_core.storage.declared import every_subscription
from costcompass_core.storage.spend import every_row

COLUMNS: Final = LedgerRow._fields
_RAW: Final = COLUMNS.index("raw_amount")
_TEXTS: Final = frozenset({*range(1, 7), COLUMNS.index("unit"), COLUMNS.index("source")})
"""Columns that hold names, which a spreadsheet must not take for a formula."""


@click.command("export")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "focus"]), required=True)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First UTC day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last UTC day.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; default: output.")
@click.option("--parquet", is_flag=True, help="FOCUS by month below the folder --out.")
@click.option("--subscriptions", is_flag=True, help="FOCUS with the fixed costs of each month.")
@click.pass_obj
def export_command(
    context: Context,
    *,
    form: str,
    first: datetime | None,
    last: datetime | None,
    out: Path | None,
    parquet: bool,
    subscriptions: bool,
) -> None:
    """Write every stored row as CSV, JSON lines or FOCUS, amounts exactly as reported.

    `amount` is in major units of `currency`, `raw_amount` the text that the provider sent; `usage_usd`
    is empty where the currency is another. `basis` is reported, derived or declared; `final` is 0
    while a day may still grow, `once` is 1 for purchases, taxes and the like. FOCUS has columns of
    its own (docs/export.md): CSV, or with --parquet a file for each month.
    """
    start, end = str(first or "0001-01-01")[:10], str(last or "9999-12-31")[:10]
    if end < start:
        raise UsageError("--to is before --from", "swap them")
    if (parquet or subscriptions) and form != "focus":
        raise UsageError("--parquet and --subscriptions go with FOCUS", "use --format focus")
    if form == "focus":
        _export_focus(context, (start, end), out, parquet, subscriptions)
        return
    with context.reader().reading() as tx, _target(out) as stream:
        write = _write_csv if form == "csv" else _write_jsonl
        write(every_row(tx, start, end), stream)


def _export_focus(
    context: Context, days: tuple[str, str], out: Path | None, parquet: bool, subscriptions: bool
) -> None:
    from bot.cli.export_focus import focus_rows, write_csv  # noqa: PLC0415 - other formats need none
    from bot.cli.export_parquet import find_duckdb, write_months  # noqa: PLC0415

    folder = _months_folder(days, out) if parquet else None
    duckdb = find_duckdb() if parquet else None
    with context.reader().reading() as tx:
        fixed = every_subscription(tx, context.config.subscriptions) if subscriptions else ()
        rows = focus_rows(tx, *days, fixed, now().date())
        if folder is not None:
            write_months(duckdb, rows, folder, *days)
            return
        with _target(out) as stream:
            write_csv(rows, stream)


def _months_folder(days: tuple[str, str], out: Path | None) -> Path:
    """Return where Parquet goes. Raises `UsageError` where that, or a month, is not whole."""
    if out is None:
        raise UsageError("--parquet writes several files", "name their folder with --out")
    first, last = map(date.fromisoformat, days)
    month = Month.of(last)
    for option, given, whole in (
        ("--from", first, first.replace(day=1)),
        ("--to", last, month.last),
    ):
        if given != whole:
            raise UsageError("--parquet replaces whole months", f"take {option} {whole}, or none")
    return out


@contextlib.contextmanager
def _target(out: Path | None) -> Iterator[TextIO]:
    """Give standard output, or a file that takes its name only when it is complete."""
    if out is None:
        try:
            yield sys.stdout
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise StorageError(
                f"standard output cannot be written ({error.strerror})", "use --out, or make room"
            ) from None
        return
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        draft.replace(out)
    except OSError as error:
        raise StorageError(f"{out} cannot be written ({error.strerror})", "check --out") from None
    finally:
        draft.unlink(missing_ok=True)


def _write_csv(rows: Iterable[tuple[object, ...]], stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([inert(one) if _is_text(i, one) else one for i, one in enumerate(row)])


def _is_text(place: int, value: object) -> bool:
    """Return whether a spreadsheet could run a cell: a name, or an amount that is written as a sum."""
    return place in _TEXTS or (place == _RAW and not is_number(value))


def _write_jsonl(rows: Iterable[tuple[object, ...]], stream: TextIO) -> None:
    stream.writelines(
        json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows
    )
