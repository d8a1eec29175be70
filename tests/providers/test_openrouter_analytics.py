"""Analytics' answers: taken in every form that was seen, refused in one line in any other."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.errors import UnreadableAnswer
from costcompass_core.providers.base import Answer
from costcompass_core.providers.openrouter_analytics import (
    ANALYTICS,
    parse_page,
    read_labels,
    read_today,
)
from costcompass_core.providers.pace import Pace, pause_before
from costcompass_core.providers.strict_json import decode
from costcompass_core.usecases.labels import Labels

DAY = date(2026, 5, 19)
ROW = {
    "date__day": "2026-05-19", "model": "a/b", "provider": "OpenAI", "request_count": "1523",
    "tokens_prompt": "1", "tokens_completion": 2, "reasoning_tokens": None, "cached_tokens": "0",
    "credits_usage": "0.12345678901234567891", "byok_usage": None,
}  # fmt: skip
ODD = st.sampled_from([True, [], {}, "x", "-1", -1, 10**30, "1e999999", "NaN", 0.5, ""])


def page(*rows, truncated=False, **more):
    about = {"query_time_ms": 1, "row_count": len(rows), "truncated": truncated}
    text = json.dumps({"data": {"data": rows, "metadata": about, **more}})
    return parse_page(decode(text.encode()), DAY, DAY, by_host=True)


@pytest.mark.parametrize("key", ["date__day", "created_at__day"])
@pytest.mark.parametrize("suffix", ["", "T00:00:00.000Z", " 00:00:00"])
def test_every_form_of_a_row_that_was_seen(key, suffix):
    row = {name: value for name, value in ROW.items() if name != "date__day"}
    found = page({**row, key: f"2026-05-19{suffix}"}, cachedAt=1747699200000)
    [usage] = found.rows
    assert (usage.day, usage.model, usage.host, usage.requests) == (DAY, "a/b", "OpenAI", 1523)
    assert (usage.cost, usage.byok_cost) == (Decimal("0.12345678901234567891"), 0)
    assert usage.reasoning_tokens is None
    assert found.cached_at.timestamp() == 1747699200


@given(st.sampled_from([name for name in ROW if name not in {"model", "provider"}]), ODD)
def test_an_odd_field_makes_one_line_that_names_it(field, odd):
    if field.endswith("usage") and odd in (-1, "-1", 0.5):
        odd = "none"  # a fraction is an amount, and a correction may be negative
    with pytest.raises(UnreadableAnswer) as refused:
        page({**ROW, field: odd})
    assert "\n" not in str(refused.value)
    assert field in str(refused.value)


@given(st.sampled_from(list(ROW)))
def test_an_absent_field_makes_one_line(field):
    with pytest.raises(UnreadableAnswer):
        page({name: value for name, value in ROW.items() if name != field})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["data", "metadata", "x"]), inner)))  # fmt: skip
def test_any_other_body_is_refused(body):
    with pytest.raises(UnreadableAnswer):
        parse_page(body, DAY, DAY, by_host=False)


@pytest.mark.parametrize(
    ("raw", "hour"),
    [("1779181200000", 9), ("1779181200000.5", 9), ("1.7791812e12", 9), ("-5", 0), ("1e300", 12)],
)
def test_how_old_todays_rows_are_is_taken_in_any_form_and_never_as_another_day(raw, hour):
    client = Catalogue(
        f'{{"data":{{"data":[],"cachedAt":{raw},"metadata":{{"truncated":false}}}}}}'
    )
    so_far = read_today(client, DAY, datetime(2026, 5, 19, 12, tzinfo=UTC))
    assert so_far.at == datetime(2026, 5, 19, hour, tzinfo=UTC)


def test_what_a_label_stands_for():
    models = [
        {"id": "x/y", "canonical_slug": "x/y-2025", "name": "Y"},
        {"id": "x/y:free", "canonical_slug": "x/y-2025", "name": "Y (free)"},
        {"id": "a/one", "canonical_slug": "shared", "name": "x/y"},
        {"id": "a/two", "canonical_slug": "shared", "name": None},
        {"id": 7, "canonical_slug": "odd"}, "odd",
    ]  # fmt: skip
    client = Catalogue(json.dumps({"data": models}))
    found = read_labels(client)
    assert "shared" not in found
    assert {name: found[name] for name in ("x/y", "x/y-2025", "Y", "Y (free)")} == {
        "x/y": "x/y", "x/y-2025": "x/y", "Y": "x/y", "Y (free)": "x/y:free"
    }  # fmt: skip
    rows = page({**ROW, "model": "x/y-2025"}, {**ROW, "model": "Y", "credits_usage": None}).rows
    labels = Labels({"x/y-2025": "x/y:free"}, ANALYTICS, client)
    assert [row.model for row in labels.named(rows)] == ["x/y", "x/y"]
    free = rows[0]._replace(cost=Decimal(0))
    assert labels.named([free])[0].model == "x/y:free"


class Catalogue:
    """A client that answers whatever is asked with one text."""

    def __init__(self, text):
        self.answer = Answer(decode(text.encode()), None)

    def get(self, path, params=None):
        return self.answer

    def post(self, path, body):
        return self.answer


def test_days_not_asked_for_and_contradictions_are_refused():
    with pytest.raises(UnreadableAnswer, match="2026-05-20, which was not asked for"):
        page({**ROW, "date__day": "2026-05-20"})
    with pytest.raises(UnreadableAnswer, match="contradicts itself"):
        page(ROW, {**ROW, "credits_usage": 1})
    assert len(page(ROW, ROW).rows) == 1
    assert page(ROW, truncated=True).truncated


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 10))
def test_no_minute_holds_more_requests_than_are_allowed(gaps, allowed):
    now, sent = 0.0, []
    pace = Pace(allowed, lambda: now)
    for gap in gaps:
        now += gap
        now += pace.reserve()
        sent.append(now)
    for begin in sent:
        assert sum(begin <= one < begin + 59.999 for one in sent) <= allowed
    assert pause_before(sent, 10**6, allowed) == 0
