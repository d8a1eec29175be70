"""A soak in figures: for people as a table of 80 columns, for scripts as JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from benchmarks.soak.ledger import Ledger, Log
from benchmarks.soak.soak import Measured, Soak
from benchmarks.soak.told import Told
from benchmarks.soak.verdicts import Verdict
from benchmarks.soak.world import START

_MOMENTS: Final = (0, 1, 10, 20)
"""Days after which the daemon is shown, beside the end."""
_COLUMNS: Final = ("after", "life", "RSS MB", "blocks", "descr.", "threads", "DB MB", "WAL MB")


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the rise per unit of the least-squares line through points."""
    if len(points) < 2:
        return 0.0
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def growth(soak: Soak, value: Callable[[Measured], float]) -> float:
    """Return how much a value of the last life grew per simulated day of the soak's second half."""
    half = START + timedelta(days=soak.plan.days) / 2
    some = [one for one in soak.measured if one.life == soak.lives and one.at >= half]
    return slope([(_days(one), value(one)) for one in some])


def figures(soak: Soak, ledger: Ledger, log: Log, told: Told) -> dict[str, Any]:
    """Return everything that was counted, as JSON values."""
    opened = Counter(one.rule for one in ledger.incidents)
    closed = Counter(one.rule for one in ledger.incidents if one.resolved)
    digests = [one for one in ledger.letters if (one.via, one.kind) == ("slack", "digest")]
    life = next(n for n, one in enumerate(soak.measured) if one.life == soak.lives)
    return {
        "days": soak.plan.days,
        "seed": soak.plan.seed,
        "step_seconds": soak.plan.step.total_seconds(),
        "ticks": soak.steps,
        "lives": soak.lives,
        "kills": len(soak.kills),
        "last_life_began_after_days": round(_days(soak.measured[life]), 2),
        "growth_per_day_in_second_half": {
            "rss_kb": round(growth(soak, lambda one: one.values["rss_kb"]), 2),
            "allocated_blocks": round(growth(soak, lambda one: one.values["blocks"]), 1),
            "objects": round(growth(soak, lambda one: one.values["objects"]), 1),
            "database_kb": round(growth(soak, lambda one: one.database / 1024), 1),
        },
        "rss_kb_after_malloc_trim": soak.final.get("trimmed_kb"),
        "garbage_found_at_the_end": soak.final.get("collected"),
        "largest_wal_kb": max(one.wal for one in soak.measured) // 1024,
        "refreshes": {"done": log.refreshed, "failed": log.failed},
        "commits": soak.commits,
        "letters": {
            "made": told.made,
            "posted": told.posted,
            "told_together": told.together,
            "doubled": told.twice,
            "doubled_without_excuse": len(told.unexcused),
            "lost": len(told.lost),
            "waiting": told.waiting,
        },
        "digests": {"dates_awake": len(soak.awake), "written": len(digests)},
        "incidents": {
            rule: {"opened": times, "resolved": closed[rule]} for rule, times in opened.items()
        },
        "low_balances_made": soak.story.dips,
        "answers": dict(soak.people.outcomes),
        "slowest_answer_ms": round(1000 * soak.people.slowest, 1),
        "http": dict(sorted(soak.health.answers.items())),
        "log_lines": dict(log.levels),
        "happened": dict(sorted(soak.agenda.done.items())),
        "traced": soak.final.get("traced"),
        "by_thread_name": soak.measured[-1].values["by_name"],
        "measured": [_shape(one) for one in soak.measured],
    }


def table(soak: Soak, shape: dict[str, Any], found: Sequence[Verdict]) -> str:
    """Return the figures and the verdicts as lines."""
    lines = [_row(_COLUMNS), _row(["─" * 8] * len(_COLUMNS))]
    lines += [_row(_cells(one)) for one in _shown(soak)]
    lines += ["", *(f"{what}: {said}" for what, said in _told(shape)), ""]
    lines += [f"{'NO ' if one.wrong else 'yes'} {one.what}{_because(one)}" for one in found]
    if shape["traced"]:
        lines += ["", "grown since half time:", *shape["traced"]]
    return "\n".join(folded for line in lines for folded in _folded(line))


def _told(shape: dict[str, Any]) -> Iterator[tuple[str, str]]:
    grown, letters = shape["growth_per_day_in_second_half"], shape["letters"]
    yield "days", f"{shape['days']}, seed {shape['seed']}"
    yield "ticks", f"{shape['ticks']}, one in {shape['step_seconds']:g} simulated s"
    begun = shape["last_life_began_after_days"]
    yield "lives", f"{shape['lives']}, {shape['kills']} killed; the last from day {begun} on"
    grew = f"{grown['allocated_blocks']:+.0f} blocks, {grown['objects']:+.0f} objects"
    grew += f", database {grown['database_kb']:+.1f} kB"
    yield "grown a day in the second half", f"RSS {grown['rss_kb']:+.1f} kB, {grew}"
    yield "RSS after malloc_trim", f"{_mb(shape['rss_kb_after_malloc_trim'])} MB"
    yield "largest WAL", f"{_mb(shape['largest_wal_kb'])} MB"
    yield "refreshes", _counts(shape["refreshes"])
    yield "commits", str(shape["commits"])
    yield "letters to Slack", _counts(letters)
    yield "digests", _counts(shape["digests"])
    incidents = shape["incidents"].items()
    yield (
        "incidents opened/resolved",
        ", ".join(f"{rule} {n['opened']}/{n['resolved']}" for rule, n in incidents),
    )
    yield "answers", f"{_counts(shape['answers'])}; slowest {shape['slowest_answer_ms']} ms"
    if shape["http"]:
        yield "[http]", _counts(shape["http"])
    yield "log lines", _counts(shape["log_lines"])
    yield "happened", _counts(shape["happened"])


def _shown(soak: Soak) -> list[Measured]:
    """Return the measurements at the moments that are shown, each once."""
    found = [
        next((one for one in soak.measured if _days(one) >= day), soak.measured[-1])
        for day in _MOMENTS
    ]
    found = [soak.measured[0], *found[1:], soak.measured[-1]]
    return sorted({one.at: one for one in found}.values(), key=lambda one: one.at)


def _days(one: Measured) -> float:
    return (one.at - START) / timedelta(days=1)


def _shape(one: Measured) -> dict[str, Any]:
    plain = {key: value for key, value in one.values.items() if key not in {"by_name", "round"}}
    return {
        "day": round(_days(one), 3),
        "life": one.life,
        **plain,
        "database": one.database,
        "wal": one.wal,
    }


def _cells(one: Measured) -> list[str]:
    values = one.values
    return [
        f"{_days(one):.1f} d",
        str(one.life),
        _mb(values["rss_kb"]),
        str(values["blocks"]),
        str(values["descriptors"]),
        str(values["threads"]),
        _mb(one.database / 1024),
        _mb(one.wal / 1024),
    ]


def _row(cells: Sequence[str]) -> str:
    return " ".join(cell.rjust(8) for cell in cells)


def _mb(kilobytes: float | None) -> str:
    return "?" if kilobytes is None else f"{kilobytes / 1024:.1f}"


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{times} {name.replace('_', ' ')}" for name, times in found.items())


def _because(one: Verdict) -> str:
    return f": {one.wrong}" if one.wrong else ""


def _folded(line: str, width: int = 80) -> list[str]:
    """Break a line at spaces; what follows is indented."""
    found = []
    while len(line) > width and (at := line.rfind(" ", 4, width + 1)) > 0:
        found.append(line[:at])
        line = f"    {line[at + 1 :]}"
    return [*found, line]
