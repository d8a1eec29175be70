"""How money, counts, days and moments read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bot import words
from costcompass_core.domain.money import Usd


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.000000001", "<$0.01"),
        ("0.005", "<$0.01"),
        ("0.01", "$0.01"),
        ("1234.565", "$1,234.56"),
        ("1234.575", "$1,234.58"),
        ("-0.001", "-<$0.01"),
        ("-12.3", "-$12.30"),
        ("999999999999999999.99", "$999,999,999,999,999,999.99"),
    ],
)
def test_money(amount, text):
    assert words.usd(Usd.of(amount)) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [("0", "0.0%"), ("0.0005", "<0.1%"), ("0.001", "0.1%"), ("0.5026", "50.3%"),
     ("1", "100.0%"), ("-0.25", "-25.0%")],
)  # fmt: skip
def test_shares(share, text):
    assert words.percent(Decimal(share)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "–"), (0, "0"), (999, "999"), (1000, "1.0k"), (999_949, "999.9k"), (999_950, "1.0M"),
     (2 * 10**9, "2.0B"), (10**13, "10.0T"), (10**17, "100.0P"), (2**64, "18.4E")],
)  # fmt: skip
def test_counts(number, text):
    assert words.count(number) == text
    assert len(words.count(number)) <= 6


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=119), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=1200), "1,200 days ago"),
    ],
)
def test_ages(passed, text):
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert words.ago(now - passed, now) == text


def test_moments_are_told_in_the_configured_zone():
    berlin = ZoneInfo("Europe/Berlin")
    assert words.moment(datetime(2026, 11, 23, 9, tzinfo=UTC), berlin) == "23 Nov 10:00 CET"
    assert words.moment(datetime(2026, 7, 1, 22, tzinfo=UTC), berlin) == "2 Jul 00:00 CEST"


def test_days_are_told_as_runs_and_never_at_length():
    november = [date(2026, 11, day) for day in (3, 5, 6, 7, 20)]
    assert words.days(november) == "3 Nov, 5–7 Nov, 20 Nov"
    scattered = [date(2026, 1, 1) + timedelta(days=2 * n) for n in range(100)]
    assert words.days(scattered) == "1 Jan, 3 Jan, 5 Jan, 7 Jan and 96 other days"


def test_bars_and_sparklines():
    assert words.bar(Decimal(1), 4) == "████"
    assert words.bar(Decimal("0.5"), 4) == "██"
    assert words.bar(Decimal("1e-30"), 4) == "▏", "anything above zero shows"
    assert words.bar(Decimal(0), 4) == words.bar(Decimal(-3), 4) == ""
    assert words.bar(Decimal(9), 4) == "████"
    assert words.sparkline([Decimal(0), Decimal(7), Decimal(-1)]) == "▁█▁"
    assert words.sparkline([Decimal(0)] * 3) == "▁▁▁"
    assert words.sparkline([]) == ""
