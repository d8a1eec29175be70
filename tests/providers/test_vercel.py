"""Vercel's charges, from lines of JSON to rows: what the invoice says, and no day too many."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from scripted_server import says

from bot.sandbox import faults
from bot.sandbox.vercel import Vercel
from costcompass_core.domain.errors import KeyRejected, Unavailable, UnreadableAnswer, WrongKeyType
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.http import Http
from costcompass_core.providers.vercel import PROVIDER

TODAY = date(2026, 11, 23)
DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
CHARGES = "/billing/charges"
TEAM = {"team": Vercel.TEAM}


@pytest.fixture
def standin(now):
    with Vercel(now) as running:
        yield running


@pytest.fixture
def dial(waits):
    clients = []

    def start(url, key=Vercel.RIGHT, options=TEAM):
        headers = PROVIDER.authorize(Secret(key))
        clients.append(Http(url, headers, wait=waits, refusals=PROVIDER.refusals, options=options))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def charge(cost, **more):
    return {
        "BilledCost": cost,
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": "2026-11-20T00:00:00.000Z",
        "ChargePeriodEnd": "2026-11-21T00:00:00.000Z",
        "ConsumedQuantity": 12.5,
        "ConsumedUnit": "GB-Hours",
        "EffectiveCost": 99,
        "ServiceName": "Vercel Functions",
        "Tags": {"ProjectId": "prj_1", "ProjectName": "site"},
    } | more


def read(serve, dial, *charges, days=(DAY,)):
    body = "\n".join(map(json.dumps, charges)).encode()
    return PROVIDER.read_activity(dial(serve(says(body)).url), days, TODAY).days


def test_a_row_is_what_the_invoice_says(serve, dial):
    nothing = {"ConsumedQuantity": None, "ConsumedUnit": None, "Tags": {}}
    seats = nothing | {"ChargeCategory": "Purchase", "ServiceName": "Pro plan"}
    yearly = {"ChargePeriodEnd": "2027-11-20T00:00:00Z", "ChargeCategory": "Tax", "Tags": None}
    [one, plan, credit, tax] = read(
        serve,
        dial,
        charge(0.4213),
        charge(20, **seats),
        charge(1e-7),
        charge("-5.50", ChargeCategory="Credit", BillingCurrency="eur"),
        charge(1.9, **yearly),
    )[DAY]
    assert (one.cost, one.raw) == (Decimal("0.4213001"), "0.4213+1e-07")
    assert (one.model, one.permaslug, one.host) == ("Vercel Functions",) * 3
    assert (one.endpoint, one.quantity, one.unit) == ("Usage, site", Decimal("25.0"), "GB-Hours")
    assert (plan.cost, plan.endpoint, plan.quantity, plan.unit) == (20, "Purchase", None, "")
    assert (credit.cost, credit.endpoint, credit.currency) == (
        Decimal("-5.50"),
        "Credit, site",
        "EUR",
    )
    assert (tax.day, tax.cost, tax.endpoint) == (DAY, Decimal("1.9"), "Tax")
    assert [row.once for row in (one, plan, credit, tax)] == [False, True, True, True]
    assert {row.prompt_tokens for row in (one, plan, credit, tax)} == {None}


def test_the_window_takes_one_call_and_every_day_is_answered(standin, dial):
    for ago in range(1, 91, 7):
        standin.spend(TODAY - timedelta(days=ago), "12.345678901")
    days = PROVIDER.read_activity(dial(standin.base_url), None, TODAY).days
    assert list(days) == [TODAY - timedelta(days=ago) for ago in range(90, 0, -1)]
    assert {day: sum(u.cost for u in rows) for day, rows in days.items() if rows} == standin.spent
    [asked] = standin.requests
    assert dict(asked.params) == {
        "from": "2026-08-25T00:00:00.000Z",
        "to": "2026-11-23T00:00:00.000Z",  # not included
        "teamId": Vercel.TEAM,
    }


def test_days_apart_are_asked_apart_and_without_a_team_none_is_named(standin, dial):
    standin.spend(NEXT, "1")
    days = PROVIDER.read_activity(
        dial(standin.base_url, options={}), [NEXT, DAY, TODAY - timedelta(9)], TODAY
    ).days
    assert {day: len(rows) for day, rows in days.items()} == {
        date(2026, 11, 14): 0,
        DAY: 0,
        NEXT: 2,
    }
    assert [asked.value("from")[:10] for asked in standin.requests] == ["2026-11-14", "2026-11-20"]
    assert not any(asked.values("teamId") for asked in standin.requests)


ODD = [
    *[(charge(bad), "line 2: BilledCost is") for bad in (None, True, "NaN", "1,5", 1e30, [])],
    (charge(1, BillingCurrency=""), "line 2: BillingCurrency is no currency"),
    (charge(1, ChargeCategory="Refund"), "line 2: ChargeCategory is none of Usage, Purchase"),
    (charge(1, ChargePeriodStart="2026-11-22T00:00:00Z"), "ChargePeriodEnd is not after"),
    (charge(1, ChargePeriodStart="2026-11-20T08:00:00Z"), "ChargePeriodStart is no midnight"),
    (charge(1, ChargePeriodStart="2026-11-20T00:00:00+09:00"), "ChargePeriodStart is no moment"),
    (charge(1, ChargePeriodStart="2026-11-20"), "ChargePeriodStart is no moment in UTC"),
    (charge(1, ChargePeriodEnd="\u202e"), "ChargePeriodEnd is no moment in UTC"),
    (charge(1, ChargePeriodStart="2026-11-19T00:00:00Z"), "2026-11-19, which was not asked for"),
    (charge(1, ConsumedQuantity="Infinity"), "line 2: ConsumedQuantity is"),
    (charge(1, ServiceName=" "), "no ServiceName in line 2"),
    (charge(1, Tags=["x"]), "line 2: Tags is no object"),
    ([], "line 2 that is no object"),
]  # fmt: skip


@pytest.mark.parametrize(("second", "words"), ODD)
def test_an_odd_line_is_refused_and_the_spot_named(serve, dial, second, words):
    with pytest.raises(UnreadableAnswer, match="Vercel's /billing/charges") as caught:
        read(serve, dial, charge(1), second)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "prefix", ["sk-or-v1-", "sk-ant-api03-", "sk-admin-", "AIza", "xai-", "gsk_"]
)
def test_a_key_of_another_vendor_is_refused_before_any_call(prefix):
    with pytest.raises(WrongKeyType, match=r"not of Vercel.*vercel\.com/account/settings/tokens"):
        PROVIDER.check_form(Secret(prefix + "a1" * 20))
    assert PROVIDER.check_form(Secret(Vercel.RIGHT))


def test_a_token_that_may_not_and_one_that_is_unknown_are_told_apart(standin, dial):
    PROVIDER.require_type(PROVIDER.identify(dial(standin.base_url)))
    for client in (
        dial(standin.base_url, str(Vercel.WRONG)),
        dial(standin.base_url, options={"team": "team_other"}),
    ):
        with pytest.raises(WrongKeyType, match="Owner, Billing or Enterprise Viewer"):
            PROVIDER.identify(client)
    with pytest.raises(KeyRejected, match=r"403: Not authorized\)") as caught:
        PROVIDER.identify(dial(standin.base_url, "vercelUnknown0123456789ab"))
    assert type(caught.value) is KeyRejected


@pytest.mark.parametrize("text", ["", "a&from=b", "a#b", "a%26b", "a b", "a\n", "é", "a" * 101])
def test_nothing_else_fits_where_a_team_goes(text):
    [team] = PROVIDER.options
    assert not team.required
    assert re.fullmatch(team.pattern, team.example)
    assert not re.fullmatch(team.pattern, text)


@pytest.mark.parametrize(
    "fault", [faults.html(), faults.truncated, faults.status(500), faults.html(200)]
)
def test_trouble_is_unavailable_after_some_tries(standin, dial, waits, fault):
    standin.spend(DAY, "3")
    standin.faults.add(CHARGES, faults.rate_limited("7"), times=1)
    standin.faults.add(CHARGES, fault, times=None)
    with pytest.raises(Unavailable):
        PROVIDER.read_activity(dial(standin.base_url), (DAY,), TODAY)
    assert waits.asked[0] == 7
