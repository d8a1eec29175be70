"""The measures that judge the forecast, and the series that they are taken on."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import date
from decimal import Decimal
from statistics import fmean, stdev

import pytest
from install import ROOT

from benchmarks.daily import OWN, daily_series
from benchmarks.judging import bootstrap, days_until, interval_score, wape_ratio
from benchmarks.llm_series import llm_series
from benchmarks.origins import origins


def test_forecasting_loads_nothing_but_the_standard_library():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import costcompass_core.domain.forecast, costcompass_core.domain.outlook\n"
        "print({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names"
        " - {'__main__'})"
    )
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'costcompass_core'}"


def test_the_made_up_series_look_like_real_spend():
    made = llm_series()
    costs = [[float(cost) for _, cost in one] for one in made.values()]
    assert len(made) == 16
    assert {len(one) for one in costs} >= {71, 271}
    assert 0.29 <= fmean(one.count(0.0) / len(one) for one in costs) <= 0.44
    assert 1.4 <= fmean(stdev(one) / fmean(one) for one in costs) <= 2.7
    assert made == llm_series(0) != llm_series(1)


def test_wape_is_the_geometric_mean_of_each_series_own():
    one, two, four = Decimal(1), Decimal(2), Decimal(4)
    judged = [("a", one, four, two), ("a", four, two, four + four), ("b", one, one + one, four)]
    ours, theirs = wape_ratio(judged)
    assert ours == pytest.approx(math.sqrt(5 / 10 * 3 / 4))
    assert theirs == pytest.approx(math.sqrt(8 / 10 * 2 / 4))


def test_a_miss_costs_ten_times_its_size():
    assert interval_score(2, 5, 4) == 3
    assert interval_score(2, 5, 1) == interval_score(2, 5, 6) == 13


def test_a_balance_ends_within_the_day_that_uses_it_up():
    costs = [Decimal(cost) for cost in (4, 0, 8)]
    assert days_until(Decimal(4), costs) == 1
    assert days_until(Decimal(6), costs) == 2.25
    assert days_until(Decimal(13), costs) is None


def test_a_bootstrap_of_equal_days_has_no_width():
    assert bootstrap([Decimal(3)] * 28, 30, 1) == (90, 90)


def test_one_s_own_series_are_judged_instead(tmp_path, monkeypatch):
    (tmp_path / "ours.csv").write_text("date,value\n2026-01-01,1.50\n2026-02-20,2\n")
    monkeypatch.setenv(OWN, str(tmp_path))
    (series,) = daily_series()["llm"].values()
    assert len(series) == 51
    assert series[:2] == [(date(2026, 1, 1), Decimal("1.50")), (date(2026, 1, 2), Decimal(0))]
    asked = origins({"llm": {"ours": series}})
    # The later ones look back on nothing but zeros.
    assert [(len(one.past), len(one.future)) for one in asked] == [(14, 37)]


@pytest.mark.parametrize("text", ["day,value\n2026-01-01,1\n", "date,value\n2026-01-01,much\n"])
def test_a_file_of_another_form_is_named_with_the_mend(tmp_path, monkeypatch, text):
    (tmp_path / "bad.csv").write_text(text)
    monkeypatch.setenv(OWN, str(tmp_path))
    with pytest.raises(SystemExit, match=r"bad\.csv: needs the columns date"):
        daily_series()
