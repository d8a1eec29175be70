"""`digest`: shown for any day, sent nowhere, one stable JSON shape."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from install import Install, usage

from bot.terminal.paint import columns
from costcompass_core.domain.days import each_day

READ_AT = datetime(2025, 11, 22, 7, 30, tzinfo=UTC)
SUBSCRIPTION = '[[subscription]]\nname = "Plus"\namount = 20.00\n'


@pytest.fixture
def stored(install: Install) -> Install:
    """A dollar a day on one model in October and November 2025, two more on the 21st."""
    install.configure(more=SUBSCRIPTION)
    days = {
        day: [usage(day, "a/model", "1.00")]
        for day in each_day(date(2025, 10, 1), date(2025, 11, 21))
    }
    days[date(2025, 11, 21)].append(usage(date(2025, 11, 21), "new/`model`", "2.0000000001"))
    install.remember(days, at=READ_AT, left={READ_AT: "41.37"})
    return install


def test_the_json_shape_is_stable_and_exact(stored: Install):
    done = stored.run("digest", "--date", "2025-11-22", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "date": "2025-11-22",
        "at": "2025-11-22T08:00:00Z",
        "yesterday": {"day": "2025-11-21", "usd": "3.0000000001"},
        "month": {"month": "2025-11", "so_far_usd": "23.0000000001", "through": "2025-11-21"},
        "today": None,
        "pace": {"month": "2025-10", "usd": "21.00", "change": "0.0952"},
        "forecast": {
            "next_month": {"month": "2025-12", "total_usd": "59.857142857586"},
            "this_month": {"month": "2025-11", "total_usd": "33.627571685052"},
        },
        "balance": {
            "usd": "41.37",
            "at": "2025-11-22T07:30:00Z",
            "accounts": [{"account": "main", "usd": "41.37"}],
        },
        "runway": {
            "days": "34.8",
            "empty_on": "2025-12-27",
            "low_days": "13.8",
            "high_days": "44.7",
            "account": "main",
        },
        "movers": [
            {
                "name": "new/`model`",
                "usd": "2.0000000001",
                "usual_usd": "0",
                "change_usd": "2.0000000001",
                "new": True,
            }
        ],
        "incidents": [],
        "restated": [],
        "missing_days": [],
        "data_through": "2025-11-21",
        "refreshed_at": "2025-11-22T07:30:00Z",
        "last_month": None,
        "prices": [],
    }


def test_the_first_of_a_month_has_a_last_month(stored: Install):
    told = json.loads(stored.run("digest", "--date", "2025-11-01", "--json").stdout)
    assert told["month"] == {"month": "2025-11", "so_far_usd": "0", "through": None}
    assert told["last_month"] == {
        "month": "2025-10", "usd": "31.00", "before_usd": None, "change": None,
    }  # fmt: skip


def test_the_text_leads_with_the_numbers_and_fits_80_columns(stored: Install):
    text = stored.run("digest", "--date", "2025-11-22").stdout
    assert text.startswith(
        "$3.00 yesterday, $23.00 this month, balance $41.37 for about 34.8 days.\n"
    )
    assert "  yesterday            $3.00  21 Nov (UTC), usually $1.00 a day\n" in text
    assert "  this month          $23.00  9.5% above October's pace ($21.00 by 21 Oct)\n" in text
    assert "  runway           34.8 days  as expected, empty on 27 Dec 2025 (UTC)\n" in text
    assert "  new/`model`                          +$2.00  $2.00, new\n" in text
    assert "Digest of 22 Nov 2025, as of 09:00 CET." in text
    assert max(map(columns, text.splitlines())) <= 80


def test_what_is_not_known_is_said(stored: Install):
    text = stored.run("digest", "--date", "2025-11-24").stdout
    first = "Data not up to date: 23 Nov not known yet, at least $23.00 this month,"
    assert text.startswith(first)
    assert "Not included, never read: 22–23 Nov (2 days)." in text
    assert "Account main is only known through 21 Nov." in text
    before = stored.run("digest", "--date", "2020-01-01").stdout
    assert "openrouter activity through" not in before
    assert "Account main has not been read yet." in before


def test_a_day_to_come_and_a_day_without_anything(install: Install):
    install.configure()
    now = datetime.now(UTC)
    week = [now.date() - timedelta(days=age) for age in range(1, 41)]
    install.remember({day: [] for day in week}, at=now)
    ahead = install.run("digest", "--date", str(now.date() + timedelta(days=3)))
    assert ahead.returncode == 2
    assert "is yet to come: use --date" in ahead.stderr
    wrong = install.run("digest", "--date", "tomorrow")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
    assert "`tomorrow` is not a day: write it like 2026-10-03" in wrong.stderr
    nothing = install.run("digest")
    assert nothing.returncode == 0
    assert nothing.stdout.startswith("No digest of ")
    assert len(nothing.stdout.splitlines()) == 1
