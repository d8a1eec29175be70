"""The daemon killed at many system calls around a crossing, and started once more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count, islice, zip_longest

import pytest
from harness import can_trace, kill, site, spread, tally

pytestmark = pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace")


@pytest.mark.timeout(3600)
def test_no_kill_loses_an_alert_and_none_doubles_it_twice(
    stories, provider, tmp_path, pytestconfig, capsys
):
    wanted = pytestconfig.getoption("--kill-points")
    serial = count()

    def outcome(which):
        crossing, point = which
        folder = tmp_path / str(next(serial))
        folder.mkdir()
        with site(folder, crossing, provider) as at:
            return kill(at, crossing, point)

    columns = [[(crossing, one) for one in spread(points)] for crossing, points in stories]
    waiting = filter(None, chain.from_iterable(zip_longest(*columns)))
    outcomes = []
    with ThreadPoolExecutor(2) as pool:
        while short := wanted - sum(one.reached for one in outcomes):
            batch = list(islice(waiting, short))
            assert batch, f"no {wanted} points that are reached: {tally(outcomes)}"
            outcomes += pool.map(outcome, batch)
    terminal = pytestconfig.pluginmanager.getplugin("terminalreporter")
    with capsys.disabled():
        terminal.write_line(f"\n{tally(outcomes)}")
    assert [one for one in outcomes if one.wrong] == []
    ends = {one.where for one in outcomes}
    assert len(ends - {""}) == 4 or wanted < 100, "killed in every phase"
