from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.errors import UsageError
from costcompass_core.vault.entry import check_name, clean_value


@given(st.text())
def test_a_value_comes_out_fit_for_a_header_or_not_at_all(text):
    fit = all("!" <= character <= "~" for character in text.strip()) and text.strip() != ""
    if fit:
        assert clean_value(text).expose() == text.strip()
    else:
        with pytest.raises(UsageError):
            clean_value(text)


def test_what_pasting_adds_around_a_key_is_cleaned():
    assert clean_value("  made-up-key\r\n").expose() == "made-up-key"


@pytest.mark.parametrize(
    "text",
    [
        "made-up\nkey",
        "made-up\rkey",
        "made-up-key\0",
        "\x1b[200~made-up-key",
        "made-up key",
        "made\u200bup-key",
        "ключ-made-up-key",
        "made-up-key" * 400,
        " \n",
        "",
    ],
)
def test_a_value_is_refused_without_being_shown(text):
    with pytest.raises(UsageError) as refusal:
        clean_value(text)
    assert "made" not in str(refusal.value)
    assert refusal.value.mend


@pytest.mark.parametrize("name", ["openrouter/main", "slack/bot-token", "x_1/Team.A-2"])
def test_a_name_is_provider_and_account(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["made-up-key", "", "a/", "/a", "A/b", "a/b/c", "a/../b", "a/b\n", "a/b made", "-a/b", "ä/b"],
)
def test_another_name_is_refused_without_being_shown(name):
    with pytest.raises(UsageError, match="openrouter/main") as refusal:
        check_name(name)
    assert "made" not in str(refusal.value)
