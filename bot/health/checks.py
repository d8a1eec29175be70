"""What has to be well, in words: no stranger's text is repeated, for anybody may read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from bot.health.facts import Check, Process
from bot.words import plural
from costcompass_core.domain.facts import Facts
from costcompass_core.usecases.measures import Conditions, Freshness

_REFUSED: Final[Mapping[str, str]] = {
    "key_rejected": "the provider refuses its key",
    "wrong_key_type": "its key is of a type that cannot read spend",
    "vault_locked": "its key is in the locked vault",
}
_MORE: Final = "see `costcompass status`"


def alive(process: Process) -> Check:
    """Return whether the daemon's clock ticks."""
    if not process.stalled:
        return Check("ticks", True, "ok")
    return Check("ticks", False, f"no tick for {int(process.silent.total_seconds())} s")


def readiness(
    process: Process, known: Conditions | None, accounts: Mapping[str, str], now: datetime
) -> tuple[Check, ...]:
    """Return every check; `known` is `None` where the database can't be read."""
    return tuple(_checks(process, known, accounts, now))


def _checks(
    process: Process, known: Conditions | None, accounts: Mapping[str, str], now: datetime
) -> Iterator[Check]:
    yield alive(process)
    locked = "locked: run `costcompass unlock`"
    yield Check("vault", process.vault_open, "open" if process.vault_open else locked)
    yield _slack(process.slack)
    if known is None:
        unknown = "not known while the database can't be read"
        yield Check("database", False, f"can't be read: {_MORE}")
        yield Check("outbox", False, unknown)
        yield from (Check("data", False, unknown, name) for name in accounts)
        return
    yield _database(process.refused_since)
    yield _outbox(known, now)
    yield from map(_data, known.accounts)


def _slack(connected: bool | None) -> Check:
    if connected is None:
        return Check("slack", True, "not configured")
    return Check("slack", connected, "connected" if connected else f"not connected: {_MORE}")


def _database(refused_since: datetime | None) -> Check:
    if refused_since is None:
        return Check("database", True, "readable, takes what is written")
    return Check("database", False, f"refuses writes since {_moment(refused_since)}: {_MORE}")


def _outbox(known: Conditions, now: datetime) -> Check:
    if parked := len(known.waiting.parked):
        return Check("outbox", False, f"{plural(parked, 'message')} refused: {_MORE}")
    if known.stuck_since is not None:
        waited = int((now - known.stuck_since).total_seconds() // 60)
        return Check("outbox", False, f"a message waits for {plural(waited, 'minute')}: {_MORE}")
    letters = known.waiting.letters
    return Check("outbox", True, f"{plural(letters, 'message')} waiting" if letters else "empty")


def _data(one: Freshness) -> Check:
    if one.refused:
        return Check("data", False, _REFUSED.get(one.refused, "its key is refused"), one.account)
    if one.stale is None:
        return Check("data", True, "fresh", one.account)
    return Check("data", False, _stale(one.stale), one.account)


def _stale(facts: Facts) -> str:
    """Return what the rule about stale data found."""
    if facts["part"] == "day":
        return f"the usage of {facts['day']} is overdue"
    good = facts.get("good_at")
    if isinstance(good, datetime):
        return f"no {facts['part']} read since {_moment(good)}"
    return f"no {facts['part']} read yet"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
