"""Where a key may be sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.errors import ConfigError
from costcompass_core.providers.http import Http, check_base_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        (" https://OpenRouter.ai:443/api/V1/ ", "https://openrouter.ai:443/api/V1"),
        ("https://10.0.0.7", "https://10.0.0.7"),
        ("http://127.0.0.1:8080/api/v1", "http://127.0.0.1:8080/api/v1"),
        ("http://127.9.9.9/", "http://127.9.9.9"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:1", "http://localhost:1"),
    ],
)
def test_https_anywhere_and_http_at_home(text, url):
    assert check_base_url(text) == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://openrouter.ai/api/v1", "openrouter.ai unencrypted"),
        ("http://localhost.evil.example", "unencrypted"),
        ("ftp://127.0.0.1", "unencrypted"),
        ("https://me:hunter2@openrouter.ai", "name or password"),
        ("https://hunter2@openrouter.ai", "name or password"),
        ("https://openrouter.ai/?key=hunter2", "?"),
        ("https://openrouter.ai/#hunter2", "#"),
        ("openrouter.ai/api/v1", "not an address"),
        ("", "not an address"),
        ("https://", "not an address"),
        ("https://openrouter.ai:port", "not an address"),
        ("https://openrouter.ai:99999", "not an address"),
        ("https://open router.ai", "not an address"),
        ("https://openrouter.ai/a\nb", "not an address"),
        ("https://evil.example\\@openrouter.ai", "not an address"),
        ("https://[::1", "not an address"),
        ("https://" + "a" * 64 + ".example", "not an address"),
    ],
)
def test_anything_else_is_refused_without_showing_a_secret(text, words):
    with pytest.raises(ConfigError) as caught:
        check_base_url(text)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_host_that_cannot_exist_is_refused_before_any_call():
    with pytest.raises(ConfigError, match=r"999\.1\.1\.1"):
        Http("https://999.1.1.1", {}, wait=lambda _: False)


@given(st.text() | st.from_regex(r"https?://[ -~]{0,30}", fullmatch=True))
def test_no_text_does_worse_than_a_config_error(text):
    try:
        url = check_base_url(text)
    except ConfigError:
        return
    assert check_base_url(url) == url
