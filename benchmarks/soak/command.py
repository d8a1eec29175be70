"""`./run bench soak`: live through it, print the figures, and fail where something does not hold."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks.soak.ledger import read_ledger, read_log
from benchmarks.soak.report import figures, table
from benchmarks.soak.soak import PROVIDERS, Plan, Soak
from benchmarks.soak.told import told_in_slack
from benchmarks.soak.verdicts import Verdict, verdicts
from benchmarks.soak.world import World
from costcompass_core.storage.store import FILE_NAME


def soak(words: Sequence[str]) -> int:
    """Run one soak; exit 1 where a verdict is bad."""
    options = _options(words)
    plan = Plan(
        days=options.days,
        seed=options.seed,
        step=timedelta(seconds=options.step),
        trace=options.trace,
        more=options.more.read_text() if options.more else "",
    )
    shape, text, found = lived(plan, options.log)
    if options.out:
        options.out.write_text(json.dumps(shape, indent=1))
    print(json.dumps(shape, indent=1) if options.json else text)
    return int(any(one.wrong for one in found))


def lived(plan: Plan, log: Path | None = None) -> tuple[dict[str, object], str, list[Verdict]]:
    """Return figures, table and verdicts of a soak; `log` keeps what the daemon said."""
    with World(plan.providers, plan.more) as world:
        one = Soak(plan, world)
        try:
            one.run()
        finally:
            said = world.folder / "daemon.log"
            if log and said.exists():
                log.write_bytes(said.read_bytes())
        ledger, lines = read_ledger(world.state / FILE_NAME), read_log(said)
        calls = world.slack.calls
        told = told_in_slack(ledger, calls, world.slack.noted.doubtful, one.kills)
        found = list(verdicts(one, ledger, lines, told))
        shape = figures(one, ledger, lines, told)
        shape["verdicts"] = {verdict.what: verdict.wrong or "yes" for verdict in found}
        return shape, table(one, shape, found), found


def _options(words: Sequence[str]) -> argparse.Namespace:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="./run bench soak", description=__doc__)
    parser.add_argument("--days", type=int, default=usual.days, help="simulated")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of everything random")
    parser.add_argument(
        "--step",
        type=int,
        default=int(usual.step.total_seconds()),
        help="simulated seconds from tick to tick",
    )
    parser.add_argument("--more", type=Path, help="a file of TOML to add to the configuration")
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    parser.add_argument("--log", type=Path, help="where to keep the daemon's log")
    parser.add_argument("--trace", action="store_true", help="say which lines' memory grew; slow")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    options = parser.parse_args(words)
    if options.days < 1 or not 1 <= options.step <= 120:
        parser.error("it takes a day or more, and 1 to 120 seconds between ticks")
    print(f"soaking {', '.join(('openrouter', *PROVIDERS))} …", file=sys.stderr, flush=True)
    return options
