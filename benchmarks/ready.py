"""How long a daemon takes from its first instant to `ready`, beside importing one of its libraries."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter
from typing import Final

from benchmarks.installation import Installation, installation
from benchmarks.stopwatch import alternate, median_ms, timed
from benchmarks.table import Figure, Goal

_ROUNDS: Final = 15


def ready() -> list[Figure]:
    """Measure whole processes, on a ledger that exists and a vault with its real derivation."""
    with installation() as place:
        with place.settled_daemon():
            pass
        ours, imports = alternate(
            _ROUNDS, lambda: _time_to_ready(place), lambda: timed(_import_slack_bolt)
        )
    what = "ready ÷ import slack_bolt"
    return [Figure(what, _ROUNDS, "ms", median_ms(ours), median_ms(imports), Goal("≤", 2.0))]


def _time_to_ready(place: Installation) -> float:
    begin = perf_counter()
    with place.daemon() as process:
        for line in process.stderr or ():
            if b" ready: " in line:
                return perf_counter() - begin
    raise RuntimeError("the daemon never got ready")


def _import_slack_bolt() -> None:
    subprocess.run([sys.executable, "-P", "-c", "import slack_bolt"], check=True)
