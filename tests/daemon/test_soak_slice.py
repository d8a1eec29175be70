"""A day of the soak: `./run bench soak` is the whole of it, with days, faults and providers to choose."""

from __future__ import annotations

from datetime import timedelta

from benchmarks.soak.command import lived
from benchmarks.soak.soak import Plan

SLICE = Plan(
    days=1, seed=27, step=timedelta(minutes=2), providers=("anthropic", "deepseek"), patient=False
)


def test_a_day_of_outages_kills_and_a_full_disk_loses_nothing_doubles_nothing_and_leaks_nothing():
    figures, text, found = lived(SLICE)
    assert [one for one in found if one.wrong] == [], text
    happened = figures["happened"]
    assert {"daemon killed", "daemon restarted", "disk full", "key replaced"} <= set(happened), text
    assert figures["letters"]["made"] > 10, text
