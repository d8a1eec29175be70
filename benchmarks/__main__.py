"""`./run bench [--json] [NAME…]`: measure, then print one table, or JSON.

`./run bench soak [--days N] [--seed N]` is a program of its own and never part of the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from typing import Final

from benchmarks.forecasting import forecast
from benchmarks.idle import idle
from benchmarks.ingest import ingest
from benchmarks.ready import ready
from benchmarks.scrape import scrape
from benchmarks.slack import slack
from benchmarks.soak.command import soak
from benchmarks.spend import spend
from benchmarks.table import Figure, as_json, table
from benchmarks.talk import talk, talk_many

BENCHMARKS: Final[dict[str, Callable[[], Iterable[Figure]]]] = {
    "ready": ready,
    "ingest": ingest,
    "spend": spend,
    "scrape": scrape,
    "slack": slack,
    "talk": talk,
    "talk-many": talk_many,
    "idle": idle,
    "forecast": forecast,
}


def main() -> int:
    """Run what was asked for, else everything; figures are told, and only a soak judges by its exit code."""
    if sys.argv[1:2] == ["soak"]:
        return soak(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    figures: list[Figure] = []
    for name in options.names or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        figures.extend(BENCHMARKS[name]())
    print(
        json.dumps(as_json(figures), indent=2, ensure_ascii=False)
        if options.json
        else table(figures)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
