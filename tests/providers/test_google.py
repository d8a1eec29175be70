"""Google Cloud: a signed JWT for a token, one query for the export, every cent net and exact."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.sandbox import faults
from bot.sandbox.google import TABLE, Charge, Google
from costcompass_core.domain.errors import (
    ConfigError,
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    WrongKeyType,
)
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Usage
from costcompass_core.providers.google import PROVIDER
from costcompass_core.providers.google_bigquery import MOST_POLLS
from costcompass_core.providers.http import Http

TODAY = date(2026, 11, 23)
DAY = date(2026, 11, 20)
BEFORE = date(2026, 11, 19)
QUERIES = "/projects/acme-billing/queries"


@pytest.fixture
def google(now):
    with Google(now) as standin:
        yield standin


@pytest.fixture
def dial(waits):
    clients = []

    def start(url, headers, **more):
        clients.append(Http(url, headers, wait=waits, **more))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def client(google, dial, now):
    def start(*, may_read=True, table=TABLE):
        key = Secret(google.service_account(may_read=may_read))
        headers = {**PROVIDER.authorize(key), **PROVIDER.sign_in(key, dial, now())}
        return dial(google.base_url, headers, refusals=PROVIDER.refusals, options={"table": table})

    return start


def read(client, *days):
    return PROVIDER.read_activity(client, days or (BEFORE, DAY), TODAY)


def test_days_add_up_net_of_credits_and_a_day_without_rows_is_empty(google, client):
    google.spend(DAY, "1.2345678901234567")
    activity = read(client())
    assert list(activity.days) == [BEFORE, DAY]
    assert activity.days[BEFORE] == ()
    assert sum(row.cost for row in activity.days[DAY]) == Decimal("1.2345678901234567")
    assert {(row.model, row.host, row.currency, row.unit) for row in activity.days[DAY]} == {("Gemini API", "Gemini API", "USD", "count")}  # fmt: skip
    (body,) = [json.loads(asked.body) for asked in google.requests if asked.path == QUERIES]
    assert [one["parameterValue"]["value"] for one in body["queryParameters"]] == ["2026-11-19", "2026-11-20"]  # fmt: skip


def test_every_field_arrives_as_it_was_reported(google, client):
    google.charges = [
        Charge(DAY, "Gemini API", "Output", "0.1234560", "-0.1", quantity="2.5", unit="count"),
        Charge(DAY, "Gemini API", "Output", "1e-7", quantity="1", unit="count"),
        Charge(DAY, "Invoice", "Tax", "0.19", cost_type="tax", currency="EUR"),
    ]
    output, tax = read(client(), DAY).days[DAY]
    assert output == Usage(
        DAY, "Gemini API", "Gemini API", "Output", "Gemini API", *[None] * 5, Decimal("0.0234561"),
        raw="0.1234560+-0.1+1e-7+0", quantity=Decimal("3.5"), unit="count",
    )  # fmt: skip
    assert (tax.endpoint, tax.once, tax.currency, tax.cost) == ("Tax (tax)", True, "EUR", Decimal("0.19"))  # fmt: skip


def test_a_slow_query_is_waited_for_and_many_pages_are_read_to_the_end(google, client):
    google.page_rows, google.polls_until_done = 3, 2
    google.charges = [Charge(DAY, "S", f"sku {number:02}", "0.01") for number in range(10)]
    assert sum(row.cost for row in read(client()).days[DAY]) == Decimal("0.10")
    gets = [asked for asked in google.requests if asked.method == "GET"]
    assert [asked.value("pageToken") for asked in gets] == ["", "", "B3", "B6", "B9"]
    assert {asked.value("location") for asked in gets} == {"EU"}


def test_the_whole_window_says_where_the_export_begins(google, client):
    google.spend(DAY, "1")
    activity = PROVIDER.read_activity(client(), None, TODAY)
    assert list(activity.days) == [TODAY - timedelta(days=ago) for ago in range(90, 0, -1)]
    assert activity.notes == (f"nothing before {DAY}: the export begins about when it was enabled",)


def test_days_apart_are_asked_for_apart(google, client):
    google.spend(DAY, "1")
    assert list(read(client(), DAY, date(2026, 11, 1)).days) == [date(2026, 11, 1), DAY]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        *[({name: bad}, f"row 2: {name} ") for name in ("cost", "credits") for bad in ("NaN", "inf", "1,5", "", None, "1e400", "9" * 19)],
        *[({"quantity": bad}, "row 2: quantity ") for bad in ("NaN", "x", "")],
        *[({"currency": bad}, "row 2: currency ") for bad in (None, "usd", "$", "EURO")],
    ],
)  # fmt: skip
def test_an_odd_value_condemns_the_answer_and_is_named(google, client, change, words):
    google.charges = [Charge(DAY, "A", "a", "1"), Charge(DAY, "B", "b", "1")._replace(**change)]
    with pytest.raises(UnreadableAnswer, match=words):
        read(client(), DAY)


def swap(old, new):
    return faults.edited(lambda text: text.replace(old, new))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (swap("2026-11-20", "2026-11-21"), "row 1: day 2026-11-21 was not asked for"),
        (swap("2026-11-20", "2026-11-31"), "row 1: day is not in the calendar"),
        (swap('"v":"1"', '"v":1.0'), "row 1: cost is no text"),
        (swap('"v":"1"', '"w":"1"'), "row 1 of another shape"),
        (swap('{"v":"1"},', ""), "row 1 of another shape"),
        (swap('"name":"cost"', '"name":"price"'), "other columns"),
        (swap('"schema"', '"schemas"'), "other columns"),
        (swap('"totalRows"', '"total"'), "how many rows"),
        (swap('"totalRows":"1"', '"totalRows":"2"'), "has 1 rows in all and promised 2"),
        (swap('"jobComplete":true', '"jobComplete":null'), "whether the query is done"),
        (swap('"jobComplete":true', '"jobComplete":true,"pageToken":"B0"'), "does not end"),
        (swap("job_0000", "../x"), "names no job"),
        (faults.raw(b"[]"), "is no object"),
        (faults.raw(b"<html>"), "something not JSON"),
        (faults.edited(lambda text: text[:-9]), "broken or cut short"),
    ],
)
def test_an_odd_answer_is_refused(google, client, fault, words):
    google.charges = [Charge(DAY, "S", "sku", "1")]
    google.faults.add(QUERIES, fault, times=None)
    with pytest.raises(UnreadableAnswer, match=words):
        read(client(), DAY)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (faults.status(401, "Invalid credentials"), KeyRejected, "rejected the key"),
        (faults.status(403, "Permission bigquery.tables.getData denied on table"), WrongKeyType, "Data Viewer"),
        (faults.status(403, "Quota exceeded: Your project exceeded quota"), Unavailable, "cannot be asked now .403: Quota"),
        (faults.rate_limited("120"), Unavailable, "try again in 120 s"),
        (faults.status(503, "Visibility check"), Unavailable, "503"),
        (faults.html(), Unavailable, "502"),
    ],
)  # fmt: skip
def test_refusals_mean_what_they_say(google, client, fault, error, words):
    google.faults.add(QUERIES, fault, times=None)
    with pytest.raises(error, match=words) as caught:
        PROVIDER.identify(client())
    assert type(caught.value) is error


def test_an_account_without_its_roles_is_told_which(client):
    with pytest.raises(WrongKeyType, match=r"jobs\.create.*roles BigQuery Data Viewer .* Job User"):
        PROVIDER.identify(client(may_read=False))


def test_a_query_that_never_ends_is_given_up(google, client):
    google.polls_until_done = MOST_POLLS + 1
    with pytest.raises(Unavailable, match="too long"):
        read(client())


@pytest.mark.parametrize("table", ["", "a.b.c", TABLE + "`", TABLE + "\n", TABLE.replace("export.", "export`.`"), f"{TABLE}; DROP", TABLE.lower()])  # fmt: skip
def test_only_the_name_of_an_export_gets_into_the_query(google, client, table):
    for call in (PROVIDER.identify, read):
        with pytest.raises(ConfigError, match="table is not the full name"):
            call(client(table=table))
    assert all(asked.path == "/token" for asked in google.requests)
