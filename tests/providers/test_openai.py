"""OpenAI's costs and tokens, from bytes to rows: exact, whole, and each token counted once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from scripted_server import says

from bot.sandbox import faults
from bot.sandbox.openai import OpenAI
from costcompass_core.domain.errors import (
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    WrongKeyType,
)
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.base import KeyType
from costcompass_core.providers.http import Http
from costcompass_core.providers.openai import PROVIDER

TODAY = date(2026, 11, 23)
DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
START = 1795132800
COSTS, USAGE = "/organization/costs", "/organization/usage/completions"
NOTHING = {"data": [], "has_more": False, "next_page": None}


@pytest.fixture
def standin(now):
    with OpenAI(now) as running:
        yield running


@pytest.fixture
def dial(waits):
    clients = []

    def start(url, key=OpenAI.RIGHT):
        headers = PROVIDER.authorize(Secret(key))
        clients.append(Http(url, headers, wait=waits, refusals=PROVIDER.refusals, options={}))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def cost(value, line_item="gpt-6-astra, input_tokens", **more):
    amount = {"value": value, "currency": "usd"}
    return {"object": "organization.costs.result", "amount": amount, "line_item": line_item, **more}


def bucket(*results, start=START, end=None):
    return {"start_time": start, "end_time": end or start + 86_400, "results": results}


def page(*buckets, then=None):
    return {"object": "page", "data": buckets, "has_more": then is not None, "next_page": then}


def read(serve, dial, *bodies, days=(DAY,)):
    return PROVIDER.read_activity(dial(serve(*map(says, bodies)).url), days, TODAY)


def test_a_row_is_what_was_billed_and_tokens_are_placed_once(serve, dial):
    lines = [
        cost(0.06, quantity=12000.0, quantity_unit="tokens"),
        cost(1.979964e-06, "gpt-6-astra, cached_input_tokens"),
        cost("12.50", None),
        cost(0, "Text tokens"),
        cost(-1, "ft:gpt-6, mini:org, Output"),
        cost(0.04, quantity=1, quantity_unit="tokens"),
    ]
    usage = [
        {"model": "gpt-6-astra", "input_tokens": 12400, "input_cached_tokens": 400}
        | {"output_tokens": 500, "num_model_requests": 7},
        {"model": "gpt-free", "input_tokens": 9, "output_tokens": 1, "num_model_requests": 1},
    ]
    activity = read(serve, dial, page(bucket(*lines)), page(bucket(*usage)))
    told = [(u.model, u.endpoint, str(u.cost), u.raw, u.prompt_tokens) for u in activity.days[DAY]]
    assert told == [
        ("gpt-6-astra", "input_tokens", "0.10", "0.06+0.04", 12400),
        ("gpt-6-astra", "cached_input_tokens", "0.000001979964", "1.979964e-06", 0),
        ("(no line item)", "(no line item)", "12.50", None, None),
        ("Text tokens", "Text tokens", "0", None, None),
        ("ft:gpt-6, mini:org", "Output", "-1", None, None),
        ("gpt-free", "(no cost reported)", "0", None, 9),
    ]
    first, second, *_, refund, free = activity.days[DAY]
    assert (first.requests, first.completion_tokens, first.cached_tokens) == (7, 500, 0)
    assert (second.requests, second.completion_tokens, second.cached_tokens) == (0, 0, 400)
    assert (first.cache_write_tokens, free.cached_tokens) == (None, None)
    assert (first.host, first.currency, first.quantity) == ("OpenAI API", "USD", Decimal(12001))
    assert (refund.once, first.once) == (True, False)
    assert activity.notes == ("1 row(s) have a negative cost, kept as reported",)


@pytest.mark.parametrize("text", [False, True])
def test_the_whole_window_takes_one_call_for_costs_and_one_a_month_for_tokens(standin, dial, text):
    standin.text_amounts = text
    for ago in range(1, 181, 7):
        standin.spend(TODAY - timedelta(days=ago), "12.345678901")
    activity = PROVIDER.read_activity(dial(standin.base_url), None, TODAY)
    assert list(activity.days) == [TODAY - timedelta(days=ago) for ago in range(180, 0, -1)]
    spent = {day: sum(u.cost for u in rows) for day, rows in activity.days.items() if rows}
    assert spent == standin.spent
    assert [asked.path for asked in standin.requests] == [COSTS, *[USAGE] * 6]
    assert all(u.prompt_tokens is not None for rows in activity.days.values() for u in rows)


def test_pages_are_read_to_the_end_and_days_not_in_a_row_apart(serve, dial):
    server = serve(
        says(NOTHING),
        says(page(bucket(cost(1)), then="page_2")),
        says(page(bucket(cost(2), start=START + 86_400))),
        says(NOTHING),
    )
    activity = PROVIDER.read_activity(dial(server.url), [DAY, NEXT, date(2026, 1, 1)], TODAY)
    costs = {day: [u.cost for u in rows] for day, rows in activity.days.items()}
    assert costs == {date(2026, 1, 1): [], DAY: [], NEXT: []} | {DAY: [1], NEXT: [2]}
    assert "page=page_2" in server.heads[2]


CIRCLE = [page(bucket(cost(1)), then="p"), page(bucket(start=START + 86_400), then="p")]
ODD = [
    (CIRCLE, "a next_page came twice"),
    ([page(bucket(cost(1)), then="\u202e")], "whether and where it goes on"),
    ([{"data": []}], "whether and where it goes on"),
    ([page(bucket(cost(1)), bucket(cost(1)))], "has 2026-11-20 twice"),
    ([page(bucket(cost(1), start=START + 172_800))], "2026-11-22, which was not asked for"),
    ([page(bucket(start=START + 1))], "bucket 1: start_time is not a midnight"),
    ([page(bucket(end=START + 172_800))], "bucket 1 that is not one day"),
    ([page(bucket(cost("1"), {}))], "row 2 of 2026-11-20: amount.value is not a"),
    *[([page(bucket(cost(bad)))], "row 1 of 2026-11-20: amount.value") for bad in ("NaN", 1e30)],
    ([page(bucket(cost(None)))], "row 1 of 2026-11-20: amount.value is not"),
    ([page(bucket(cost(1) | {"amount": {"value": 1}}))], "amount.currency is no currency"),
    ([page(bucket(cost(1) | {"amount": 1}))], "row 1 of 2026-11-20: amount is no object"),
    ([page(bucket(cost(1) | {"line_item": 1}))], "row 1 of 2026-11-20: line_item is no text"),
    ([page(bucket(cost(1, quantity="Infinity")))], "row 1 of 2026-11-20: quantity is not"),
]


@pytest.mark.parametrize(("bodies", "words"), ODD)
def test_an_odd_answer_is_refused_and_the_spot_named(serve, dial, bodies, words):
    with pytest.raises(UnreadableAnswer, match=r"OpenAI's /organization/costs") as caught:
        read(serve, dial, *bodies, days=(DAY, NEXT))
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_endless_answer_ends(serve, dial):
    numbers = iter(range(10**6))
    endless = lambda *at: says(page(then=f"p{next(numbers)}") | {"data": []})(*at) or True  # noqa: E731 - a play
    with pytest.raises(UnreadableAnswer, match="does not end"):
        PROVIDER.read_activity(dial(serve(endless).url), (DAY,), TODAY)


@pytest.mark.parametrize("fault", [faults.status(500), faults.raw(b'{"data":[{}]}'), faults.html()])
def test_costs_count_without_tokens(standin, dial, fault):
    standin.spend(DAY, "3")
    standin.faults.add(USAGE, fault, times=None)
    activity = PROVIDER.read_activity(dial(standin.base_url), (DAY,), TODAY)
    assert sum(u.cost for u in activity.days[DAY]) == 3
    assert {u.prompt_tokens for u in activity.days[DAY]} == {None}
    [note] = activity.notes
    assert note.startswith("tokens up to 2026-11-20 are not known: ")


@pytest.mark.parametrize(
    "prefix", ["sk-or-v1-", "sk-ant-admin01-", "AIza", "xai-", "gsk_", "sk-proj-", "sk-svcacct-"]
)
def test_a_key_that_cannot_do_is_refused_before_any_call(prefix):
    with pytest.raises(
        WrongKeyType, match=r"platform\.openai\.com/settings/organization/admin-keys"
    ):
        PROVIDER.check_form(Secret(prefix + "a1" * 20))


def test_only_an_admin_key_reads_costs(standin, dial):
    assert PROVIDER.check_form(Secret(OpenAI.RIGHT))
    assert not PROVIDER.check_form(Secret(OpenAI.WRONG))
    assert PROVIDER.identify(dial(standin.base_url)) is KeyType.MANAGEMENT
    with pytest.raises(WrongKeyType, match=r"Missing scopes: api.usage.read.*Restricted to Usage"):
        PROVIDER.identify(dial(standin.base_url, OpenAI.WRONG))
    with pytest.raises(KeyRejected, match="Incorrect API key") as caught:
        PROVIDER.identify(dial(standin.base_url, "sk-admin-" + "0" * 40))
    assert type(caught.value) is KeyRejected


@pytest.mark.parametrize("fault", [faults.html(), faults.truncated, faults.status(500)])
def test_trouble_with_costs_is_unavailable_after_some_tries(standin, dial, waits, fault):
    standin.faults.add(COSTS, faults.rate_limited("7"), times=1)
    standin.faults.add(COSTS, fault, times=None)
    with pytest.raises(Unavailable):
        PROVIDER.read_activity(dial(standin.base_url), (DAY,), TODAY)
    assert waits.asked[0] == 7
