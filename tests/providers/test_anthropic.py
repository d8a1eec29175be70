"""Anthropic's costs and tokens: cents in text become dollars exactly, and no key is mistaken."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from scripted_server import says

from bot.sandbox import faults
from bot.sandbox.anthropic import Anthropic
from costcompass_core.domain.errors import (
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    WrongKeyType,
)
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.anthropic import PROVIDER
from costcompass_core.providers.base import KeyType
from costcompass_core.providers.http import Http

TODAY = date(2026, 11, 23)
DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
COST, USAGE = "/organizations/cost_report", "/organizations/usage_report/messages"
NOTHING = {"data": [], "has_more": False, "next_page": None}


@pytest.fixture
def standin(now):
    with Anthropic(now) as running:
        yield running


@pytest.fixture
def dial(waits):
    clients = []

    def start(url, key=Anthropic.RIGHT):
        headers = PROVIDER.authorize(Secret(key))
        clients.append(Http(url, headers, wait=waits, refusals=PROVIDER.refusals, options={}))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def cost(amount, token_type="uncached_input_tokens", **more):
    plain = {"currency": "USD", "amount": amount, "model": "claude-opus-5-5"}
    plain |= {"cost_type": "tokens", "service_tier": "standard", "context_window": "0-200k"}
    return plain | {"token_type": token_type, "description": "Claude Opus 5.5 Usage"} | more


def search(amount):
    none = {"model": None, "service_tier": None, "context_window": None}
    return cost(amount, None, cost_type="web_search", description="Web Search Usage", **none)


def page(*results, day=DAY, end=None, then=None):
    bounds = {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{end or day + timedelta(1)}T00:00:00Z",
    }
    data = [{**bounds, "results": results}]
    return {"data": data, "has_more": then is not None, "next_page": then}


def read(serve, dial, *bodies, days=(DAY,)):
    return PROVIDER.read_activity(dial(serve(*map(says, bodies)).url), days, TODAY)


@pytest.mark.parametrize(
    ("cents", "dollars"),
    [("123.45", "1.2345"), ("2500.000000", "25.00000000"), ("10", "0.10"), ("-0.5", "-0.005")],
)
def test_money_is_text_in_cents(serve, dial, cents, dollars):
    [row] = read(serve, dial, page(cost(cents)), NOTHING).days[DAY]
    assert (str(row.cost), row.raw, row.currency) == (dollars, cents, "USD")
    assert row.once is (row.cost < 0)


def test_a_row_is_what_was_billed_and_tokens_are_placed_once(serve, dial):
    written = {"service_tier": "batch", "context_window": "200k-1M"}
    lines = [
        cost("1", "output_tokens"),
        cost("100.5", "cache_creation.ephemeral_5m_input_tokens"),
        cost("30", "cache_creation.ephemeral_1h_input_tokens", **written),
        cost("0.25", "output_tokens", inference_geo="us"),
        search("10"),
    ]
    tokens = {"uncached_input_tokens": 1500, "cache_read_input_tokens": 200, "output_tokens": 500}
    split = {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500}
    counts = {**tokens, "cache_creation": split, "model": "claude-opus-5-5"}
    activity = read(serve, dial, page(*lines), page(counts))
    first, second, third, fourth = activity.days[DAY]
    assert (first.endpoint, first.cost, first.raw) == ("output_tokens", Decimal("0.0125"), "1+0.25")
    assert (first.model, first.host) == ("claude-opus-5-5", "Anthropic API")
    assert first[6:10] == (1500, 500, None, 200)
    assert (second.endpoint, second.cache_write_tokens) == (
        "cache_creation.ephemeral_5m_input_tokens",
        1500,
    )
    assert third.endpoint == "cache_creation.ephemeral_1h_input_tokens|batch|200k-1M"
    assert (third.prompt_tokens, third.cache_write_tokens, third.requests) == (0, 0, None)
    assert (fourth.model, fourth.endpoint) == ("Web Search Usage", "web_search")
    assert (fourth.prompt_tokens, fourth.cost) == (None, Decimal("0.1"))


def test_the_whole_window_in_three_calls_of_each(standin, dial):
    for ago in range(1, 91, 4):
        standin.spend(TODAY - timedelta(days=ago), "12.345678901")
    activity = PROVIDER.read_activity(dial(standin.base_url), None, TODAY)
    assert list(activity.days) == [TODAY - timedelta(days=ago) for ago in range(90, 0, -1)]
    spent = {day: sum(u.cost for u in rows) for day, rows in activity.days.items() if rows}
    assert spent == standin.spent
    assert [asked.path for asked in standin.requests] == [COST] * 3 + [USAGE] * 3


def test_pages_are_read_to_the_end_with_the_same_question(serve, dial):
    pages = page(cost("1"), then="page_2"), page(cost("2"), day=NEXT)
    server = serve(*map(says, (*pages, NOTHING)))
    days = PROVIDER.read_activity(dial(server.url), [DAY, NEXT, TODAY], TODAY).days
    assert {day: [str(u.cost) for u in rows] for day, rows in days.items()} == {
        DAY: ["0.01"],
        NEXT: ["0.02"],
    }
    asked = [head.split(" ")[1] for head in server.heads]
    assert asked[1] == asked[0] + "&page=page_2"


ODD = [
    ([page(cost("1"), then="p"), page(day=NEXT, then="p")], "a next_page came twice"),
    ([page(cost("1"), then="p")] * 2, "has 2026-11-20 twice"),
    ([page(cost("1"), day=date(2026, 11, 22))], "2026-11-22, which was not asked for"),
    ([page(end=date(2026, 11, 22))], "bucket 1 that is not one day"),
    ([{**page(), "data": [{"starting_at": [], "results": []}]}], "bucket 1: starting_at is not a"),
    ([page(cost("1"), cost(123.45))], "row 2 of 2026-11-20: amount is not cents in text"),
    *[([page(cost(bad))], "amount is") for bad in ("NaN", "1e400", "", "1,5", None, True)],
    ([page(cost("1", currency="dollars"))], "row 1 of 2026-11-20: currency is no currency"),
    ([page(cost("1", model=7))], "row 1 of 2026-11-20: model is no text"),
]


@pytest.mark.parametrize(("bodies", "words"), ODD)
def test_an_odd_answer_is_refused_and_the_spot_named(serve, dial, bodies, words):
    with pytest.raises(UnreadableAnswer, match=r"Anthropic's /organizations/cost_report") as caught:
        read(serve, dial, *bodies, days=(DAY, NEXT))
    assert words in str(caught.value)


def test_costs_count_without_tokens_but_not_with_a_rejected_key(standin, dial):
    standin.spend(DAY, "3")
    standin.faults.add(USAGE, faults.edited(lambda text: text.replace('":{"eph', '":7,"x":{"eph')))
    activity = PROVIDER.read_activity(dial(standin.base_url), (DAY,), TODAY)
    assert sum(u.cost for u in activity.days[DAY]) == 3
    assert {u.prompt_tokens for u in activity.days[DAY]} == {None}
    assert "cache_creation is no object" in activity.notes[0]
    standin.faults.add(USAGE, faults.status(401))
    with pytest.raises(KeyRejected):
        PROVIDER.read_activity(dial(standin.base_url), (DAY,), TODAY)


@pytest.mark.parametrize("prefix", ["sk-or-v1-", "sk-admin-", "sk-proj-", "AIza", "sk-ant-api01-"])
def test_a_key_that_cannot_do_is_refused_before_any_call(prefix):
    with pytest.raises(WrongKeyType, match=r"console\.anthropic\.com/settings/admin-keys"):
        PROVIDER.check_form(Secret(prefix + "a1" * 20))


def test_only_an_admin_key_reads_costs_and_the_solo_user_is_told(standin, dial):
    assert PROVIDER.check_form(Secret(Anthropic.RIGHT))
    assert not PROVIDER.check_form(Secret(Anthropic.WRONG))
    assert PROVIDER.identify(dial(standin.base_url)) is KeyType.MANAGEMENT
    with pytest.raises(KeyRejected, match=r"invalid x-api-key.*create an Organization first"):
        PROVIDER.identify(dial(standin.base_url, Anthropic.WRONG))


@pytest.mark.parametrize(
    "said",
    ["api_key_scope_missing", "This endpoint requires an Admin API key", "a scope is missing"],
)
def test_a_refusal_in_words_is_of_the_type(standin, dial, said):
    standin.faults.add(COST, faults.status(403, said))
    with pytest.raises(WrongKeyType, match="individual Console accounts"):
        PROVIDER.identify(dial(standin.base_url))


@pytest.mark.parametrize("fault", [faults.html(), faults.truncated, faults.status(500)])
def test_trouble_with_costs_is_unavailable_after_some_tries(standin, dial, waits, fault):
    standin.faults.add(COST, faults.rate_limited("7"), times=1)
    standin.faults.add(COST, fault, times=None)
    with pytest.raises(Unavailable):
        PROVIDER.read_activity(dial(standin.base_url), (DAY,), TODAY)
    assert waits.asked[0] == 7
