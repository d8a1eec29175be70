"""Signing in to Google: the private key signs and stays, and no error repeats what was sent."""

import json
import traceback
from base64 import urlsafe_b64decode
from datetime import timedelta

import pytest

from bot.sandbox import faults
from bot.sandbox.google import TABLE, Google
from costcompass_core.domain.errors import (
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    WrongKeyType,
)
from costcompass_core.domain.secret import Secret
from costcompass_core.providers.base import KeyType
from costcompass_core.providers.google import PROVIDER
from costcompass_core.providers.http import Http


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


def account(google, **changes):
    found = json.loads(google.service_account()) | changes
    return Secret(json.dumps({name: value for name, value in found.items() if value is not None}))


@pytest.fixture
def sign_in(google, dial, now):
    def start(moment=None, **changes):
        return PROVIDER.sign_in(account(google, **changes), dial, moment or now())

    return start


def test_the_key_signs_and_only_the_token_travels(google, dial, sign_in):
    assert PROVIDER.check_form(Secret(google.service_account()))
    client = dial(google.base_url, sign_in(), options={"table": TABLE})
    assert PROVIDER.identify(client) is KeyType.MANAGEMENT
    token, query = google.requests
    assert (token.method, token.path) == ("POST", "/token")
    assert "authorization" not in token.headers
    assert b"PRIVATE" not in token.body
    assert json.loads(query.body)["dryRun"] is True
    assert query.key == "right"


FOREIGN = ["sk-or-v1-1", "sk-ant-admin-1", "sk-admin-1", "sk-proj-1", "xai-1", "gsk_1", "hf_1", "xoxb-1", "AIzaSy1"]  # fmt: skip
NO_ACCOUNT = ["", "{", "[]", "null", '"text"', "sk-0123", '{"type": 1}', '{"type": "authorized_user", "refresh_token": "1//x"}']  # fmt: skip
CHANGES = [
    *[{name: bad} for name in ("client_email", "private_key", "token_uri") for bad in (None, 1, "")],
    *[{"token_uri": bad} for bad in ("http://example.com/token", "https://a/", "https://a/t?x=1", "ftp://a/t", "https://u:p@a/t", "token")],
    {"type": "external_account"},
]  # fmt: skip


@pytest.mark.parametrize("text", FOREIGN + NO_ACCOUNT)
def test_another_key_is_refused_before_any_call(text):
    with pytest.raises(WrongKeyType, match="IAM & Admin > Service accounts > Keys"):
        PROVIDER.check_form(Secret(text))


@pytest.mark.parametrize("change", CHANGES)
def test_an_unusable_account_is_refused_before_any_call(google, change):
    with pytest.raises(WrongKeyType, match="BigQuery Job User"):
        PROVIDER.check_form(account(google, **change))


@pytest.mark.parametrize(
    "key", ["junk", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_an_unreadable_private_key_is_not_repeated(google, sign_in, key):
    with pytest.raises(WrongKeyType, match="no RSA key in PEM") as caught:
        sign_in(private_key=key)
    assert caught.value.__context__ is None
    assert not google.requests


def test_a_clock_that_is_off_or_an_unknown_account_is_a_rejected_key(sign_in, now):
    with pytest.raises(KeyRejected, match=r"account \(invalid_grant\): .*this machine's clock"):
        sign_in(now() - timedelta(hours=2))
    with pytest.raises(KeyRejected, match="invalid_grant"):
        sign_in(client_email="gone@acme-billing.iam.gserviceaccount.com")


def echo(status):
    """An error that repeats everything it was sent, as a careless server may."""

    def play(google):
        def fault(wire, answer):
            said = google.requests[-1].body.decode()
            faults.raw(json.dumps({"error": said}).encode(), status)(wire, answer)

        return fault

    return play


@pytest.mark.parametrize(
    ("play", "error", "words"),
    [
        (echo(400), KeyRejected, "does not accept this service account"),
        (echo(401), KeyRejected, "does not accept this service account"),
        (echo(500), Unavailable, r"answered with an error \(500\)"),
        (lambda _: faults.rate_limited("90"), Unavailable, r"error \(429\): it asks to try again in 90 s"),
        (lambda _: faults.html(), Unavailable, r"error \(502\)"),
        (lambda _: faults.raw(b'{"access_token": "ya29.secret\\r\\nX: y"}'), UnreadableAnswer, "without a usable access token"),
        (lambda _: faults.raw(b'{"access_token": "ya29.0123456789abcdef", "token_type": "mac"}'), UnreadableAnswer, "another kind"),
        (lambda _: faults.raw(b"[]"), UnreadableAnswer, "without a usable access token"),
    ],
)  # fmt: skip
def test_no_error_of_the_token_endpoint_holds_a_secret(google, sign_in, play, error, words):
    google.faults.add("/token", play(google), times=None)
    with pytest.raises(error, match=words) as caught:
        sign_in()
    shown = "".join(traceback.format_exception(caught.value))
    assertion = google.requests[-1].body.decode().rpartition("=")[2]
    secrets = [*assertion.split("."), "ya29.secret", "BEGIN PRIVATE"]
    assert not [secret for secret in secrets if secret[:24] in shown]
    claims = json.loads(urlsafe_b64decode(assertion.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == 3600
