"""The daily series that forecasts and alarms are judged on, by group."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from benchmarks.llm_series import Series, llm_series

SHIPPED: Final = Path(__file__).resolve().parent / "series" / "daily"
OWN: Final = "COSTCOMPASS_SERIES"
"""Names a folder of one's own series, which are then judged instead."""
LLM: Final = "llm"
_SEEDS: Final = (20, 21, 22)
"""Others than those on which the band was fitted (0 to 5)."""


def daily_series() -> dict[str, dict[str, Series]]:
    """Return the series of each group by name: the made-up `llm`, real `retail` and `dense` ones.

    Or those of the folder that the environment variable names: one CSV file each with the columns
    `date` and `value`, and an `INDEX.csv` with `name` and `group` where there is more than one group.
    """
    if own := os.environ.get(OWN):
        return _of_folder(Path(own), {})
    made = {f"{name}_{seed}": one for seed in _SEEDS for name, one in llm_series(seed).items()}
    dense = {"nab": "dense", "wiki": "dense", "other": "dense"}
    return {LLM: made, **_of_folder(SHIPPED, dense)}


def _of_folder(folder: Path, renamed: dict[str, str]) -> dict[str, dict[str, Series]]:
    files = sorted(set(folder.glob("*.csv")) - {folder / "INDEX.csv"})
    if not files:
        raise SystemExit(f"{folder}: there are no series (*.csv) in this folder")
    groups = {}
    if (folder / "INDEX.csv").exists():
        groups = {row["name"]: row["group"] for row in _rows(folder / "INDEX.csv")}
    found: defaultdict[str, dict[str, Series]] = defaultdict(dict)
    for file in files:
        group = groups.get(file.stem, LLM)
        found[renamed.get(group, group)][file.stem] = _series(file)
    return dict(found)


def _series(file: Path) -> Series:
    """Return a file's days in order, those that it leaves out being zero."""
    try:
        values = {date.fromisoformat(row["date"]): Decimal(row["value"]) for row in _rows(file)}
    except (KeyError, ValueError, InvalidOperation):
        raise SystemExit(f"{file}: needs the columns date (2026-11-02) and value (12.5)") from None
    first = min(values)
    days = [first + timedelta(days=age) for age in range((max(values) - first).days + 1)]
    return [(day, values.get(day, Decimal(0))) for day in days]


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
