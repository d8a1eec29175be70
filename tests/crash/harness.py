"""An installation on the eve of a crossing, whose daemon dies at a chosen system call."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from install import Daemon, Install
from install import eventually as soon

from bot.control import ask
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount, StandInKey
from bot.sandbox.slack import Slack
from bot.sandbox.slack_workspace import Shown
from costcompass_core.storage.outbox import put
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import FILE_NAME, open_store

Point = tuple[str, int]
"""A system call by name, and the how manyth one of a thread it is."""

CALLS = (
    "close", "connect", "fcntl", "fdatasync", "fstat", "ftruncate", "getsockname", "mmap",
    "newfstatat", "openat", "poll", "pread64", "pwrite64", "read", "recvfrom", "sendto",
    "setsockopt", "socket", "unlink", "write",
)  # fmt: skip
"""Where the daemon is killed."""
CONFIG = """
[refresh]
balance = "{balance}"
activity = "1h"
[digest]
time = ""
[alerts]
balance_below = [25, 10]
runway_below_days = []
spike_above = 0
level_above = 0
drift_above = 0
"""
DAYS = 30
LEFT_OVER = 6
"""Letters from an earlier life, which are told before those of the crossing."""
EIO = ("-e", "inject=fdatasync:error=EIO")
"""Only SQLite syncs data alone."""


def eventually(true: Callable[[], Any], timeout: float = 120.0) -> Any:
    """What a daemon under strace comes to, on a machine with other things to do."""
    return soon(true, timeout)


def can_trace() -> bool:
    """A container may have strace and still forbid it to trace."""
    strace = shutil.which("strace")
    trial = ["-qq", "-D", "-o", "/dev/null", "true"]
    return strace is not None and subprocess.run([strace, *trial], check=False).returncode == 0


def now() -> datetime:
    return datetime.now(UTC)


def account(name: str, *, left: int, credit: int = 1000) -> StandInAccount:
    """One dollar on each of the last 30 days; several accounts differ in what was used before."""
    keys = [StandInKey("manager", management=True, seed=name), StandInKey("default", seed=name)]
    made = StandInAccount(keys, total_credits=credit, opening_usage=credit - DAYS - left)
    for days in range(1, DAYS + 1):
        made.spend(1, now().date() - timedelta(days=days))
    return made


@dataclass(frozen=True)
class Crossing:
    """What is stored, what OpenRouter says now, what Slack shows already, and what must follow.

    `levels` are those of the incidents that are open in the end. `faults` are strace's, for the
    life that is killed; `posts` is how many messages that life sends.
    """

    name: str
    ledger: Path
    account: StandInAccount
    levels: tuple[int, ...]
    shown: tuple[Shown, ...] = ()
    faults: tuple[str, ...] = ()
    posts: int = LEFT_OVER + 1

    @property
    def roots(self) -> set[str]:
        """Where the messages of incidents that are open already stand."""
        return {one.ts for one in self.shown if "incident" in str(one.metadata)}


@dataclass(frozen=True)
class Site:
    """An installation and the Slack it talks to."""

    install: Install
    slack: Slack

    @property
    def posted(self) -> list[str]:
        """The delivery id of every message that Slack took, in order."""
        calls = self.slack.calls
        return [one.delivery for one in calls if one.method == "chat.postMessage" and not one.error]

    @contextmanager
    def traced(self, *options: str) -> Iterator[Daemon]:
        """Run the daemon under strace, which is not its parent: the exit code is the daemon's."""
        log = self.install.folder / "traced.log"
        with (
            log.open("ab") as stream,
            subprocess.Popen(
                ["strace", "-D", "-qq", "-f", *options, sys.executable, "-P", "-m", "bot", "run"],
                env=self.install.environ,
                cwd=self.install.folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield Daemon(process, log, self.install.state)
            finally:
                process.kill()

    def refresh(self) -> Any:
        """Ask the daemon for a refresh of everything."""
        return ask(self.install.state, {"do": "refresh"}, patience=60.0)[0]


@contextmanager
def site(
    folder: Path, crossing: Crossing, openrouter: OpenRouter, *, balance: str = "5m"
) -> Iterator[Site]:
    """Install a copy of what is stored, with a Slack of its own; `balance` is its interval."""
    install = Install(folder)
    with Slack(now) as slack:
        slack._workspace.messages.extend(crossing.shown)
        install.configure(openrouter, slack, more=CONFIG.format(balance=balance))
        key = crossing.account.management_key.secret
        install.keep(openrouter__main=key, slack__bot_token=slack.bot_token)
        if crossing.ledger.exists():
            shutil.copy(crossing.ledger, install.state / FILE_NAME)
        yield Site(install, slack)
        assert slack.violations == ()


@dataclass(frozen=True)
class Ledger:
    """What a dead daemon left. Names of letters by whether they are done; rows as they are."""

    sound: bool
    letters: dict[str, bool]
    incidents: list[tuple[str, str, int, bool]]
    stored: set[tuple[str, ...]]
    readings: int


def ledger(path: Path) -> Ledger:
    """Read a copy of the ledger, so that what has to be recovered stays as it is."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in (path.name, f"{path.name}-wal"):
            with suppress(FileNotFoundError):
                shutil.copy(path.with_name(name), folder)
        tx = stack.enter_context(closing(sqlite3.connect(folder / path.name)))
        [sound] = tx.execute("PRAGMA integrity_check").fetchone()
        incidents = "SELECT account, rule, level, resolved_at IS NULL FROM incident"
        days = tx.execute("SELECT 'day', day, cost FROM usage_day").fetchall()
        readings = tx.execute("SELECT 'balance', at, remaining FROM balance").fetchall()
        return Ledger(
            sound == "ok",
            dict(tx.execute("SELECT name, done_at IS NOT NULL FROM outbox").fetchall()),
            tx.execute(incidents).fetchall(),
            {*days, *readings},
            len(readings),
        )


def wind_up(state: Path) -> None:
    """Make the next balance reading due, and leave letters that are told before anything else.

    They bring the thread that tells to counts of system calls that no other thread reaches: only
    so can it be killed while it tells of the crossing.
    """
    moment = now() - timedelta(minutes=10)
    with closing(open_store(state)) as store, store.writing() as tx:
        note_success(tx, "main", "balance", moment)
        newest = "(SELECT max(at) FROM balance)"
        tx.execute(f"UPDATE balance SET at = ? WHERE at = {newest}", (moment.isoformat(),))
        for number in range(LEFT_OVER):
            put(tx, "slack", f"test:{moment.isoformat()}:{number}", "test", moment)


def is_over(daemon: Daemon, crossing: Crossing) -> bool:
    """Return whether the crossing is recorded and nothing waits to be told."""
    status = daemon.status()
    levels = tuple(one["level"] for one in status["incidents"])
    return levels == crossing.levels and status["outbox"]["waiting"] == 0


def undisturbed(at: Site, crossing: Crossing, openrouter: OpenRouter) -> list[Point]:
    """Run through a crossing to its end and return each point first reached on the way."""
    log = at.install.folder / "strace.log"
    with at.traced(
        "-o", str(log), "-e", f"trace={','.join(f'?{name}' for name in CALLS)}", *crossing.faults
    ) as daemon:
        assert eventually(lambda: len(at.posted) >= crossing.posts), daemon.log
        assert crossing.faults or eventually(lambda: is_over(daemon, crossing)), daemon.status()
        text = log.read_text()
        daemon.end(timeout=60)
    return first_reached(text, openrouter.address.rpartition(":")[2])


def first_reached(log: str, port: str) -> list[Point]:
    """Return the calls, from the first connection to `port` on, that no thread had come to before.

    strace counts the calls of each thread by itself.
    """
    begun, found = False, []
    counts: Counter[Point] = Counter()
    most: Counter[str] = Counter()
    for thread, name, rest in re.findall(r"^(\d+) +(\w+)\((.*)$", log, re.MULTILINE):
        begun = begun or (name == "connect" and f"htons({port})" in rest)
        counts[name, int(thread)] += 1
        if counts[name, int(thread)] > most[name]:
            most[name] += 1
            if begun:
                found.append((name, most[name]))
    return found


def spread(points: list[Point]) -> list[Point]:
    """Return the points in an order of which any beginning is spread evenly over all of them."""
    golden = (5**0.5 - 1) / 2
    return [points[i] for i in sorted(range(len(points)), key=lambda i: i * golden % 1)]


@dataclass(frozen=True)
class Outcome:
    """What became of a crossing; `where` is what was done of it when the daemon died."""

    crossing: str
    point: Point
    where: str = ""
    copies: dict[str, int] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()

    @property
    def reached(self) -> bool:
        """Whether the daemon came to the point and died there."""
        return bool(self.where)


def kill(at: Site, crossing: Crossing, point: Point) -> Outcome:
    """Kill the daemon at `point`, start it again, and return how it went."""
    name, number = point
    inject = f"inject={name}:signal=KILL:when={number}"
    options = ["-o", "/dev/null", *crossing.faults, "-e", f"trace=fdatasync,{name}", "-e", inject]
    with at.traced(*options) as daemon:
        process = daemon.process
        eventually(lambda: process.poll() is not None or len(at.posted) >= crossing.posts)
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.5)  # far longer than it takes from the post to its mark
        if process.poll() is None:
            return Outcome(crossing.name, point)
        assert process.returncode == -signal.SIGKILL, daemon.log
    before, dead = ledger(crossing.ledger), ledger(at.install.state / FILE_NAME)
    where = how_far(before, dead, at.posted)
    with at.install.daemon() as daemon:
        eventually(lambda: is_over(daemon, crossing))
        at.refresh()  # what was told is not told again because somebody looks again
        wrong = [] if is_over(daemon, crossing) else [f"not over: {daemon.status()} {daemon.log}"]
    after = ledger(at.install.state / FILE_NAME)
    due = {name for name in after.letters if not before.letters.get(name)}
    copies = {name: at.posted.count(name) for name in due.union(at.posted)}
    wrong += misses(before, dead, after) + [f"{one} was missed" for one in due if not copies[one]]
    if not all(one.edited for one in at.slack.messages if one.ts in crossing.roots):
        wrong.append("the incident's own message was not edited")
    if sum(copies.values()) > len(copies) + 1:
        wrong.append(f"more than one copy too many: {copies}")
    return Outcome(crossing.name, point, where, copies, tuple(wrong))


def how_far(before: Ledger, dead: Ledger, posted: list[str]) -> str:
    """Return what of a crossing was done when the daemon died."""
    if any(not dead.letters[name] for name in posted if name in dead.letters):
        return "between post and mark"
    if dead.letters.keys() == before.letters.keys():
        return "before commit"
    return "when told" if all(dead.letters.values()) else "between commit and post"


def misses(before: Ledger, dead: Ledger, after: Ledger) -> list[str]:
    """Return what is wrong with the ledger after a restart, given those of before."""
    news = after.letters.keys() - before.letters.keys()
    alerts = [name for name in news if name.startswith("incident:")]
    incidents = [one[:2] for one in after.incidents]
    found = {
        f"the crossing is told in {sorted(news)}": len(alerts) == 1,
        f"letters wait: {after.letters}": all(after.letters.values()),
        f"incidents: {after.incidents}": incidents == [("main", "balance_low")],
        "the database is damaged": after.sound and dead.sound,
        f"lost: {(before.stored | dead.stored) - after.stored}": after.stored
        >= before.stored | dead.stored,
        f"forgotten letters: {dead.letters.keys() - after.letters.keys()}": after.letters.keys()
        >= dead.letters.keys(),
        "no new balance is stored": after.readings > before.readings,
    }
    return [what for what, good in found.items() if not good]


def tally(outcomes: list[Outcome]) -> str:
    """Return the figures of many kills in one line."""
    reached = [one for one in outcomes if one.reached]
    copies = [n for one in reached for n in one.copies.values()]
    where = ", ".join(f"{n} {what}" for what, n in Counter(one.where for one in reached).items())
    return (
        f"{len(reached)} kill points ({where}; {len(outcomes) - len(reached)} more not reached):"
        f" {sum(n == 0 for n in copies)} of {len(copies)} alerts missed,"
        f" {sum(n > 1 for n in copies)} duplicated, {max(copies, default=0)} copies at most"
    )
