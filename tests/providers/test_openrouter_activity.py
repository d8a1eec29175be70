"""OpenRouter's activity, from bytes to rows: nothing lost, nothing invented, nothing odd let in."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.errors import UnreadableAnswer
from costcompass_core.domain.usage import Usage
from costcompass_core.providers import strict_json
from costcompass_core.providers.openrouter import parse_activity

TODAY = date(2026, 11, 23)
DAY = date(2026, 11, 22)


def row(**changes):
    """One plain row as JSON has it; a field set to `...` is left out."""
    plain = {
        "date": "2026-11-22",
        "model": "acme/large",
        "model_permaslug": "acme/large-2026-01-01",
        "endpoint_id": "3f2b7c1e-0d55-4a63-9b1e-6f0f3a2c0001",
        "provider_name": "Acme",
        "usage": 1.25,
        "byok_usage_inference": 0,
        "requests": 3,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "reasoning_tokens": 30,
        "cached_tokens": 5,
    }
    return {name: value for name, value in (plain | changes).items() if value is not ...}


def read(*rows, asked=(DAY,), today=TODAY, server_time=None):
    body = strict_json.decode(json.dumps({"data": rows}).encode())
    return parse_activity(body, asked, today, server_time)


def only(activity) -> Usage:
    (usage,) = activity.days[DAY]
    return usage


def test_a_row_arrives_as_it_was_reported():
    activity = read(row())
    assert only(activity) == Usage(
        day=DAY,
        model="acme/large",
        permaslug="acme/large-2026-01-01",
        endpoint="3f2b7c1e-0d55-4a63-9b1e-6f0f3a2c0001",
        host="Acme",
        requests=3,
        prompt_tokens=100,
        completion_tokens=20,
        reasoning_tokens=30,
        cached_tokens=5,
        cost=Decimal("1.25"),
        byok_cost=Decimal(0),
    )
    assert activity.notes == ()


@pytest.mark.parametrize(
    ("quirk", "seen"),
    [
        ({"date": "2026-11-22 00:00:00"}, {"day": DAY}),
        ({"date": "2026-11-22T00:00:00Z"}, {"day": DAY}),
        ({"cached_tokens": ...}, {"cached_tokens": None}),
        ({"cached_tokens": None, "requests": None}, {"cached_tokens": None, "requests": None}),
        ({"prompt_tokens": 10**12 - 1}, {"prompt_tokens": 10**12 - 1}),
        ({"byok_requests": 7, "workspace_id": None}, {"requests": 3}),
        ({"usage": 0}, {"cost": Decimal(0)}),
        ({"usage": "0.10"}, {"cost": Decimal("0.10")}),
        ({"provider_name": "stealth/int8"}, {"host": "stealth/int8"}),
        ({"model": "a\x00b\x1b[2Jc\ud800"}, {"model": "a\ufffdb\ufffd[2Jc\ufffd"}),
        ({"model": "<!channel>\u202ex"}, {"model": "<!channel>\u202ex"}),
        ({"model": "m" * 9999}, {"model": "m" * 512}),
    ],
)
def test_quirks_seen_live_are_understood(quirk, seen):
    usage = only(read(row(**quirk)))
    assert {name: getattr(usage, name) for name in seen} == seen
    if "cost" in seen:
        assert str(usage.cost) == str(seen["cost"])


REQUIRED = [name for name in row() if name != "cached_tokens"]
COUNTS = ["requests", "cached_tokens"]
NO_COUNT = [-1, 10**12, True, "7", 1.5, []]
COSTS = ["usage", "byok_usage_inference"]
NO_COST = [None, True, "", "1,5", "NaN", "1e400", 10**18, 10**30, [], {}]
TEXTS = ["model", "model_permaslug", "endpoint_id", "provider_name"]
NO_TEXT = [None, 1, [], {}]
NO_DATE = ["2026-02-30", "2026-11-22 01:00:00", "2026-11-2", "22.11.2026", "\u0662026-11-22"]
NO_DATE += ["2026-11-22\n", "", 20261122, None, []]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        *[({name: ...}, f"has no {name} in row 2") for name in REQUIRED],
        *[({name: bad}, f"row 2: {name} is") for name in COUNTS for bad in NO_COUNT],
        *[({name: bad}, f"row 2: {name} is") for name in COSTS for bad in NO_COST],
        *[({name: bad}, f"row 2: {name} is no text") for name in TEXTS for bad in NO_TEXT],
        *[({"date": bad}, "row 2: date is") for bad in NO_DATE],
    ],
)
def test_an_odd_row_condemns_the_answer_and_is_named(change, words):
    with pytest.raises(UnreadableAnswer) as caught:
        read(row(), row(**{"model": "acme/small"} | change))
    assert words in str(caught.value)


@pytest.mark.parametrize("cost", [b"1e400", b"1e-400", b"1e999999999", b"0." + b"1" * 400])
def test_amounts_no_bill_has_are_refused(cost):
    body = json.dumps({"data": [row(usage="COST")]}).encode().replace(b'"COST"', cost)
    with pytest.raises(UnreadableAnswer, match="row 1: usage is out of range"):
        parse_activity(strict_json.decode(body), (DAY,), TODAY)


@pytest.mark.parametrize("body", [None, [], {}, {"data": None}, {"data": {}}, {"data": [1]}, "x"])
def test_a_body_of_another_shape_is_refused(body):
    with pytest.raises(UnreadableAnswer, match="OpenRouter's /activity"):
        parse_activity(body, None, TODAY)


def test_identical_rows_count_once_and_are_mentioned():
    activity = read(row(), row(), row(endpoint_id="other"), row())
    assert [usage.endpoint for usage in activity.days[DAY]] == [row()["endpoint_id"], "other"]
    assert activity.notes == ("kept one of each of 2 identical row(s)",)


def test_rows_that_contradict_each_other_are_refused():
    with pytest.raises(UnreadableAnswer, match="contradicts itself about 2026-11-22 in row 3"):
        read(row(), row(endpoint_id="other"), row(requests=4))


def test_a_negative_cost_is_kept_and_mentioned():
    activity = read(row(usage=-0.5))
    assert only(activity).cost == Decimal("-0.5")
    assert activity.notes == ("1 row(s) have a negative cost, kept as reported",)


def test_a_day_without_rows_was_read_and_is_empty():
    assert read().days == {DAY: ()}
    month = read(row(), asked=None).days
    assert list(month) == [TODAY - timedelta(days=ago) for ago in range(30, 0, -1)]
    assert [day for day, rows in month.items() if rows] == [DAY]


def test_everything_on_offer_leaves_out_today_and_what_is_too_old():
    activity = read(row(), row(date="2026-11-23"), row(date="2026-10-23"), asked=None)
    assert only(activity).day == DAY
    assert TODAY not in activity.days
    assert date(2026, 10, 23) not in activity.days
    assert activity.notes == (
        "set aside 1 row(s) of 2026-10-23, which is not among the days on offer",
        "set aside 1 row(s) of 2026-11-23, which is not over yet",
    )


@pytest.mark.parametrize("asked", [None, (DAY,)])
def test_a_day_to_come_is_refused(asked):
    with pytest.raises(UnreadableAnswer, match="2026-11-24, which is yet to come"):
        read(row(), row(date="2026-11-24"), asked=asked)


@pytest.mark.parametrize("other", ["2026-11-21", "2026-11-23"])
def test_an_answer_about_another_day_than_asked_is_refused(other):
    with pytest.raises(UnreadableAnswer, match=f"{other}, which was not asked for"):
        read(row(date=other))


@pytest.mark.parametrize(
    ("server_time", "first", "last"),
    [
        (datetime(2026, 11, 23, 12, tzinfo=UTC), date(2026, 10, 24), DAY),
        (datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC), date(2026, 10, 25), DAY),
        (datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), date(2026, 10, 24), date(2026, 11, 21)),
        (datetime(2020, 1, 1, tzinfo=UTC), date(2026, 10, 24), DAY),
    ],
)
def test_around_midnight_only_days_on_offer_by_both_clocks_count_as_read(server_time, first, last):
    days = list(read(asked=None, server_time=server_time).days)
    assert (days[0], days[-1]) == (first, last)


AMOUNTS = st.decimals(
    min_value=-(10**17), max_value=10**17, allow_nan=False, allow_infinity=False
) | st.floats(min_value=-1e17, max_value=1e17).map(lambda number: Decimal(repr(number)))


@given(AMOUNTS, st.booleans())
def test_no_digit_of_a_cost_is_lost_on_the_way(amount, quoted):
    text = f'"{amount}"' if quoted else str(amount)
    body = json.dumps({"data": [row(usage="COST")]}).replace('"COST"', text).encode()
    cost = only(parse_activity(strict_json.decode(body), (DAY,), TODAY)).cost
    assert Decimal(str(cost)).as_tuple() == amount.as_tuple()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
NEARLY_A_ROW = st.builds(
    lambda name, junk: row(**{name: junk}), st.sampled_from(sorted(row())), JUNK
)


@given(JUNK | st.lists(NEARLY_A_ROW | JUNK, max_size=3).map(lambda rows: {"data": rows}))
def test_junk_is_unreadable_at_worst(junk):
    body = decoded_or_none(json.dumps(junk).encode())
    with suppress(UnreadableAnswer):
        parse_activity(body, None, TODAY)


@given(st.binary() | st.text().map(str.encode))
def test_bytes_are_json_or_refused(body):
    value = decoded_or_none(body)
    assert value is None or json.loads(body, parse_float=Decimal) == value


def decoded_or_none(body):
    try:
        return strict_json.decode(body)
    except ValueError:
        return None
