"""The loopback OpenRouter behaves like the real one, over real sockets, faults included."""

from __future__ import annotations

import gzip
import json
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from threading import Event
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox import faults
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount, StandInKey
from bot.sandbox.openrouter_rows import activity_row
from bot.sandbox.scenario import BALANCE, big_account, demo_account
from bot.sandbox.wire import json_text

TODAY = date(2026, 11, 23)
YESTERDAY = TODAY - timedelta(days=1)
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

_OPENER = build_opener(ProxyHandler({}))


class Got(NamedTuple):
    status: int
    headers: Any
    text: str

    @property
    def body(self):
        return json.loads(self.text, parse_float=Decimal, parse_int=Decimal)

    @property
    def data(self):
        return self.body["data"]


class Clock:
    def __init__(self, moment: datetime):
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock():
    return Clock(MORNING)


@pytest.fixture
def account():
    return StandInAccount()


@pytest.fixture
def server(clock, account):
    with OpenRouter(clock, [account]) as running:
        yield running


def get(server, path, key: StandInKey | str | None = None, **params) -> Got:
    """Ask as `key`; by default as the account's management key, with "" as nobody."""
    key = server.accounts[0].management_key if key is None else key
    secret = key.secret if isinstance(key, StandInKey) else key
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    query = f"?{urlencode(params)}" if params else ""
    try:
        with _OPENER.open(Request(server.base_url + path + query, headers=headers)) as answer:
            return Got(answer.status, answer.headers, answer.read().decode())
    except HTTPError as refused:
        with refused:
            return Got(refused.code, refused.headers, refused.read().decode())


@contextmanager
def bare(server, path="/credits"):
    """A bare connection on which the question has been asked."""
    url = urlsplit(server.base_url)
    secret = server.accounts[0].management_key.secret
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        lines = [f"GET {url.path}{path} HTTP/1.1", "Host: x", f"Authorization: Bearer {secret}"]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        yield connection


def everything(connection) -> bytes:
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


# -- the documented behaviour -------------------------------------------------------------------


def test_activity_covers_thirty_completed_days_and_never_today(server, account, clock):
    for age in range(35):
        day = TODAY - timedelta(days=age)
        account.set_day(day, [activity_row(day, "openai/gpt-4.1", f"0.{age + 1:02}")])
    days = [row["date"] for row in get(server, "/activity").data]
    assert days == [str(TODAY - timedelta(days=age)) for age in range(1, 31)]
    assert len(get(server, "/activity", date=str(TODAY - timedelta(days=30))).data) == 1
    for outside in (TODAY, TODAY - timedelta(days=31), TODAY + timedelta(days=1)):
        refused = get(server, "/activity", date=str(outside))
        assert refused.status == 400
        assert refused.body["error"] == {
            "message": "Date must be within the last 30 (completed) UTC days",
            "code": 400,
        }
    clock.moment = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert get(server, "/activity", date=str(TODAY)).data[0]["usage"] == Decimal("0.01")


@pytest.mark.parametrize("text", ["23-11-2026", "20261122", "2026-02-30", ""])
def test_a_malformed_date_is_refused(server, text):
    assert get(server, "/activity", date=text).status == 400


def test_a_day_without_rows_is_an_empty_list(server):
    assert get(server, "/activity", date=str(YESTERDAY)).text == '{"data":[]}'


def test_rows_can_be_late_corrected_and_gone(server, account, clock):
    def costs():
        return [row["usage"] for row in get(server, "/activity", date=str(YESTERDAY)).data]

    account.set_day(YESTERDAY, [activity_row(YESTERDAY, "a/b", "1.5")])
    account.hide_day(YESTERDAY, until=MORNING + timedelta(hours=3))
    assert costs() == []
    assert get(server, "/credits").data["total_usage"] == Decimal("1.5")
    clock.moment += timedelta(hours=3)
    assert costs() == [Decimal("1.5")]
    account.correct(YESTERDAY, "a/b", usage=Decimal("1.25"))
    assert costs() == [Decimal("1.25")]
    account.set_day(YESTERDAY, [])
    assert costs() == []


@pytest.mark.parametrize(
    ("path", "kind", "status", "message"),
    [
        ("/credits", "nobody", 401, "Missing Authentication header"),
        ("/key", "stranger", 401, "User not found."),
        ("/key", "revoked", 401, "User not found."),
        ("/activity", "inference", 403, "Only management keys can perform this operation"),
        ("/credits", "inference", 403, "Only management keys can perform this operation"),
        ("/keys", "inference", 403, "Only management keys can perform this operation"),
        ("/generation", "inference", 404, "Resource not found"),
        ("/nothing", "management", 404, "Resource not found"),
    ],
)
def test_wrong_keys_and_places_are_refused_in_the_documented_shape(
    clock, path, kind, status, message
):
    keys = [
        StandInKey("management", management=True),
        StandInKey("inference"),
        StandInKey("revoked", revoked=True),
    ]
    with OpenRouter(clock, [StandInAccount(keys)]) as server:
        secrets = {"nobody": "", "stranger": "sk-or-v1-stranger"}
        refused = get(server, path, secrets.get(kind) or {k.name: k for k in keys}.get(kind, ""))
    assert refused.status == status
    assert refused.body == {"error": {"message": message, "code": status}}


def test_an_inference_key_may_be_told_zeros(server, account):
    server.quirks.zero_credits = True
    told = get(server, "/credits", account.inference_keys[0])
    assert (told.status, told.text) == (200, '{"data":{"total_credits":0,"total_usage":0}}')


def test_key_says_its_kind_in_both_shapes_and_under_both_names(server, account):
    new = get(server, "/key", account.inference_keys[0]).data
    assert (new["is_management_key"], new["is_provisioning_key"]) == (False, False)
    assert new["budgets"] == []
    server.quirks.old_key_shape = True
    old = get(server, "/auth/key").data
    assert (old["is_management_key"], old["usage"]) == (True, 0)
    assert new.keys() - old.keys() == {
        "organization_id",
        "workspace_id",
        "allowed_data_regions",
        "budgets",
        "effective_budget",
        "free_model_daily_requests",
    }


def test_both_kinds_of_keys_look_alike_and_are_shown_masked(account):
    for key in account.keys:
        assert len(key.secret) == 73
        assert key.secret not in repr(key)
        assert key.label == f"{key.secret[:12]}...{key.secret[-4:]}"


def test_keys_come_a_hundred_a_page_from_the_default_workspace(clock):
    many = [StandInKey(f"key {number}") for number in range(120)]
    odd = [StandInKey("off", disabled=True), StandInKey("elsewhere", workspace_id="w2")]
    account = StandInAccount([StandInKey("m", management=True), *many, *odd])
    with OpenRouter(clock, [account]) as server:
        first, second = get(server, "/keys").data, get(server, "/keys", offset=100).data
        assert [len(first), len(second)] == [100, 20]
        assert [key["name"] for key in first + second] == [key.name for key in many]
        assert len(get(server, "/keys", offset=100, include_disabled="true").data) == 21
        assert [k["name"] for k in get(server, "/keys", workspace_id="w2").data] == ["elsewhere"]
        assert get(server, f"/keys/{many[3].hash}").data["name"] == "key 3"
        assert get(server, "/keys/unknown").status == 404
        assert get(server, "/keys", offset="-1").status == 400


def test_a_key_counts_its_own_use_by_day_week_and_month(server, account):
    for day, usd in ((TODAY, 1), (date(2026, 11, 22), 2), (date(2026, 10, 31), 4)):
        account.spend(usd, day)
    listed = get(server, "/keys").data[0]
    # 2026-11-23 is a Monday.
    assert [listed[f"usage{part}"] for part in ("_daily", "_weekly", "_monthly", "")] == [
        1,
        1,
        3,
        7,
    ]
    assert listed["last_used_at"] == "2026-11-23T09:00:00+00:00"


def test_models_need_no_key_and_price_in_text(server):
    listed = get(server, "/models", "")
    assert listed.body["total_count"] == len(listed.data) >= 12
    sonnet = next(m for m in listed.data if m["id"] == "anthropic/claude-sonnet-4.5")
    assert sonnet["pricing"]["prompt"] == "0.000003"
    assert len(get(server, "/models", "", offset=2, limit=3).data) == 3


def test_the_answer_carries_the_clock_of_the_stand_in(server):
    assert get(server, "/credits").headers["Date"] == "Mon, 23 Nov 2026 09:00:00 GMT"


# -- money --------------------------------------------------------------------------------------


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_money_keeps_every_digit_in_json(amount):
    assert json.loads(json_text([amount]), parse_float=Decimal, parse_int=Decimal) == [amount]


def test_a_float_is_refused():
    with pytest.raises(TypeError):
        json_text({"usage": 0.1})


def test_credits_are_live_and_count_what_activity_does_not_show_yet(server, account, clock):
    account.set_day(YESTERDAY, [activity_row(YESTERDAY, "a/b", "0.000001979964")])
    account.spend("2.5", TODAY)
    assert get(server, "/credits").data == {
        "total_credits": 100,
        "total_usage": Decimal("2.500001979964"),
    }
    assert account.balance(clock()) == Decimal("97.499998020036")


def test_a_fee_on_top_is_invisible_and_one_from_the_balance_looks_like_usage(server, account):
    account.top_up(50)
    assert get(server, "/credits").data == {"total_credits": 150, "total_usage": 0}
    account.top_up(50, fee="from_balance")
    assert get(server, "/credits").data["total_usage"] == Decimal("2.75")
    account.top_up(5, fee="from_balance")
    assert get(server, "/credits").data["total_usage"] == Decimal("3.55")


def test_credits_can_fall_turn_negative_and_be_stale(server, account, clock):
    account.refund(95)
    account.spend("5.0213", TODAY)
    account.hold_credits(clock(), seconds=60)
    account.spend(1, TODAY)
    assert get(server, "/credits").data == {"total_credits": 5, "total_usage": Decimal("5.0213")}
    clock.moment += timedelta(seconds=60)
    assert get(server, "/credits").data["total_usage"] == Decimal("6.0213")


def test_rows_of_the_keys_add_up_to_the_rows_of_the_account(clock):
    account = demo_account(TODAY)
    with OpenRouter(clock, [account]) as server:
        whole = get(server, "/activity").data
        parts = [
            row
            for key in account.inference_keys
            for row in get(server, "/activity", api_key_hash=key.hash).data
        ]
        assert get(server, "/activity", api_key_hash="0" * 64).status == 404
    for name in ("usage", "byok_usage_inference", "requests", "prompt_tokens", "cached_tokens"):
        summed: Counter[Any] = Counter()
        for row in parts:
            summed[row["date"], row["model"], row["endpoint_id"]] += row[name]
        assert summed == {(r["date"], r["model"], r["endpoint_id"]): r[name] for r in whole}
    assert len(parts) > len(whole)


# -- quirks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quirk", "on", "seen"),
    [
        ("date_suffix", True, lambda rows, text: rows[0]["date"] == "2026-11-22 00:00:00"),
        ("byok_requests", True, lambda rows, text: "byok_requests" in rows[0]),
        ("cached_tokens", False, lambda rows, text: "cached_tokens" not in rows[0]),
        ("unknown_fields", True, lambda rows, text: rows[0].keys() >= {"region", "extras"}),
        ("integer_zero", True, lambda rows, text: '"usage":0,' in text),
        ("exponents", True, lambda rows, text: '"usage":1.979964e-6,' in text),
        (
            "excess_reasoning",
            True,
            lambda rows, text: rows[0]["reasoning_tokens"] > rows[0]["completion_tokens"],
        ),
        ("duplicate_row", True, lambda rows, text: rows[-1] == rows[0]),
        (
            "shuffled",
            True,
            lambda rows, text: [r["model"] for r in rows] != sorted(r["model"] for r in rows),
        ),
    ],
)
def test_each_quirk_shows_and_goes(server, account, quirk, on, seen):
    rows = [activity_row(YESTERDAY, f"a/{n}", "0.000001979964" if n else 0) for n in range(9)]
    account.set_day(YESTERDAY, rows)
    plain = get(server, "/activity")
    assert not seen(plain.data, plain.text)
    setattr(server.quirks, quirk, on)
    quirky = get(server, "/activity")
    assert seen(quirky.data, quirky.text)


# -- the log ------------------------------------------------------------------------------------


def test_the_log_tells_who_asked_what_and_keeps_no_key(server, account):
    get(server, "/activity", date=str(YESTERDAY))
    get(server, "/key", account.inference_keys[0])
    get(server, "/models", "")
    get(server, "/key", "sk-or-v1-stranger")
    assert [(r.method, r.path, dict(r.params), r.key_kind) for r in server.requests] == [
        ("GET", "/activity", {"date": "2026-11-22"}, "management"),
        ("GET", "/key", {}, "inference"),
        ("GET", "/models", {}, "none"),
        ("GET", "/key", {}, "unknown"),
    ]
    assert "sk-or-v1-" not in repr(server.requests)


def test_a_key_in_a_url_fails_the_test_that_sent_it(clock, account):
    server = OpenRouter(clock, [account])
    get(server, "/activity", api_key=account.management_key.secret)
    assert account.management_key.secret not in repr(server.requests)
    with pytest.raises(RuntimeError, match="in the URL of 1 request"):
        server.close()
    server.close()


def test_a_failure_of_the_stand_in_itself_fails_the_test_once(clock, account):
    account.spend(1, YESTERDAY, "a/b")
    account.correct(YESTERDAY, "a/b", usage=0.1)
    server = OpenRouter(clock, [account])
    with pytest.raises(OSError):
        get(server, "/activity")
    with pytest.raises(RuntimeError, match="itself failed"):
        server.close()
    server.close()


def test_an_error_under_way_is_not_hidden_by_closing(clock, account):
    def fail() -> None:
        with OpenRouter(clock, [account]) as server:
            get(server, "/activity", api_key=account.management_key.secret)
            raise KeyError

    with pytest.raises(KeyError):
        fail()


# -- faults -------------------------------------------------------------------------------------


def test_a_fault_is_played_to_the_requests_it_is_meant_for_and_then_over(server):
    server.faults.add("/key", faults.status(500), times=2)
    server.faults.add("/activity", faults.status(500), where={"date": "2026-11-20"}, times=None)
    assert get(server, "/keys").status == 200
    assert [get(server, "/key").status for _ in range(3)] == [500, 500, 200]
    asked = [get(server, "/activity", date=f"2026-11-{n}").status for n in (19, 20, 20, 21)]
    assert asked == [200, 500, 500, 200]
    server.faults.add("/", faults.rate_limited("7"), faults.html())
    limited, broken = get(server, "/credits"), get(server, "/models")
    assert (limited.status, limited.headers["Retry-After"]) == (429, "7")
    assert (broken.status, broken.headers["Content-Type"]) == (502, "text/html; charset=UTF-8")
    server.faults.clear()
    assert get(server, "/activity", date="2026-11-20").status == 200


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (faults.status(402), 402, "Insufficient credits"),
        (faults.error_in_ok(), 200, '{"error":{"message":"Provider returned error","code":502}}'),
        (faults.raw(b'{"data":NaN}'), 200, '{"data":NaN}'),
        (faults.edited(lambda text: text.replace("100", "1e400")), 200, '"total_credits":1e400'),
        (faults.recoded("utf-8-sig"), 200, "\ufeff{"),
        (faults.labelled("text/plain"), 200, '"total_credits":100'),
        (faults.late(0.01), 200, '"total_credits":100'),
        (faults.drip_headers(0), 200, '"total_credits":100'),
        (faults.drip_body(0), 200, '"total_credits":100'),
        (faults.huge_header(60_000), 200, '"total_credits":100'),
    ],
)
def test_whole_but_wrong_answers(server, fault, status, text):
    server.faults.add("/credits", fault)
    got = get(server, "/credits")
    assert got.status == status
    assert text in got.text


def test_redirects_bombs_and_compression_are_what_they_claim(server):
    server.faults.add("/credits", faults.redirect("http://127.0.0.1:1/"), faults.compressed())
    with bare(server) as connection:
        assert b"Location: http://127.0.0.1:1/" in everything(connection)
    with bare(server) as connection:
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert b"total_credits" in gzip.decompress(body)
    server.faults.add("/credits", faults.gzip_bomb(1 << 22), faults.huge_body(1 << 20))
    with bare(server) as connection:
        _, _, packed = everything(connection).partition(b"\r\n\r\n")
    assert len(packed) < 10_000
    assert len(gzip.decompress(packed)) > 1 << 22
    with bare(server) as connection:
        assert len(everything(connection)) > 1 << 20


def test_answers_break_off_where_they_should(server):
    whole = b'{"data":{"total_credits":100,"total_usage":0.0}}'
    cuts = (faults.truncated, faults.truncated_unframed, faults.hang_up, faults.reset)
    server.faults.add("/credits", *cuts)
    with bare(server) as connection:
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole)}".encode() in head
    assert body == whole[: len(whole) // 2]
    with bare(server) as connection:
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert b"Content-Length" not in head
    assert body == whole[: len(whole) // 2]
    with bare(server) as connection:
        assert everything(connection) == b""
    with bare(server) as connection, pytest.raises(ConnectionResetError):
        everything(connection)


@pytest.mark.parametrize(
    "fault", [faults.silence, faults.late(600), faults.drip_headers(600), faults.drip_body(600)]
)
def test_closing_does_not_wait_for_slow_faults(clock, account, fault):
    with OpenRouter(clock, [account]) as server, ThreadPoolExecutor(1) as pool:
        server.faults.add("/credits", fault)
        asked = Event()

        def ask() -> bytes:
            with bare(server) as connection:
                asked.set()
                return everything(connection)

        cut = pool.submit(ask)
        assert asked.wait(10)
        while not server.requests:
            Event().wait(0.01)
        server.close()
        assert b'"total_credits":100' not in cut.result(timeout=10)


# -- the demo's story ---------------------------------------------------------------------------


@pytest.mark.parametrize("offset", range(0, 400, 13))
def test_the_demo_company_is_believable_on_any_day(offset):
    today = date(2026, 3, 1) + timedelta(days=offset)
    midnight = datetime.combine(today, time(), UTC)
    account = demo_account(today)
    rows = {
        day: account.rows(day, midnight)
        for day in (today - timedelta(days=age) for age in range(1, 61))
    }
    daily = [sum(row["usage"] for row in some) for some in rows.values()]
    assert account.balance(midnight) == BALANCE
    assert 5 <= sum(daily) / 60 <= 12
    assert all(daily[:3])
    assert min(len(some) for some in rows.values()) == 0
    assert max(daily) > 2 * sum(daily) / 60
    seen = [row for some in rows.values() for row in some]
    assert len({row["model"] for row in seen}) >= 12
    assert any(row["model"].endswith(":free") and row["usage"] == 0 for row in seen)
    assert any(row["byok_usage_inference"] and not row["usage"] for row in seen)
    assert any(row["reasoning_tokens"] for row in seen)
    assert {key.name for key in account.inference_keys} == {"backend", "ci-evals", "laptop"}


def test_the_demo_company_is_the_same_for_the_same_day_and_another_for_another_seed():
    one, again, other = demo_account(TODAY), demo_account(TODAY), demo_account(TODAY, seed=8)
    assert one.rows(YESTERDAY, MORNING) == again.rows(YESTERDAY, MORNING)
    assert one.keys == again.keys
    assert one.rows(YESTERDAY, MORNING) != other.rows(YESTERDAY, MORNING)


def test_the_demo_balance_drains_during_the_day_into_what_is_reported_tomorrow():
    account = demo_account(TODAY)
    midnight = datetime.combine(TODAY, time(), UTC)
    balances = [account.balance(midnight + timedelta(hours=hour)) for hour in range(25)]
    assert all(later < earlier for earlier, later in pairwise(balances))
    tomorrow = midnight + timedelta(days=1)
    spent = sum(row["usage"] for row in account.rows(TODAY, tomorrow))
    assert balances[0] - balances[-1] == spent


def test_a_big_account_has_the_rows_asked_for(clock):
    with OpenRouter(clock, [big_account(TODAY, days=3, models=20, hosts=2)]) as server:
        rows = get(server, "/activity").data
    assert len(rows) == len({(r["date"], r["model"], r["endpoint_id"]) for r in rows}) == 120
