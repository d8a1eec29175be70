"""Secrets that nobody announced are known by their form: of every vendor, header and address."""

from __future__ import annotations

import json

import pytest

from bot import redaction
from bot.redaction import HIDDEN, hide, redacted
from costcompass_core.domain.secret import Secret
from costcompass_core.providers import keyforms
from costcompass_core.providers.registry import PROVIDERS

TAIL = "Ab12cd34-Ef56gh78_Ij90kl12"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvTAILTAIL\nTAILTAIL==\n-----END PRIVATE KEY-----"
KEYS = {
    "openrouter": f"sk-or-v1-{'ab12' * 16}",
    "anthropic": f"sk-ant-admin01-{TAIL}",
    "openai": f"sk-admin-{TAIL}",
    "deepseek": f"sk-{'0123456789abcdef' * 2}",
    "xai": f"xai-token-{TAIL}",
    "together": f"tgp_v1_{TAIL}",
    "vercel": "vcp_Ab12cd34Ef56gh78Ij90kl12",
    "google": json.dumps({"type": "service_account", "private_key": PEM}),
}
OTHERS = (
    f"sk-ant-api03-{TAIL}",
    f"sk-proj-{TAIL}",
    f"AIzaSy{TAIL}",
    f"ya29.a0{TAIL}",
    f"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ{TAIL}.{TAIL}",
    "xoxb-123456789012-abcdefABCDEF",
    "xoxp-123456789012-abcdefABCDEF",
    "xoxe.xoxp-1-abcdefABCDEF",
    "xoxe-1-abcdefABCDEF",
    "xapp-1-A0123-456-abcdef",
    PEM,
    PEM.replace("\n", "\\n").replace("PRIVATE", "RSA PRIVATE"),
)
PLACES = (
    "Bearer S3CRET",
    "Authorization: Bearer S3CRET",
    "{'authorization': 'Basic S3CRET'}",
    "(b'Authorization', b'Bearer S3CRET')",
    "('X-Api-Key', 'S3CRET')",
    '{"x-goog-api-key": "S3CRET"}',
    "x-api-key=S3CRET",
    "Set-Cookie: d=S3CRET; path=/",
    "https://api.example/v1?key=S3CRET&page=2",
    "https://api.example/v1?page=2&access_token=S3CRET",
    "wss://wss-primary.slack.com/link/?ticket=S3CRET&app_id=x",
    "https://hooks.slack.com/services/T0/B0/S3CRET",
    "https://hooks.slack.com/commands/T0/1/S3CRET is gone",
    "http://user:S3CRET@proxy.example:3128/",
    "postgres://S3CRET@db.example/x",
    '{"private_key": "S3CRET", "client_email": "a@b"}',
    "{'refresh_token': 'S3CRET'}",
)


def test_there_is_a_key_here_of_every_provider_that_takes_one():
    assert KEYS.keys() == {one.name for one in PROVIDERS.values() if one.read_file is None}
    for name, key in KEYS.items():
        if name != "google":  # whose key in full is another test's
            PROVIDERS[name].check_form(Secret(key))


@pytest.mark.parametrize("key", [*KEYS.values(), *OTHERS], ids=lambda key: key[:12])
def test_a_key_is_known_by_its_form_wherever_it_stands(key):
    for text in (key, f"key={key}", f"'{key}'", f"({key})", f"a {key}, b", f"{key}\n{key}"):
        told = redacted(text)
        assert HIDDEN in told
        for piece in ("ab12", "Ab12", "0123456789abcdef", "abcdef", "TAIL"):
            assert piece not in told


@pytest.mark.parametrize("form", keyforms._FORMS, ids=lambda form: form[0])
def test_every_form_that_vendors_are_told_apart_by_is_hidden(form):
    prefix = form[0]
    if prefix == "{":  # a service account: see above
        prefix = '{"private_key": "'
    assert TAIL not in redacted(f"it said {prefix}{TAIL}")


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_of_no_form_is_known_by_its_place(place):
    told = redacted(f"trouble with {place} today")
    assert "S3CRET" not in told
    assert told.startswith("trouble with ")
    assert told.endswith(" today") or place.startswith("Set-Cookie")


def test_of_a_service_account_each_line_of_the_key_is_hidden(monkeypatch):
    monkeypatch.setattr(redaction, "_known", ())
    lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"]
    pem = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    hide(Secret(json.dumps({"type": "service_account", "private_key": pem})))
    for told in (f"line {lines[1]}", f"half {lines[0]}", pem, json.dumps(pem)):
        assert not any(one in redacted(told) for one in lines)


def test_of_a_webhook_the_host_stays(monkeypatch):
    monkeypatch.setattr(redaction, "_known", ())
    redaction.hide_address("https://hooks.example/in/0a1b2c3d4e5f?auth=9z8y7x6w5v4u")
    redaction.hide_address("https://ping.example/short")
    told = redacted("POST https://hooks.example/in/0a1b2c3d4e5f?auth=9z8y7x6w5v4u, then /short")
    assert told == "POST https://hooks.example/***?***, then /short"


@pytest.mark.parametrize(
    "text",
    [
        "the OpenRouter key begins with sk-or-v1- and slack/bot-token with xoxb-",
        "openrouter.ai/api/v1/key rejected the key (401: invalid x-api-key)",
        "make one at https://openrouter.ai/settings/management-keys?tab=new",
        "risk-assessment-of-everything-else-there-is",
        "the passphrase is wrong: try again",
        "anthropic/claude-sonnet-4.5 and hf_model and vca_x, mail a@b.example",
        "costcompass vault add slack/app-token",
        "2026-11-23T09:00:02Z refreshed main: 12 rows, 1 new days, balance $41.37",
    ],
)
def test_ordinary_words_stay(text):
    assert redacted(text) == text
