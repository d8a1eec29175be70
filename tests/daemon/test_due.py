"""When an account is due: on time, backing off after failures, never silenced by a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.schedule import FIRST_RETRY, PERMANENT_RETRY, due, retry_after
from costcompass_core.storage.refreshes import Attempt

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERY = timedelta(minutes=5)
LONG_AGO = NOW - timedelta(days=3)


def attempt(ago: timedelta, failures: int = 0, *, permanent: bool = False) -> Attempt:
    return Attempt(NOW - ago, None, failures, "trouble" if failures else None, permanent)


def test_never_tried_is_due():
    assert due(None, EVERY, NOW, LONG_AGO)


def test_a_success_is_repeated_after_the_interval_also_across_a_restart():
    assert not due(attempt(EVERY - timedelta(seconds=1)), EVERY, NOW, LONG_AGO)
    assert not due(attempt(EVERY - timedelta(seconds=1)), EVERY, NOW, NOW)
    assert due(attempt(EVERY), EVERY, NOW, LONG_AGO)


@pytest.mark.parametrize(
    ("failures", "wait"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 300), (1000, 300)]
)
def test_failures_back_off_up_to_the_interval(failures, wait):
    pause = timedelta(seconds=wait)
    assert not due(attempt(pause - timedelta(seconds=1), failures), EVERY, NOW, LONG_AGO)
    assert due(attempt(pause, failures), EVERY, NOW, LONG_AGO)


def test_a_refusal_that_only_a_human_can_end_is_tried_hourly():
    assert not due(attempt(HOUR - timedelta(seconds=1), 1, permanent=True), EVERY, NOW, LONG_AGO)
    assert due(attempt(HOUR, 1, permanent=True), EVERY, NOW, LONG_AGO)
    assert not due(attempt(HOUR, 1, permanent=True), timedelta(days=1), NOW, LONG_AGO)


@pytest.mark.parametrize("permanent", [True, False])
def test_after_a_start_an_unlock_or_a_new_key_a_failure_is_tried_at_once(permanent):
    failed = attempt(timedelta(seconds=10), 5, permanent=permanent)
    assert due(failed, EVERY, NOW, NOW - timedelta(seconds=5))
    assert not due(failed, EVERY, NOW, NOW - timedelta(seconds=15))


@given(
    st.timedeltas(timedelta(seconds=1), timedelta(days=3650)),
    st.integers(1, 10**6),
    st.booleans(),
    st.timedeltas(-timedelta(days=4000), timedelta(days=4000)),
)
def test_no_history_and_no_clock_silences_an_account_for_good(every, failures, permanent, ago):
    tried = attempt(ago, failures, permanent=permanent)
    assert timedelta(0) < retry_after(tried, every) <= max(every, PERMANENT_RETRY)
    assert due(tried, every, NOW + abs(ago) + max(every, PERMANENT_RETRY), LONG_AGO)
    if ago < timedelta(0):
        assert due(tried, every, NOW, LONG_AGO), "a clock that was set back"


@given(st.timedeltas(FIRST_RETRY, timedelta(days=30)), st.integers(1, 60))
def test_the_wait_never_shrinks_with_more_failures(every, failures):
    now, later = (retry_after(attempt(HOUR, n), every) for n in (failures, failures + 1))
    assert now <= later <= every
