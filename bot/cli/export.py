"""`export`: every stored row, amounts exactly as reported."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TextIO

import click

from bot.cli.base import Context
from costcompass_core.domain.errors import StorageError, UsageError
from costcompass_core.storage.spend import every_row

COLUMNS: Final = (
    "day", "account", "provider", "model", "permaslug", "endpoint_id", "host", "requests",
    "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens",
    "usage_usd", "byok_usd", "amount", "currency", "basis", "final", "once", "raw_amount",
    "quantity", "unit", "cache_write_tokens", "source",
)  # fmt: skip
_RAW: Final = COLUMNS.index("raw_amount")
_NUMBER: Final = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
_TEXTS: Final = frozenset({*range(1, 7), COLUMNS.index("unit"), COLUMNS.index("source")})
"""Columns that hold names, which a spreadsheet must not take for a formula."""


@click.command("export")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), required=True)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First UTC day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last UTC day.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; default: output.")
@click.pass_obj
def export_command(
    context: Context, form: str, first: object, last: object, out: Path | None
) -> None:
    """Write every stored row as CSV or JSON lines, amounts exactly as reported.

    `amount` is in major units of `currency`, `raw_amount` the text that the provider sent; `usage_usd`
    is empty where the currency is another. `basis` is reported, derived or declared; `final` is 0
    while a day may still grow, `once` is 1 for purchases, taxes and the like.
    """
    start, end = str(first or "0001-01-01")[:10], str(last or "9999-12-31")[:10]
    if end < start:
        raise UsageError("--to is before --from", "swap them")
    with context.reader().reading() as tx, _target(out) as stream:
        write = _write_csv if form == "csv" else _write_jsonl
        write(every_row(tx, start, end), stream)


@contextlib.contextmanager
def _target(out: Path | None) -> Iterator[TextIO]:
    """Give standard output, or a file that takes its name only when it is complete."""
    if out is None:
        yield sys.stdout
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
        writer.writerow([_inert(one) if _is_text(i, one) else one for i, one in enumerate(row)])


def _is_text(place: int, value: object) -> bool:
    """Return whether a spreadsheet could run a cell: a name, or an amount that is written as a sum."""
    return place in _TEXTS or (place == _RAW and not _NUMBER.fullmatch(str(value)))


def _inert(value: object) -> object:
    """Put an apostrophe before what a spreadsheet would run."""
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _write_jsonl(rows: Iterable[tuple[object, ...]], stream: TextIO) -> None:
    stream.writelines(
        json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows
    )
