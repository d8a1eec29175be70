"""What a watching daemon told, read from the outbox in the order in which it was written."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from refresh_world import MORNING, steady

from bot.slack.alert_messages import notice_message
from costcompass_core.domain.errors import CostCompassError
from costcompass_core.domain.money import Usd
from costcompass_core.domain.rules.views import Limits
from costcompass_core.storage.incidents import incident_at, open_incidents
from costcompass_core.storage.outbox import waiting
from costcompass_core.usecases.refresh import BOTH
from costcompass_core.usecases.watch import Watch, look

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LIMITS = Limits((Usd.of(25), Usd.of(10)), (Decimal(7), Decimal(3)))
FLOORS = ("spike_above", "level_above", "drift_above")


class Watcher:
    """Watches all accounts of a world, from now on; `told()` is what is new in the outbox."""

    def __init__(self, world, limits=LIMITS, *, unusual=False, **watch):
        self.world, self.unusual = world, unusual
        if not unusual:  # most tests are about something else than spend that jumps
            limits = replace(limits, **dict.fromkeys(FLOORS, Usd.of(0)))
        watched = {"since": world.now, "limits": limits, "running": True, **watch}
        world.watch = Watch(tuple(world.accounts), **watched)
        self._seen = 0

    def set(self, **changes):
        """Watch otherwise from now on, as after a restart with another configuration."""
        self.world.watch = replace(self.world.watch, **changes)

    def refresh(self, name="main", *, after=timedelta(0), **how):
        """Refresh after some time, whether that succeeds or not; return what was told."""
        self._refresh(name, after, how)
        return self.told()

    def notice(self, name="main", *, after=5 * MINUTE, **how):
        """Refresh after some time and return the facts and the words of the one notice it brings."""
        self._refresh(name, after, how)
        [letter] = self.letters()
        return letter.notice.facts, notice_message(letter.notice, self.world.now, UTC).text

    def _refresh(self, name, after, how):
        self.world.at(self.world.now + after)
        with suppress(CostCompassError):
            self.world.refresh(name, **how)

    def balance(self, name="main", **how):
        return self.refresh(name, parts=["balance"], **how)

    def tick(self, after=timedelta(0)):
        """Look at what is stored, as the daemon does by the clock; return what was told."""
        self.world.at(self.world.now + after)
        with self.world.store.writing() as tx:
            look(tx, self.world.watch, self.world.now)
        return self.told()

    def hours(self, count, *, step=HOUR, parts=BOTH):
        """Let time pass, refreshing every `step`; return what was told."""
        told = []
        for _ in range(int(count * HOUR / step)):
            told += self.refresh(after=step, parts=parts)
        return told

    def letters(self):
        """Return the letters since the last time."""
        with self.world.store.reading() as tx:
            fresh = [one for one in waiting(tx, "slack") if one.ident > self._seen]
        self._seen = max((one.ident for one in fresh), default=self._seen)
        return [
            one
            for one in fresh
            if self.unusual or one.notice is None or one.notice.rule != "new_model"
        ]

    def told(self):
        """Return the letters since the last time as "opened balance_low main" or "top_up main"."""
        return [self._line(one) for one in self.letters()]

    def _line(self, letter):
        if letter.notice is not None:
            return f"{letter.notice.rule} {letter.notice.account}"
        with self.world.store.reading() as tx:
            key = incident_at(tx, letter.incident, letter.seq).key
        return " ".join(part for part in (letter.what, *key) if part)

    def incident(self, rule, account="main"):
        """Return the one open incident of a rule and an account."""
        with self.world.store.reading() as tx:
            [found] = [one for one in open_incidents(tx) if one.key[:2] == (rule, account)]
        return found

    def rules(self):
        """Return the rules of all open incidents."""
        with self.world.store.reading() as tx:
            return sorted(one.key.rule for one in open_incidents(tx))


def watching(world, **watch):
    """Watch a world from this morning on, its first reading taken."""
    watcher = Watcher(world.at(MORNING), **watch)
    assert watcher.refresh() == []
    return watcher


def spending(usd, left, seed="main"):
    """Return an account that spent `usd` a day and has `left` left."""
    account = steady(usd, seed)
    account.top_up(left + 40 * usd - 100)
    return account
