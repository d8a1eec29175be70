"""Bounded labels, counters from many threads, durations in their buckets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.health.costs import MOST_MODELS, bounded
from bot.health.gauge import histogram
from bot.meters import OTHERS, Meters
from costcompass_core.domain.money import exact_sum
from costcompass_core.usecases.measures import PartCost

names = st.sampled_from(["other", "a\x00b", "ab", "a/b", *(f"m{n}" for n in range(60))])
costs = st.decimals(-10, 1000, places=12)
parts = st.builds(
    PartCost, st.sampled_from(["x", "y"]), names, st.sampled_from(["USD", "CNY"]), costs
)


@given(st.lists(parts, max_size=150))
def test_however_many_models_there_are_the_sum_is_exact_and_the_series_are_few(
    given_parts: list[PartCost],
):
    shown = list(bounded(given_parts, [("x", "USD"), ("idle", "USD")]))
    keys = [one[:3] for one in shown]
    assert len(set(keys)) == len(keys)
    for account, currency in {("x", "USD"), ("idle", "USD"), *((p[0], p[2]) for p in given_parts)}:
        mine = [one for one in shown if (one.account, one.currency) == (account, currency)]
        assert len(mine) <= MOST_MODELS + 1
        assert [one.model for one in mine].count("other") == 1
        assert exact_sum(one.cost for one in mine) == exact_sum(
            one.cost for one in given_parts if (one.account, one.currency) == (account, currency)
        )


def test_the_dearest_models_keep_their_names():
    given_parts = [PartCost("x", f"m{n:02d}", "USD", Decimal(n)) for n in range(30)]
    shown = [one.model for one in bounded(given_parts)]
    assert shown == [f"m{n}" for n in range(29, 9, -1)] + ["other"]


def test_threads_lose_no_count():
    meters = Meters()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(2000):
            pool.submit(meters.acknowledged, "/spend", 0.02)
            pool.submit(meters.refreshing("main", "openrouter"), "ok")
    reading = meters.read()
    assert reading.refreshes == {("main", "ok"): 2000}
    assert sum(reading.acknowledgements["/spend"].counts) == 2000


def test_a_duration_falls_into_the_first_bucket_that_holds_it():
    meters = Meters()
    for seconds in (0.001, 0.01, 0.011, 7.0):
        meters.acknowledged("press", seconds)
    samples = histogram("h", "", "kind", meters.read().acknowledgements).samples
    buckets = {one.labels["le"]: one.value for one in samples if "le" in one.labels}
    assert (buckets["0.01"], buckets["0.025"], buckets["3.0"], buckets["+Inf"]) == (2, 3, 3, 4)
    assert round(next(one.value for one in samples if one.name.endswith("_sum")), 6) == 7.022


def test_unknown_kinds_do_not_multiply_series():
    meters = Meters()
    for n in range(1000):
        meters.acknowledged(f"/made-up-{n}", 0.1)
    found = meters.read().acknowledgements
    assert len(found) == 21
    assert sum(found[OTHERS].counts) == 980


def test_a_refresh_takes_as_long_as_its_clock_says():
    clock = iter([10.0, 13.5])
    meters = Meters(lambda: next(clock))
    meters.refreshing("main", "openrouter")("unavailable")
    assert meters.read().refresh_durations["openrouter"].seconds == 3.5
