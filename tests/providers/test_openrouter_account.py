"""OpenRouter's key types, balance, keys, and the calls made for activity, over real sockets."""

from datetime import date
from decimal import Decimal

import pytest
from scripted_server import KEY, says

from costcompass_core.domain.errors import KeyRejected, UnreadableAnswer, WrongKeyType
from costcompass_core.domain.money import Usd
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import ApiKey
from costcompass_core.providers.base import KeyType
from costcompass_core.providers.http import check_base_url
from costcompass_core.providers.registry import PROVIDERS

OPENROUTER = PROVIDERS["openrouter"]
TODAY = date(2026, 11, 23)


def test_the_registry_knows_each_provider_by_its_name_at_a_safe_address():
    for name, provider in PROVIDERS.items():
        assert provider.name == name
        if provider.read_file is None:
            assert check_base_url(provider.base_url) == provider.base_url


@pytest.mark.parametrize(
    ("key", "known"), [(KEY, True), (KEY[:-1], False), (KEY + "\n", False), ("hello", False)]
)
def test_the_form_of_a_key(key, known):
    assert OPENROUTER.check_form(Secret(key)) is known


@pytest.mark.parametrize(
    ("prefix", "vendor"),
    [("sk-ant-api03-", "Anthropic"), ("sk-proj-", "OpenAI"), ("sk-svcacct-", "OpenAI"),
     ("AIzaSy", "Google"), ("gsk_", "Groq"), ("xoxb-", "Slack"), ("xapp-1-", "Slack")],
)  # fmt: skip
def test_a_key_of_somebody_else_is_named_but_not_shown(prefix, vendor):
    with pytest.raises(WrongKeyType, match=vendor) as caught:
        OPENROUTER.check_form(Secret(prefix + "0123456789"))
    assert "0123456789" not in str(caught.value)


def test_the_key_travels_in_a_header_only():
    assert OPENROUTER.authorize(Secret(KEY)) == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"is_management_key": True, "is_provisioning_key": True}, KeyType.MANAGEMENT),
        ({"is_management_key": True}, KeyType.MANAGEMENT),
        ({"is_provisioning_key": True}, KeyType.MANAGEMENT),
        ({"is_management_key": False, "usage": 3.1}, KeyType.INFERENCE),
        ({"is_management_key": None, "is_provisioning_key": False}, KeyType.INFERENCE),
    ],
)
def test_the_provider_says_what_a_key_is(serve, connect, data, kind):
    server = serve(says({"data": data}))
    assert OPENROUTER.identify(connect(server.url)) is kind
    assert server.heads[0].startswith("GET /api/v1/key HTTP/1.1\r\n")


@pytest.mark.parametrize("body", [{"data": {}}, {"data": {"is_management_key": 1}}, {"data": []}])
def test_a_key_of_no_said_type_is_not_guessed(serve, connect, body):
    with pytest.raises(UnreadableAnswer, match="/key"):
        OPENROUTER.identify(connect(serve(says(body)).url))


def test_an_unknown_key_is_rejected(serve, connect):
    body = {"error": {"message": "User not found.", "code": 401}}
    with pytest.raises(KeyRejected, match="User not found"):
        OPENROUTER.identify(connect(serve(says(body, 401)).url))


def test_only_a_management_key_will_do():
    OPENROUTER.require_type(KeyType.MANAGEMENT)
    with pytest.raises(WrongKeyType) as caught:
        OPENROUTER.require_type(KeyType.INFERENCE)
    assert "Management key (formerly Provisioning key)" in str(caught.value)
    assert "https://openrouter.ai/settings/management-keys" in str(caught.value)


@pytest.mark.parametrize(
    ("purchased", "used", "left"),
    [(b"100.5", b"25.75", "74.75"), (b"10", b"10.0213", "-0.0213"), (b"1e1", b"1e-12", None)],
)
def test_the_balance_is_the_exact_difference(serve, connect, purchased, used, left):
    body = b'{"data":{"total_credits":%b,"total_usage":%b}}' % (purchased, used)
    balance = OPENROUTER.read_balance(connect(serve(says(body)).url))
    assert balance.left.text() == (left or "9.999999999999")
    assert balance.purchased == Usd(Decimal(purchased.decode()))
    assert balance.used == Usd(Decimal(used.decode()))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"data":{"total_credits":1}}', "has no total_usage"),
        (b'{"data":{"total_credits":null,"total_usage":1}}', "total_credits is not"),
        (b'{"data":{"total_credits":true,"total_usage":1}}', "total_credits is not"),
        (b'{"data":{"total_credits":1,"total_usage":1e400}}', "total_usage is out of range"),
        (b'{"data":[]}', "no data of the documented shape"),
    ],
)
def test_an_odd_balance_is_no_balance(serve, connect, body, words):
    with pytest.raises(UnreadableAnswer) as caught:
        OPENROUTER.read_balance(connect(serve(says(body)).url))
    assert words in str(caught.value)


def test_asked_days_are_asked_one_by_one_and_the_whole_window_at_once(serve, connect):
    server = serve(says({"data": []}))
    client = connect(server.url)
    days = {date(2026, 11, 22), date(2026, 11, 20)}
    assert OPENROUTER.read_activity(client, days, TODAY).days == dict.fromkeys(days, ())
    assert len(OPENROUTER.read_activity(client, None, TODAY).days) == OPENROUTER.window_days
    OPENROUTER.read_key_activity(client, "abc123", {date(2026, 11, 22)}, TODAY)
    OPENROUTER.read_key_activity(client, "abc123", None, TODAY)
    assert [head.split()[1].removeprefix("/api/v1/activity") for head in server.heads] == [
        "?date=2026-11-20",
        "?date=2026-11-22",
        "",
        "?api_key_hash=abc123&date=2026-11-22",
        "?api_key_hash=abc123",
    ]
    assert server.connections == 1


def listed(*numbers: int, **changes):
    return {"data": [{"hash": f"h{n}", "name": f"key {n}", "usage": n} | changes for n in numbers]}


def test_keys_are_listed_page_by_page(serve, connect):
    server = serve(says(listed(*range(100))), says(listed(*range(99, 150))))
    keys = OPENROUTER.list_keys(connect(server.url))
    assert [key.ident for key in keys] == [f"h{n}" for n in range(150)]
    assert [head.split()[1] for head in server.heads] == [
        "/api/v1/keys?include_disabled=true&offset=0",
        "/api/v1/keys?include_disabled=true&offset=100",
    ]


def test_a_server_that_ignores_the_offset_is_not_asked_for_ever(serve, connect):
    server = serve(says(listed(*range(100))))
    assert len(OPENROUTER.list_keys(connect(server.url))) == 100
    assert len(server.heads) == 2


@pytest.mark.parametrize(
    ("change", "name", "used"),
    [
        ({"name": "ci", "usage": 0.1, "byok_usage": 0.02}, "ci", "0.12"),
        ({"name": " ", "label": "sk-or-v1-0e6...1c96"}, "sk-or-v1-0e6...1c96", "1"),
        ({"name": None, "byok_usage": None}, "(unnamed)", "1"),
        ({"name": "a\x00b"}, "a\ufffdb", "1"),
    ],
)
def test_a_key_has_a_name_for_people_and_one_counter(serve, connect, change, name, used):
    (key,) = OPENROUTER.list_keys(connect(serve(says(listed(1, **change))).url))
    assert key == ApiKey("h1", name, Usd.of(used))


@pytest.mark.parametrize(
    "change", [{"hash": None}, {"hash": "a b"}, {"usage": None}, {"usage": "x"}, {"byok_usage": []}]
)
def test_an_odd_key_makes_the_list_unreadable(serve, connect, change):
    with pytest.raises(UnreadableAnswer, match="/keys"):
        OPENROUTER.list_keys(connect(serve(says(listed(1, **change))).url))
