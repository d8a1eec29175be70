"""What has to hold when a soak is over, whatever went wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks.soak.ledger import Ledger, Log
from benchmarks.soak.soak import Soak
from benchmarks.soak.told import Told, not_taken
from benchmarks.soak.world import DIGEST_AT, START, ZONE
from bot.sandbox.deepseek import DeepSeek
from bot.sandbox.openrouter_rows import total
from costcompass_core.domain.days import ONE_DAY, each_day

_WAITS: Final = timedelta(hours=1)
"""More than a digest waits for late data."""
_READ_BACK: Final = timedelta(days=29)
"""How far before its beginning every provider of a soak was read."""
_LISTENERS: Final = 16
_SPARE_THREADS: Final = _LISTENERS + 4
"""Pools grow when they are needed: Slack's listeners, and the scheduler's workers."""
_SPARE_DESCRIPTORS: Final = 6
"""Connections that are open in one moment and not in another."""
_OF_THE_DISK: Final = ("cannot be used", "damaged", "refuses")
"""Words of errors that a full disk brings."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that has to hold, and what is wrong where it does not."""

    what: str
    wrong: str = ""


def verdicts(soak: Soak, ledger: Ledger, log: Log, told: Told) -> Iterator[Verdict]:
    """Judge a soak that is over."""
    yield Verdict(
        "totals equal the providers' to the last digit", _some(_other_totals(soak, ledger))
    )
    yield Verdict(
        "balances equal the providers' to the last digit", _some(_other_left(soak, ledger))
    )
    yield Verdict("no letter to Slack is lost", _some(told.lost))
    yield Verdict("only what was unsure is told twice", _some(told.unexcused))
    yield Verdict("one digest for each local date", _some(_digests(soak, ledger)))
    hooks = not_taken(ledger, soak.world.hooks.requests)
    yield Verdict("no letter to the webhook is lost", _some(hooks))
    yield Verdict("the outbox is empty at the end", _some(_waiting(soak)))
    yield Verdict("each low balance opened one incident, and closed it", _dips(soak, ledger))
    yield Verdict("every refresh works at the end", _some(_unread(soak)))
    yield Verdict("the database is sound", "" if ledger.sound == "ok" else ledger.sound)
    yield Verdict("no traceback, no error but the full disk's", _some(_surprises(log)))
    yield Verdict("threads and descriptors are back to what they were", _some(_leaks(soak)))
    yield Verdict("whoever was heard was answered", _some(_unanswered(soak)))
    yield Verdict("Slack found nothing to refuse", _some(soak.world.slack.violations))


def _some(wrong: object) -> str:
    """Return the first few of what is wrong."""
    found = [str(one) for one in wrong] if isinstance(wrong, list | tuple | Iterator) else []
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more


def _other_totals(soak: Soak, ledger: Ledger) -> Iterator[str]:
    now = soak.world.clock.now()
    days = list(each_day((START - _READ_BACK).date(), now.date() - ONE_DAY))
    for day in days:
        rows = soak.world.account.rows(day, now)
        yield from _differ("main", day, total(row["usage"] for row in rows), ledger)
    for name, biller in soak.world.billers.items():
        if isinstance(biller, DeepSeek):
            continue
        for day in days:
            yield from _differ(f"{name}/main", day, biller.spent.get(day, Decimal(0)), ledger)
    if "deepseek" in soak.world.billers:
        for day in each_day(START.date() + ONE_DAY, now.date() - ONE_DAY):
            used = soak.story.prepaid.get(day, Decimal(0))
            yield from _differ("deepseek/main", day, used, ledger)


def _differ(account: str, day: object, said: Decimal, ledger: Ledger) -> Iterator[str]:
    stored = ledger.days.get((account, day), Decimal(0))  # type: ignore[arg-type]
    if stored != said:
        yield f"{account} {day}: {stored} stored, {said} told"


def _other_left(soak: Soak, ledger: Ledger) -> Iterator[str]:
    said = {"main": soak.world.account.balance(soak.world.clock.now())}
    for name, biller in soak.world.billers.items():
        if isinstance(biller, DeepSeek):
            said[f"{name}/main"] = biller.topped_up["USD"] + biller.granted["USD"]
    for account, left in said.items():
        if ledger.left.get(account) != left:
            yield f"{account}: {ledger.left.get(account)} stored, {left} told"


def _digests(soak: Soak, ledger: Ledger) -> Iterator[str]:
    """Yield the dates that have none though the daemon was there, or more than one."""
    written = [one.name for one in ledger.letters if (one.via, one.kind) == ("slack", "digest")]
    zone, at = ZoneInfo(ZONE), time.fromisoformat(DIGEST_AT)
    for day, (first, last) in soak.awake.items():
        due = max(datetime.combine(day, at, zone), first)
        found = written.count(f"digest:{day}")
        if found > 1 or (found == 0 and last >= due + _WAITS):
            yield f"{found} of {day}"


def _waiting(soak: Soak) -> Iterator[str]:
    outbox = soak.final["status"]["outbox"]
    if outbox["waiting"]:
        yield f"{outbox['waiting']} wait since {outbox['oldest']}"
        yield from map(str, (*outbox["parked"], *outbox["failing"]))


def _dips(soak: Soak, ledger: Ledger) -> str:
    found = [one for one in ledger.incidents if (one.rule, one.account) == ("balance_low", "main")]
    closed = sum(one.resolved for one in found)
    if (len(found), closed) == (soak.story.dips, soak.story.dips):
        return ""
    return f"{soak.story.dips} times low, {len(found)} opened, {closed} closed"


def _unread(soak: Soak) -> Iterator[str]:
    for shape in soak.final["refreshes"]:
        if not shape["ok"]:
            yield f"{shape['account']}: {shape['error']}"


def _surprises(log: Log) -> Iterator[str]:
    if log.tracebacks:
        yield f"{log.tracebacks} tracebacks"
    yield from (one for one in log.errors if not any(word in one for word in _OF_THE_DISK))


def _leaks(soak: Soak) -> Iterator[str]:
    """Compare the end of the last life with what it was like soon after its start."""
    mine = [one.values for one in soak.measured if one.life == soak.lives]
    settled, end = mine[min(2, len(mine) - 1)], mine[-1]
    for name, spare in (("threads", _SPARE_THREADS), ("descriptors", _SPARE_DESCRIPTORS)):
        if end[name] > settled[name] + spare:
            yield f"{settled[name]} {name} became {end[name]} ({end['by_name']})"


def _unanswered(soak: Soak) -> Iterator[str]:
    for outcome, times in soak.people.outcomes.items():
        if outcome not in {"answered", "Slack away"}:
            yield f"{times} × {outcome}"
    if not soak.people.outcomes["answered"]:
        yield "nobody was"
