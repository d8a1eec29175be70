"""Together's usage, from bytes to rows: whole months, page by page, every digit kept."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from scripted_server import says

from bot.sandbox import faults
from bot.sandbox.together import Together
from costcompass_core.domain.errors import KeyRejected, Unavailable, UnreadableAnswer, WrongKeyType
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.http import Http
from costcompass_core.providers.together import PROVIDER

TODAY = date(2026, 11, 23)
DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
USAGE = "/billing/usage"


@pytest.fixture
def standin(now):
    with Together(now) as running:
        yield running


@pytest.fixture
def dial(waits):
    clients = []

    def start(url, key=Together.RIGHT):
        headers = PROVIDER.authorize(Secret(key))
        clients.append(Http(url, headers, wait=waits, refusals=PROVIDER.refusals, options={}))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def item(cost, **more):
    return {
        "product_name": "Serverless Inference - Input Tokens",
        "quantity": "17580572",
        "unit_price": "0.00000002",
        "cost": cost,
        "attributes": {"model": "deepseek-v4"},
        "pricing_dimensions": {"tier": "standard"},
    } | more


def bucket(*items, day="2026-11-20"):
    return {"date": day, "line_items": items}


def page(*buckets, then=None, currency="USD"):
    return {"object": "list", "currency": currency, "next_cursor": then, "data": buckets}


def read(serve, dial, *bodies, days=(DAY,)):
    return PROVIDER.read_activity(dial(serve(*map(says, bodies)).url), days, TODAY).days


def test_a_row_is_one_product_of_one_model_at_one_price(serve, dial):
    lines = [
        item("0.35161144"),
        item("1e-3", pricing_dimensions=None),
        item("0.20", pricing_dimensions={"token_type": "input", "tier": "batch"}),
        item("3.10", product_name="H100 hours", attributes={}, quantity=None),
        item("-1", product_name="Refund", attributes=None),
    ]
    rows = read(serve, dial, page(bucket(*lines), currency="eur"))[DAY]
    product = "Serverless Inference - Input Tokens"
    assert [(u.model, u.endpoint, u.cost, u.raw, u.once) for u in rows] == [
        ("deepseek-v4", product, Decimal("0.35261144"), "0.35161144+1e-3", False),
        ("deepseek-v4", f"{product}|input|batch", Decimal("0.20"), None, False),
        ("H100 hours", "H100 hours", Decimal("3.10"), None, False),
        ("Refund", "Refund", -1, None, True),
    ]
    assert [u.quantity for u in rows[:3]] == [35161144, 17580572, None]
    assert {(u.host, u.currency, u.prompt_tokens) for u in rows} == {("Together API", "EUR", None)}


def test_the_window_is_read_by_month_and_page_and_every_day_is_answered(standin, dial):
    for ago in range(1, 63):
        standin.spend(TODAY - timedelta(days=ago), "1.000000001")
    days = PROVIDER.read_activity(dial(standin.base_url), None, TODAY).days
    assert list(days) == [TODAY - timedelta(days=ago) for ago in range(62, 0, -1)]
    assert {day: sum(u.cost for u in rows) for day, rows in days.items()} == standin.spent
    asked = [(one.value("month"), one.value("after")) for one in standin.requests]
    october = [("2026-10", after) for after in ("", "10", "20", "30")]
    assert asked == [("2026-09", ""), *october, *[("2026-11", a) for a in ("", "10", "20")]]
    assert {(one.value("granularity"), one.value("limit")) for one in standin.requests} == {
        ("day", "100")
    }


def test_days_of_the_month_that_were_not_asked_for_are_left_aside(serve, dial):
    """And a day may go on on the next page; one that is not told yet is empty."""
    days = read(
        serve,
        dial,
        page(bucket(item("7"), day="2026-11-19"), bucket(item("1")), then="a&b"),
        page(bucket(item("2")), bucket(item("9"), day="2026-11-23")),
        days=[DAY, NEXT],
    )
    assert {day: [u.cost for u in rows] for day, rows in days.items()} == {DAY: [3], NEXT: []}


ODD = [
    ([page(then="p"), page(then="p")], "goes round in circles"),
    ([page(then="\u202e")], "next_cursor is nothing that could be sent back"),
    ([page(then=7)], "next_cursor is nothing that could be sent back"),
    ([page(bucket(item("1")), bucket(item("1")))], "has 2026-11-20 twice"),
    ([page(bucket(item("1"), day="2026-10-31"))], "2026-10-31, which was not asked for"),
    *[([page(bucket(day=bad))], "line 1: date is not a date") for bad in (None, [], "20/11")],
    ([page(currency="$")], "currency is no currency"),
    ([page() | {"data": None}], "data is no list"),
    ([[]], "no object"),
    ([page({"date": "2026-11-20"})], "line 1: line_items is no list"),
    *[([page(bucket(item("1"), item(bad)))], "for 2026-11-20 is odd in line 2: cost is")
      for bad in (None, "NaN", "1,5", 1e30, True)],
    ([page(bucket(item("1", product_name=None)))], "for 2026-11-20 has no product_name in line 1"),
    ([page(bucket(item("1", product_name=7)))], "line 1: product_name is no text"),
    ([page(bucket(item("1", attributes="x")))], "line 1: attributes is no object"),
    ([page(bucket(item("1", quantity="Infinity")))], "line 1: quantity is"),
]  # fmt: skip


@pytest.mark.parametrize(("bodies", "words"), ODD)
def test_an_odd_answer_is_refused_and_the_spot_named(serve, dial, bodies, words):
    with pytest.raises(UnreadableAnswer, match="Together's /billing/usage") as caught:
        read(serve, dial, *bodies)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_endless_answer_ends(serve, dial):
    numbers = iter(range(10**6))
    endless = lambda *at: says(page(then=f"p{next(numbers)}"))(*at) or True  # noqa: E731 - a play
    with pytest.raises(UnreadableAnswer, match="does not end"):
        PROVIDER.read_activity(dial(serve(endless).url), (DAY,), TODAY)


@pytest.mark.parametrize(
    "prefix", ["sk-or-v1-", "sk-ant-api03-", "sk-admin-", "AIza", "xai-", "gsk_"]
)
def test_a_key_of_another_vendor_is_refused_before_any_call(prefix):
    with pytest.raises(WrongKeyType, match=r"not of Together.*api\.together\.ai/settings/api-keys"):
        PROVIDER.check_form(Secret(prefix + "a1" * 20))
    assert PROVIDER.check_form(Secret(Together.RIGHT))


def test_a_key_proves_itself_with_one_small_question(standin, dial):
    PROVIDER.require_type(PROVIDER.identify(dial(standin.base_url)))
    [asked] = standin.requests
    assert asked.value("limit") == "1"
    with pytest.raises(WrongKeyType, match="another organization"):
        PROVIDER.identify(dial(standin.base_url, str(Together.WRONG)))
    with pytest.raises(KeyRejected, match="Invalid API key") as caught:
        PROVIDER.identify(dial(standin.base_url, "tgp_v1_unknown0123456789ab"))
    assert type(caught.value) is KeyRejected


def test_an_organization_that_it_is_not_enabled_for_is_told_so(standin, dial):
    standin.faults.add(USAGE, faults.status(404), times=1)
    with pytest.raises(Unavailable, match="enabled for: ask its support"):
        PROVIDER.identify(dial(standin.base_url))


@pytest.mark.parametrize(
    "fault", [faults.html(), faults.truncated, faults.status(500), faults.html(200)]
)
def test_trouble_is_unavailable_after_some_tries(standin, dial, waits, fault):
    standin.faults.add(USAGE, faults.rate_limited("7"), times=1)
    standin.faults.add(USAGE, fault, times=None)
    with pytest.raises(Unavailable):
        PROVIDER.read_activity(dial(standin.base_url), (DAY,), TODAY)
    assert waits.asked[0] == 7
