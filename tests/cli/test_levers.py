"""`forecast if` and `spend advice` on the command line: money as text, estimates marked, 80 columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from install import Install, usage

from costcompass_core.domain.catalogue import Listed
from costcompass_core.domain.money import Usd
from costcompass_core.storage.catalogue import store_list
from costcompass_core.storage.store import open_store

FIELDS = {"requests": 1000, "prompt_tokens": 1_000_000, "completion_tokens": 100_000}


@pytest.fixture
def stored(install: Install) -> Install:
    """Thirty days of short calls at $2 a day, and a price list with a model at a tenth of it."""
    install.configure()
    now = datetime.now(UTC)
    month = [now.date() - timedelta(days=age) for age in range(1, 31)]
    days = {day: [usage(day, "a/big", "2", cached_tokens=0, **FIELDS)] for day in month}
    install.remember(days, at=now, left={now: "90"})
    return install


def listed(name: str, prompt: str, completion: str) -> Listed:
    prices = {"prompt": Usd.of(prompt), "completion": Usd.of(completion)}
    return Listed(name, name, name, prices)


def add_list(install: Install) -> None:
    store = open_store(install.state)
    with store.writing() as tx:
        models = [listed("a/big", "0.000001", "0.00001"), listed("a/small", "1e-7", "1e-6")]
        store_list(tx, "openrouter", models, datetime.now(UTC))
    store.close()


def test_forecast_if_and_advice_to_the_digit_and_within_the_screen(stored: Install):
    before = stored.run("forecast", "if", "big", "->", "small")
    assert before.returncode == 2
    assert "costcompass refresh" in before.stderr
    add_list(stored)
    plain = json.loads(stored.run("forecast", "--json").stdout)["next_month"]
    found = json.loads(stored.run("forecast", "if big -> small 50%", "--json").stdout)
    now = Fraction(found["now_usd"])
    assert found["headline_usd"] == plain["total_usd"]
    assert now == Fraction(plain["days"])  # half of $2 a day
    assert Fraction(found["if"]["usd"]) == now / 10
    assert Fraction(found["if"]["total_usd"]) == Fraction(plain["total_usd"]) - now * 9 / 10
    assert found["if"]["estimate"] is True

    asked = ["big", "->", "small", "50%", "--json"]
    assert json.loads(stored.run("forecast", "if", *asked).stdout) == found
    unknown = stored.run("forecast", "--jsn")
    assert unknown.returncode == 2
    assert "--jsn" in unknown.stderr
    assert "OTHER" in stored.run("forecast", "if", "help").stdout

    advice = json.loads(stored.run("spend", "advice", "--json").stdout)
    [one] = advice["suggestions"]
    assert (one["kind"], one["other"], one["saving_usd_30_days"], one["estimate"]) == (
        "cheaper model", "a/small", "54", True,
    )  # fmt: skip
    for words in (["forecast", "if", "big", "to", "small"], ["spend", "advice"]):
        text = stored.run(*words).stdout
        assert "stimate" in text
        assert max(map(len, text.splitlines())) <= 80
