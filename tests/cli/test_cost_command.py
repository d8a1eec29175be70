"""`cost`: what people declare counts at once, with and without a daemon, and never in the burn rate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta

import pytest
from install import Install, usage

from bot.control import RemoteError, ask
from costcompass_core.storage.lock import holding

SERVER = ("cost", "add", "Hetzner server", "4.51", "--currency", "eur", "--per", "month")


@pytest.fixture
def ready(install: Install) -> Install:
    """Ten days of one dollar each."""
    install.configure()
    install.keep()
    now = datetime.now(UTC)
    days = [now.date() - timedelta(days=age) for age in range(1, 11)]
    install.remember({day: [usage(day, "openai/gpt", "1")] for day in days}, at=now)
    return install


@pytest.fixture(params=["alone", "beside a daemon"])
def either(ready: Install, request) -> Iterator[Install]:
    with nullcontext() if request.param == "alone" else ready.daemon():
        yield ready


def today() -> date:
    """By the clock that the commands go by: a run of the suite may begin on the day before."""
    return datetime.now(UTC).date()


def good(install: Install, *words: str) -> str:
    done = install.run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(install: Install, *words: str):
    return json.loads(good(install, *words, "--json"))


def test_costs_are_added_listed_and_removed_by_number(either: Install):
    assert good(either, *SERVER, "--from", "2026-11-01") == (
        "added 1: Hetzner server, EUR 4.51 every month from 2026-11-01\n"
    )
    assert good(
        either, "cost", "add", "Seats", "0120.10", "--per", "year", "--from", "2026-01-01",
        "--until", "2026-12-31", "--provider", "Example Ltd",
    ) == (
        "added 2: Seats, USD 120.10 every year from 2026-01-01 until 2026-12-31,"
        " paid to Example Ltd\n"
    )  # fmt: skip
    assert good(either, "cost", "add", "Domain", "12.000000000000000000001", "--on", "2025-03-01")
    assert told(either, "cost", "list") == {
        "costs": [
            {
                "number": 3, "name": "Domain", "amount": "12.000000000000000000001",
                "currency": "USD", "per": "once", "from": "2025-03-01", "until": None,
                "provider": None,
            },
            {
                "number": 2, "name": "Seats", "amount": "120.10", "currency": "USD", "per": "year",
                "from": "2026-01-01", "until": "2026-12-31", "provider": "Example Ltd",
            },
            {
                "number": 1, "name": "Hetzner server", "amount": "4.51", "currency": "EUR",
                "per": "month", "from": "2026-11-01", "until": None, "provider": None,
            },
        ]
    }  # fmt: skip
    assert good(either, "cost", "remove", "2").startswith("removed 2: Seats, USD 120.10 every year")
    assert good(either, "cost", "list") == (
        "3: Domain, USD 12.000000000000000000001 on 2025-03-01\n"
        "1: Hetzner server, EUR 4.51 every month from 2026-11-01\n"
    )
    gone = either.run("cost", "remove", "2")
    assert (gone.returncode, gone.stdout, gone.stderr) == (
        2, "", "costcompass: there is no declared cost 2: see `costcompass cost list`\n"
    )  # fmt: skip


def test_a_one_off_is_spend_of_its_day_and_no_part_of_the_burn(either: Install):
    before = today() - timedelta(days=3)
    forecast = told(either, "forecast")
    assert forecast["next_month"]["burn_per_day_usd"] == "1"
    good(either, "cost", "add", "Domain", "12.50", "--on", str(before), "--provider", "Registrar")

    spend = told(either, "spend", str(before))
    assert spend["total_usd"] == "13.50"
    assert {row["name"]: row["cost_usd"] for row in spend["rows"]} == {
        "openai/gpt": "1",
        "Domain": "12.50",
    }
    [own] = [one for one in spend["providers"] if one["name"] == "declared"]
    assert (own["basis"], own["total_usd"]) == ("declared", "12.50")
    assert spend["missing_days"] == []
    assert told(either, "spend", str(before - timedelta(days=1)))["total_usd"] == "1"
    month = told(either, "spend", f"{before:%Y-%m}")
    assert month["subscriptions_usd"] == "0", "what comes once is told in the total, not beside it"
    burned = told(either, "forecast")
    for figure in ("burn_per_day_usd", "usage_usd", "subscriptions_usd", "total_usd"):
        assert burned["next_month"][figure] == forecast["next_month"][figure]

    good(either, "cost", "remove", "1")
    assert told(either, "spend", str(before))["total_usd"] == "1"


def test_a_recurring_cost_stands_beside_the_total(either: Install):
    month = f"{today():%Y-%m}"
    before = told(either, "spend", month)
    good(either, *SERVER)
    good(either, "cost", "add", "Seats", "20.10", "--per", "month")
    good(either, "cost", "add", "Plan", "24", "--per", "year", "--from", f"{month}-01")
    spend = told(either, "spend", month)
    assert spend["subscriptions_usd"] == "22.10", "in dollars; a yearly one counts a twelfth"
    assert spend["total_usd"] == before["total_usd"]
    assert "Hetzner server, 4.51 EUR a month" in good(either, "spend", month)
    assert told(either, "forecast")["next_month"]["subscriptions_usd"] == "22.10"
    good(either, "cost", "remove", "3")
    assert told(either, "spend", month)["subscriptions_usd"] == "20.10"


def test_a_day_that_is_not_over_says_when_it_counts(ready: Install):
    now, later = today(), today() + timedelta(days=40)
    for number, (on, day) in enumerate([((), now), (("--on", str(later)), later)], 1):
        done = ready.run("cost", "add", "Domain", "3", *on)
        assert done.returncode == 0
        assert done.stdout == f"added {number}: Domain, USD 3 on {day}\n"
        assert f"it counts in `spend` once {day} is over (UTC)" in done.stderr
    assert told(ready, "spend", "10d")["total_usd"] == "10"
    assert told(ready, "spend", "all")["total_usd"] == "10"
    over = str(now - timedelta(days=3))
    assert ready.run("cost", "add", "Domain", "3", "--on", over).stderr == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("Domain", "0"), "AMOUNT cannot be 0"),
        (("Domain", "0.00"), "AMOUNT cannot be 0"),
        (("Domain", "1,50"), "AMOUNT cannot be '1,50'"),
        (("Domain", "1e3"), "AMOUNT cannot be '1e3'"),
        (("Domain", "٣"), "AMOUNT cannot be '٣'"),
        (("Domain", "nan"), "AMOUNT cannot be 'nan'"),
        (("Domain", "1" + "0" * 18), "AMOUNT is out of range"),
        (("Domain", "--", "-4"), "AMOUNT cannot be '-4'"),
        ((" ", "4"), "NAME cannot be ''"),
        (("a\nb", "4"), "NAME cannot be 'a\\nb'"),
        (("x" * 101, "4"), "use 1 to 100 characters"),
        (("Domain", "4", "--currency", "€"), "--currency cannot be '€'"),
        (("Domain", "4", "--currency", "EURO"), "use three letters"),
        (("Domain", "4", "--provider", ""), "--provider cannot be ''"),
        (("Domain", "4", "--on", "20261101"), "--on cannot be '20261101'"),
        (("Domain", "4", "--on", "2026-02-30"), "--on cannot be '2026-02-30'"),
        (("Domain", "4", "--on", "0202-11-01"), "from 2000 to 2099"),
        (("Domain", "4", "--on", "2026-11-01", "--per", "month"), "exclude each other"),
        (("Domain", "4", "--from", "2026-11-01"), "--from and --until are for what recurs"),
        (("Domain", "4", "--until", "2026-11-01"), "--from and --until are for what recurs"),
        (("Domain", "4", "--per", "month", "--from", "soon"), "--from cannot be 'soon'"),
        (("Domain", "4", "--per", "month", "--until", "2020-01-01"), "before it begins"),
        (("Domain", "4", "--per", "week"), "'week' is not one of 'month', 'year'"),
        (("Domain",), "Missing argument 'AMOUNT'"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_cost_is_refused_in_one_line(install: Install, words, why):
    install.configure()
    done = install.run("cost", "add", *words)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert why in line
    assert not install.state.exists(), "nothing is made for what is refused"


def test_nothing_declared_says_so(install: Install):
    install.configure()
    assert good(install, "cost", "list").startswith("no cost is declared")
    assert told(install, "cost", "list") == {"costs": []}
    assert not install.state.exists(), "looking makes nothing"
    unknown = install.run("cost", "remove", "1")
    assert (unknown.returncode, unknown.stderr) == (
        2, "costcompass: there is no declared cost 1: see `costcompass cost list`\n"
    )  # fmt: skip


def test_a_holder_that_is_no_daemon_is_named(ready: Install):
    with holding(ready.state):
        done = ready.run("cost", "add", "Domain", "3")
    assert done.returncode == 75
    assert "holds" in done.stderr
    assert told(ready, "cost", "list") == {"costs": []}


def test_the_daemon_checks_what_it_is_asked_by_itself(ready: Install):
    with ready.daemon():
        for request in (
            {"do": "cost add"},
            {"do": "cost add", "name": "Domain", "amount": 4.5},
            {"do": "cost add", "name": "Domain", "amount": "4", "on": 20261101},
            {"do": "cost add", "name": "Domain", "amount": "4", "per": "week"},
            {"do": "cost remove"},
            {"do": "cost remove", "number": "1"},
        ):
            with pytest.raises(RemoteError) as refused:
                ask(ready.state, request)
            assert refused.value.exit_code == 2, request
    assert told(ready, "cost", "list") == {"costs": []}


def test_a_declared_cost_survives_a_restart_and_a_hostile_name_is_cleaned(ready: Install):
    with ready.daemon():
        good(ready, "cost", "add", "evil \u202egnp.exe", "3", "--on", str(date(2026, 1, 2)))
    with ready.daemon():
        assert good(ready, "cost", "list") == "1: evil gnp.exe, USD 3 on 2026-01-02\n"
