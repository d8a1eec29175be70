"""`spend`, `forecast` and `export` over stored data: JSON to the digit, text that fits, safe cells."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from install import Install, usage

from bot.terminal.paint import columns
from costcompass_core.domain.burn import History
from costcompass_core.domain.days import Month, each_day
from costcompass_core.domain.forecast import AccountBalance, runway
from costcompass_core.domain.money import Usd
from costcompass_core.domain.outlook import outlook_of

OCTOBER = list(each_day(date(2025, 10, 1), date(2025, 10, 31)))
READ_AT = datetime(2025, 11, 1, 9, 0, 2, tzinfo=UTC)
HOSTILE = (
    "evil\x1b[2J\x1b]0;title\x07\n\r\tname <!channel> <https://evil.example|here> *bold* `code`"
    " \u202egnp.exe\u2066 "
    + "字" * 300
)  # fmt: skip
SUBSCRIPTION = '[[subscription]]\nname = "Plus"\namount = 20.00\n'


def at(day: date, hour: int = 0, minute: int = 5) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


@pytest.fixture
def stored(install: Install) -> Install:
    """October 2025: two models, one of them free of counts, a balance at both edges, a gap."""
    install.configure(more=SUBSCRIPTION)
    days = {day: [] for day in OCTOBER}
    days[date(2025, 10, 3)] = [
        usage(date(2025, 10, 3), "anthropic/claude", "60.0000000001", host="Anthropic"),
        usage(date(2025, 10, 3), "=cmd|' /C calc'!A0", "-0.50", byok_cost=Decimal("1.25")),
    ]
    days[date(2025, 10, 4)] = [
        usage(date(2025, 10, 4), "anthropic/claude", "0.00000000000000000001", cached_tokens=7)
    ]
    install.remember(
        days,
        at=READ_AT,
        left={at(date(2025, 10, 1)): "900", at(date(2025, 11, 1)): "840"},
    )
    return install


def test_spend_json_is_the_contracts_shape_to_the_digit(stored: Install):
    done = stored.run("spend", "2025-10", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "period": {"label": "October 2025", "from": "2025-10-01", "to": "2025-10-31"},
        "total_usd": "59.50000000010000000001",
        "by": "model",
        "rows": [
            {
                "name": "anthropic/claude",
                "cost_usd": "60.00000000010000000001",
                "share": "1.0084",
                "requests": 4,
                "prompt_tokens": 2000,
                "completion_tokens": 200,
                "reasoning_tokens": 0,
                "cached_tokens": None,
                "byok_usd": "0",
            },
            {
                "name": "=cmd|' /C calc'!A0",
                "cost_usd": "-0.50",
                "share": "-0.0084",
                "requests": 2,
                "prompt_tokens": 1000,
                "completion_tokens": 100,
                "reasoning_tokens": 0,
                "cached_tokens": None,
                "byok_usd": "1.25",
            },
        ],
        "subscriptions_usd": "20.00",
        "byok_usd": "1.25",
        "unattributed_usd": "0.49999999989999999999",
        "missing_days": [],
        "data_through": "2025-10-31",
        "refreshed_at": "2025-11-01T09:00:02Z",
    }


def test_words_in_any_order_and_case_and_what_is_not_known(stored: Install):
    done = stored.run("spend", "CLAUDE", "By", "HOST", "2025-09-30..2025-10-03", "--json")
    told = json.loads(done.stdout)
    assert [row["name"] for row in told["rows"]] == ["Anthropic"]
    assert told["total_usd"] == "60.0000000001"
    assert told["missing_days"] == ["2025-09-30"]
    assert told["unattributed_usd"] is None
    assert told["subscriptions_usd"] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("yesterdya",), "did you mean `yesterday`?"),
        (("by", "modle"), "did you mean `by model`?"),
        (("7d", "30d"), "more than one period"),
        (("x" * 5000,), "too long"),
        (("2025-13",), "is not a month"),
    ],
)
def test_words_that_make_no_sense(stored: Install, words, told):
    done = stored.run("spend", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_forecast_takes_no_words(stored: Install):
    done = stored.run("forecast", "tomorrow")
    assert done.returncode == 2
    assert "costcompass: `forecast` knows no `tomorrow`: use it alone" in done.stderr


def test_forecast_json_is_the_plain_rule_exactly(install: Install):
    install.configure(more=SUBSCRIPTION)
    now = datetime.now(UTC)
    today = now.date()
    week = [today - timedelta(days=ago) for ago in range(7, 0, -1)]
    days = {day: [usage(day, "a/model", "1.03")] for day in week} | {week[3]: []}
    install.remember(days, at=now, left={now: "41.37"})
    told = json.loads(install.run("forecast", "--json").stdout)
    following = Month.of(datetime.now(UTC).date()).next
    days_in_month = told["next_month"]["days"]
    exact = Decimal("6.18") * days_in_month / 7
    assert told["next_month"] == {
        "month": following.text(),
        "days": following.days,
        "burn_from": str(week[0]),
        "burn_to": str(week[-1]),
        "burn_days": 7,
        "burn_per_day_usd": "0.882857142857",
        "usage_usd": f"{exact:.12f}" if exact % Decimal("0.01") else f"{exact:.2f}",
        "subscriptions_usd": "20.00",
        "total_usd": told["next_month"]["total_usd"],
    }
    usage_, total = (Decimal(told["next_month"][key]) for key in ("usage_usd", "total_usd"))
    assert total == usage_ + 20
    assert told["this_month"].keys() == {"month", "so_far_usd", "total_usd", "low_usd", "high_usd"}
    assert (told["this_month"]["low_usd"], told["this_month"]["high_usd"]) == (None, None)
    read_at = f"{now:%Y-%m-%dT%H:%M:%S}Z"
    balance = {"account": "main", "usd": "41.37"}
    assert told["balance"] == {"usd": "41.37", "at": read_at, "accounts": [balance]}
    spent = {day: Usd.of("1.03") for day in week} | {week[3]: Usd.of(0)}
    reading = AccountBalance("main", Usd.of("41.37"), now.replace(microsecond=0))
    lasts = runway(reading, outlook_of(History(spent, week[0])))
    assert told["runway"] == {
        "days": str(lasts.days),
        "empty_on": str(lasts.empty_on),
        "low_days": None,
        "high_days": None,
        "account": "main",
    }
    assert told["data_through"] == str(week[-1])
    assert told.keys() == {"next_month", "this_month", "balance", "runway", "data_through"}


def test_why_is_told_as_text_and_as_json(stored: Install):
    done = stored.run("spend", "2025-10-04", "why", "claude")
    assert done.stdout.startswith("Down $60.00 on models matching claude: $60.00 because")
    assert max(map(columns, done.stdout.splitlines())) <= 80
    told = json.loads(stored.run("spend", "why", "2025-10-04", "--json").stdout)
    assert told["before"] == {"from": "2025-10-03", "to": "2025-10-03"}
    assert told["change_usd"] == "-59.50000000009999999999"
    assert [one["name"] for one in told["models"]] == ["anthropic/claude", "=cmd|' /C calc'!A0"]
    wrong = stored.run("spend", "why", "all")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)


def test_text_says_the_number_first_and_fits_80_columns_without_escapes(stored: Install):
    spend = stored.run("spend", "2025-10")
    headline = spend.stdout.splitlines()[0]
    assert headline == "October 2025: $59.50 spent, most on anthropic/claude (100.8%)."
    forecast = stored.run("forecast")
    assert re.match(r"\w+ \d{4} will cost about \$", forecast.stdout)
    for text in (spend.stdout, forecast.stdout, stored.run("spend", "2025-10", "by", "day").stdout):
        assert max(map(columns, text.splitlines())) <= 80
        assert "\x1b" not in text


def test_colours_on_a_terminal_unless_they_are_not_wanted(stored: Install):
    with stored.terminal("spend", "2025-10") as screen:
        assert screen.finish() == 0
        assert "\x1b[1m" in screen.screen
        assert "█" in screen.screen
    with stored.terminal("spend", "2025-10", environ={"NO_COLOR": "1"}) as screen:
        assert screen.finish() == 0
        assert "\x1b" not in screen.screen


def test_hostile_names_change_neither_the_terminal_nor_the_layout(install: Install):
    install.configure()
    day = date(2025, 10, 3)
    wide = "字" * 80
    rows = [
        usage(day, HOSTILE, "1234567890.12", host=wide, prompt_tokens=2**62, requests=2**62),
        usage(day, wide, "1"),
        usage(day, "\x1b\x07\u202e", "1"),
        usage(day, "a" * 300, "0.005"),
    ]
    install.remember({day: rows}, at=READ_AT)
    for words in (
        ("spend", str(day)),
        ("spend", str(day), "by", "host"),
        ("spend", str(day), "字"),
    ):
        text = install.run(*words).stdout
        assert re.search(r"[^\n\x20-\U0010ffff]|\x7f|[\u202a-\u202e\u2066-\u2069]", text) is None
        assert max(map(columns, text.splitlines())) <= 80, text
    assert "(no name)" in install.run("spend", str(day)).stdout
    assert "<$0.01" in install.run("spend", str(day)).stdout
    told = json.loads(install.run("spend", str(day), "--json").stdout)
    assert told["rows"][0]["name"] == HOSTILE, "JSON is for programs and stays as reported"


def test_nothing_stored_yet(install: Install):
    install.configure()
    for command in (("spend",), ("forecast",), ("export", "--format", "csv")):
        done = install.run(*command)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr == (
            f"costcompass: nothing has been read yet into {install.state}: run `costcompass"
            " refresh`, or start the daemon with `costcompass run`\n"
        )


@pytest.mark.parametrize("content", [b"", b"no database at all " * 500])
def test_a_broken_database_is_refused_and_left_alone(stored: Install, content):
    database = stored.state / "costcompass.db"
    database.write_bytes(content)
    done = stored.run("spend")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert str(database) in line
    assert "restore a backup" in line
    assert database.read_bytes() == content


def test_export_csv_is_verbatim_and_runs_nothing_in_a_spreadsheet(stored: Install):
    done = stored.run("export", "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == [
        "day", "account", "provider", "model", "permaslug", "endpoint_id", "host", "requests",
        "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "usage_usd",
        "byok_usd", "amount", "currency", "basis", "final", "once", "raw_amount", "quantity", "unit",
        "cache_write_tokens", "source",
    ]  # fmt: skip
    told = {(row["day"], row["usage_usd"]): row for row in rows}
    assert told.keys() == {
        ("2025-10-03", "60.0000000001"),
        ("2025-10-03", "-0.50"),
        ("2025-10-04", "0.00000000000000000001"),
    }
    for row in rows:
        assert (row["amount"], row["raw_amount"]) == (row["usage_usd"], row["usage_usd"])
        assert [row[name] for name in ("currency", "basis", "final", "once", "source")] == [
            "USD", "reported", "1", "0", "activity"]  # fmt: skip
    formula = told["2025-10-03", "-0.50"]
    assert formula["model"] == "'=cmd|' /C calc'!A0"
    assert formula["cached_tokens"] == "", "not reported is not zero"
    assert told["2025-10-04", "0.00000000000000000001"]["cached_tokens"] == "7"


def test_a_pipe_that_closes_is_quiet(stored: Install):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stdout:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "bot", "export", "--format", "csv"],
            env=stored.environ,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.returncode == 1


def test_export_jsonl_between_days_into_a_file(stored: Install):
    out = stored.folder / "out.jsonl"
    words = ("--format", "jsonl", "--from", "2025-10-04", "--to", "2025-10-31", "--out", str(out))
    done = stored.run("export", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    [row] = map(json.loads, out.read_text().splitlines())
    assert row["usage_usd"] == "0.00000000000000000001"
    assert row["byok_usd"] == "0"
    assert row["reasoning_tokens"] == 0
    assert stored.run("export", "--format", "jsonl", "--to", "2025-10-02").stdout == ""

    backwards = stored.run(
        "export", "--format", "csv", "--from", "2025-10-04", "--to", "2025-10-03"
    )
    assert backwards.returncode == 2
    nowhere = stored.run("export", "--format", "csv", "--out", str(stored.folder / "no" / "x.csv"))
    assert nowhere.returncode == 1
    assert "cannot be written (No such file or directory): check --out" in nowhere.stderr
    assert sorted(path.name for path in stored.folder.iterdir()) == [
        "config.toml",
        "out.jsonl",
        "passphrase",
        "state",
    ]
