"""xAI's spend and credits, from bytes to money: dollars as numbers here, negative cents there."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from scripted_server import says

from bot.sandbox import faults
from bot.sandbox.xai import XAI
from costcompass_core.domain.errors import KeyRejected, Unavailable, UnreadableAnswer, WrongKeyType
from costcompass_core.domain.money import Usd
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.base import KeyType
from costcompass_core.providers.http import Http
from costcompass_core.providers.xai import PROVIDER

TODAY = date(2026, 11, 23)
DAY, NEXT = date(2026, 11, 21), date(2026, 11, 22)
BELOW = f"/billing/teams/{XAI.TEAM}"


@pytest.fixture
def standin(now):
    with XAI(now) as running:
        yield running


@pytest.fixture
def dial(waits):
    clients = []

    def start(url, key=XAI.RIGHT, team=XAI.TEAM):
        headers, options = PROVIDER.authorize(Secret(key)), {"team": team}
        clients.append(Http(url, headers, wait=waits, refusals=PROVIDER.refusals, options=options))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def point(amount, stamp="2026-11-21T00:00:00Z"):
    return {"timestamp": stamp, "values": [amount]}


def series(*points, reached=False):
    return {"timeSeries": [{"dataPoints": points}], "limitReached": reached}


def read(serve, dial, *bodies, days=(DAY, NEXT)):
    return PROVIDER.read_activity(dial(serve(*map(says, bodies)).url), days, TODAY).days


def test_a_day_is_one_row_in_dollars_and_a_free_one_has_none(serve, dial):
    days = read(serve, dial, series(point(0.75973725), point(0, "2026-11-22T00:00:00Z")))
    [row] = days[DAY]
    assert (row.cost, row.raw, row.currency) == (Decimal("0.75973725"), None, "USD")
    assert (row.model, row.permaslug, row.endpoint, row.host) == (
        *("xAI API",) * 2,
        "usage",
        "xAI API",
    )
    assert (row.requests, row.once) == (None, False)
    assert days[NEXT] == ()
    [tiny] = read(serve, dial, series(point(1.5e-7)))[DAY]
    assert (tiny.cost, tiny.raw) == (Decimal("0.00000015"), "1.5e-07")


def test_the_window_takes_one_question_and_every_day_is_answered(standin, dial):
    for ago in range(1, 91, 7):
        standin.spend(TODAY - timedelta(days=ago), "12.345678901")
    days = PROVIDER.read_activity(dial(standin.base_url), None, TODAY).days
    assert list(days) == [TODAY - timedelta(days=ago) for ago in range(90, 0, -1)]
    assert {day: sum(u.cost for u in rows) for day, rows in days.items() if rows} == standin.spent
    [asked] = standin.requests
    assert (asked.method, asked.path) == ("POST", f"{BELOW}/usage")
    assert json.loads(asked.body)["analyticsRequest"]["timeRange"] == {
        "startTime": "2026-08-25 00:00:00",
        "endTime": "2026-11-22 23:59:59",
        "timezone": "Etc/GMT",
    }


@pytest.mark.parametrize(
    ("cents", "left"),
    [("-1000", "10"), ("250", "-2.5"), ("0", "0"), ("-12345", "123.45"),
     ("-123456789012345678.0123456789012345678", "1234567890123456.780123456789012345678")],
)  # fmt: skip
def test_credit_is_cents_below_zero(serve, dial, cents, left):
    balance = PROVIDER.read_balance(dial(serve(says({"total": {"val": cents}})).url))
    assert balance.left == Usd.of(left)
    assert (balance.purchased, balance.used) == (None, None)


def test_what_was_spent_is_no_longer_there(standin, dial):
    standin.spend(DAY, "123.45")
    assert PROVIDER.read_balance(dial(standin.base_url)).left == Usd.of("376.55")


def test_a_team_that_is_billed_afterwards_has_no_balance_and_is_read_all_the_same(standin, dial):
    standin.faults.add(f"{BELOW}/prepaid", faults.status(404, "no prepaid credits"), times=None)
    standin.spend(DAY, "1.25")
    client = dial(standin.base_url)
    assert PROVIDER.identify(client) is KeyType.MANAGEMENT
    assert PROVIDER.read_balance(client) is None
    [row] = PROVIDER.read_activity(client, [DAY], TODAY).days[DAY]
    assert row.cost == Decimal("1.25")


@pytest.mark.parametrize(
    "body", [{}, [], {"total": None}, {"total": {}}, *({"total": {"val": v}} for v in ("NaN", "$1", None, True))]
)  # fmt: skip
def test_an_odd_balance_is_refused(serve, dial, body):
    with pytest.raises(UnreadableAnswer, match="xAI's prepaid/balance"):
        PROVIDER.read_balance(dial(serve(says(body)).url))


ODD = [
    (series(point(1), reached=True), "is not the whole of it (limitReached)"),
    ({"timeSeries": []}, "is not the whole of it (limitReached)"),
    (series(point(1), reached="false"), "is not the whole of it (limitReached)"),
    (series() | {"timeSeries": None}, "timeSeries is no list"),
    (series() | {"timeSeries": [7]}, "a line 1 that is no object"),
    (series() | {"timeSeries": [{}]}, "dataPoints is no list"),
    (series(point(1), point(2)), "has 2026-11-21 twice"),
    (series(point(1, "2026-11-20T00:00:00Z")), "2026-11-20, which was not asked for"),
    *[(series(point(1), point(2, bad)), "line 2: timestamp is no midnight")
      for bad in (None, [], "2026-11-22", "2026-11-22T08:00:00Z", "2026-11-22T00:00:00+09:00")],
    *[(series(point(bad)), "line 1: values is") for bad in (None, True, "NaN", 1e30, [])],
    (series({"timestamp": "2026-11-21T00:00:00Z", "values": [1, 2]}), "values is not one number"),
    (series({"timestamp": "2026-11-21T00:00:00Z"}), "values is not one number"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "words"), ODD)
def test_an_odd_answer_is_refused_and_the_spot_named(serve, dial, body, words):
    with pytest.raises(UnreadableAnswer, match="xAI's usage") as caught:
        read(serve, dial, body)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "prefix", ["sk-or-v1-", "sk-ant-api03-", "sk-admin-", "AIza", "gsk_", "xai-"]
)
def test_a_key_that_cannot_do_is_refused_before_any_call(prefix):
    with pytest.raises(WrongKeyType, match=r"Management key at https://console\.x\.ai"):
        PROVIDER.check_form(Secret(prefix + "a1" * 20))
    assert PROVIDER.check_form(Secret(XAI.RIGHT))


def test_only_a_management_key_of_the_team_reads_spend(standin, dial):
    assert PROVIDER.identify(dial(standin.base_url)) is KeyType.MANAGEMENT
    with pytest.raises(WrongKeyType, match="a management key is needed"):
        PROVIDER.identify(dial(standin.base_url, str(XAI.WRONG)))
    with pytest.raises(KeyRejected, match="invalid credentials") as caught:
        PROVIDER.identify(dial(standin.base_url, "mgmt-unknown-0123456789"))
    assert type(caught.value) is KeyRejected
    other = dial(standin.base_url, team="other")
    with pytest.raises(Unavailable, match=r"check `team`.*not known there"):
        PROVIDER.identify(other)
    with pytest.raises(Unavailable, match=r"check `team`.*not known there"):
        PROVIDER.read_activity(other, (DAY,), TODAY)


@pytest.mark.parametrize("text", ["", "a/b", "..", "a?b=c", "a%2fb", "a b", "a\n", "é", "a" * 101])
def test_nothing_else_fits_where_a_team_goes(text):
    [team] = PROVIDER.options
    assert team.required
    assert re.fullmatch(team.pattern, team.example)
    assert not re.fullmatch(team.pattern, text)


@pytest.mark.parametrize(
    "fault", [faults.html(), faults.truncated, faults.status(500), faults.html(200)]
)
def test_trouble_is_unavailable_after_some_tries(standin, dial, waits, fault):
    standin.faults.add(f"{BELOW}/usage", faults.rate_limited("7"), times=1)
    standin.faults.add(f"{BELOW}/usage", fault, times=None)
    with pytest.raises(Unavailable) as caught:
        PROVIDER.read_activity(dial(standin.base_url), (DAY,), TODAY)
    assert waits.asked[0] == 7
    assert "team" not in caught.value.mend
