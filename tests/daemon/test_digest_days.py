"""Sixty simulated days of digests: one each local date, through everything that clocks can do.

Also a program: `python test_digest_days.py STATE SEED` is the driver that is killed over and over.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import time as real_time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from install import ROOT, usage

from bot.config import parse_config
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL
from bot.slack.delivery import SlackTeller
from costcompass_core.domain.letters import Desk
from costcompass_core.domain.secret import Secret
from costcompass_core.storage.outbox import waiting
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import Store, open_store
from costcompass_core.storage.usage import remember_account, replace_days
from costcompass_core.usecases.deliver import Delivery
from costcompass_core.usecases.digest import Reporter
from costcompass_core.usecases.publish import Calendar, publish
from costcompass_core.usecases.watch import Watch

DAYS = 60
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ALL_WEEK = frozenset(range(7))
CLOCKS = [
    # zone, first date, digest time: what happens within the sixty days
    ("America/New_York", date(2027, 2, 1), time(2, 30)),  # skipped on 14 March
    ("America/New_York", date(2026, 10, 1), time(1, 30)),  # twice on 1 November
    ("Europe/Berlin", date(2027, 3, 1), time(2, 30)),  # skipped on 28 March
    ("Europe/Berlin", date(2026, 9, 15), time(2, 30)),  # twice on 25 October
    ("Africa/Casablanca", date(2027, 1, 25), time(2, 30)),  # back for Ramadan, and forth again
    ("Australia/Lord_Howe", date(2026, 9, 1), time(2, 15)),  # half an hour is skipped
    ("Africa/Cairo", date(2027, 4, 1), time(0, 0)),  # midnight is skipped
    ("America/Nuuk", date(2027, 2, 15), time(23, 30)),  # skipped, up to midnight
]
WATCH = Watch(("main",), datetime(2026, 1, 1, tzinfo=UTC))


def dates(first: date, count: int = DAYS) -> list[date]:
    return [first + n * DAY for n in range(count)]


def remember(state: Path, first: date, unknown: frozenset[date] = frozenset()) -> None:
    """Store spend of every UTC day that the digests look at, but for `unknown` ones."""
    days = [day for day in dates(first - 40 * DAY, DAYS + 45) if day not in unknown]
    at = datetime.combine(first, time(), UTC)
    with closing(open_store(state)) as store, store.writing() as tx:
        remember_account(tx, "main", "openrouter")
        replace_days(tx, "main", {day: [usage(day, "a/b", "1.25")] for day in days}, at)
        note_success(tx, "main", "activity", at)


def tell(figures: str) -> None:
    """Show figures to those who ask for them: `./run test tests/daemon/test_digest_days.py -s`."""
    sys.stdout.write(f"{figures}\n")


# -- through Slack, with every accident ---------------------------------------------------------


def ticks(rng: random.Random, calendar: Calendar, day: date) -> Iterator[tuple[datetime, str]]:
    """Yield the moments at which a daemon ticks on a local date, and what happens to it before.

    By the end it always had a good while awake; wrong clocks are wrong by up to nine hours.
    """
    begin, over, due = calendar.over(day - DAY), calendar.over(day), calendar.moment(day)
    assert due is not None
    moments = [begin + rng.random() * (over - begin) for _ in range(4)]
    moments += [due - MINUTE, due, due + 15 * timedelta(seconds=1), due + 40 * MINUTE]
    asleep = rng.choice([None, due + rng.random() * (over - due)])
    for moment in sorted(moments):
        if begin <= moment < over and not (asleep and due - HOUR < moment < asleep):
            yield moment, rng.choice(["", "", "restart"])
            if rng.random() < 0.2:
                wrong = moment + rng.uniform(-9, 9) * HOUR
                yield wrong, "jump"
                yield wrong, "two ticks at the same instant"
    yield over - 90 * timedelta(seconds=1), ""  # by now whatever was awaited is waited for


class Bot:
    """The parts of a daemon that make and send digests, on a clock of ours."""

    def __init__(self, state: Path, calendar: Calendar, slack: Slack) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._state, self._calendar, self._slack = state, calendar, slack
        self._open()

    def _open(self) -> None:
        self.store: Store = open_store(self._state)
        self._reports = Reporter(self.store)
        self._delivery = Delivery(self.store, lambda: self.now)
        token = Secret(self._slack.bot_token)
        zone = self._calendar.zone
        self._teller = SlackTeller(
            self._slack.api_url,
            lambda _: token,
            lambda: self.now,
            zone,
            {},
            settings=parse_config({}, {}).alerts,
        )

    def tick(self, now: datetime, what: str, rng: random.Random) -> None:
        self.now = now
        if what == "restart":
            self.restart()
        publish(self.store, self._reports, self._calendar, WATCH, now)
        if rng.random() < 0.1:
            self.restart()  # between the commit and the delivery
        self._delivery.to_slack(Desk(CHANNEL), self._teller, self._reports)

    def restart(self) -> None:
        self.store.close()
        self._open()


@pytest.mark.parametrize(("zone", "first", "at"), CLOCKS)
def test_sixty_days_bring_sixty_digests_none_twice_none_missing(
    tmp_path: Path, zone: str, first: date, at: time
) -> None:
    rng = random.Random(f"{zone} {first}")
    calendar = Calendar(at, ALL_WEEK, ZoneInfo(zone))
    unknown = {*rng.sample(dates(first), 8), *(day for day in dates(first) if day.day == 1)}
    remember(tmp_path, first, frozenset(unknown))
    tally: Counter[str] = Counter()
    bot: Bot
    with Slack(lambda: bot.now) as slack:
        bot = Bot(tmp_path, calendar, slack)
        for day in dates(first):
            for now, what in ticks(rng, calendar, day):
                if what == "jump" and day in {first, first + (DAYS - 1) * DAY}:
                    continue  # into a date that is not counted
                bot.tick(now, what, rng)
                tally[what] += 1
        bot.store.close()
        posted = [one.metadata["event_payload"]["id"] for one in slack.messages]
        assert slack.violations == ()
    sent = Counter(one for one in posted if one.startswith("digest:"))
    wanted = {f"digest:{day}" for day in dates(first)}
    twice, missing = [one for one in sent if sent[one] > 1], sorted(wanted - set(sent))
    tell(
        f"{zone} at {at:%H:%M}: {len(sent)} sent, {len(twice)} twice, {len(missing)} missing ({tally})"
    )
    assert (set(sent), twice, missing) == (wanted, [], [])


# -- killed over and over -----------------------------------------------------------------------


def drive(state: Path, seed: str) -> None:
    """Let sixty days pass, twenty minutes a tick, killing whoever ticks every few milliseconds.

    The clock is kept in memory that outlives the killed, as a real one outlives a crash.
    """
    rng, kills = random.Random(seed), 0
    calendar = Calendar(time(2, 30), ALL_WEEK, ZoneInfo("Africa/Casablanca"))
    first = date(2027, 1, 25)
    begin, end = calendar.over(first - DAY), calendar.over(first + (DAYS - 1) * DAY)
    shared = mmap.mmap(-1, 8)
    while True:
        [done] = struct.unpack("q", shared[:8])
        if begin + done * 20 * MINUTE >= end:
            break
        child = os.fork()
        if child == 0:
            _tick_on(state, calendar, shared, begin, end)
        real_time.sleep(rng.uniform(0.002, 0.03 + kills / 10_000))  # longer on a slow machine
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
        kills += os.WIFSIGNALED(status)
    sys.stdout.write(str(kills))


def _tick_on(
    state: Path, calendar: Calendar, shared: mmap.mmap, begin: datetime, end: datetime
) -> None:
    store = open_store(state)
    reports = Reporter(store)
    while True:
        [done] = struct.unpack("q", shared[:8])
        now = begin + done * 20 * MINUTE
        if now >= end:
            os._exit(0)
        publish(store, reports, calendar, WATCH, now)
        shared[:8] = struct.pack("q", done + 1)


def test_killed_at_any_instant_each_local_date_is_in_the_outbox_once(tmp_path: Path) -> None:
    first = date(2027, 1, 25)
    remember(tmp_path, first, frozenset(dates(first)[::7]))  # 1 February and 1 March, too
    ran = subprocess.run(
        [sys.executable, __file__, str(tmp_path), "1"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        check=False,
        text=True,
        timeout=500,
    )
    assert ran.returncode == 0, ran.stderr
    with closing(open_store(tmp_path)) as store, store.reading() as tx:
        written = Counter(str(one.day) for one in waiting(tx, "slack") if one.kind == "digest")
        assert tx.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    tell(f"killed {ran.stdout} times: {len(written)} written")
    assert written == Counter(str(day) for day in dates(first))
    assert int(ran.stdout) > 20


if __name__ == "__main__":
    drive(Path(sys.argv[1]), sys.argv[2])
